//! Registered sources: who may send what, by which ingress, to which service address.

use crate::{AddressBytes, PortKind, Reason, Service};

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

/// A token bucket's parameters for GCRA, computed in userspace. Zero increment: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct BucketParams {
    /// Nanoseconds that one packet costs: 10⁹ ÷ rate.
    pub increment: u64,
    /// Nanoseconds that may be owed: (burst − 1) × increment.
    pub tolerance: u64,
}

/// Value of the table of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Source {
    /// What it may do.
    pub roles: Roles,
    /// Stable number of the source's contract; `u32::MAX` where it has none.
    pub id: u32,
    /// Bit `i` set: may come in by the ingress with index `i`.
    pub ingresses: u64,
    /// Bit `i` set: may use the service address with index `i`.
    pub services: u64,
    /// The client's bucket.
    pub client: BucketParams,
    /// The bucket of each of its sessions.
    pub session: BucketParams,
    /// The bucket of new sessions.
    pub new_session: BucketParams,
}

impl Source {
    /// The `id` of a source that no contract stands behind (a home server).
    pub const NO_ID: u32 = u32::MAX;

    /// A source without limits, allowed by every ingress and at every service address.
    pub const fn unlimited(roles: Roles, id: u32) -> Source {
        const FREE: BucketParams = BucketParams { increment: 0, tolerance: 0 };
        Source { roles, id, ingresses: u64::MAX, services: u64::MAX, client: FREE, session: FREE, new_session: FREE }
    }
}

/// Ingress, service address and role of a registered source, in this order; shared with the kernel's program.
///
/// # Errors
///
/// [`Reason::WrongIngress`], [`Reason::WrongService`], [`Reason::WrongRole`].
#[inline(always)]
pub const fn admit(source: &Source, ingress: u32, service: Service, kind: PortKind) -> Result<(), Reason> {
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
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<SourceKey>(), 16 + 4);
        assert_eq!(size_of::<Source>(), 4 + 4 + 8 + 8 + 3 * 16);
    }
}
