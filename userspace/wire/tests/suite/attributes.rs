//! Attributes that need care, one by one: what the other end gets of each.

use std::collections::HashSet;

use crate::common::*;
use sekisho_wire::buf::Buf;
use sekisho_wire::build::{RequestBuilder, salted_field, vendor_value, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::forward::forward_request;
use sekisho_wire::password::{hide, unhide};
use sekisho_wire::reply::{Hops, ReplyEdits, restore_reply};
use sekisho_wire::salted::{Salted, decrypt};
use sekisho_wire::scan::scan;
use sekisho_wire::secret::Secret;
use sekisho_wire::verify::verify_reply;

const NOKIA: u32 = 6527;
/// The WiMAX Forum's vendor number.
const WIMAX: u32 = 24757;

type Attrs<'a> = &'a [(u8, &'a [u8])];

/// What the home server gets of an Access-Request with these attributes, without what the proxy adds.
fn forwarded(attrs: Attrs<'_>) -> Vec<(u8, Vec<u8>)> {
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN).message_authenticator();
    let request = attrs.iter().fold(request, |r, (n, v)| r.attribute(*n, v)).build(&nas()).unwrap();
    let mut packet = buf(&request);
    let verified = verified(&packet, &nas());
    forward_request(&mut packet, &verified, &nas(), &home(), 9, &RA_UP, OURS).unwrap();
    let mut found = list(packet.bytes());
    assert_eq!((found.remove(0).0, found.pop().unwrap().0), (80, 33));
    found
}

/// What the client gets of an answer with these attributes, with a dictionary's encrypted attributes.
fn answered(code: Code, attrs: Attrs<'_>, salted: &Salted) -> (Vec<(u8, Vec<u8>)>, ReplyEdits) {
    between(code, attrs, salted, &home(), &nas())
}

fn between(
    code: Code,
    attrs: Attrs<'_>,
    salted: &Salted,
    from: &Secret,
    to: &Secret,
) -> (Vec<(u8, Vec<u8>)>, ReplyEdits) {
    let mut upstream = RequestBuilder::new(Code::ACCESS_REQUEST, 9, RA_UP).attribute(33, OURS).build(from).unwrap();
    upstream[4..20].copy_from_slice(&RA_UP);
    let mut packet = Buf::new();
    write_reply(&mut packet, code, 9, &RA_UP, from, &[], attrs).unwrap();
    let reply = verified_reply(&packet, &RA_UP, from);
    let hops = Hops {
        upstream_request: &upstream,
        from,
        to,
        client_id: 7,
        client_ra: &RA_DOWN,
        own_proxy_state: OURS,
        salted,
    };
    let edits = restore_reply(&mut packet, &reply, &hops, &mut || 0x1234).unwrap();
    assert!(verify_reply(&packet, &layout(packet.bytes()), &RA_DOWN, to, true).is_ok());
    let mut found = list(packet.bytes());
    assert_eq!(found.remove(0).0, 80);
    (found, edits)
}

fn owned(attrs: Attrs<'_>) -> Vec<(u8, Vec<u8>)> {
    attrs.iter().map(|(n, v)| (*n, v.to_vec())).collect()
}

fn untouched(attrs: Attrs<'_>) {
    assert_eq!(forwarded(attrs), owned(attrs));
    for code in [Code::ACCESS_ACCEPT, Code::ACCESS_CHALLENGE] {
        assert_eq!(answered(code, attrs, &Salted::default()), (owned(attrs), ReplyEdits::default()));
    }
}

#[test]
fn state_and_class_are_not_modified_whatever_is_in_them() {
    untouched(&[(24, b"\0state\xff"), (25, &[0; 253]), (25, b""), (25, b"second"), (24, b"")]);
}

#[test]
fn a_chargeable_user_identity_passes_even_as_a_nul() {
    untouched(&[(89, &[0]), (89, b"opaque\0\xff")]);
}

#[test]
fn eap_fragments_stay_in_order_and_are_never_split_again() {
    let fragments: Vec<Vec<u8>> =
        [253, 253, 10, 253, 1, 0].iter().enumerate().map(|(i, &n)| vec![i as u8; n]).collect();
    let mut attrs: Vec<(u8, &[u8])> = fragments.iter().map(|it| (79, &it[..])).collect();
    attrs.insert(2, (24, b"between"));
    untouched(&attrs);
}

#[test]
fn extended_attributes_stay_as_they_are_and_fragments_together() {
    let long = [&[1, 0x80][..], &[7; 251]].concat();
    let attrs: Attrs<'_> = &[
        (241, b"\x01x"),
        (245, &long),
        (245, &long),
        (245, b"\x01\0end"),
        (246, b"\x1a\0\0\0\0\x09\x01evs"),
        (244, b""),
        (245, b"\x01"),
    ];
    untouched(attrs);
}

#[test]
fn tagged_attributes_of_every_short_length_pass_untouched() {
    for number in [64, 65, 66, 67, 68, 81, 82, 83, 86, 90, 91] {
        for len in 0..=5 {
            for first in [0x00, 0x01, 0x1f, 0x20, 0xff] {
                untouched(&[(number, &[first, 1, 2, 3, 4][..len.min(5)])]);
            }
        }
    }
}

#[test]
fn mschap_passes_unmodified_but_for_its_keys() {
    let (error, success) =
        (vendor_value(311, 2, b"\x01E=648 R=1 C=00 V=3"), vendor_value(311, 26, b"\x01S=0123456789ABCDEF"));
    untouched(&[(26, &success)]);
    let cpw: Vec<Vec<u8>> = [3, 4, 5, 6, 27].iter().map(|&kind| vendor_value(311, kind, &[kind; 68])).collect();
    let attrs: Vec<(u8, &[u8])> = cpw.iter().chain([&error]).map(|it| (26, &it[..])).collect();
    untouched(&attrs);
    let rejected = answered(Code::ACCESS_REJECT, &attrs, &Salted::default());
    assert_eq!(rejected, (owned(&attrs), ReplyEdits::default()));
}

#[test]
fn a_vendors_attribute_is_reencrypted_where_a_dictionary_says_so_and_else_is_opaque() {
    let field = salted_field(b"key of an SIM", 0x8001, &home(), &RA_UP).unwrap();
    let value = vendor_value(NOKIA, 122, &field);
    let attrs: Attrs<'_> = &[(26, &value), (26, b"\0\0\0\x09\x01\x04ok")];
    assert_eq!(answered(Code::ACCESS_ACCEPT, attrs, &Salted::default()), (owned(attrs), ReplyEdits::default()));

    let (mut found, edits) = answered(Code::ACCESS_ACCEPT, attrs, &Salted::new([(NOKIA, 122), (NOKIA, 123)]));
    assert_eq!((edits.reencrypted, edits.undecryptable), (1, 0));
    assert_eq!(decrypt(&mut found[0].1[6..], &nas(), &RA_DOWN).unwrap(), b"key of an SIM");
    assert_eq!(found[1], (26, attrs[1].1.to_vec()));
}

#[test]
fn a_vendors_field_behind_a_continuation_or_a_tag_is_reencrypted_and_the_octet_stays() {
    let salted = Salted::default().behind_an_octet([(WIMAX, 5)]);
    let field = salted_field(b"master session key", 0x8001, &home(), &RA_UP).unwrap();
    let value = vendor_value(WIMAX, 5, &[&[0x80][..], &field].concat());
    let (mut found, edits) = answered(Code::ACCESS_ACCEPT, &[(26, &value)], &salted);
    assert_eq!((edits.reencrypted, edits.undecryptable), (1, 0));
    assert_eq!(found[0].1[6], 0x80);
    assert_eq!(decrypt(&mut found[0].1[7..], &nas(), &RA_DOWN).unwrap(), b"master session key");

    for short in [0, 1, 2, 18] {
        let value = vendor_value(WIMAX, 5, &[&[0][..], &field].concat()[..short]);
        let (found, edits) = answered(Code::ACCESS_ACCEPT, &[(26, &value)], &salted);
        assert_eq!((edits.reencrypted, edits.undecryptable, found.len()), (0, 1, 0), "{short} octets");
    }
}

#[test]
fn every_salt_in_a_packet_is_its_own_with_its_top_bit_set() {
    let field = |salt| salted_field(b"key", salt, &home(), &RA_UP).unwrap();
    let mut values: Vec<(u8, Vec<u8>)> = (1..=8).map(|tag| (69, [&[tag][..], &field(0x8001)].concat())).collect();
    values.extend([16, 17].map(|kind| (26, vendor_value(311, kind, &field(0x8001)))));
    values.push((26, vendor_value(NOKIA, 122, &field(0x8001))));
    let attrs: Vec<(u8, &[u8])> = values.iter().map(|(n, v)| (*n, &v[..])).collect();
    let (found, edits) = answered(Code::ACCESS_ACCEPT, &attrs, &Salted::new([(NOKIA, 122)]));
    assert_eq!(usize::from(edits.reencrypted), attrs.len());
    let salts: HashSet<Vec<u8>> =
        found.iter().map(|(number, value)| value[if *number == 69 { 1 } else { 6 }..][..2].to_vec()).collect();
    assert_eq!(salts.len(), attrs.len());
    assert!(salts.iter().all(|salt| salt[0] & 0x80 != 0));
}

#[test]
fn secrets_of_any_length_on_either_side_carry_keys_and_tunnel_passwords() {
    for from in [1, 48, 256, 8192] {
        for to in [1, 48, 256, 8192] {
            let (from, to) = (secret(vec![1; from]), secret(vec![2; to]));
            let field = salted_field(&[7; 100], 0x8001, &from, &RA_UP).unwrap();
            let tagged = [&[5][..], &field].concat();
            let mut keys: Vec<u8> = (0..32).collect();
            hide(&mut keys, &from, &RA_UP).unwrap();
            let (key, keys) = (vendor_value(311, 16, &field), vendor_value(311, 12, &keys));
            let attrs: Attrs<'_> = &[(69, &tagged), (26, &key), (26, &keys)];
            let (mut found, edits) = between(Code::ACCESS_ACCEPT, attrs, &Salted::default(), &from, &to);
            assert_eq!((edits.reencrypted, edits.undecryptable), (3, 0));
            assert_eq!(decrypt(&mut found[0].1[1..], &to, &RA_DOWN).unwrap(), [7; 100]);
            assert_eq!(decrypt(&mut found[1].1[6..], &to, &RA_DOWN).unwrap(), [7; 100]);
            unhide(&mut found[2].1[6..], &to, &RA_DOWN).unwrap();
            assert_eq!(found[2].1[6..], (0..32).collect::<Vec<u8>>());
        }
    }
}

#[test]
fn every_attribute_at_253_octets_is_refused_under_a_wrong_secret_and_harmless_under_the_right_one() {
    for number in (0..=255).filter(|&number| number != 80) {
        for fill in [0x00, 0x41, 0xff] {
            let attrs: Attrs<'_> = &[(number, &[fill; 253])];
            for code in [Code::ACCESS_ACCEPT, Code::ACCESS_REJECT, Code::ACCESS_CHALLENGE] {
                let mut packet = Buf::new();
                write_reply(&mut packet, code, 9, &RA_UP, &nas(), &[], attrs).unwrap();
                let layout = scan(packet.bytes()).unwrap();
                assert!(verify_reply(&packet, &layout, &RA_UP, &home(), false).is_err(), "{number}");
                let (found, _) = answered(code, attrs, &Salted::default());
                assert!(found.len() <= 1 && found.iter().all(|it| *it == (number, vec![fill; 253])), "{number}");
            }
        }
    }
}
