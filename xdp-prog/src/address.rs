//! Addresses in two registers instead of sixteen.
//!
//! Left to itself the compiler moves an address octet by octet, and the hash that then reads it by words waits for every
//! one of those stores: that alone was half of what a packet cost.

use sekisho_abi::AddressBytes;

/// An address in the form of the tables, as two words in the octets' order.
#[derive(Clone, Copy)]
pub struct Address([u64; 2]);

impl Address {
    /// The IPv4 address at `at` in a header. `at` is a constant, and the four octets lie within the header.
    #[inline(always)]
    pub fn v4<const N: usize>(header: &[u8; N], at: usize) -> Address {
        const { assert!(N >= 20) };
        // SAFETY: an IPv4 address ends at octet 20 at the latest, and the header has as many. eBPF has no alignment of
        // its own; on a machine that has, the verifier would refuse the load.
        let [a, b, c, d] = unsafe { *(header.as_ptr().add(at) as *const u32) }.to_ne_bytes();
        Address([0, u64::from_ne_bytes([0, 0, 0xff, 0xff, a, b, c, d])])
    }

    /// The IPv6 address at `at` in a header. `at` is a constant, and the 16 octets lie within the header.
    #[inline(always)]
    pub fn v6<const N: usize>(header: &[u8; N], at: usize) -> Address {
        const { assert!(N >= 40) };
        // SAFETY: an IPv6 address ends at octet 40 at the latest; otherwise as for IPv4.
        let word = |at: usize| unsafe { *(header.as_ptr().add(at) as *const u64) };
        Address([word(at), word(at + 8)])
    }

    /// As the tables have it.
    #[inline(always)]
    pub fn octets(self) -> AddressBytes {
        // SAFETY: two words of eight octets are sixteen octets.
        unsafe { core::mem::transmute(self.0) }
    }

    /// From what [`Address::words`] gives.
    #[inline(always)]
    pub fn new(words: [u64; 2]) -> Address {
        Address(words)
    }

    /// As the tables of words have it.
    #[inline(always)]
    pub fn words(self) -> [u64; 2] {
        self.0
    }

    /// The sum of its 16-bit words, as checksums take it: of an IPv4 address its own four octets only.
    #[inline(always)]
    pub fn sum(self) -> u64 {
        let [first, second] = self.0;
        let second = if self.is_mapped() { second & !MAPPED_MASK } else { second };
        words_of(first) + words_of(second)
    }

    /// Whether it is an IPv4 address in the form of the tables.
    #[inline(always)]
    pub fn is_mapped(self) -> bool {
        self.0[0] == 0 && self.0[1] & MAPPED_MASK == MAPPED
    }
}

#[inline(always)]
fn words_of(word: u64) -> u64 {
    let word = u64::from_be(word);
    (word >> 48) + (word >> 32 & 0xffff) + (word >> 16 & 0xffff) + (word & 0xffff)
}

const MAPPED_MASK: u64 = u64::from_ne_bytes([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
const MAPPED: u64 = u64::from_ne_bytes([0, 0, 0xff, 0xff, 0, 0, 0, 0]);
