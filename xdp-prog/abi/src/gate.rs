//! The gate's tables as userspace keeps them, and the gate's decision in userspace.

use std::collections::HashMap;

use crate::{
    AddressBytes, Ingress, IngressKey, PortKind, Reason, Service, ServiceKey, Source, SourceKey, header, source,
};

/// Everything the gate knows: compiled from configuration, pushed to the kernel as a diff, used by userspace as it is.
///
/// Upstream ports are not in it: a worker opens and closes them as it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateTable {
    /// Who may send, by domain and address.
    pub sources: HashMap<SourceKey, Source>,
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

impl GateTable {
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
        let found = self.sources.get(&SourceKey { domain, address: from });
        let entry = *found.ok_or(Reason::Unregistered)?;
        let kind = PortKind::from_u32(service.kind).ok_or(Reason::WrongRole)?;
        source::admit(&entry, index, service, kind)?;
        let length = header::check(kind, head, datagram)?;
        Ok(Admitted { source: entry, domain, length })
    }
}
