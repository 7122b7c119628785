//! JSON lines: a record is an object on a line of its own, with all that it has.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, Write},
    net::SocketAddr,
};

use sekisho_journal::{Entry, Kind};
use sekisho_wire::{attr, select::AttributeId};
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use super::{attributes::Names, text::is_hostile, value::Value, when::Shown};

/// One record. `docs/journal.md` describes every key.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(serialize_with = "as_text")]
    received: Shown,
    position: u64,
    #[serde(serialize_with = "as_text")]
    identity: Identity,
    kind: &'static str,
    network: &'a str,
    customer: &'a str,
    contract: &'a str,
    realm: &'a str,
    from: SocketAddr,
    #[serde(serialize_with = "as_text_or_null")]
    status: Option<Value<'a>>,
    attributes: BTreeMap<Cow<'a, str>, Values<'a>>,
}

/// What makes a repeated request the same record, in 32 hexadecimal digits.
pub(super) struct Identity(pub u128);

/// The values of one attribute: an array where there are several.
struct Values<'a>(Vec<Value<'a>>);

/// Writes a record's line.
pub(super) fn write(out: &mut impl Write, names: &Names, entry: &Entry<'_>) -> io::Result<()> {
    let record = &entry.record;
    let mut attributes: BTreeMap<Cow<'_, str>, Values<'_>> = BTreeMap::new();
    names.each(record.packet, |name, value| attributes.entry(name).or_insert_with(|| Values(Vec::new())).0.push(value));
    let line = Line {
        received: Shown(record.received),
        position: entry.position.0,
        identity: Identity(entry.identity),
        kind: match record.kind {
            Kind::Ended => "ended",
            Kind::Waiting => "waiting",
        },
        network: record.source,
        customer: record.customer,
        contract: record.contract,
        realm: record.realm,
        from: record.from,
        status: names.first(record.packet, AttributeId::Plain(attr::ACCT_STATUS_TYPE)),
        attributes,
    };
    line.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Harmless))?;
    out.write_all(b"\n")
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            several => several.serialize(serializer),
        }
    }
}

/// JSON escapes the control characters of ASCII only: this escapes all that [is hostile](is_hostile).
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, character)) = rest.char_indices().find(|(_, character)| is_hostile(*character)) {
            let (before, from) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = from.get(character.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }
}

fn as_text<S: Serializer>(shown: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(shown)
}

fn as_text_or_null<S: Serializer>(value: &Option<Value<'_>>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::*;
    use crate::journal::testing::{entry, names, packet};

    fn line(attributes: &[(u8, &[u8])]) -> String {
        let packet = packet(attributes);
        let mut out = Vec::new();
        write(&mut out, &names(), &entry(&packet)).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn parsed(attributes: &[(u8, &[u8])]) -> Json {
        serde_json::from_str(&line(attributes)).unwrap()
    }

    #[test]
    fn a_record_is_a_line_with_all_that_it_has_as_on_the_page_for_operators() {
        const PAGE: &str = include_str!("../../../../docs/journal.md");
        let (_, example) = PAGE.split_once("```json\n").unwrap();
        let (example, _) = example.split_once("```").unwrap();
        let line = line(&[
            (1, b"alice@acme.example"),
            (40, &[0, 0, 0, 2]),
            (8, &[198, 51, 100, 7]),
            (25, &[1]),
            (46, &[0, 0, 0x0e, 0x10]),
            (25, &[2]),
            (64, &[1, 0, 0, 3]),
        ]);
        assert_eq!(line, example);
    }

    #[test]
    fn a_record_without_a_status_says_so() {
        assert_eq!(parsed(&[])["status"], Json::Null);
        assert_eq!(parsed(&[(40, &[0, 0, 0, 77])])["status"], "77");
    }

    #[test]
    fn what_a_nas_sends_drives_no_terminal_and_comes_back_as_it_was() {
        let hostile = "\u{1b}[2J\r\n\"\\\u{7f}\u{9b}31m\u{202e}\u{e0041}太郎";
        let line = line(&[(1, hostile.as_bytes())]);
        assert!(!line.trim_end_matches('\n').contains(is_hostile), "{line:?}");
        let back: Json = serde_json::from_str(&line).unwrap();
        assert_eq!(back["attributes"]["User-Name"], hostile);
        assert_eq!(parsed(&[(1, b"caf\xe9")])["attributes"]["User-Name"], "caf\\xe9");
    }
}
