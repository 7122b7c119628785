//! A record: an Accounting-Request as it came, and what is known of it.
//!
//! The layout, integers little-endian: version (1 octet), kind (1), time received (8), address family (1: 4 or 6), address (4, or 16
//! and 4 of scope), port (2), then source, customer, contract and realm, each with its length (1) before it, and the packet with
//! its length (2). Nothing follows.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
};

use crate::fields::Fields;

/// The longest source, customer, contract or realm, in octets.
pub const MAX_NAME: usize = 255;
/// The longest packet, RFC 2865 §3.
pub const MAX_PACKET: usize = 4096;
/// The longest record, encoded.
pub const MAX_RECORD: usize = 1 + 1 + 8 + 1 + 20 + 2 + 4 * (1 + MAX_NAME) + 2 + MAX_PACKET;

const VERSION: u8 = 1;
/// The kinds, as they are written.
const ENDED: u8 = 1;
const WAITING: u8 = 2;

/// An accounting record, borrowed: from whoever appends it, or from the buffer that it was read into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was received: nanoseconds since 1970.
    pub received: u64,
    /// Whether somebody still has to have it.
    pub kind: Kind,
    /// Whose equipment sent it: a client's contract, or the name of an access network.
    pub source: &'a str,
    /// The address and port that it came from. An IPv6 flow label is not kept.
    pub from: SocketAddr,
    /// The customer; empty where nobody claims the record.
    pub customer: &'a str,
    /// The customer's contract; may be empty.
    pub contract: &'a str,
    /// The realm; empty for Accounting-On and -Off, and where there is none.
    pub realm: &'a str,
    /// The Accounting-Request, authenticator and all.
    pub packet: &'a [u8],
}

/// Whether a record is at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It ends here: no home server wants it.
    Ended,
    /// It waits for a home server that cannot take it now, until it is [done](crate::Journal::done).
    Waiting,
}

/// A part of the record has no room in the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} of an accounting record has {octets} octets, {most} at most are kept")]
pub struct TooLong {
    /// Which part.
    pub what: &'static str,
    /// How long it is.
    pub octets: usize,
    /// How long it may be.
    pub most: usize,
}

/// Octets that are no record, or one of a later version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an accounting record of a version that this sekisho knows")]
pub struct NoRecord;

impl<'a> Record<'a> {
    /// Appends the record's octets, [`MAX_RECORD`] at most, to `into`.
    ///
    /// # Errors
    ///
    /// [`TooLong`]; nothing has been appended then.
    pub fn encode(&self, into: &mut Vec<u8>) -> Result<(), TooLong> {
        let names =
            [("source", self.source), ("customer", self.customer), ("contract", self.contract), ("realm", self.realm)];
        for (what, name) in names {
            fits(what, name.len(), MAX_NAME)?;
        }
        fits("packet", self.packet.len(), MAX_PACKET)?;

        into.extend([VERSION, if self.kind == Kind::Ended { ENDED } else { WAITING }]);
        into.extend(self.received.to_le_bytes());
        match self.from {
            SocketAddr::V4(from) => {
                into.push(4);
                into.extend(from.ip().octets());
            }
            SocketAddr::V6(from) => {
                into.push(6);
                into.extend(from.ip().octets());
                into.extend(from.scope_id().to_le_bytes());
            }
        }
        into.extend(self.from.port().to_le_bytes());
        for (_, name) in names {
            into.push(name.len() as u8);
            into.extend_from_slice(name.as_bytes());
        }
        into.extend((self.packet.len() as u16).to_le_bytes());
        into.extend_from_slice(self.packet);
        Ok(())
    }

    /// The record that these octets are.
    ///
    /// # Errors
    ///
    /// [`NoRecord`].
    pub fn decode(octets: &'a [u8]) -> Result<Record<'a>, NoRecord> {
        decode(&mut Fields(octets)).ok_or(NoRecord)
    }
}

/// Without the packet: it is its subscriber's.
impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("received", &self.received)
            .field("kind", &self.kind)
            .field("source", &self.source)
            .field("from", &self.from)
            .field("customer", &self.customer)
            .field("contract", &self.contract)
            .field("realm", &self.realm)
            .field("packet", &format_args!("{} octets", self.packet.len()))
            .finish()
    }
}

fn fits(what: &'static str, octets: usize, most: usize) -> Result<(), TooLong> {
    if octets <= most { Ok(()) } else { Err(TooLong { what, octets, most }) }
}

fn decode<'a>(fields: &mut Fields<'a>) -> Option<Record<'a>> {
    if fields.u8()? != VERSION {
        return None;
    }
    let kind = match fields.u8()? {
        ENDED => Kind::Ended,
        WAITING => Kind::Waiting,
        _ => return None,
    };
    let received = fields.u64()?;
    let (address, scope) = match fields.u8()? {
        4 => (IpAddr::from(Ipv4Addr::from(fields.array::<4>()?)), 0),
        6 => (IpAddr::from(Ipv6Addr::from(fields.array::<16>()?)), fields.u32()?),
        _ => return None,
    };
    let port = fields.u16()?;
    let from = match address {
        IpAddr::V4(address) => SocketAddr::from((address, port)),
        IpAddr::V6(address) => SocketAddr::from(SocketAddrV6::new(address, port, 0, scope)),
    };
    let (source, customer, contract, realm) = (name(fields)?, name(fields)?, name(fields)?, name(fields)?);
    let length = usize::from(fields.u16()?);
    let packet = fields.octets(length).filter(|packet| packet.len() <= MAX_PACKET)?;
    fields.0.is_empty().then_some(Record { received, kind, source, from, customer, contract, realm, packet })
}

fn name<'a>(fields: &mut Fields<'a>) -> Option<&'a str> {
    let length = usize::from(fields.u8()?);
    str::from_utf8(fields.octets(length)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record<'a>(name: &'a str, packet: &'a [u8]) -> Record<'a> {
        let from = "[fe80::1%3]:1813".parse().unwrap();
        Record {
            received: 7,
            kind: Kind::Waiting,
            source: name,
            from,
            customer: "",
            contract: name,
            realm: name,
            packet,
        }
    }

    #[test]
    fn what_is_too_long_is_refused_and_leaves_nothing_behind() {
        let (name, packet) = ("n".repeat(MAX_NAME + 1), [0; MAX_PACKET + 1]);
        let mut octets = vec![1];
        assert_eq!(record(&name, &[]).encode(&mut octets).unwrap_err().what, "source");
        assert_eq!(record("", &packet).encode(&mut octets).unwrap_err().what, "packet");
        assert_eq!(octets, [1]);
    }

    #[test]
    fn the_longest_record_has_its_stated_length() {
        let name = "n".repeat(MAX_NAME);
        let mut octets = Vec::new();
        Record { customer: &name, ..record(&name, &[0; MAX_PACKET]) }.encode(&mut octets).unwrap();
        assert_eq!(octets.len(), MAX_RECORD);
    }

    #[test]
    fn debug_output_has_no_packet() {
        assert!(format!("{:?}", record("lac", b"User-Name=taro")).ends_with("packet: 14 octets }"));
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written(
            received: u64, waits: bool, address: IpAddr, port: u16, names in prop::array::uniform4("\\PC{0,60}"),
            packet in prop::collection::vec(any::<u8>(), 0..=MAX_PACKET),
        ) {
            let [source, customer, contract, realm] = &names;
            let kind = if waits { Kind::Waiting } else { Kind::Ended };
            let from = SocketAddr::from((address, port));
            let record = Record { received, kind, source, from, customer, contract, realm, packet: &packet };
            let mut octets = Vec::new();
            match record.encode(&mut octets) {
                Ok(()) => prop_assert_eq!(Record::decode(&octets), Ok(record)),
                Err(_) => prop_assert!(names.iter().any(|name| name.len() > MAX_NAME)),
            }
        }

        #[test]
        fn octets_are_a_record_or_are_not(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut octets = octets;
            for start in [&[][..], &[VERSION], &[VERSION, ENDED, 0, 0, 0, 0, 0, 0, 0, 0, 4]] {
                octets.splice(0..0, start.iter().copied());
                if let Ok(record) = Record::decode(&octets) {
                    let mut again = Vec::new();
                    record.encode(&mut again).unwrap();
                    prop_assert_eq!(&again, &octets);
                }
            }
        }
    }
}
