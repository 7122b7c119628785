//! CoA and Disconnect: what a NAS gets, and what its answer looks like to whoever asked.

use crate::common::*;
use sekisho_wire::attr;
use sekisho_wire::buf::{Buf, MAX_PACKET, TooLong};
use sekisho_wire::build::{RequestBuilder, salted_field, turn_into_reply, vendor_value, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::dynauth::{DynAuthEdits, rewrite_dynauth};
use sekisho_wire::forward::{RewriteError, forward_request, redirect_request};
use sekisho_wire::salted::Salted;
use sekisho_wire::verify::{MessageAuthenticator, verify_reply, verify_request};

const BOTH: [Code; 2] = [Code::COA_REQUEST, Code::DISCONNECT_REQUEST];

fn request(code: Code) -> RequestBuilder {
    RequestBuilder::new(code, 7, [0; 16])
}

/// A vendor's attribute 99/7 is salt-encrypted, as a dictionary says.
fn dictionary() -> Salted {
    Salted::new([(99, 7)])
}

/// The customer's server sends it with the secret of [`home`]; what the NAS gets under [`nas`].
fn rewritten(request: RequestBuilder) -> (Vec<u8>, DynAuthEdits) {
    let mut buf = buf(&request.build(&home()).unwrap());
    let verified = verified(&buf, &home());
    let (edits, seal) = rewrite_dynauth(&mut buf, &verified, 99, OURS, &dictionary()).unwrap();
    seal.apply(buf.bytes_mut(), &nas());
    assert_eq!(usize::from(layout(buf.bytes()).length), buf.len());
    (buf.bytes().to_vec(), edits)
}

/// What a NAS says of a request: what became of its Message-Authenticator.
fn nas_takes(packet: &[u8]) -> MessageAuthenticator {
    verify_request(&buf(packet), &layout(packet), &nas(), LENIENT).unwrap().message_authenticator()
}

#[test]
fn a_request_reaches_the_nas_under_its_secret_with_our_proxy_state_last() {
    for code in BOTH {
        let attrs: [(u8, &[u8]); 5] =
            [(1, b"alice@acme.example"), (33, b"a"), (44, b"S1"), (33, b"b"), (55, &[1, 2, 3, 4])];
        let sent = attrs.iter().fold(request(code), |r, (n, v)| r.attribute(*n, v));
        let (packet, edits) = rewritten(sent);
        assert_eq!(nas_takes(&packet), MessageAuthenticator::Absent);
        assert_eq!((packet[0], packet[1]), (code.0, 99));
        let expected: Vec<_> = attrs.iter().chain([&(33, OURS)]).map(|(n, v)| (*n, v.to_vec())).collect();
        assert_eq!(list(&packet), expected);
        assert_eq!(edits, DynAuthEdits::default());
    }
}

#[test]
fn a_message_authenticator_is_made_anew_as_the_first_attribute_where_there_was_one() {
    for code in BOTH {
        let first = request(code).message_authenticator().attribute(44, "S1").attribute(31, "0901");
        let middle = request(code).attribute(44, "S1").message_authenticator().attribute(31, "0901");
        let last = request(code).attribute(44, "S1").attribute(31, "0901").message_authenticator();
        for sent in [first, middle, last] {
            let (packet, _) = rewritten(sent);
            assert_eq!(nas_takes(&packet), MessageAuthenticator::Good);
            assert_eq!(numbers(&packet), [80, 44, 31, 33]);
        }
        // Dropped attributes before it move it, and it still comes first.
        let (packet, _) = rewritten(request(code).attribute(126, "1acme").message_authenticator().attribute(44, "S1"));
        assert_eq!(nas_takes(&packet), MessageAuthenticator::Good);
        assert_eq!(numbers(&packet), [80, 44, 33]);
    }
}

#[test]
fn what_is_between_proxies_does_not_reach_the_nas() {
    for code in BOTH {
        let sent = request(code)
            .attribute(attr::OPERATOR_NAME, "1acme.example")
            .attribute(241, b"\x08nas-17")
            .attribute(241, b"\x07another")
            .attribute(242, b"\x08another space")
            .attribute(241, b"")
            .attribute(44, "S1");
        let (packet, edits) = rewritten(sent);
        assert_eq!(numbers(&packet), [241, 242, 241, 44, 33]);
        assert_eq!(edits.hidden, 0);
    }
}

#[test]
fn hidden_attributes_are_dropped_and_counted() {
    let field = salted_field(b"key", 0x8001, &home(), &[0; 16]).unwrap();
    let tagged = [&[1][..], &field].concat();
    let hidden = |r: RequestBuilder| {
        r.attribute(2, [1; 16])
            .attribute(3, [1; 17])
            .attribute(60, [1; 16])
            .attribute(69, &tagged)
            .vendor(311, 12, [1; 32])
            .vendor(311, 16, &field)
            .vendor(311, 17, &field)
            .vendor(99, 7, &field)
    };
    for code in BOTH {
        let (packet, edits) =
            rewritten(hidden(request(code)).vendor(311, 26, "S=").vendor(99, 8, "x").vendor(9, 7, "y"));
        assert_eq!(numbers(&packet), [26, 26, 26, 33]);
        assert_eq!(values(&packet, 26)[0], vendor_value(311, 26, b"S="));
        assert_eq!(edits.hidden, 8);
    }
}

#[test]
fn a_vendor_attribute_keeps_what_is_not_hidden() {
    let part = |kind: u8, value: &[u8]| [&[kind, value.len() as u8 + 2][..], value].concat();
    let value = [&99u32.to_be_bytes()[..], &part(6, b"six"), &part(7, &[1; 18]), &part(8, b"eight")].concat();
    let (packet, edits) = rewritten(request(Code::COA_REQUEST).attribute(26, &value));
    let kept = [&99u32.to_be_bytes()[..], &part(6, b"six"), &part(8, b"eight")].concat();
    assert_eq!(values(&packet, 26), [kept]);
    assert_eq!(edits.hidden, 1);
}

#[test]
fn tunnel_passwords_and_vendor_attributes_of_any_length_are_no_trouble() {
    for len in 0..=253 {
        let (packet, edits) = rewritten(request(Code::COA_REQUEST).attribute(69, vec![1; len]).attribute(44, "S1"));
        assert_eq!((numbers(&packet), edits.hidden), (vec![44, 33], 1), "{len}");
    }
    for length in [0, 1, 5, 255] {
        let value = [0, 0, 0, 99, 7, length, 1, 2];
        let (packet, edits) = rewritten(request(Code::COA_REQUEST).attribute(26, value));
        assert_eq!((values(&packet, 26), edits.hidden), (vec![value.to_vec()], 0));
    }
}

#[test]
fn only_dynamic_authorization_goes_this_way_and_it_goes_no_other() {
    let access = RequestBuilder::new(Code::ACCESS_REQUEST, 1, RA_DOWN).build(&home()).unwrap();
    let mut wrong = buf(&access);
    let login = verified(&wrong, &home());
    let refused = rewrite_dynauth(&mut wrong, &login, 1, OURS, &dictionary());
    assert_eq!(refused.map(|_| ()), Err(RewriteError::Code(Code::ACCESS_REQUEST)));
    for code in BOTH {
        let mut coa = buf(&request(code).build(&home()).unwrap());
        let verified = verified(&coa, &home());
        let refused = forward_request(&mut coa, &verified, &home(), &nas(), 1, &RA_UP, OURS);
        assert_eq!(refused, Err(RewriteError::Code(code)));
    }
}

#[test]
fn a_request_that_would_grow_beyond_4096_octets_is_refused() {
    let full = (0..15).fold(request(Code::COA_REQUEST), |r, _| r.attribute(25, [0; 253])).attribute(25, [0; 249]);
    let mut packet = buf(&full.build(&home()).unwrap());
    assert_eq!(packet.len(), MAX_PACKET);
    let verified = verified(&packet, &home());
    let refused = rewrite_dynauth(&mut packet, &verified, 1, OURS, &dictionary());
    assert_eq!(refused.map(|_| ()), Err(RewriteError::TooLong(TooLong)));
}

#[test]
fn another_nas_gets_the_same_request_under_its_own_secret() {
    let second = secret("the second NAS's");
    for code in BOTH {
        for signed in [false, true] {
            let sent = request(code).attribute(44, "S1");
            let (first, _) = rewritten(if signed { sent.message_authenticator() } else { sent });
            let mut buf = buf(&first);
            redirect_request(&mut buf, &nas(), &second, 100, &RA_UP).unwrap();
            let verified = verify_request(&buf, &layout(buf.bytes()), &second, LENIENT).unwrap();
            assert_eq!(verified.message_authenticator() == MessageAuthenticator::Good, signed);
            assert_eq!(numbers(buf.bytes()), numbers(&first));
            assert_eq!(buf.bytes()[1], 100);
        }
    }
}

/// The NAS answers `code` with `attrs`, signed or not; what the customer's server gets for its own request 7.
fn answered(asked_signed: bool, code: Code, signed: bool, attrs: &[(u8, &[u8])]) -> Vec<u8> {
    let kind = if code.0 < 43 { Code::DISCONNECT_REQUEST } else { Code::COA_REQUEST };
    let sent = request(kind).attribute(33, "a").attribute(44, "S1");
    let sent = if asked_signed { sent.message_authenticator() } else { sent };
    let (upstream, _) = rewritten(sent);
    let authenticator = authenticator(&upstream);
    // `write_reply` signs where the request is signed; here the NAS may do otherwise.
    let pretended = if signed { request(kind).message_authenticator() } else { request(kind) }.build(&nas()).unwrap();
    let mut buf = Buf::new();
    write_reply(&mut buf, code, 99, &authenticator, &nas(), &pretended, attrs).unwrap();
    assert_eq!(numbers(buf.bytes()).contains(&80), signed);
    let reply = verified_reply(&buf, &authenticator, &nas());
    restore_between(&mut buf, &reply, &upstream, (&nas(), &home()));
    let packet = buf.bytes().to_vec();
    verify_reply(&buf, &layout(&packet), &RA_DOWN, &home(), false).unwrap();
    assert_eq!((packet[0], packet[1]), (code.0, 7));
    packet
}

#[test]
fn answers_come_back_with_the_askers_proxy_states_and_its_response_authenticator() {
    for code in [Code::DISCONNECT_ACK, Code::DISCONNECT_NAK, Code::COA_ACK, Code::COA_NAK] {
        for states in [&[(33, &b"a"[..]), (33, OURS)][..], &[(33, OURS)], &[]] {
            let cause: (u8, &[u8]) = (101, &[0, 0, 1, 247]);
            let packet = answered(false, code, false, &[&[cause], states].concat());
            assert_eq!(values(&packet, 33), [b"a"]);
            assert_eq!(values(&packet, 101), [[0, 0, 1, 247]]);
            assert!(!numbers(&packet).contains(&80));
        }
    }
}

#[test]
fn an_answer_is_signed_where_it_was_or_where_the_request_was() {
    for code in [Code::DISCONNECT_ACK, Code::DISCONNECT_NAK, Code::COA_ACK, Code::COA_NAK] {
        for (asked, signed) in [(true, true), (true, false), (false, true)] {
            let packet = answered(asked, code, signed, &[(33, b"a"), (33, OURS)]);
            assert_eq!(numbers(&packet), [80, 33]);
        }
    }
}

#[test]
fn our_own_naks_are_signed_only_where_the_request_was() {
    for (code, nak) in [(Code::COA_REQUEST, Code::COA_NAK), (Code::DISCONNECT_REQUEST, Code::DISCONNECT_NAK)] {
        for signed in [false, true] {
            let sent = request(code).attribute(33, "a").attribute(44, "S1").attribute(33, "b");
            let sent = if signed { sent.message_authenticator() } else { sent }.build(&home()).unwrap();
            let cause: [(u8, &[u8]); 1] = [(attr::ERROR_CAUSE, &[0, 0, 1, 246])];
            let mut turned = buf(&sent);
            let verified = verified(&turned, &home());
            turn_into_reply(&mut turned, &verified, nak, &home(), &cause).unwrap();
            let mut written = Buf::new();
            write_reply(&mut written, nak, 7, &authenticator(&sent), &home(), &sent, &cause).unwrap();
            assert_eq!(turned.bytes(), written.bytes());

            let reply = verify_reply(&turned, &layout(turned.bytes()), &authenticator(&sent), &home(), false).unwrap();
            assert_eq!(reply.has_message_authenticator(), signed);
            let expected: &[u8] = if signed { &[80, 33, 33, 101] } else { &[33, 33, 101] };
            assert_eq!(numbers(turned.bytes()), expected);
        }
    }
}
