//! CSV: a record is a row, with the columns that billing needs (RFC 4180).

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

use csv::{Terminator, WriterBuilder};
use sekisho_journal::Entry;
use sekisho_wire::{
    attr,
    attribute::attributes,
    select::AttributeId::{self, Plain, Vendor},
    vendor::THREE_GPP,
};

use super::{
    attributes::Names,
    jsonl::Identity,
    text::{cell, hexadecimal},
    when::Shown,
};

/// The columns, in their order. Further ones go behind the last; none is moved or taken out.
const COLUMNS: [(&str, Column); 26] = [
    ("received", Column::Received),
    ("customer", Column::Customer),
    ("contract", Column::Contract),
    ("realm", Column::Realm),
    ("network", Column::Network),
    ("from", Column::From),
    ("status", Column::First(&[Plain(attr::ACCT_STATUS_TYPE)])),
    ("session_id", Column::First(&[Plain(attr::ACCT_SESSION_ID)])),
    ("user", Column::First(&[Plain(attr::USER_NAME)])),
    ("calling", Column::First(&[Plain(attr::CALLING_STATION_ID)])),
    ("called", Column::First(&[Plain(attr::CALLED_STATION_ID)])),
    ("nas", Column::First(&NAS)),
    ("framed_ip", Column::First(&FRAMED)),
    ("server_endpoint", Column::First(&[Plain(attr::TUNNEL_SERVER_ENDPOINT)])),
    ("session_time", Column::First(&[Plain(attr::ACCT_SESSION_TIME)])),
    ("input_octets", Column::Octets { octets: attr::ACCT_INPUT_OCTETS, gigawords: attr::ACCT_INPUT_GIGAWORDS }),
    ("output_octets", Column::Octets { octets: attr::ACCT_OUTPUT_OCTETS, gigawords: attr::ACCT_OUTPUT_GIGAWORDS }),
    ("input_packets", Column::First(&[Plain(attr::ACCT_INPUT_PACKETS)])),
    ("output_packets", Column::First(&[Plain(attr::ACCT_OUTPUT_PACKETS)])),
    ("terminate_cause", Column::First(&[Plain(attr::ACCT_TERMINATE_CAUSE)])),
    ("event_time", Column::First(&[Plain(attr::EVENT_TIMESTAMP)])),
    ("delay", Column::First(&[Plain(attr::ACCT_DELAY_TIME)])),
    ("class", Column::Class),
    // 3GPP-IMSI, TS 29.061 §16.4.7.
    ("imsi", Column::First(&[Vendor(THREE_GPP, 1)])),
    ("position", Column::Position),
    ("identity", Column::Identity),
];

/// What says which NAS it is, the best first.
const NAS: [AttributeId; 3] = [Plain(attr::NAS_IDENTIFIER), Plain(attr::NAS_IP_ADDRESS), Plain(attr::NAS_IPV6_ADDRESS)];
/// What says which address a session has: IPv4, else Framed-IPv6-Address (RFC 6911 §3.1), else its prefix.
const FRAMED: [AttributeId; 3] = [Plain(attr::FRAMED_IP_ADDRESS), Plain(168), Plain(attr::FRAMED_IPV6_PREFIX)];

/// What a column shows.
enum Column {
    Received,
    Customer,
    Contract,
    Realm,
    Network,
    From,
    /// The first of these attributes that there is.
    First(&'static [AttributeId]),
    /// A counter of 64 bits in two attributes (RFC 2869 §5.1, §5.2).
    Octets {
        octets: u8,
        gigawords: u8,
    },
    /// Every Class, with spaces between them.
    Class,
    Position,
    Identity,
}

/// Writes rows.
pub(super) struct Table<W: Write>(csv::Writer<W>);

impl<W: Write> Table<W> {
    /// Begins with the header.
    pub fn new(out: W) -> io::Result<Table<W>> {
        let mut table = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        table.write_record(COLUMNS.map(|(name, _)| name)).map_err(of_output)?;
        Ok(Table(table))
    }

    /// Writes a record's row.
    pub fn write(&mut self, names: &Names, entry: &Entry<'_>) -> io::Result<()> {
        for (_, column) in &COLUMNS {
            self.0.write_field(cell(&column.text(names, entry)).as_bytes()).map_err(of_output)?;
        }
        // Ends the row.
        self.0.write_record(None::<&[u8]>).map_err(of_output)
    }

    /// Hands over what has been written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What the output said: the crate's own conversion makes it an error of another kind.
fn of_output(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

impl Column {
    fn text<'a>(&self, names: &'a Names, entry: &Entry<'a>) -> Cow<'a, str> {
        let (record, packet) = (&entry.record, entry.record.packet);
        match *self {
            Column::Received => Shown(record.received).to_string().into(),
            Column::Customer => record.customer.into(),
            Column::Contract => record.contract.into(),
            Column::Realm => record.realm.into(),
            Column::Network => record.source.into(),
            Column::From => record.from.to_string().into(),
            Column::First(ids) => {
                let found = ids.iter().find_map(|id| names.first(packet, *id));
                found.map_or(Cow::Borrowed(""), |value| value.to_string().into())
            }
            Column::Octets { octets, gigawords } => total(packet, octets, gigawords).into(),
            Column::Class => classes(packet).into(),
            Column::Position => entry.position.to_string().into(),
            Column::Identity => Identity(entry.identity).to_string().into(),
        }
    }
}

/// Gigawords and octets together; empty where there are neither. An attribute that is no number is shown as its octets, so that nothing
/// is billed by half of a counter.
fn total(packet: &[u8], octets: u8, gigawords: u8) -> String {
    let mut total = None;
    for (number, shift) in [(gigawords, 32), (octets, 0)] {
        let Some(value) = Plain(number).find(packet) else { continue };
        let Ok(counted) = value.try_into().map(u32::from_be_bytes) else { return hexadecimal(value) };
        total = Some(total.unwrap_or(0) + (u64::from(counted) << shift));
    }
    total.map_or_else(String::new, |total: u64| total.to_string())
}

fn classes(packet: &[u8]) -> String {
    let mut text = String::new();
    for class in attributes(packet).filter(|found| found.number == attr::CLASS) {
        let space = if text.is_empty() { "" } else { " " };
        // Writing to a String does not fail.
        let _ = write!(text, "{space}{}", hexadecimal(class.value));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::testing::{entry, names, packet};

    fn table(attributes: &[(u8, &[u8])]) -> String {
        let packet = packet(attributes);
        let mut out = Vec::new();
        let mut table = Table::new(&mut out).unwrap();
        table.write(&names(), &entry(&packet)).unwrap();
        table.flush().unwrap();
        drop(table);
        String::from_utf8(out).unwrap()
    }

    /// One cell of a row, as a program reads it.
    fn read(attributes: &[(u8, &[u8])], column: &str) -> String {
        let table = table(attributes);
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let at = reader.headers().unwrap().iter().position(|name| name == column).unwrap();
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), 1, "{table}");
        rows[0][at].to_owned()
    }

    #[test]
    fn a_record_is_a_row_below_a_fixed_header() {
        let table = table(&[
            (40, &[0, 0, 0, 2]),
            (44, b"s-1"),
            (1, b"alice@acme.example"),
            (31, b"819012345678"),
            (30, b"apn.example"),
            (32, b"lac-1"),
            (4, &[192, 0, 2, 1]),
            (8, &[198, 51, 100, 7]),
            (67, b"\x01203.0.113.5"),
            (46, &[0, 0, 0x0e, 0x10]),
            (42, &[0, 0, 0, 5]),
            (52, &[0, 0, 0, 1]),
            (43, &[0, 0, 0, 6]),
            (47, &[0, 0, 0, 8]),
            (48, &[0, 0, 0, 9]),
            (49, &[0, 0, 0, 1]),
            (55, &1_700_000_000_u32.to_be_bytes()),
            (41, &[0, 0, 0, 3]),
            (25, &[0xab]),
            (25, &[0xcd]),
            (26, &[0, 0, 0x28, 0xaf, 1, 5, b'4', b'4', b'0']),
        ]);
        let header = "received,customer,contract,realm,network,from,status,session_id,user,calling,called,nas,framed_ip,\
                      server_endpoint,session_time,input_octets,output_octets,input_packets,output_packets,terminate_cause,\
                      event_time,delay,class,imsi,position,identity\r\n";
        let row = "2023-11-14T22:13:20.123Z,acme,acme-vpdn-1,acme.example,mobile,192.0.2.1:1646,Stop,s-1,\
                   alice@acme.example,819012345678,apn.example,lac-1,198.51.100.7,203.0.113.5,3600,4294967301,6,8,9,\
                   User-Request,2023-11-14T22:13:20.000Z,3,0xab 0xcd,440,7,0000000000000000000000000000abcd\r\n";
        assert_eq!(table, format!("{header}{row}"));
    }

    #[test]
    fn the_page_for_operators_has_every_column_in_its_place() {
        const PAGE: &str = include_str!("../../../../docs/journal.md");
        let (_, part) = PAGE.split_once("\n## CSV\n").unwrap();
        let part = part.split("\n## ").next().unwrap();
        let first_cells = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
        let listed: Vec<&str> =
            first_cells.flat_map(|(cell, _)| cell.split(", ").map(|it| it.trim_matches('`'))).collect();
        assert_eq!(listed, COLUMNS.map(|(name, _)| name));
    }

    #[test]
    fn what_a_record_has_not_is_empty() {
        for column in ["status", "user", "framed_ip", "input_octets", "class", "imsi"] {
            assert_eq!(read(&[], column), "", "{column}");
        }
    }

    #[test]
    fn gigawords_are_added_and_half_a_counter_is_none() {
        let (octets, gigawords) = ((43, &[0xff; 4][..]), (53, &[0xff; 4][..]));
        assert_eq!(read(&[octets], "output_octets"), u32::MAX.to_string());
        assert_eq!(read(&[octets, gigawords], "output_octets"), u64::MAX.to_string());
        assert_eq!(read(&[(53, &[0, 0, 0, 2])], "output_octets"), (2_u64 << 32).to_string());
        assert_eq!(read(&[octets, (53, &[2])], "output_octets"), "0x02");
        assert_eq!(read(&[(43, &[1, 2])], "output_octets"), "0x0102");
    }

    #[test]
    fn the_nas_and_the_address_are_what_tells_them_best() {
        let v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(read(&[(4, &[192, 0, 2, 1]), (95, &v6)], "nas"), "192.0.2.1");
        assert_eq!(read(&[(95, &v6)], "nas"), "2001:db8::1");
        assert_eq!(read(&[(97, &[0, 32, 0x20, 1, 0xd, 0xb8]), (168, &v6)], "framed_ip"), "2001:db8::1");
        assert_eq!(read(&[(97, &[0, 32, 0x20, 1, 0xd, 0xb8])], "framed_ip"), "2001:db8::/32");
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_is_no_formula() {
        assert!(table(&[(1, b"a,\"b\"")]).contains(",\"a,\"\"b\"\"\","));
        assert_eq!(read(&[(1, b"a,\"b\" c")], "user"), "a,\"b\" c");
        assert_eq!(read(&[(1, b"=HYPERLINK(\"http://192.0.2.1\")")], "user"), "'=HYPERLINK(\"http://192.0.2.1\")");
        assert_eq!(read(&[(31, b"+81 90 1234 5678")], "calling"), "'+81 90 1234 5678");
        assert_eq!(read(&[(31, b"\t=1")], "calling"), "'\\x09=1");
    }

    #[test]
    fn a_row_is_one_line_whatever_a_nas_sends() {
        let table = table(&[(1, b"a\r\nb\x1b[2J\xff"), (44, "\u{9b}\u{2028}".as_bytes())]);
        assert_eq!(table.matches('\n').count(), 2, "{table:?}");
        assert!(table.contains(",\\xc2\\x9b\\xe2\\x80\\xa8,a\\x0d\\x0ab\\x1b[2J\\xff,"), "{table}");
    }
}
