//! A record for the tests of exports.

use std::sync::Arc;

use sekisho_config::Dictionary;
use sekisho_journal::{Entry, Kind, Position, Record};

use super::attributes::Names;

/// The built-in names.
pub(super) fn names() -> Names {
    Names::new(Arc::new(Dictionary::built_in()))
}

/// An Accounting-Request with these attributes; its authenticator is none.
pub(super) fn packet(attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let mut packet = vec![4, 1, 0, 0];
    packet.resize(20, 0);
    for (number, value) in attributes {
        packet.extend([*number, value.len() as u8 + 2]);
        packet.extend_from_slice(value);
    }
    packet
}

/// A record that holds it.
pub(super) fn entry(packet: &[u8]) -> Entry<'_> {
    let record = Record {
        received: 1_700_000_000_123_456_789,
        kind: Kind::Ended,
        source: "mobile",
        from: ([192, 0, 2, 1], 1646).into(),
        customer: "acme",
        contract: "acme-vpdn-1",
        realm: "acme.example",
        packet,
    };
    Entry { position: Position(7), identity: 0xabcd, record }
}
