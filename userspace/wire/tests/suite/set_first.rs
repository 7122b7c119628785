//! A name that is changed on its way, as when a realm is stripped.

use crate::common::*;
use sekisho_wire::attr;
use sekisho_wire::buf::{Buf, MAX_PACKET, TooLong};
use sekisho_wire::build::{RequestBuilder, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::forward::{RewriteError, forward_request};
use sekisho_wire::password::{unhide, without_padding};
use sekisho_wire::verify::{RequestPolicy, verify_reply, verify_request};

const STRICT: RequestPolicy = RequestPolicy { require_message_authenticator: true, limit_proxy_state: true };

fn access() -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN)
}

#[test]
fn a_login_goes_on_under_another_name_and_is_otherwise_the_same() {
    for name in [&b"al"[..], b"alice", b"alice@acme.example", &[b'x'; 253], b""] {
        let sent = access()
            .attribute(4, [192, 0, 2, 1])
            .attribute(attr::USER_NAME, "alice@old.example")
            .user_password(b"wonderland", &nas())
            .attribute(33, "a")
            .attribute(attr::USER_NAME, "a second one");
        let mut buf = buf(&sent.build(&nas()).unwrap());
        let mut verified = verified(&buf, &nas());
        verified.set_first(&mut buf, attr::USER_NAME, name).unwrap();
        assert_eq!(*verified.layout(), layout(buf.bytes()));
        assert_eq!(usize::from(verified.layout().length), buf.len());

        forward_request(&mut buf, &verified, &nas(), &home(), 9, &RA_UP, OURS).unwrap();
        let packet = buf.bytes();
        assert!(verify_request(&buf, &layout(packet), &home(), STRICT).is_ok());
        assert_eq!(numbers(packet), [80, 4, 1, 2, 33, 1, 33]);
        assert_eq!(values(packet, 1), [name, b"a second one"]);
        let mut password = values(packet, 2).remove(0);
        unhide(&mut password, &home(), &RA_UP).unwrap();
        assert_eq!(without_padding(&password), b"wonderland");
    }
}

#[test]
fn accounting_and_padded_packets_take_another_name_too() {
    let sent = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 7, [0; 16]).attribute(44, "S1").attribute(1, "alice@old");
    let mut packet = sent.build(&nas()).unwrap();
    packet.extend(b"padding");
    let mut buf = buf(&packet);
    let mut verified = verified(&buf, &nas());
    verified.set_first(&mut buf, 1, b"alice").unwrap();
    forward_request(&mut buf, &verified, &nas(), &home(), 9, &RA_UP, OURS).unwrap();
    assert!(verify_request(&buf, &layout(buf.bytes()), &home(), STRICT).is_ok());
    assert_eq!(list(buf.bytes()), [(44, b"S1".to_vec()), (1, b"alice".to_vec()), (33, OURS.to_vec())]);
}

#[test]
fn an_accept_gets_its_realm_back() {
    let request = access().attribute(33, OURS).build(&home()).unwrap();
    let mut buf = Buf::new();
    let attrs: [(u8, &[u8]); 3] = [(1, b"alice"), (25, b"class"), (33, OURS)];
    write_reply(&mut buf, Code::ACCESS_ACCEPT, 9, &RA_UP, &home(), &[], &attrs).unwrap();
    let mut reply = verified_reply(&buf, &RA_UP, &home());
    reply.set_first(&mut buf, attr::USER_NAME, b"alice@acme.example").unwrap();
    assert_eq!(*reply.layout(), layout(buf.bytes()));
    let request = [&request[..4], &RA_UP, &request[20..]].concat();
    restore(&mut buf, &reply, &request, 7, &mut || 1, OURS).unwrap();
    assert!(verify_reply(&buf, &layout(buf.bytes()), &RA_DOWN, &nas(), true).is_ok());
    assert_eq!(list(buf.bytes())[1..], [(1, b"alice@acme.example".to_vec()), (25, b"class".to_vec())]);
}

#[test]
fn a_name_that_is_absent_stays_absent() {
    let mut buf = buf(&access().attribute(4, [1; 4]).build(&nas()).unwrap());
    let before = buf.bytes().to_vec();
    let mut verified = verified(&buf, &nas());
    verified.set_first(&mut buf, 1, b"alice").unwrap();
    assert_eq!(buf.bytes(), before);
}

#[test]
fn what_does_not_fit_is_refused() {
    let full = (0..15).fold(access().attribute(1, "alice"), |r, _| r.attribute(25, [0; 253])).attribute(25, [0; 242]);
    let mut packet = buf(&full.build(&nas()).unwrap());
    assert_eq!(packet.len(), MAX_PACKET);
    let mut request = verified(&packet, &nas());
    assert_eq!(request.set_first(&mut packet, 1, b"alice2"), Err(RewriteError::TooLong(TooLong)));
    let mut packet = buf(&access().attribute(1, "alice").build(&nas()).unwrap());
    let mut request = verified(&packet, &nas());
    assert_eq!(request.set_first(&mut packet, 1, &[0; 254]), Err(RewriteError::TooLong(TooLong)));
    let mut other = buf(b"another packet");
    assert_eq!(request.set_first(&mut other, 1, b"x"), Err(RewriteError::OtherPacket));
}
