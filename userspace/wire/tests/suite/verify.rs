//! Which requests and replies are believed.

use crate::common::*;
use sekisho_wire::attr;
use sekisho_wire::build::{RequestBuilder, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::scan::scan;
use sekisho_wire::verify::{MessageAuthenticator, Refusal, ReplyRefusal, RequestPolicy, verify_reply, verify_request};

fn verdict(packet: &[u8], policy: RequestPolicy) -> Result<MessageAuthenticator, Refusal> {
    verify_request(&buf(packet), &layout(packet), &nas(), policy).map(|v| v.message_authenticator())
}

fn access() -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN)
}

fn login() -> RequestBuilder {
    access().attribute(attr::USER_NAME, "alice@acme.example").user_password(b"wonderland", &nas())
}

fn accounting() -> RequestBuilder {
    RequestBuilder::new(Code::ACCOUNTING_REQUEST, 7, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, 1])
        .attribute(attr::ACCT_SESSION_ID, "S1")
}

fn done(request: RequestBuilder) -> Vec<u8> {
    request.build(&nas()).unwrap()
}

/// Access-Requests with a Message-Authenticator in every state, and the verdict wherever one is present.
fn with_message_authenticators(proxy_state: bool) -> Vec<(&'static str, Vec<u8>)> {
    let with_state = |r: RequestBuilder| if proxy_state { r.attribute(attr::PROXY_STATE, "p") } else { r };
    let good = done(with_state(access().message_authenticator().attribute(1, "alice")));
    let mut bad = good.clone();
    bad[30] ^= 1;
    vec![
        ("absent", done(with_state(login()))),
        ("bad", bad),
        ("good", good),
        ("in the middle", done(with_state(access().attribute(1, "a").message_authenticator()).attribute(4, [1; 4]))),
        ("last", done(with_state(login()).message_authenticator())),
        ("twice", done(with_state(access().message_authenticator()).attribute(80, [0; 16]))),
        ("short", done(with_state(login()).attribute(80, [0; 15]))),
    ]
}

#[test]
fn a_message_authenticator_has_to_be_right_wherever_it_stands_and_whatever_is_required() {
    for require in [false, true] {
        for limit in [false, true] {
            for proxy_state in [false, true] {
                let policy = RequestPolicy { require_message_authenticator: require, limit_proxy_state: limit };
                for (which, packet) in with_message_authenticators(proxy_state) {
                    let expected = match which {
                        "absent" if require => Err(Refusal::MessageAuthenticatorMissing),
                        "absent" if limit && proxy_state => Err(Refusal::ProxyStateWithoutMessageAuthenticator),
                        "absent" => Ok(MessageAuthenticator::Absent),
                        "bad" | "short" => Err(Refusal::MessageAuthenticatorBad),
                        "twice" => Err(Refusal::MessageAuthenticatorRepeated),
                        _ => Ok(MessageAuthenticator::Good),
                    };
                    assert_eq!(verdict(&packet, policy), expected, "{which}, {policy:?}, {proxy_state}");
                }
            }
        }
    }
}

#[test]
fn the_flags_have_no_effect_on_accounting() {
    let strict = RequestPolicy { require_message_authenticator: true, limit_proxy_state: true };
    let packet = done(accounting().attribute(attr::PROXY_STATE, "p"));
    assert_eq!(verdict(&packet, strict), Ok(MessageAuthenticator::Absent));
}

#[test]
fn accounting_with_another_secret_is_refused_and_a_wrong_message_authenticator_is_not() {
    let other = accounting().build(&home()).unwrap();
    assert_eq!(verdict(&other, LENIENT), Err(Refusal::AuthenticatorBad));
    let with_one = done(accounting().message_authenticator());
    assert_eq!(verdict(&with_one, LENIENT), Ok(MessageAuthenticator::Good));
    let with_junk = done(accounting().attribute(80, [7; 16]));
    assert_eq!(verdict(&with_junk, LENIENT), Ok(MessageAuthenticator::Ignored));
    let with_two = done(accounting().attribute(80, [7; 3]).attribute(80, []));
    assert_eq!(verdict(&with_two, LENIENT), Ok(MessageAuthenticator::Ignored));
}

#[test]
fn accounting_with_what_it_must_not_carry_is_refused() {
    for number in [attr::USER_PASSWORD, attr::CHAP_PASSWORD, attr::REPLY_MESSAGE, attr::STATE] {
        let packet = done(accounting().attribute(number, [1; 16]));
        assert_eq!(verdict(&packet, LENIENT), Err(Refusal::ForbiddenAttribute), "{number}");
    }
    let anonymous = done(RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16]));
    assert_eq!(verdict(&anonymous, LENIENT), Err(Refusal::SessionIdMissing));
}

#[test]
fn a_password_of_a_length_that_cannot_be_is_refused() {
    for len in [0, 1, 15, 17, 31, 129, 144, 253] {
        let packet = done(access().attribute(attr::USER_PASSWORD, vec![1; len]));
        assert_eq!(verdict(&packet, LENIENT), Err(Refusal::PasswordLength), "{len}");
    }
    for len in (16..=128).step_by(16) {
        let packet = done(access().attribute(attr::USER_PASSWORD, vec![1; len]));
        assert!(verdict(&packet, LENIENT).is_ok(), "{len}");
    }
    let two = done(login().user_password(b"another", &nas()));
    assert_eq!(verdict(&two, LENIENT), Err(Refusal::PasswordRepeated));
}

#[test]
fn arap_is_refused_and_eap_needs_its_message_authenticator() {
    for number in [70, 71, 84] {
        assert_eq!(verdict(&done(login().attribute(number, [0; 16])), LENIENT), Err(Refusal::Arap));
    }
    let eap = done(access().attribute(attr::EAP_MESSAGE, "identity"));
    assert_eq!(verdict(&eap, LENIENT), Err(Refusal::EapWithoutMessageAuthenticator));
    let eap = done(access().attribute(attr::EAP_MESSAGE, "identity").message_authenticator());
    assert_eq!(verdict(&eap, LENIENT), Ok(MessageAuthenticator::Good));
}

#[test]
fn a_status_server_without_message_authenticator_is_refused_by_every_policy() {
    let status = || RequestBuilder::new(Code::STATUS_SERVER, 1, RA_DOWN);
    assert_eq!(verdict(&done(status()), LENIENT), Err(Refusal::MessageAuthenticatorMissing));
    assert_eq!(verdict(&done(status().message_authenticator()), LENIENT), Ok(MessageAuthenticator::Good));
    let forged = status().message_authenticator().build(&home()).unwrap();
    assert_eq!(verdict(&forged, LENIENT), Err(Refusal::MessageAuthenticatorBad));
}

#[test]
fn what_is_no_request_is_refused_whatever_it_carries() {
    for code in (0..=255).filter(|code| ![1, 4, 12, 40, 43].contains(code)) {
        let packet = done(RequestBuilder::new(Code(code), 1, RA_DOWN).message_authenticator());
        assert_eq!(verdict(&packet, LENIENT), Err(Refusal::NotARequest), "{code}");
    }
}

#[test]
fn padding_behind_the_packet_changes_no_verdict() {
    for mut packet in [done(login().message_authenticator()), done(accounting())] {
        packet.extend([0xff; 40]);
        assert!(verdict(&packet, LENIENT).is_ok());
    }
}

#[test]
fn a_request_verifies_with_no_secret_but_its_own_however_long() {
    for len in [1, 48, 256, 8192] {
        let secret = secret(vec![0x5a; len]);
        let close = self::secret([vec![0x5a; len - 1], vec![0x5b]].concat());
        for request in [login().message_authenticator(), accounting()] {
            let packet = request.build(&secret).unwrap();
            let verify = |s| verify_request(&buf(&packet), &layout(&packet), s, LENIENT).is_ok();
            assert!(verify(&secret), "{len}");
            assert!(!verify(&close), "{len}");
        }
    }
}

#[test]
fn every_attribute_at_253_octets_under_the_wrong_secret_is_refused_quietly() {
    for number in 0..=255 {
        let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, RA_DOWN).attribute(number, [0x41; 253]);
        let packet = request.message_authenticator().build(&home()).unwrap();
        assert!(verdict(&packet, LENIENT).is_err(), "{number}");
        let acct = accounting().attribute(number, [0x41; 253]).build(&home()).unwrap();
        assert_eq!(verdict(&acct, LENIENT), Err(Refusal::AuthenticatorBad), "{number}");
    }
}

fn reply(code: Code, attrs: &[(u8, &[u8])]) -> Vec<u8> {
    let mut buf = sekisho_wire::buf::Buf::new();
    write_reply(&mut buf, code, 7, &RA_UP, &home(), &[], attrs).unwrap();
    buf.bytes().to_vec()
}

fn reply_verdict(packet: &[u8], require_ma: bool) -> Result<bool, ReplyRefusal> {
    verify_reply(&buf(packet), &layout(packet), &RA_UP, &home(), require_ma).map(|r| r.has_message_authenticator())
}

/// A reply as an old home server makes it: without Message-Authenticator.
fn plain_reply(code: u8, attrs: &[u8]) -> Vec<u8> {
    let length = (20 + attrs.len() as u16).to_be_bytes();
    let mut packet = [&[code, 7, length[0], length[1]][..], &RA_UP, attrs].concat();
    let digest = sekisho_wire::md5::Md5::digest(&[&packet[..], b"homeSecret01"].concat());
    packet[4..20].copy_from_slice(&digest);
    packet
}

#[test]
fn a_forged_reply_is_refused_in_every_octet() {
    for code in [Code::ACCESS_ACCEPT, Code::ACCOUNTING_RESPONSE] {
        let good = reply(code, &[(18, b"welcome")]);
        assert_eq!(reply_verdict(&good, true), Ok(code == Code::ACCESS_ACCEPT));
        for octet in 0..good.len() {
            let mut forged = good.clone();
            forged[octet] ^= 0x20;
            if let Ok(layout) = scan(&forged) {
                let verdict = verify_reply(&buf(&forged), &layout, &RA_UP, &home(), false);
                // The identifier alone is matched before, by whoever holds the request, and digested here as well.
                assert!(verdict.is_err(), "{octet}");
            }
        }
    }
}

#[test]
fn a_reply_to_another_request_is_refused() {
    let good = reply(Code::ACCESS_ACCEPT, &[]);
    let verdict = verify_reply(&buf(&good), &layout(&good), &RA_DOWN, &home(), false);
    assert_eq!(verdict.map(|_| ()), Err(ReplyRefusal::ResponseAuthenticatorBad));
}

#[test]
fn a_reply_without_message_authenticator_passes_only_where_none_is_required() {
    assert_eq!(reply_verdict(&plain_reply(2, &[]), false), Ok(false));
    assert_eq!(reply_verdict(&plain_reply(2, &[]), true), Err(ReplyRefusal::MessageAuthenticatorMissing));
    assert_eq!(reply_verdict(&plain_reply(5, &[]), true), Ok(false));
    let eap = plain_reply(11, &[79, 3, 1]);
    assert_eq!(reply_verdict(&eap, false), Err(ReplyRefusal::EapWithoutMessageAuthenticator));
}

#[test]
fn a_bad_or_doubled_message_authenticator_spoils_a_reply_with_a_right_authenticator() {
    let bad = [&[80, 18][..], &[9; 16]].concat();
    assert_eq!(reply_verdict(&plain_reply(2, &bad), false), Err(ReplyRefusal::MessageAuthenticatorBad));
    let twice = [&bad[..], &bad].concat();
    assert_eq!(reply_verdict(&plain_reply(2, &twice), false), Err(ReplyRefusal::MessageAuthenticatorRepeated));
    let short = [80, 3, 1];
    assert_eq!(reply_verdict(&plain_reply(2, &short), false), Err(ReplyRefusal::MessageAuthenticatorBad));
}
