//! Which attribute of a request names its session.
//!
//! The first of a source's identity attributes that the request has, whatever their order in the packet, and the last where
//! it is there more than once. What is hashed includes the attribute's type and the client's number, so that an
//! Acct-Session-Id is never taken for another client's, or for a User-Name of the same octets.

use crate::siphash::{self, SipHash};

/// Identity attributes at most.
pub const MAX: usize = 4;
/// Acct-Status-Type (RFC 2866 §5.1).
pub const ACCT_STATUS_TYPE: u8 = 40;
/// Vendor-Specific (RFC 2865 §5.26). As an identity it stands for 3GPP-IMSI, where that comes first in its attribute.
pub const VENDOR_SPECIFIC: u8 = 26;
/// What a Vendor-Specific attribute with 3GPP-IMSI begins with, behind type and length: 3GPP's number 10415, and type 1 (TS 29.061 §16.4.7).
pub const IMSI: [u8; 5] = [0, 0, 0x28, 0xaf, 1];
/// Octets of a Vendor-Specific attribute before the value of its first part.
pub const VENDOR_HEADER: usize = 8;

/// Attribute types by priority; zero is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Identity(pub [u8; MAX]);

impl Identity {
    /// No session is told from another.
    pub const NONE: Identity = Identity([0; MAX]);
    /// Of a customer's terminal: Acct-Session-Id, Calling-Station-Id, User-Name.
    pub const CLIENT: Identity = Identity([44, 31, 1, 0]);
    /// Of an access network: Calling-Station-Id, 3GPP-IMSI. Never User-Name, which a fleet may share, nor Acct-Session-Id, which a
    /// device may have a new one of with every attempt.
    pub const ACCESS_NETWORK: Identity = Identity([31, VENDOR_SPECIFIC, 0, 0]);

    /// For each attribute type its rank: 1 to 4 for identities, [`STATUS_RANK`] for Acct-Status-Type, else 0.
    pub const fn table(self) -> [u8; 256] {
        let mut table = [0; 256];
        let mut place = MAX;
        while place > 0 {
            place -= 1;
            if self.0[place] != 0 {
                table[self.0[place] as usize] = place as u8 + 1;
            }
        }
        table[ACCT_STATUS_TYPE as usize] = STATUS_RANK;
        table[0] = 0;
        table
    }
}

/// Rank of Acct-Status-Type in [`Identity::table`].
pub const STATUS_RANK: u8 = 5;
/// Places for ranks, the one for attributes without a rank included.
pub const RANKS: usize = 8;

/// The key of a session: never zero.
///
/// `client` is the client's number, `kind` the attribute's type, `value` its value.
#[inline]
pub fn session(seed: [u64; 2], client: u32, kind: u8, value: &[u8]) -> u64 {
    nonzero(siphash::octets(begin(seed, client, kind), 8, value))
}

/// What a session's hash begins with, before the value.
#[inline(always)]
pub const fn begin(seed: [u64; 2], client: u32, kind: u8) -> SipHash {
    SipHash::new(seed).word(client as u64 | (kind as u64) << 32)
}

/// Zero marks an empty place.
#[inline(always)]
pub const fn nonzero(hash: u64) -> u64 {
    if hash == 0 { 1 } else { hash }
}

/// What a walk over attributes found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found<'a> {
    /// Type and value of the attribute that names the session.
    pub session: Option<(u8, &'a [u8])>,
    /// Acct-Status-Type, where it has its four octets.
    pub status: Option<u32>,
}

/// Walks attributes that are known to be well-formed, as the kernel does.
pub fn find(identity: Identity, mut attributes: &[u8]) -> Found<'_> {
    let mut best: [Option<(u8, &[u8])>; MAX] = [None; MAX];
    let mut status = None;
    while let [kind, length, ..] = *attributes {
        let Some((attribute, rest)) = attributes.split_at_checked(length.max(2) as usize) else { break };
        attributes = rest;
        let value = attribute.get(2..).unwrap_or_default();
        if kind == ACCT_STATUS_TYPE {
            status = value.try_into().ok().map(u32::from_be_bytes);
        }
        let Some(place) = identity.0.iter().position(|one| *one == kind && kind != 0) else { continue };
        let value = match kind {
            VENDOR_SPECIFIC => imsi(value),
            _ => Some(value),
        };
        if let (Some(value), Some(best)) = (value, best.get_mut(place)) {
            *best = Some((kind, value));
        }
    }
    Found { session: best.into_iter().flatten().next(), status }
}

/// The IMSI in the value of a Vendor-Specific attribute. What follows it there is taken for a part of it.
fn imsi(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(&IMSI)?.get(1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u8, value: &[u8]) -> Vec<u8> {
        [&[kind, value.len() as u8 + 2], value].concat()
    }

    #[test]
    fn priority_decides_and_not_the_order_in_the_packet() {
        let packet = [attribute(1, b"alice"), attribute(31, b"090"), attribute(44, b"0001")].concat();
        assert_eq!(find(Identity::CLIENT, &packet).session, Some((44, &b"0001"[..])));
        assert_eq!(find(Identity::ACCESS_NETWORK, &packet).session, Some((31, &b"090"[..])));
        assert_eq!(find(Identity::NONE, &packet).session, None);
    }

    #[test]
    fn of_a_repeated_attribute_the_last_counts() {
        let packet = [attribute(44, b"one"), attribute(44, b"two")].concat();
        assert_eq!(find(Identity::CLIENT, &packet).session, Some((44, &b"two"[..])));
    }

    #[test]
    fn an_imsi_is_found_among_other_vendor_attributes() {
        let other = attribute(26, &[0, 0, 0, 9, 1, 3, 7]);
        let imsi = attribute(26, &[&IMSI[..], &[17], b"440101234567890"].concat());
        for packet in [[other.clone(), imsi.clone()].concat(), [imsi, other].concat()] {
            assert_eq!(find(Identity::ACCESS_NETWORK, &packet).session, Some((26, &b"440101234567890"[..])));
        }
    }

    #[test]
    fn the_status_type_needs_its_four_octets() {
        assert_eq!(find(Identity::CLIENT, &attribute(40, &[0, 0, 0, 3])).status, Some(3));
        assert_eq!(find(Identity::CLIENT, &attribute(40, &[3])).status, None);
    }

    #[test]
    fn the_table_has_every_rank_once() {
        let table = Identity::CLIENT.table();
        assert_eq!((table[44], table[31], table[1], table[40], table[0], table[2]), (1, 2, 3, STATUS_RANK, 0, 0));
        assert_eq!(Identity([44, 44, 0, 0]).table()[44], 1, "the better rank");
    }

    #[test]
    fn client_and_type_are_part_of_a_session() {
        let seed = [3, 4];
        let one = session(seed, 1, 44, b"0001");
        assert_ne!(one, session(seed, 2, 44, b"0001"));
        assert_ne!(one, session(seed, 1, 31, b"0001"));
        assert_ne!(one, session([3, 5], 1, 44, b"0001"));
        assert_eq!(one, session(seed, 1, 44, b"0001"));
    }
}
