//! What a home server gets.

use crate::common::*;
use sekisho_wire::attr;
use sekisho_wire::buf::{MAX_PACKET, TooLong};
use sekisho_wire::build::{RequestBuilder, chap_response};
use sekisho_wire::code::Code;
use sekisho_wire::forward::{RewriteError, forward_request, redirect_request};
use sekisho_wire::password::{unhide, without_padding};
use sekisho_wire::secret::Secret;
use sekisho_wire::verify::{MessageAuthenticator, RequestPolicy, verify_request};

fn access() -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN)
}

fn accounting() -> RequestBuilder {
    RequestBuilder::new(Code::ACCOUNTING_REQUEST, 7, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, 1])
        .attribute(attr::ACCT_SESSION_ID, "S1")
}

fn forward_with(packet: &[u8], from: &Secret, to: &Secret) -> Result<Vec<u8>, RewriteError> {
    let mut buf = buf(packet);
    let verified = verified(&buf, from);
    forward_request(&mut buf, &verified, from, to, 99, &RA_UP, OURS).map(|()| buf.bytes().to_vec())
}

fn forward(request: RequestBuilder) -> Vec<u8> {
    let packet = forward_with(&request.build(&nas()).unwrap(), &nas(), &home()).unwrap();
    home_accepts(&packet, &home());
    packet
}

/// A strict home server takes it.
fn home_accepts(packet: &[u8], secret: &Secret) {
    let strict = RequestPolicy { require_message_authenticator: true, limit_proxy_state: true };
    let verified = verify_request(&buf(packet), &layout(packet), secret, strict).unwrap();
    let access = packet[0] == 1;
    let expected = if access { MessageAuthenticator::Good } else { MessageAuthenticator::Absent };
    assert_eq!(verified.message_authenticator(), expected);
    assert_eq!(layout(packet).message_authenticator_is_first(), access);
    assert_eq!(usize::from(layout(packet).length), packet.len());
}

fn password_at(packet: &[u8], secret: &Secret) -> Vec<u8> {
    let mut hidden = layout(packet).user_password.unwrap().of(packet).to_vec();
    unhide(&mut hidden, secret, &authenticator(packet)).unwrap();
    without_padding(&hidden).to_vec()
}

#[test]
fn a_login_arrives_with_its_password_whatever_its_length() {
    for len in [0, 1, 15, 16, 17, 38, 127, 128] {
        let password: Vec<u8> = (0..len).map(|i| b'a' + (i % 26) as u8).collect();
        let packet = forward(access().attribute(1, "alice").user_password(&password, &nas()));
        assert_eq!(numbers(&packet), [80, 1, 2, 33]);
        assert_eq!(password_at(&packet, &home()), password, "{len} octets");
        assert_eq!((packet[1], authenticator(&packet)), (99, RA_UP));
    }
}

#[test]
fn secrets_of_any_length_on_either_side_carry_a_password() {
    for from in [1, 48, 256, 8192] {
        for to in [1, 48, 256, 8192] {
            let (from, to) = (secret(vec![1; from]), secret(vec![2; to]));
            let request = access().user_password(b"a password of more than 16", &from).message_authenticator();
            let packet = forward_with(&request.build(&from).unwrap(), &from, &to).unwrap();
            home_accepts(&packet, &to);
            assert_eq!(password_at(&packet, &to), b"a password of more than 16");
        }
    }
}

#[test]
fn the_message_authenticator_comes_first_wherever_it_stood() {
    let rest = [1, 4, 33, 33];
    let plain = |r: RequestBuilder| r.attribute(1, "alice");
    let tail = |r: RequestBuilder| r.attribute(4, [192, 0, 2, 1]).attribute(33, "theirs");
    let absent = tail(plain(access()));
    let first = tail(plain(access().message_authenticator()));
    let middle = tail(plain(access()).message_authenticator());
    let last = tail(plain(access())).message_authenticator();
    for request in [absent, first, middle, last] {
        let packet = forward(request);
        assert_eq!(numbers(&packet), [&[80][..], &rest].concat());
        assert_eq!(values(&packet, 33), [b"theirs".to_vec(), OURS.to_vec()]);
        assert_eq!(values(&packet, 1), [b"alice"]);
    }
}

#[test]
fn everything_else_arrives_octet_for_octet_in_order() {
    let mut request = access();
    let mut sent = Vec::new();
    for number in (0..=255).filter(|n| ![2, 3, 69, 70, 71, 80, 84].contains(n)) {
        let value = vec![number; usize::from(number % 5)];
        request = request.attribute(number, &value);
        sent.push((number, value));
    }
    sent.push((33, OURS.to_vec()));
    assert_eq!(list(&forward(request.message_authenticator()))[1..], sent);
}

#[test]
fn chap_survives_the_new_authenticator() {
    let packet = forward(access().chap_password(5, b"secret"));
    assert_eq!(numbers(&packet), [80, 3, 60, 33]);
    let challenge = &values(&packet, 60)[0];
    assert_eq!(challenge, &RA_DOWN);
    assert_eq!(values(&packet, 3)[0], chap_response(5, b"secret", challenge));

    let own = forward(access().attribute(60, "challenge of its own").attribute(3, [1; 17]));
    assert_eq!(values(&own, 60), [b"challenge of its own"]);
}

#[test]
fn accounting_arrives_without_message_authenticator() {
    let sent = accounting().attribute(33, "theirs").build(&nas()).unwrap();
    let packet = forward(accounting().attribute(33, "theirs"));
    assert_eq!(list(&packet)[..3], list(&sent));
    assert_eq!(numbers(&packet), [40, 44, 33, 33]);
    for request in [
        RequestBuilder::new(Code::ACCOUNTING_REQUEST, 7, [0; 16]).message_authenticator().attribute(44, "S1"),
        RequestBuilder::new(Code::ACCOUNTING_REQUEST, 7, [0; 16]).attribute(44, "S1").message_authenticator(),
        RequestBuilder::new(Code::ACCOUNTING_REQUEST, 7, [0; 16])
            .attribute(80, "x")
            .attribute(44, "S1")
            .attribute(80, ""),
    ] {
        assert_eq!(numbers(&forward(request)), [44, 33]);
    }
}

#[test]
fn a_tunnel_password_has_no_place_in_a_request() {
    for len in 0..20 {
        let packet = forward(access().attribute(69, vec![1; len]).attribute(1, "a").message_authenticator());
        assert_eq!(numbers(&packet), [80, 1, 33], "value of {len}");
        let packet = forward(accounting().attribute(69, vec![1; len]));
        assert_eq!(numbers(&packet), [40, 44, 33], "value of {len}");
    }
}

#[test]
fn mppe_keys_in_a_request_are_rehidden_and_strange_ones_left_alone() {
    let keys: Vec<u8> = (0..32).collect();
    let mut hidden = keys.clone();
    sekisho_wire::password::hide(&mut hidden, &nas(), &RA_DOWN).unwrap();
    let packet = forward(access().vendor(311, 12, &hidden).vendor(311, 12, [1; 31]).vendor(312, 12, &hidden));
    let vsas = values(&packet, 26);
    let mut arrived = vsas[0][6..].to_vec();
    unhide(&mut arrived, &home(), &RA_UP).unwrap();
    assert_eq!(arrived, keys);
    assert_eq!(vsas[1][6..], [1; 31]);
    assert_eq!(vsas[2][6..], hidden);
}

#[test]
fn vendor_attributes_with_impossible_sub_lengths_pass_unchanged() {
    for length in [0, 1, 2, 3, 5, 254, 255] {
        for vendor in [311u32, 9] {
            for kind in [12, 16, 17] {
                let value = [&vendor.to_be_bytes()[..], &[kind, length, 1, 2]].concat();
                let packet = forward(access().attribute(26, &value));
                assert_eq!(values(&packet, 26), [value]);
            }
        }
    }
    for short in 0..6 {
        let value = [0, 0, 1, 55, 16, 2][..short].to_vec();
        assert_eq!(values(&forward(access().attribute(26, &value)), 26), [value]);
    }
}

#[test]
fn padding_is_not_forwarded() {
    let mut packet = access().attribute(1, "alice").build(&nas()).unwrap();
    packet.extend(b"padding");
    assert_eq!(numbers(&forward_with(&packet, &nas(), &home()).unwrap()), [80, 1, 33]);
}

/// An Access-Request of exactly `len` octets without Message-Authenticator.
fn request_of(len: usize) -> Vec<u8> {
    let mut request = access();
    let mut left = len - 20;
    while left > 0 {
        let take = if left > 300 {
            255
        } else if left > 255 {
            128
        } else {
            left
        };
        request = request.attribute(25, vec![1; take - 2]);
        left -= take;
    }
    request.build(&nas()).unwrap()
}

#[test]
fn the_longest_packet_that_fits_is_forwarded_and_one_octet_more_is_not() {
    let added = 18 + 2 + OURS.len();
    let fits = request_of(MAX_PACKET - added);
    assert_eq!(forward_with(&fits, &nas(), &home()).unwrap().len(), MAX_PACKET);
    for len in [MAX_PACKET - added + 1, MAX_PACKET - 18, MAX_PACKET - 17, MAX_PACKET - 1, MAX_PACKET] {
        let too_long = forward_with(&request_of(len), &nas(), &home());
        assert_eq!(too_long, Err(RewriteError::TooLong(TooLong)), "{len}");
    }
}

#[test]
fn another_home_server_gets_the_same_login_under_its_own_secret() {
    let second = secret("the second server's");
    let first = forward(access().user_password(b"a password of more than 16", &nas()).chap_password(1, b"x"));
    let mut buf = buf(&first);
    redirect_request(&mut buf, &home(), &second, 100, &[9; 16]).unwrap();
    home_accepts(buf.bytes(), &second);
    assert_eq!((buf.bytes()[1], authenticator(buf.bytes())), (100, [9; 16]));
    assert_eq!(password_at(buf.bytes(), &second), b"a password of more than 16");
    assert_eq!(numbers(buf.bytes()), numbers(&first));
    for number in [3, 60, 33] {
        assert_eq!(values(buf.bytes(), number), values(&first, number));
    }
}

#[test]
fn another_home_server_gets_the_same_accounting_record() {
    let second = secret("the second server's");
    let first = forward(accounting());
    let mut buf = buf(&first);
    redirect_request(&mut buf, &home(), &second, 100, &[9; 16]).unwrap();
    home_accepts(buf.bytes(), &second);
    assert_eq!(list(buf.bytes()), list(&first));
    assert_ne!(authenticator(buf.bytes()), authenticator(&first));
}

#[test]
fn what_is_not_forwarded_says_so() {
    let status = RequestBuilder::new(Code::STATUS_SERVER, 1, RA_DOWN).message_authenticator().build(&nas()).unwrap();
    let refused = forward_with(&status, &nas(), &home());
    assert_eq!(refused, Err(RewriteError::Code(Code::STATUS_SERVER)));
    let mut buf = buf(&status);
    let verified = verified(&buf, &nas());
    buf.load(b"something else").unwrap();
    assert!(forward_request(&mut buf, &verified, &nas(), &home(), 1, &RA_UP, OURS).is_err());
    assert!(redirect_request(&mut buf, &nas(), &home(), 1, &RA_UP).is_err());
}
