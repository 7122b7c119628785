//! Prefixes of access networks.

use crate::{AddressBytes, is_mapped};

/// A prefix in a domain, in the form of the tables: an IPv4 prefix of length n is one of length 96 + n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    /// The domain.
    pub domain: u32,
    /// Its first address: all bits beyond the length are zero.
    pub address: AddressBytes,
    /// Bits that count, 0 to 128.
    pub length: u8,
}

/// Key of the kernel's table of prefixes, as its trie compares it: bit by bit, from the first octet on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct PrefixKey {
    /// The domain's octets.
    pub domain: [u8; 4],
    /// The address.
    pub address: AddressBytes,
}

impl Prefix {
    /// The prefix of this length that an address lies in. For an IPv4 address the length is one of IPv4, 0 to 32.
    pub const fn new(domain: u32, address: AddressBytes, length: u8) -> Prefix {
        let most = if is_mapped(&address) { 32 } else { 128 };
        let length = if length > most { most } else { length };
        let length = length + (128 - most);
        Prefix { domain, address: (u128::from_be_bytes(address) & mask(length)).to_be_bytes(), length }
    }

    /// Whether an address of the domain lies in it.
    pub const fn contains(&self, address: &AddressBytes) -> bool {
        u128::from_be_bytes(*address) & mask(self.length) == u128::from_be_bytes(self.address)
    }

    /// The kernel's key, and how many of its bits count.
    pub const fn key(&self) -> (u32, PrefixKey) {
        (32 + self.length as u32, PrefixKey { domain: self.domain.to_be_bytes(), address: self.address })
    }
}

const fn mask(length: u8) -> u128 {
    if length == 0 { 0 } else { u128::MAX << (128 - length) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapped_v4;

    #[test]
    fn an_ipv4_prefix_is_one_of_mapped_addresses() {
        let prefix = Prefix::new(1, mapped_v4([192, 0, 2, 77]), 24);
        assert_eq!((prefix.address, prefix.length), (mapped_v4([192, 0, 2, 0]), 120));
        assert!(prefix.contains(&mapped_v4([192, 0, 2, 255])));
        assert!(!prefix.contains(&mapped_v4([192, 0, 3, 0])));
        assert_eq!(prefix.key().0, 152);
        let everything = Prefix::new(1, mapped_v4([192, 0, 2, 77]), 0);
        assert!(everything.contains(&mapped_v4([1, 2, 3, 4])));
        assert!(!everything.contains(&[0x20; 16]), "but no IPv6");
    }

    #[test]
    fn an_ipv6_prefix_is_itself() {
        let prefix = Prefix::new(1, [0x20; 16], 12);
        assert_eq!((prefix.address[..3].to_vec(), prefix.length), (vec![0x20, 0x20, 0], 12));
        assert!(prefix.contains(&[0x20; 16]));
        assert!(!prefix.contains(&[0x21; 16]));
    }

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<PrefixKey>(), 20);
    }
}
