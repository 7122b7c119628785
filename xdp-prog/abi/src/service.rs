//! Our own addresses and ports, and what each of them takes.

use crate::{AddressBytes, Roles, halves, whole};

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum PortKind {
    /// Authentication requests (RFC 2865; 1812).
    Auth = 1,
    /// Accounting requests (RFC 2866; 1813).
    Acct = 2,
    /// Dynamic authorization (RFC 5176; 3799).
    DynAuth = 3,
    /// One of our own ports toward home servers: takes replies.
    Upstream = 4,
}

impl PortKind {
    /// From a map value; anything else is no kind.
    #[inline(always)]
    pub const fn from_u32(value: u32) -> Option<PortKind> {
        match value {
            1 => Some(PortKind::Auth),
            2 => Some(PortKind::Acct),
            3 => Some(PortKind::DynAuth),
            4 => Some(PortKind::Upstream),
            _ => None,
        }
    }

    /// The roles that may send to such a port.
    #[inline(always)]
    pub const fn roles(self) -> Roles {
        match self {
            PortKind::Auth | PortKind::Acct => Roles::CLIENT.with(Roles::ACCESS_NETWORK),
            PortKind::DynAuth => Roles::DYNAUTH,
            PortKind::Upstream => Roles::HOME_SERVER,
        }
    }
}

/// Key of the table of services: one of our addresses with a UDP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
pub struct ServiceKey {
    /// Our address.
    pub address: AddressBytes,
    /// UDP port in host order.
    pub port: u32,
}

/// Value of the table of services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Service {
    /// A [`PortKind`] as its number.
    pub kind: u32,
    /// Index of the service address, 0 to 63: the bit in [`crate::Source::services`]. Not used for upstream ports.
    pub index: u32,
}

impl Service {
    /// A service of this kind.
    pub const fn new(kind: PortKind, index: u32) -> Service {
        Service { kind: kind as u32, index }
    }
}

/// The `port` under which a service address itself stands, with its [`AddressFlags`], for packets that carry no port.
pub const ANY_PORT: u32 = 0x1_0000;

impl ServiceKey {
    /// As the words of a table.
    #[inline(always)]
    pub const fn words(&self) -> [u64; 3] {
        let [a, b] = halves(&self.address);
        [a, b, self.port as u64]
    }

    /// What [`ServiceKey::words`] makes.
    pub const fn from_words([a, b, port]: [u64; 3]) -> ServiceKey {
        ServiceKey { address: whole([a, b]), port: port as u32 }
    }
}

impl Service {
    /// As the word of a table.
    pub const fn words(&self) -> [u64; 1] {
        [self.kind as u64 | (self.index as u64) << 32]
    }

    /// What [`Service::words`] makes.
    #[inline(always)]
    pub const fn from_words([word]: [u64; 1]) -> Service {
        Service { kind: word as u32, index: (word >> 32) as u32 }
    }
}

/// Flags of a service address, for fragments that carry no port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct AddressFlags(pub u32);

impl AddressFlags {
    /// The address serves RADIUS only: a fragment from a source without a role may be dropped.
    pub const DEDICATED: AddressFlags = AddressFlags(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<ServiceKey>(), 16 + 4);
        assert_eq!(size_of::<Service>(), 4 + 4);
    }
}
