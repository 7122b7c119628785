//! What operators' rules make of packets.

use crate::common::*;
use sekisho_wire::buf::{Buf, MAX_PACKET, TooLong};
use sekisho_wire::build::{RequestBuilder, salted_field, vendor_value, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::forward::{RewriteError, forward_request};
use sekisho_wire::password::{unhide, without_padding};
use sekisho_wire::policy::{Policy, Rule, Value, is_hidden, is_protected};
use sekisho_wire::salted::{Salted, decrypt};
use sekisho_wire::select::AttributeId::{self, Extended, Plain, Vendor};
use sekisho_wire::verify::{RequestPolicy, verify_reply, verify_request};

const STRICT: RequestPolicy = RequestPolicy { require_message_authenticator: true, limit_proxy_state: true };
const CISCO: u32 = 9;
const AV_PAIR: AttributeId = Vendor(CISCO, 1);

fn access() -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN)
}

fn literal(octets: impl AsRef<[u8]>) -> Value {
    Value::Literal(octets.as_ref().into())
}

fn remove(id: AttributeId) -> Rule {
    Rule::Remove(id, None)
}

fn remove_prefix(id: AttributeId, prefix: &str) -> Rule {
    Rule::Remove(id, Some(prefix.as_bytes().into()))
}

/// What the rules leave of a request, as the home server gets it, without what the proxy adds.
fn edited(rules: &[Rule], request: RequestBuilder) -> Vec<(u8, Vec<u8>)> {
    try_edit(rules, request).unwrap()
}

fn try_edit(rules: &[Rule], request: RequestBuilder) -> Result<Vec<(u8, Vec<u8>)>, RewriteError> {
    let mut buf = buf(&request.build(&nas()).unwrap());
    let mut verified = verified(&buf, &nas());
    Policy::new(rules.to_vec()).edit_request(&mut buf, &mut verified)?;
    assert_eq!(*verified.layout(), layout(buf.bytes()));
    forward_request(&mut buf, &verified, &nas(), &home(), 9, &RA_UP, OURS)?;
    assert!(verify_request(&buf, &layout(buf.bytes()), &home(), STRICT).is_ok());
    let mut found = list(buf.bytes());
    assert_eq!(found.pop(), Some((33, OURS.to_vec())));
    if buf.bytes()[0] == 1 {
        assert_eq!(found.remove(0).0, 80);
    }
    Ok(found)
}

/// What the rules leave of a reply, as the client gets it, without its Message-Authenticator.
fn edited_reply(rules: &[Rule], code: Code, attrs: &[(u8, &[u8])]) -> Vec<(u8, Vec<u8>)> {
    let request_code = if code == Code::ACCOUNTING_RESPONSE { Code::ACCOUNTING_REQUEST } else { Code::ACCESS_REQUEST };
    let mut request = RequestBuilder::new(request_code, 9, RA_UP).attribute(33, OURS).build(&home()).unwrap();
    request[4..20].copy_from_slice(&RA_UP);
    let mut buf = Buf::new();
    write_reply(&mut buf, code, 9, &RA_UP, &home(), &[], attrs).unwrap();
    let mut reply = verified_reply(&buf, &RA_UP, &home());
    Policy::new(rules.to_vec()).edit_reply(&mut buf, &mut reply).unwrap();
    assert_eq!(*reply.layout(), layout(buf.bytes()));
    restore(&mut buf, &reply, &request, 7, &mut || 1, OURS).unwrap();
    assert!(verify_reply(&buf, &layout(buf.bytes()), &RA_DOWN, &nas(), true).is_ok());
    let mut found = list(buf.bytes());
    found.retain(|(number, _)| *number != 80);
    found
}

fn pair(number: u8, value: impl AsRef<[u8]>) -> (u8, Vec<u8>) {
    (number, value.as_ref().to_vec())
}

/// A Vendor-Specific value with several sub-attributes.
fn vendor_with(vendor: u32, parts: &[(u8, &str)]) -> Vec<u8> {
    let parts = parts.iter().map(|(kind, value)| [&[*kind, value.len() as u8 + 2][..], value.as_bytes()].concat());
    [vendor.to_be_bytes().to_vec(), parts.collect::<Vec<_>>().concat()].concat()
}

#[test]
fn a_removed_attribute_is_gone_wherever_it_stood() {
    let sent = access().attribute(11, "a").attribute(1, "alice").attribute(11, "b").attribute(11, "");
    assert_eq!(edited(&[remove(Plain(11))], sent), [pair(1, "alice")]);
}

#[test]
fn with_a_prefix_only_values_that_begin_so_go() {
    let sent = access()
        .vendor(CISCO, 1, "vpdn:tunnel-id=x")
        .vendor(CISCO, 1, "ip:inacl=permit")
        .attribute(11, "vpdn:no Cisco")
        .vendor(CISCO, 2, "vpdn:another kind")
        .vendor(10, 1, "vpdn:another vendor")
        .attribute(26, vendor_with(CISCO, &[(1, "vpdn:a"), (1, "lcp:b"), (1, "vpdn:c")]));
    let expected = [
        pair(26, vendor_value(CISCO, 1, b"ip:inacl=permit")),
        pair(11, "vpdn:no Cisco"),
        pair(26, vendor_value(CISCO, 2, b"vpdn:another kind")),
        pair(26, vendor_value(10, 1, b"vpdn:another vendor")),
        pair(26, vendor_value(CISCO, 1, b"lcp:b")),
    ];
    assert_eq!(edited(&[remove_prefix(AV_PAIR, "vpdn:")], sent), expected);
}

#[test]
fn a_vendor_specific_goes_when_nothing_is_left_in_it() {
    let sent = access().attribute(26, vendor_with(CISCO, &[(1, "a"), (1, "b")])).attribute(1, "alice");
    assert_eq!(edited(&[remove(AV_PAIR)], sent), [pair(1, "alice")]);
}

#[test]
fn a_vendor_specific_of_another_shape_is_named_by_no_rule_and_passes_no_allow_list() {
    let opaque = [0, 0, 0, 9, 1, 200, 1, 2];
    let sent = || access().attribute(26, opaque).attribute(1, "alice");
    assert_eq!(edited(&[remove(AV_PAIR)], sent()), [pair(26, opaque), pair(1, "alice")]);
    assert_eq!(edited(&[Rule::Allow(vec![AV_PAIR])], sent()), [pair(1, "alice")]);
    assert_eq!(edited(&[Rule::Allow(vec![Plain(26)])], sent()), [pair(26, opaque), pair(1, "alice")]);
    assert_eq!(edited(&[remove(Plain(26))], sent()), [pair(1, "alice")]);
}

#[test]
fn an_allow_list_keeps_what_it_lists_and_what_a_login_needs() {
    let login = |r: RequestBuilder| {
        r.attribute(1, "alice")
            .attribute(4, [192, 0, 2, 1])
            .attribute(24, "state")
            .attribute(25, "class")
            .attribute(32, "nas")
            .attribute(33, "proxy")
            .attribute(79, "eap")
            .vendor(311, 11, "challenge")
            .vendor(311, 25, "response")
            .attribute(95, [1; 16])
            .message_authenticator()
    };
    let gone = |r: RequestBuilder| {
        r.attribute(8, [10, 0, 0, 1]).attribute(11, "filter").attribute(241, b"\x01a").vendor(311, 9, "x")
    };
    let listed = |r: RequestBuilder| r.attribute(31, "0901").attribute(241, b"\x02b").vendor(10415, 8, "44010");
    let rules = [Rule::Allow(vec![Vendor(10415, 8), Plain(31), Extended(241, 2), Plain(31)])];
    let expected = edited(&[], listed(login(access())));
    assert_eq!(edited(&rules, listed(login(gone(access())))), expected);
    // Of several sub-attributes the listed ones stay.
    let sent = access().attribute(26, vendor_with(10415, &[(1, "440101"), (8, "44010"), (20, "imei")]));
    assert_eq!(edited(&rules, sent), [pair(26, vendor_value(10415, 8, b"44010"))]);
}

#[test]
fn a_password_survives_an_allow_list_and_arrives() {
    let sent = access().attribute(11, "f").user_password(b"wonderland", &nas()).attribute(1, "alice");
    let found = edited(&[Rule::Allow(vec![])], sent);
    let mut password = found[0].1.clone();
    unhide(&mut password, &home(), &RA_UP).unwrap();
    assert_eq!((found[0].0, without_padding(&password)), (2, &b"wonderland"[..]));
    assert_eq!(found[1..], [pair(1, "alice")]);
}

#[test]
fn chap_that_relies_on_the_authenticator_gets_it_after_any_rules() {
    let sent = access().attribute(11, "f").chap_password(5, b"secret");
    let found = edited(&[Rule::Allow(vec![]), Rule::Add(Plain(60), literal("forged"))], sent);
    assert_eq!(found.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [3, 60]);
    assert_eq!(found[1].1, RA_DOWN);
}

#[test]
fn an_added_attribute_comes_last_even_where_there_is_one() {
    let sent = || access().attribute(11, "theirs").attribute(1, "alice");
    let rules = [Rule::Add(Plain(11), literal("ours")), Rule::Add(AV_PAIR, literal("ip:x"))];
    let expected = [pair(11, "theirs"), pair(1, "alice"), pair(11, "ours"), pair(26, vendor_value(CISCO, 1, b"ip:x"))];
    assert_eq!(edited(&rules, sent()), expected);
}

#[test]
fn a_default_is_given_only_where_there_is_none() {
    let rule = [Rule::Default(Plain(126), literal("1acme.example"))];
    assert_eq!(edited(&rule, access().attribute(1, "a")), [pair(1, "a"), pair(126, "1acme.example")]);
    assert_eq!(edited(&rule, access().attribute(126, "0x")), [pair(126, "0x")]);
    let rule = [Rule::Default(AV_PAIR, literal("d"))];
    let present = vendor_with(CISCO, &[(2, "x"), (1, "theirs")]);
    assert_eq!(edited(&rule, access().attribute(26, &present)), [pair(26, present)]);
    let absent = vendor_with(CISCO, &[(2, "x")]);
    let expected = [pair(26, &absent), pair(26, vendor_value(CISCO, 1, b"d"))];
    assert_eq!(edited(&rule, access().attribute(26, &absent)), expected);
}

#[test]
fn a_replacement_stands_where_the_first_stood_and_alone() {
    let rule = [Rule::Replace(Plain(11), literal("ours"))];
    let sent = access().attribute(4, [1; 4]).attribute(11, "a").attribute(1, "alice").attribute(11, "b");
    assert_eq!(edited(&rule, sent), [pair(4, [1; 4]), pair(11, "ours"), pair(1, "alice")]);
    assert_eq!(edited(&rule, access().attribute(1, "alice")), [pair(1, "alice"), pair(11, "ours")]);

    let rule = [Rule::Replace(AV_PAIR, literal("ours"))];
    let ours = pair(26, vendor_value(CISCO, 1, b"ours"));
    let sent = access().vendor(CISCO, 1, "theirs").attribute(1, "alice").vendor(CISCO, 1, "more");
    assert_eq!(edited(&rule, sent), [ours.clone(), pair(1, "alice")]);
    let sent = access().attribute(26, vendor_with(CISCO, &[(2, "x"), (1, "theirs"), (3, "y")])).attribute(1, "alice");
    let rest = pair(26, vendor_with(CISCO, &[(2, "x"), (3, "y")]));
    assert_eq!(edited(&rule, sent), [rest, ours, pair(1, "alice")]);
}

#[test]
fn a_value_may_be_another_attributes() {
    let of = Value::Of(Plain(31));
    let rules = [
        Rule::Replace(Plain(87), of.clone()),
        Rule::Add(Vendor(CISCO, 2), of.clone()),
        Rule::Default(Extended(241, 9), of),
        Rule::Replace(Plain(1), Value::Of(AV_PAIR)),
    ];
    let sent = access().attribute(1, "alice").attribute(31, "0901").vendor(CISCO, 1, "from Cisco");
    let expected = [
        pair(1, "from Cisco"),
        pair(31, "0901"),
        pair(26, vendor_value(CISCO, 1, b"from Cisco")),
        pair(87, "0901"),
        pair(26, vendor_value(CISCO, 2, b"0901")),
        pair(241, b"\x090901"),
    ];
    assert_eq!(edited(&rules, sent), expected);
    // Its source absent, a rule does nothing, and what was there stays.
    let sent = || access().attribute(1, "alice").attribute(87, "port");
    assert_eq!(edited(&rules, sent()), [pair(1, "alice"), pair(87, "port")]);
}

#[test]
fn rules_are_applied_in_their_order() {
    let (add, gone) = (Rule::Add(Plain(11), literal("ours")), remove(Plain(11)));
    let sent = || access().attribute(11, "theirs").attribute(1, "a");
    assert_eq!(edited(&[gone.clone(), add.clone()], sent()), [pair(1, "a"), pair(11, "ours")]);
    assert_eq!(edited(&[add, gone], sent()), [pair(1, "a")]);
    let moved = [Rule::Replace(Plain(87), Value::Of(Plain(11))), remove(Plain(11))];
    assert_eq!(edited(&moved, sent()), [pair(1, "a"), pair(87, "theirs")]);
}

#[test]
fn protected_attributes_are_beyond_every_rule() {
    let sent = || {
        access()
            .attribute(24, "state")
            .attribute(25, "class")
            .attribute(33, "proxy")
            .attribute(60, "challenge")
            .attribute(3, [1; 17])
            .attribute(79, "eap")
            .message_authenticator()
            .attribute(40, [0, 0, 0, 1])
            .attribute(44, "S1")
    };
    let untouched = edited(&[], sent());
    for number in [2, 3, 24, 25, 33, 40, 44, 60, 70, 71, 79, 80, 84] {
        assert!(is_protected(Plain(number)) && is_protected(Extended(number, 1)));
        for id in [Plain(number), Extended(number, b's')] {
            let rules = [
                remove(id),
                Rule::Remove(id, Some(b"s"[..].into())),
                Rule::Add(id, literal([0; 16])),
                Rule::Replace(id, literal([0; 16])),
                Rule::Default(id, literal([0; 16])),
                Rule::Allow(vec![]),
            ];
            assert_eq!(edited(&rules, sent()), untouched, "{id:?}");
        }
    }
}

#[test]
fn hidden_values_are_neither_given_nor_copied() {
    let salted = Salted::new([(6527, 122)]);
    for id in [Plain(2), Plain(3), Plain(69), Plain(26), Vendor(311, 12), Vendor(311, 16), Vendor(311, 17)] {
        assert!(is_hidden(id, &salted), "{id:?}");
        let sent = || access().attribute(1, "alice").vendor(311, 26, "S=").user_password(b"x", &nas());
        let rules = [
            Rule::Add(id, literal([1; 35])),
            Rule::Replace(id, literal([1; 35])),
            Rule::Default(id, literal([1; 35])),
            Rule::Add(Plain(18), Value::Of(id)),
        ];
        assert_eq!(edited(&rules, sent()), edited(&[], sent()), "{id:?}");
    }
    assert!(is_hidden(Vendor(6527, 122), &salted));
    for id in [Vendor(6527, 1), Vendor(311, 26), Plain(1), Plain(64), Extended(241, 1)] {
        assert!(!is_hidden(id, &salted), "{id:?}");
    }
}

#[test]
fn keys_pass_an_allow_list_and_a_tunnel_password_only_by_name() {
    let field = salted_field(b"secret", 0x8001, &home(), &RA_UP).unwrap();
    let key = vendor_value(311, 16, &field);
    let tagged = [&[1][..], &field].concat();
    let attrs: [(u8, &[u8]); 4] = [(26, &key), (69, &tagged), (11, b"filter"), (18, b"hi")];
    for (allowed, expected) in [(vec![], vec![26]), (vec![Plain(69)], vec![26, 69])] {
        let found = edited_reply(&[Rule::Allow(allowed)], Code::ACCESS_ACCEPT, &attrs);
        assert_eq!(found.iter().map(|(n, _)| *n).collect::<Vec<_>>(), expected);
        let mut key = found[0].1[6..].to_vec();
        assert_eq!(decrypt(&mut key, &nas(), &RA_DOWN).unwrap(), b"secret");
    }
    assert_eq!(edited_reply(&[remove(Plain(69))], Code::ACCESS_ACCEPT, &attrs).len(), 3);
}

#[test]
fn a_reject_still_explains_itself() {
    let error = vendor_value(311, 2, b"E=691");
    let attrs: [(u8, &[u8]); 4] = [(18, b"no"), (26, &error), (101, &[0, 0, 1, 246]), (79, b"failure")];
    let found = edited_reply(&[Rule::Allow(vec![])], Code::ACCESS_REJECT, &attrs);
    assert_eq!(found, attrs.map(|(n, v)| pair(n, v)));
    assert_eq!(edited_reply(&[Rule::Allow(vec![])], Code::ACCESS_ACCEPT, &attrs).len(), 3);
    let text = [Rule::Replace(Plain(18), literal("ask your operator")), Rule::Add(Plain(27), literal([0, 0, 1, 0]))];
    assert_eq!(edited_reply(&text, Code::ACCESS_REJECT, &attrs[..1]), [pair(18, "ask your operator")]);
}

#[test]
fn attributes_are_given_to_accepts_and_not_to_what_has_no_room_for_them() {
    let rules = [
        Rule::Add(Plain(27), literal([0, 0, 14, 16])),
        Rule::Default(Plain(28), literal([0, 0, 0, 60])),
        Rule::Replace(Plain(85), literal([0, 0, 1, 44])),
        Rule::Add(AV_PAIR, literal("x")),
        remove(Plain(11)),
    ];
    let given = edited_reply(&rules, Code::ACCESS_ACCEPT, &[(11, b"f"), (25, b"c")]);
    assert_eq!(given.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [25, 27, 28, 85, 26]);
    for code in [Code::ACCESS_CHALLENGE, Code::ACCOUNTING_RESPONSE] {
        assert_eq!(edited_reply(&rules, code, &[(11, b"f"), (25, b"c")]), [pair(25, "c")]);
    }
    let accounting = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 7, [0; 16]).attribute(44, "S1");
    let rules = [Rule::Add(Plain(18), literal("no place here")), Rule::Add(Plain(87), literal("port"))];
    assert_eq!(edited(&rules, accounting), [pair(44, "S1"), pair(87, "port")]);
}

#[test]
fn extended_attributes_are_named_by_their_type() {
    let sent =
        || access().attribute(241, b"\x01a").attribute(241, b"\x02b").attribute(242, b"\x01c").attribute(241, b"");
    let rest = [pair(241, b"\x02b"), pair(242, b"\x01c"), pair(241, b"")];
    assert_eq!(edited(&[remove(Extended(241, 1))], sent()), rest);
    assert_eq!(edited(&[Rule::Allow(vec![Extended(241, 2)])], sent()), [pair(241, b"\x02b")]);
    assert_eq!(edited(&[Rule::Allow(vec![Plain(242)])], sent()), [pair(242, b"\x01c")]);
    let replaced = edited(&[Rule::Replace(Extended(241, 1), literal("z"))], sent());
    assert_eq!(replaced, [&[pair(241, b"\x01z")][..], &rest].concat());
}

#[test]
fn fragments_go_and_stay_together() {
    let fragment = |more: bool, text: &[u8]| [&[7, if more { 0x80 } else { 0 }][..], text].concat();
    let sent = || {
        access()
            .attribute(245, fragment(true, b"vpdn:"))
            .attribute(245, fragment(true, b"ip:"))
            .attribute(245, fragment(false, b"end"))
            .attribute(245, fragment(true, b"ip:"))
            .attribute(245, fragment(false, b"vpdn:"))
            .attribute(245, fragment(false, b"vpdn:alone"))
    };
    let ip = [pair(245, fragment(true, b"ip:")), pair(245, fragment(false, b"vpdn:"))];
    assert_eq!(edited(&[remove_prefix(Extended(245, 7), "vpdn:")], sent()), ip);
    assert_eq!(edited(&[remove(Extended(245, 7))], sent()), []);
    assert_eq!(edited(&[Rule::Allow(vec![Extended(245, 7)])], sent()), edited(&[], sent()));
    // Half a value is no value.
    assert_eq!(edited(&[Rule::Add(Plain(11), Value::Of(Extended(245, 7)))], sent()), edited(&[], sent()));
}

#[test]
fn a_long_value_is_given_in_fragments() {
    for (len, expected) in
        [(0, vec![0]), (251, vec![251]), (252, vec![251, 1]), (502, vec![251, 251]), (600, vec![251, 251, 98])]
    {
        let value: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let found =
            edited(&[Rule::Replace(Extended(246, 3), literal(&value))], access().attribute(246, b"\x03\x00old"));
        assert_eq!(found.iter().map(|(_, v)| v.len() - 2).collect::<Vec<_>>(), expected);
        let more: Vec<_> = found.iter().map(|(_, v)| v[1]).collect();
        assert!(more.iter().rev().skip(1).all(|&flags| flags == 0x80) && more.last() == Some(&0));
        assert_eq!(found.into_iter().flat_map(|(_, v)| v[2..].to_vec()).collect::<Vec<_>>(), value);
    }
}

#[test]
fn what_does_not_fit_is_not_sent() {
    let too_long = Err(RewriteError::TooLong(TooLong));
    let long = |n: usize| access().attribute(31, vec![b'x'; n]);
    let add = |id| [Rule::Add(id, Value::Of(Plain(31)))];
    assert!(try_edit(&add(AV_PAIR), long(247)).is_ok());
    assert_eq!(try_edit(&add(AV_PAIR), long(248)), too_long);
    assert!(try_edit(&add(Extended(241, 1)), long(252)).is_ok());
    assert_eq!(try_edit(&add(Extended(241, 1)), long(253)), too_long);
    assert!(try_edit(&add(Extended(245, 1)), long(253)).is_ok());
    assert_eq!(try_edit(&[Rule::Add(Plain(11), literal([0; 254]))], long(1)), too_long);
    for (last, fits) in [(246, true), (247, false)] {
        let full = (0..15).fold(access(), |r, _| r.attribute(11, [0; 253])).attribute(12, vec![0; last]);
        let mut packet = buf(&full.build(&nas()).unwrap());
        let mut verified = verified(&packet, &nas());
        let done = Policy::new(vec![Rule::Add(Plain(87), literal("x"))]).edit_request(&mut packet, &mut verified);
        assert_eq!((done.is_ok(), packet.len() == MAX_PACKET), (fits, fits));
    }
}

#[test]
fn a_policy_without_rules_changes_nothing() {
    let mut packet = access().attribute(1, "alice").message_authenticator().build(&nas()).unwrap();
    packet.extend(b"padding");
    let mut buf = buf(&packet);
    let mut verified = verified(&buf, &nas());
    Policy::new(vec![]).edit_request(&mut buf, &mut verified).unwrap();
    assert_eq!(buf.bytes(), &packet[..packet.len() - 7]);
    let mut other = crate::common::buf(b"x");
    let refused = Policy::new(vec![]).edit_request(&mut other, &mut verified);
    assert_eq!(refused, Err(RewriteError::OtherPacket));
}

#[test]
fn what_is_kept_out_by_its_beginning_stays_out_in_capitals_and_behind_blanks() {
    for hostile in ["vpdn:x=1", "VPDN:x=1", "Vpdn:x=1", " vpdn:x=1", "\t VPDN:x=1"] {
        let value = vendor_value(CISCO, 1, hostile.as_bytes());
        let left = edited(&[remove_prefix(AV_PAIR, "vpdn:")], access().attribute(26, &value));
        assert_eq!(left, [], "{hostile:?}");
    }
    let other = vendor_value(CISCO, 1, b"not vpdn:");
    assert_eq!(edited(&[remove_prefix(AV_PAIR, "vpdn:")], access().attribute(26, &other)), [pair(26, other)]);
}
