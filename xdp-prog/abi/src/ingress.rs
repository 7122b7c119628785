//! The ways into this host, and the domain that each belongs to.

/// Key of the table of ingresses: an interface and up to two VLAN tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
pub struct IngressKey {
    /// Kernel index of the interface that the frame arrived on.
    pub ifindex: u32,
    /// Outer VLAN identifier (12 bits), 0 without a tag.
    pub outer_vlan: u16,
    /// Inner VLAN identifier (12 bits), 0 without a second tag.
    pub inner_vlan: u16,
}

impl IngressKey {
    /// An interface without VLAN tags.
    pub const fn untagged(ifindex: u32) -> IngressKey {
        IngressKey { ifindex, outer_vlan: 0, inner_vlan: 0 }
    }

    /// As the word of a table.
    #[inline(always)]
    pub const fn words(&self) -> [u64; 1] {
        [self.ifindex as u64 | (self.outer_vlan as u64) << 32 | (self.inner_vlan as u64) << 48]
    }

    /// What [`IngressKey::words`] makes.
    pub const fn from_words([word]: [u64; 1]) -> IngressKey {
        IngressKey { ifindex: word as u32, outer_vlan: (word >> 32) as u16, inner_vlan: (word >> 48) as u16 }
    }
}

/// Value of the table of ingresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Ingress {
    /// Domain of the addresses that come in here.
    pub domain: u32,
    /// Index of the ingress, 0 to 63: the bit in [`crate::Source::ingresses`].
    pub index: u32,
}

impl Ingress {
    /// As the word of a table.
    pub const fn words(&self) -> [u64; 1] {
        [self.domain as u64 | (self.index as u64) << 32]
    }

    /// What [`Ingress::words`] makes.
    #[inline(always)]
    pub const fn from_words([word]: [u64; 1]) -> Ingress {
        Ingress { domain: word as u32, index: (word >> 32) as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<IngressKey>(), 8);
        assert_eq!(size_of::<Ingress>(), 8);
    }
}
