//! Octets of any kind: nothing panics, wrong lengths are refused, what is unknown is skipped.

use proptest::prelude::*;
use sekisho_lns::l2tp::{
    avp::avps,
    packet::{self, Header, Kind, Malformed, Message},
};

/// An attribute: flags, vendor, type, value.
fn avp(flags: u16, vendor: u16, kind: u16, value: &[u8]) -> Vec<u8> {
    let first = flags | (6 + value.len()) as u16;
    [&first.to_be_bytes()[..], &vendor.to_be_bytes(), &kind.to_be_bytes(), value].concat()
}

/// A message for tunnel 7 with these attributes.
fn message(attributes: &[Vec<u8>]) -> Vec<u8> {
    let body = attributes.concat();
    let length = (12 + body.len()) as u16;
    let fields = [0xc802, length, 7, 0, 3, 4].map(u16::to_be_bytes);
    [fields.concat(), body].concat()
}

fn sccrp() -> Vec<u8> {
    avp(0x8000, 0, 0, &[0, 2])
}

fn assigned(value: &[u8]) -> Vec<u8> {
    avp(0x8000, 0, 9, value)
}

#[test]
fn headers_that_are_not_of_control_or_lie_about_their_length_are_refused() {
    let good = message(&[sccrp()]);
    let with = |at: usize, octets: [u8; 2]| {
        let mut bad = good.clone();
        bad[at..at + 2].copy_from_slice(&octets);
        Message::parse(&bad).map(|message| message.kind)
    };
    let cases = [
        ("data", [0x48, 0x02], Err(Malformed::NotControl)),
        ("without a length", [0x88, 0x02], Err(Malformed::NotControl)),
        ("without numbers", [0xc0, 0x02], Err(Malformed::NotControl)),
        ("with an offset", [0xca, 0x02], Err(Malformed::NotControl)),
        ("with priority", [0xc9, 0x02], Err(Malformed::NotControl)),
        ("version 3", [0xc8, 0x03], Err(Malformed::NotControl)),
        ("reserved bits", [0xfc, 0xf2], Ok(Kind::Sccrp)),
    ];
    for (name, flags, expected) in cases {
        assert_eq!(with(0, flags), expected, "{name}");
    }
    assert_eq!(with(2, 21u16.to_be_bytes()), Err(Malformed::Short));
    assert_eq!(with(2, 19u16.to_be_bytes()), Err(Malformed::Avp));
    assert_eq!(with(2, 11u16.to_be_bytes()), Err(Malformed::Length));
    assert_eq!(with(2, 12u16.to_be_bytes()), Ok(Kind::Zlb));
    assert_eq!(Message::parse(&good[..11]), Err(Malformed::Short));
}

#[test]
fn octets_beyond_the_length_are_no_part_of_the_message() {
    let padded = [message(&[sccrp(), assigned(&[0, 5])]), vec![0xff; 9]].concat();
    assert_eq!(Message::parse(&padded).unwrap().assigned, Some(5));
}

#[test]
fn attributes_of_wrong_lengths_are_refused() {
    let refused = |attribute: Vec<u8>| Message::parse(&message(&[sccrp(), attribute])).unwrap_err();
    assert_eq!(refused(vec![0x80, 5, 0, 0, 0, 7]), Malformed::Avp);
    assert_eq!(refused(vec![0x80, 0, 0, 0, 0, 7]), Malformed::Avp);
    assert_eq!(refused(vec![0x80, 9, 0, 0, 0, 7]), Malformed::Avp);
    assert_eq!(refused(vec![0x80]), Malformed::Avp);
    assert_eq!(refused(assigned(&[1])), Malformed::Value(9));
    assert_eq!(refused(assigned(&[0, 0, 1])), Malformed::Value(9));
    assert_eq!(refused(avp(0x8000, 0, 11, &[])), Malformed::Value(11));
    assert_eq!(refused(avp(0x8000, 0, 13, &[1; 15])), Malformed::Value(13));
    assert_eq!(refused(avp(0x8000, 0, 1, &[0, 2, 0])), Malformed::Value(1));
}

#[test]
fn the_message_type_comes_first() {
    let first = |attribute: Vec<u8>| Message::parse(&message(&[attribute])).map(|message| message.kind);
    assert_eq!(first(assigned(&[0, 5])), Err(Malformed::NoMessageType));
    assert_eq!(first(avp(0x8000, 9, 0, &[0, 2])), Err(Malformed::NoMessageType));
    assert_eq!(first(avp(0xc000, 0, 0, &[0, 2])), Err(Malformed::NoMessageType));
    assert_eq!(first(avp(0x8000, 0, 0, &[2])), Err(Malformed::Value(0)));
    assert_eq!(first(avp(0x8000, 0, 0, &[0, 10])), Ok(Kind::Other(10)));
}

#[test]
fn what_is_unknown_hidden_or_of_a_vendor_is_skipped_even_if_it_is_mandatory() {
    let attributes = [
        sccrp(),
        avp(0x8000, 0, 99, b"unknown"),
        avp(0x8000, 9, 9, &[0, 1]),
        avp(0xc000, 0, 9, &[1, 2, 3, 4, 5]),
        avp(0x9000, 0, 9, &[0, 2]),
        assigned(&[0, 0]),
        assigned(&[0, 3]),
        assigned(&[0, 4]),
    ];
    let octets = message(&attributes);
    let read = Message::parse(&octets).unwrap();
    assert_eq!((read.kind, read.assigned), (Kind::Sccrp, Some(3)));
    assert_eq!(read.header, Header { tunnel: 7, ns: 3, nr: 4 });
}

#[test]
fn a_result_may_have_an_error_and_a_text() {
    let result = |value: &[u8]| {
        let octets = message(&[avp(0x8000, 0, 0, &[0, 4]), avp(0x8000, 0, 1, value)]);
        Message::parse(&octets).unwrap().result
    };
    assert_eq!(result(&[0, 6]), Some((6, 0)));
    assert_eq!(result(&[0, 2, 0, 4]), Some((2, 4)));
    assert_eq!(result(b"\0\x02\0\x06No Authorization"), Some((2, 6)));
}

#[test]
fn a_name_longer_than_an_attribute_is_cut_there() {
    let octets = packet::sccrq(1, &"n".repeat(2000), None);
    let names = avps(&octets[12..]).map(Result::unwrap).filter(|avp| avp.kind == 7);
    assert!(names.map(|avp| avp.value.len()).eq([1017]));
    assert_eq!(Message::parse(&octets).unwrap().assigned, Some(1));
}

proptest! {
    #[test]
    fn nothing_panics_on_any_octets(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::parse(&octets);
        let mut control = message(&[octets]);
        let _ = Message::parse(&control);
        control.truncate(40);
        let _ = Message::parse(&control);
    }

    /// Whatever one octet of a message becomes, it is refused or read, and what is read lies inside it.
    #[test]
    fn nothing_panics_on_a_damaged_message(at in 0usize..60, octet: u8) {
        let mut octets = packet::sccrq(0x1234, "probe", Some(&[7; 16]));
        let at = at % octets.len();
        octets[at] = octet;
        if let Ok(read) = Message::parse(&octets) {
            prop_assert!(read.challenge.is_none_or(|challenge| challenge.len() <= octets.len() - 18));
        }
    }

    #[test]
    fn what_is_written_is_read(own in 1u16.., tunnel: u16, ns: u16, nr: u16, name in "[a-z.]{1,40}", challenge: [u8; 16]) {
        let header = Header { tunnel, ns, nr };
        let octets = packet::sccrq(own, &name, Some(&challenge));
        let read = Message::parse(&octets).unwrap();
        prop_assert_eq!((read.kind, read.assigned, read.challenge), (Kind::Sccrq, Some(own), Some(&challenge[..])));
        let octets = packet::scccn(header, Some(challenge));
        let read = Message::parse(&octets).unwrap();
        prop_assert_eq!((read.kind, read.header, read.response), (Kind::Scccn, header, Some(challenge)));
        let octets = packet::stop_ccn(header, own);
        let read = Message::parse(&octets).unwrap();
        prop_assert_eq!((read.kind, read.header, read.assigned), (Kind::StopCcn, header, Some(own)));
    }
}
