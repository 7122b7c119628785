//! The gate's tables as userspace keeps them, and the gate's decision in userspace.

use std::collections::{BTreeMap, HashMap};

use crate::{
    AddressBytes, Ingress, IngressKey, PortKind, Prefix, Reason, Service, ServiceKey, Source, SourceKey, header, source,
};

/// Everything the gate knows: compiled from configuration, pushed to the kernel as a diff, used by userspace as it is.
///
/// Upstream ports are not in it: a worker opens and closes them as it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateTable {
    /// Who may send, by domain and address.
    pub sources: HashMap<SourceKey, Source>,
    /// Who may send beside those, by prefix: an address of its own goes first.
    pub prefixes: Prefixes,
    /// Our own addresses and ports.
    pub services: HashMap<ServiceKey, Service>,
    /// The ways in.
    pub ingresses: HashMap<IngressKey, Ingress>,
    /// Service addresses that carry nothing but RADIUS.
    pub dedicated: Vec<AddressBytes>,
}

/// What the gate found out about a packet that it admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The source's entry.
    pub source: Source,
    /// The domain it was found in.
    pub domain: u32,
    /// The RADIUS Length.
    pub length: usize,
}

/// Prefixes with their sources. No two of one domain overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes(BTreeMap<(u32, AddressBytes), (Prefix, Source)>);

impl Prefixes {
    /// Adds a prefix. `false`, and nothing changes, where it overlaps another one.
    pub fn insert(&mut self, prefix: Prefix, source: Source) -> bool {
        let key = (prefix.domain, prefix.address);
        let next = self.0.range(key..).next();
        let overlaps = next.is_some_and(|((domain, address), _)| *domain == prefix.domain && prefix.contains(address))
            || self.find(prefix.domain, &prefix.address).is_some();
        if !overlaps {
            self.0.insert(key, (prefix, source));
        }
        !overlaps
    }

    /// The source of the prefix that an address lies in.
    pub fn find(&self, domain: u32, address: &AddressBytes) -> Option<&Source> {
        let (_, (prefix, source)) = self.0.range(..=(domain, *address)).next_back()?;
        (prefix.domain == domain && prefix.contains(address)).then_some(source)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix, Source)> + '_ {
        self.0.values().copied()
    }
}

impl GateTable {
    /// The source of an address: its own entry, or that of the prefix that it lies in.
    #[inline]
    pub fn source(&self, domain: u32, address: AddressBytes) -> Option<&Source> {
        let exact = self.sources.get(&SourceKey { domain, address });
        if exact.is_some() || self.prefixes.is_empty() { exact } else { self.prefixes.find(domain, &address) }
    }

    /// The whole decision for one unfragmented datagram, in the kernel's order: source, ingress, service address, role,
    /// header.
    ///
    /// `ingress` is `None` where the packet came in by an interface that has no domain. `head` is the datagram's first
    /// four octets, zeros where it is shorter.
    ///
    /// # Errors
    ///
    /// The reason to drop the packet.
    #[inline]
    pub fn judge(
        &self,
        ingress: Option<Ingress>,
        from: AddressBytes,
        service: Service,
        head: [u8; 4],
        datagram: usize,
    ) -> Result<Admitted, Reason> {
        let Ingress { domain, index } = ingress.ok_or(Reason::Unregistered)?;
        let entry = *self.source(domain, from).ok_or(Reason::Unregistered)?;
        let kind = PortKind::from_u32(service.kind).ok_or(Reason::WrongRole)?;
        source::admit(entry.access(), index, service, kind)?;
        let length = header::check(kind, head, datagram)?;
        Ok(Admitted { source: entry, domain, length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Roles, mapped_v4};

    fn table() -> GateTable {
        let mut table = GateTable::default();
        let at = |last, id| (mapped_v4([192, 0, 2, last]), Source::unlimited(Roles::ACCESS_NETWORK, id));
        let (address, source) = at(16, 1);
        assert!(table.prefixes.insert(Prefix::new(7, address, 28), source));
        let (address, source) = at(20, 2);
        table.sources.insert(SourceKey { domain: 7, address }, source);
        table
    }

    #[test]
    fn an_address_of_its_own_goes_before_the_prefix_around_it() {
        let table = table();
        let id = |domain, last| table.source(domain, mapped_v4([192, 0, 2, last])).map(|source| source.id);
        assert_eq!(id(7, 16), Some(1));
        assert_eq!(id(7, 20), Some(2));
        assert_eq!(id(7, 31), Some(1));
        assert_eq!(id(7, 15), None);
        assert_eq!(id(7, 32), None);
        assert_eq!(id(8, 16), None);
    }

    #[test]
    fn prefixes_that_overlap_are_refused_and_neighbours_are_not() {
        let mut prefixes = table().prefixes;
        let mut insert = |last, length| {
            let prefix = Prefix::new(7, mapped_v4([192, 0, 2, last]), length);
            prefixes.insert(prefix, Source::unlimited(Roles::ACCESS_NETWORK, 3))
        };
        assert!(!insert(16, 28));
        assert!(!insert(0, 24));
        assert!(!insert(24, 30));
        assert!(insert(0, 28));
        assert!(insert(32, 32));
    }
}
