//! Retransmissions that the kernel answers itself, or absorbs: requests that userspace has published.
//!
//! Two tables: sets of tags, which every admitted request looks at, and slots, which only a request with the right tag does. Slot
//! `set × WAYS + way` belongs to the tag at that place. Userspace writes both as shared memory. A slot is guarded by a
//! sequence number: odd while it is written, another one afterwards.
//!
//! A slot answers for one request, byte for byte: it holds a keyed digest of the flow and of the whole packet, and the Request
//! Authenticator besides. A NAS that repeats authenticators does not get user A's Accept for user B.

use crate::{
    AddressBytes,
    gcra::Cell,
    halves,
    siphash::{self, SipHash},
};

/// Tags in a set: one cache line.
pub const WAYS: usize = 8;
/// The longest request that is published. With the longest header it just fits an Ethernet frame.
pub const MAX_REQUEST: usize = 1472;
/// The longest reply that is published.
pub const MAX_REPLY: usize = 1472;

/// Tags; zero marks an empty place.
pub type Tags<C> = [C; WAYS];

/// The state of a slot that answers for nothing.
pub const FREE: u64 = 0;
/// The request is in flight: its repetitions are dropped.
pub const IN_FLIGHT: u64 = 1;
/// The request was answered: its repetitions get the reply.
pub const ANSWERED: u64 = 2;

/// A slot. All words are in host order, the reply as it is sent.
#[derive(Debug)]
#[repr(C)]
pub struct Slot<C> {
    /// Odd while the slot is written.
    pub sequence: C,
    /// [`FREE`], [`IN_FLIGHT`] or [`ANSWERED`].
    pub state: C,
    /// Until when (nanoseconds of `CLOCK_MONOTONIC`) it answers.
    pub until: C,
    /// [`crate::settings::Settings::epoch`] at the time of writing: a slot of another epoch answers no more.
    pub epoch: C,
    /// [`digest`] of the request.
    pub digest: C,
    /// The Request Authenticator, as two words in the octets' order.
    pub authenticator: [C; 2],
    /// Octets of the reply, and from bit 32 on their [`sum`].
    pub reply: C,
    /// The reply.
    pub octets: [u8; MAX_REPLY],
}

/// Where a packet came from and went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Source address.
    pub source: AddressBytes,
    /// Destination address: ours.
    pub destination: AddressBytes,
    /// Domain of the source address.
    pub domain: u32,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
}

impl Flow {
    /// As words, addresses in the octets' order.
    #[inline(always)]
    pub const fn words(&self) -> [u64; 5] {
        let [a, b] = halves(&self.source);
        let [c, d] = halves(&self.destination);
        [a, b, c, d, self.domain as u64 | (self.source_port as u64) << 32 | (self.destination_port as u64) << 48]
    }
}

/// The tag of a request: never zero. Quick, and not proof against somebody who makes tags collide: what that gains is
/// another look at a slot.
///
/// `head` is the first four octets of the packet: code, identifier and Length.
#[inline(always)]
pub const fn tag(seed: u64, flow: &[u64; 5], head: [u8; 4]) -> u64 {
    // Two rounds, since every request waits for it; what the words have in common there, the digest tells apart.
    let addresses = flow[0] ^ flow[1].rotate_left(32) ^ flow[2].rotate_left(7) ^ flow[3].rotate_left(39);
    let mut hash = seed ^ addresses;
    hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= flow[4] ^ (u32::from_le_bytes(head) as u64) << 8;
    hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 32;
    if hash == 0 { 1 } else { hash }
}

/// The set that a tag belongs to, of a number of sets that is a power of two.
#[inline(always)]
pub const fn set_of(tag: u64, sets: u32) -> u32 {
    (tag >> 32) as u32 & sets.wrapping_sub(1)
}

/// How many sets hold so many slots: a power of two.
pub const fn sets(slots: u32) -> u32 {
    let sets = slots.div_ceil(WAYS as u32);
    if sets > 1 << 20 { 1 << 20 } else { sets.next_power_of_two() }
}

/// What a request's digest begins with, before the packet.
#[inline(always)]
pub const fn begin(seed: [u64; 2], flow: &[u64; 5]) -> SipHash {
    let mut state = SipHash::new(seed);
    let mut at = 0;
    while at < flow.len() {
        state = state.word(flow[at]);
        at += 1;
    }
    state
}

/// The digest of a request: of its flow and of the packet up to its Length.
#[inline]
pub fn digest(seed: [u64; 2], flow: &[u64; 5], packet: &[u8]) -> u64 {
    siphash::octets(begin(seed, flow), 40, packet)
}

/// The sum of big-endian 16-bit words, folded (RFC 1071), as the checksum of UDP takes it.
pub fn sum(octets: &[u8]) -> u16 {
    let (words, rest) = octets.as_chunks::<2>();
    let words = words.iter().map(|word| u64::from(u16::from_be_bytes(*word)));
    let last = rest.first().map_or(0, |octet| u64::from(*octet) << 8);
    fold(words.sum::<u64>() + last)
}

/// Brings a sum of 16-bit words into 16 bits (RFC 1071).
#[inline(always)]
pub const fn fold(mut sum: u64) -> u16 {
    sum = (sum & 0xffff_ffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum as u16
}

impl<C: Cell> Slot<C> {
    /// Length and sum of the reply.
    #[inline(always)]
    pub fn reply(&self) -> (usize, u16) {
        let word = self.reply.load();
        ((word & 0xffff_ffff) as usize, (word >> 32) as u16)
    }
}

/// What [`Slot::reply`] reads.
#[inline(always)]
pub const fn reply_word(length: usize, sum: u16) -> u64 {
    length as u64 | (sum as u64) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        Flow { source: [1; 16], destination: [2; 16], domain: 3, source_port: 4, destination_port: 5 }
    }

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<Slot<u64>>(), 64 + MAX_REPLY);
        assert_eq!(MAX_REPLY % 8, 0);
    }

    #[test]
    fn every_part_of_a_request_changes_its_digest_and_its_tag_or_one_of_them() {
        let packet = [7_u8; 20];
        let seed = [8, 9];
        let of = |flow: Flow, packet: &[u8]| {
            let words = flow.words();
            (tag(seed[0], &words, *packet.first_chunk().unwrap()), digest(seed, &words, packet))
        };
        let base = of(flow(), &packet);
        let others = [
            Flow { source: [0; 16], ..flow() },
            Flow { destination: [0; 16], ..flow() },
            Flow { domain: 0, ..flow() },
            Flow { source_port: 0, ..flow() },
            Flow { destination_port: 0, ..flow() },
        ];
        for other in others {
            assert_ne!(of(other, &packet), base);
            assert_ne!(of(other, &packet).1, base.1);
        }
        for octet in 0..packet.len() {
            let mut packet = packet;
            packet[octet] ^= 1;
            assert_ne!(of(flow(), &packet).1, base.1, "octet {octet}");
        }
        assert_ne!(of(flow(), &packet[..19]).1, base.1);
    }

    #[test]
    fn sums_are_those_of_rfc_1071() {
        // The example of RFC 1071 §3.
        assert_eq!(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0xddf2);
        assert_eq!(sum(&[0xff, 0xff, 0x01]), 0x0100);
        assert_eq!(fold(u64::MAX), 0xffff);
        let long = vec![0xff; MAX_REPLY];
        assert_eq!(sum(&long), 0xffff);
    }

    #[test]
    fn the_reply_word_comes_back() {
        let mut slot: Slot<std::sync::atomic::AtomicU64> = Slot {
            sequence: 0.into(),
            state: 0.into(),
            until: 0.into(),
            epoch: 0.into(),
            digest: 0.into(),
            authenticator: [0.into(), 0.into()],
            reply: 0.into(),
            octets: [0; MAX_REPLY],
        };
        slot.reply = reply_word(MAX_REPLY, 0xffff).into();
        assert_eq!(slot.reply(), (MAX_REPLY, 0xffff));
    }
}
