//! Registered sources: who may send what, by which ingress, to which service address.

use crate::{AddressBytes, PortKind, Reason, Service, client::Limits, halves, identity::Identity, whole};

/// What a registered source may be. A bit set: one address can be a client and a home server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Roles(pub u32);

impl Roles {
    /// No role.
    pub const NONE: Roles = Roles(0);
    /// A customer's terminal: may ask on authentication and accounting ports.
    pub const CLIENT: Roles = Roles(1);
    /// An operator's access network: may ask on authentication and accounting ports.
    pub const ACCESS_NETWORK: Roles = Roles(2);
    /// A home server: may answer to our upstream ports.
    pub const HOME_SERVER: Roles = Roles(4);
    /// A dynamic-authorization client: may ask on port 3799 (RFC 5176).
    pub const DYNAUTH: Roles = Roles(8);

    /// Whether the two sets share a role.
    #[inline(always)]
    pub const fn meets(self, other: Roles) -> bool {
        self.0 & other.0 != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Roles) -> Roles {
        Roles(self.0 | other.0)
    }
}

/// Key of the table of sources: addresses are unique per domain, since customers' private networks overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
pub struct SourceKey {
    /// The source address. It comes first, on a multiple of eight octets, where the kernel's hash reads it fastest.
    pub address: AddressBytes,
    /// The domain, from the ingress that the packet came in by.
    pub domain: u32,
}

/// A registered source, as userspace has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it may do.
    pub roles: Roles,
    /// Number of the source's contract in this process; [`Source::NO_ID`] where it has none.
    pub id: u32,
    /// Bit `i` set: may come in by the ingress with index `i`.
    pub ingresses: u64,
    /// Bit `i` set: may use the service address with index `i`.
    pub services: u64,
    /// Whose buckets it is charged to ([`crate::numbers::owner`]); zero where no contract stands behind it.
    pub owner: u64,
    /// Its limits; the same for all sources of one owner.
    pub limits: Limits,
    /// Which attribute names a session; the same for all sources of one owner.
    pub identity: Identity,
}

impl Source {
    /// The `id` of a source that no contract stands behind (a home server).
    pub const NO_ID: u32 = u32::MAX;

    /// A source without limits, allowed by every ingress and at every service address.
    pub const fn unlimited(roles: Roles, id: u32) -> Source {
        let owner = if id == Source::NO_ID { 0 } else { id as u64 + 1 };
        let (limits, identity) = (Limits::NONE, Identity::CLIENT);
        Source { roles, id, ingresses: u64::MAX, services: u64::MAX, owner, limits, identity }
    }

    /// What it may do, by which ingresses and where.
    pub const fn access(&self) -> Access {
        Access { roles: self.roles, ingresses: self.ingresses, services: self.services }
    }

    /// As the kernel has it, with the slot that was found for its owner.
    pub const fn entry(&self, slot: u32) -> Entry {
        Entry { ingresses: self.ingresses, services: self.services, roles: self.roles, slot }
    }
}

/// Value of the kernel's tables of sources and of prefixes; the table of sources has it as three words ([`Entry::words`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Entry {
    /// As [`Source::ingresses`].
    pub ingresses: u64,
    /// As [`Source::services`].
    pub services: u64,
    /// As [`Source::roles`].
    pub roles: Roles,
    /// Its contract's [`crate::client::Slot`].
    pub slot: u32,
}

impl Entry {
    /// As the words of a table.
    pub const fn words(&self) -> [u64; 3] {
        [self.ingresses, self.services, self.roles.0 as u64 | (self.slot as u64) << 32]
    }

    /// What [`Entry::words`] makes.
    #[inline(always)]
    pub const fn from_words([ingresses, services, last]: [u64; 3]) -> Entry {
        Entry { ingresses, services, roles: Roles(last as u32), slot: (last >> 32) as u32 }
    }

    /// What it may do, by which ingresses and where.
    #[inline(always)]
    pub const fn access(&self) -> Access {
        Access { roles: self.roles, ingresses: self.ingresses, services: self.services }
    }
}

impl SourceKey {
    /// As the words of a table.
    #[inline(always)]
    pub const fn words(&self) -> [u64; 3] {
        let [a, b] = halves(&self.address);
        [a, b, self.domain as u64]
    }

    /// What [`SourceKey::words`] makes.
    pub const fn from_words([a, b, domain]: [u64; 3]) -> SourceKey {
        SourceKey { address: whole([a, b]), domain: domain as u32 }
    }
}

/// What a source may do, by which ingresses, and at which service addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// See [`Source::roles`].
    pub roles: Roles,
    /// See [`Source::ingresses`].
    pub ingresses: u64,
    /// See [`Source::services`].
    pub services: u64,
}

/// Ingress, service address and role of a registered source, in this order; shared with the kernel's program.
///
/// # Errors
///
/// [`Reason::WrongIngress`], [`Reason::WrongService`], [`Reason::WrongRole`].
#[inline(always)]
pub const fn admit(source: Access, ingress: u32, service: Service, kind: PortKind) -> Result<(), Reason> {
    if (source.ingresses >> (ingress & 63)) & 1 == 0 {
        return Err(Reason::WrongIngress);
    }
    if !matches!(kind, PortKind::Upstream) && (source.services >> (service.index & 63)) & 1 == 0 {
        return Err(Reason::WrongService);
    }
    if !source.roles.meets(kind.roles()) {
        return Err(Reason::WrongRole);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        let entry = Entry { ingresses: 1, services: 2, roles: Roles::CLIENT, slot: 9 };
        assert_eq!(Entry::from_words(entry.words()), entry);
        let key = SourceKey { address: *b"0123456789abcdef", domain: 7 };
        assert_eq!(SourceKey::from_words(key.words()), key);
    }

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<SourceKey>(), 16 + 4);
        assert_eq!(size_of::<Entry>(), 8 + 8 + 4 + 4);
    }
}
