//! The vectors: most are the RFCs' own examples. Each test names the vector it reads.

use crate::common::*;
use sekisho_wire::attr;
use sekisho_wire::build::{RequestBuilder, chap_response, write_reply};
use sekisho_wire::chap::ChapLogin;
use sekisho_wire::code::Code;
use sekisho_wire::dynauth::rewrite_dynauth;
use sekisho_wire::forward::forward_request;
use sekisho_wire::mschap::nt::NtHash;
use sekisho_wire::mschap::v2;
use sekisho_wire::password::{rehide, unhide, without_padding};
use sekisho_wire::salted;
use sekisho_wire::scan::{Malformed, scan};
use sekisho_wire::verify::{Refusal, ReplyRefusal, RequestPolicy, verify_reply, verify_request};
use serde_json::Value;

fn vector(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let found = all.as_array().unwrap().iter().find(|v| v["name"] == name);
    found.unwrap_or_else(|| panic!("no vector {name}")).clone()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// The vector's `hex_in`, split at `|`.
fn packets(vector: &Value) -> Vec<Vec<u8>> {
    vector["hex_in"].as_str().unwrap().split('|').map(hex).collect()
}

/// `key=hex` in a vector's text.
fn field(vector: &Value, key: &str) -> Vec<u8> {
    let text = vector["hex_in"].as_str().unwrap();
    let found = text.split(' ').find_map(|part| part.strip_prefix(&format!("{key}=")));
    hex(found.unwrap_or_else(|| panic!("no {key}")))
}

fn expected(vector: &Value, key: &str) -> Vec<u8> {
    hex(vector["expected"][key].as_str().unwrap())
}

fn xyzzy() -> sekisho_wire::secret::Secret {
    secret("xyzzy5461")
}

fn reply_is_right(reply: &[u8], request_authenticator: &[u8]) -> bool {
    let buf = buf(reply);
    verify_reply(&buf, &layout(reply), &array(request_authenticator), &xyzzy(), false).is_ok()
}

#[test]
fn the_password_of_rfc_2865_7_1_is_arctangent() {
    let packet = &packets(&vector("rfc2865-7.1-user-password"))[0];
    let layout = layout(packet);
    assert_eq!(layout.user_name.unwrap().of(packet), b"nemo");
    let mut password = layout.user_password.unwrap().of(packet).to_vec();
    unhide(&mut password, &xyzzy(), &authenticator(packet)).unwrap();
    assert_eq!(without_padding(&password), b"arctangent");
}

#[test]
fn the_accepts_of_rfc_2865_7_1_and_7_2_verify() {
    let accept = &packets(&vector("rfc2865-7.1-response-authenticator"))[0];
    assert!(reply_is_right(accept, &hex("0f403f9473978057bd83d5cb98f4227a")));

    let chap = &packets(&vector("rfc2865-7.2-chap-no-challenge"))[0];
    let accept = &packets(&vector("rfc2865-7.2-response-authenticator"))[0];
    assert!(reply_is_right(accept, &chap[4..20]));
    let mut as_the_text_says = accept.clone();
    let routing = sekisho_wire::attribute::attributes(accept).find(|a| a.number == 10).unwrap().at;
    as_the_text_says[routing + 5] = 0;
    assert!(!reply_is_right(&as_the_text_says, &chap[4..20]));
}

#[test]
fn the_chap_response_of_rfc_2865_7_2_uses_the_request_authenticator() {
    let packet = &packets(&vector("rfc2865-7.2-chap-no-challenge"))[0];
    let found = layout(packet).chap_password.unwrap().of(packet).to_vec();
    assert_eq!(found, chap_response(22, b"arctangent", &packet[4..20]));
}

#[test]
fn the_chap_login_of_rfc_2865_7_2_is_right_and_with_another_password_it_is_not() {
    let packet = &packets(&vector("rfc2865-7.2-chap-no-challenge"))[0];
    let login = ChapLogin::find(packet, &layout(packet)).unwrap().unwrap();
    assert_eq!(login.id, 22);
    assert!(login.is_by(b"arctangent"));
    assert!(!login.is_by(b"arctangens"));
}

#[test]
fn a_chap_login_is_right_behind_a_proxy_that_keeps_its_challenge() {
    let packet = expected(&vector("chap-challenge-insert-at-proxy"), "out");
    assert!(ChapLogin::find(&packet, &layout(&packet)).unwrap().unwrap().is_by(b"arctangent"));
}

#[test]
fn the_password_of_rfc_2433_b_answers_its_challenge() {
    let hash = NtHash::of(b"MyPw").unwrap();
    assert_eq!(hash.octets()[..], hex("fc156af7edcd6c0edde3337d427f4eac"));
    let response = hash.challenge_response(hex("102db5df085d3041")[..].try_into().unwrap());
    assert_eq!(response[..], hex("4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d61"));
}

#[test]
fn the_login_of_rfc_2759_9_2_and_its_keys_of_rfc_3079_come_out_to_the_octet() {
    let v = vector("rfc2759-9.2-mschapv2");
    let hash = NtHash::of(b"clientPass").unwrap();
    assert_eq!(hash.octets()[..], expected(&v, "nt_hash"));
    let (challenge, peer) = (array(&field(&v, "auth_challenge")), array(&field(&v, "peer_challenge")));
    let nt = v2::nt_response(&challenge, &peer, b"User", &hash);
    assert_eq!(nt[..], expected(&v, "nt_response"));

    let response = v2::Response { ident: 1, peer_challenge: &peer, nt: &nt };
    let success = v2::verify(&challenge, &response, br"BIGCO\User", &hash).unwrap();
    let message = v["expected"]["authenticator_response"].as_str().unwrap();
    assert_eq!(success.message(), message.as_bytes());

    let keys = vector("rfc3079-mppe-from-mschapv2");
    assert_eq!(success.keys().send()[..], expected(&keys, "ms_mppe_send_key"));
    assert_eq!(success.keys().recv()[..], expected(&keys, "ms_mppe_recv_key"));
}

#[test]
fn the_challenge_of_rfc_2865_7_3_verifies_and_its_misprinted_request_is_dropped() {
    let v = vector("rfc2865-7.3-challenge-and-malformed-state");
    let [first, challenge, second, reject] = packets(&v).try_into().unwrap();
    assert!(reply_is_right(&challenge, &first[4..20]));
    assert_eq!(values(&challenge, attr::STATE), [expected(&v, "state")]);
    assert_eq!(scan(&second), Err(Malformed::BadAttribute));
    assert!(reply_is_right(&reject, &second[4..20]));
}

#[test]
fn the_status_servers_of_rfc_5997_verify_and_so_do_their_answers() {
    for name in ["rfc5997-6.1-auth", "rfc5997-6.2-acct", "rfc5997-6.3-verbose"] {
        let v = vector(name);
        let [request, mut reply] = packets(&v).try_into().unwrap();
        let verified = verify_request(&buf(&request), &layout(&request), &xyzzy(), LENIENT);
        assert!(verified.is_ok(), "{name}");
        let printed = v["expected"]["response_authenticator_valid_as_printed"].as_bool().unwrap();
        assert_eq!(reply_is_right(&reply, &request[4..20]), printed, "{name}");
        if let Some(code) = v["expected"]["response_valid_if_code"].as_u64() {
            reply[0] = code as u8;
            assert!(reply_is_right(&reply, &request[4..20]), "{name}");
        }
    }
}

#[test]
fn a_tunnel_password_is_reencrypted_to_the_octet() {
    let v = vector("tunnel-password-reencrypt");
    let mut value = field(&v, "attr_up")[2..].to_vec();
    let (up, down) = (home(), nas());
    salted::reencrypt(&mut value[1..], (&up, &RA_UP), (&down, &RA_DOWN), 0x9abc).unwrap();
    assert_eq!(value, expected(&v, "attr_down")[2..]);
    let plain = salted::decrypt(&mut value[1..], &down, &RA_DOWN).unwrap();
    assert_eq!(plain, v["expected"]["plaintext"].as_str().unwrap().as_bytes());
}

#[test]
fn a_tunnel_password_under_the_wrong_authenticator_is_undecryptable() {
    let v = vector("tunnel-password-wrong-request-authenticator");
    let mut value = field(&v, "attr")[2..].to_vec();
    let before = value.clone();
    let wrong = array(&field(&v, "RA_wrong"));
    assert_eq!(salted::decrypt(&mut value[1..], &home(), &wrong), Err(salted::Undecryptable));
    assert_eq!(value, before);
}

#[test]
fn both_mppe_keys_get_salts_of_their_own() {
    let v = vector("ms-mppe-reencrypt");
    let attrs: Vec<(u8, Vec<u8>)> = list(&[&[0; 20][..], &field(&v, "attrs_up")].concat());
    let attrs: Vec<(u8, &[u8])> = attrs.iter().map(|(n, v)| (*n, &v[..])).collect();
    let request = upstream_access_request(&[]);
    let mut buf = sekisho_wire::buf::Buf::new();
    write_reply(&mut buf, Code::ACCESS_ACCEPT, 9, &RA_UP, &home(), &request, &attrs).unwrap();

    let reply = verified_reply(&buf, &RA_UP, &home());
    let edits = restore(&mut buf, &reply, &request, 7, &mut || 0x4001, OURS).unwrap();
    assert_eq!((edits.reencrypted, edits.undecryptable), (2, 0));
    assert_eq!(buf.bytes()[38..], expected(&v, "attrs_down"));
}

#[test]
fn a_password_of_38_octets_is_rehidden_to_the_octet() {
    let v = vector("user-password-rehide-48");
    let mut value = field(&v, "attr_in")[2..].to_vec();
    rehide(&mut value, (&nas(), &RA_DOWN), (&home(), &RA_UP)).unwrap();
    assert_eq!(value, expected(&v, "attr_out")[2..]);
    unhide(&mut value, &home(), &RA_UP).unwrap();
    assert_eq!(without_padding(&value), v["expected"]["password"].as_str().unwrap().as_bytes());
}

#[test]
fn a_chap_request_gets_its_old_authenticator_as_challenge() {
    let v = vector("chap-challenge-insert-at-proxy");
    // The expected packet carries User-Name and CHAP-Password of the four attributes that follow them in the input.
    let mut packet = field(&v, "in");
    packet.truncate(20 + 8 + 19);
    packet[3] = packet.len() as u8;
    let mut buf = buf(&packet);
    let verified = verified(&buf, &nas());
    forward_request(&mut buf, &verified, &nas(), &home(), 9, &RA_UP, b"\x0b\xad\xca\xfe").unwrap();
    assert_eq!(buf.bytes(), expected(&v, "out"));
}

#[test]
fn an_accounting_request_and_its_response_verify() {
    let [request, response] = packets(&vector("accounting-request-response")).try_into().unwrap();
    let mut buf = buf(&request);
    assert!(verify_request(&buf, &layout(&request), &xyzzy(), LENIENT).is_ok());
    assert!(reply_is_right(&response, &request[4..20]));
    write_reply(&mut buf, Code::ACCOUNTING_RESPONSE, request[1], &authenticator(&request), &xyzzy(), &request, &[])
        .unwrap();
    assert_eq!(buf.bytes(), response);
}

#[test]
fn a_coa_request_and_its_ack_verify() {
    let [request, ack] = packets(&vector("coa-request-ma-and-ack")).try_into().unwrap();
    assert!(verify_request(&buf(&request), &layout(&request), &xyzzy(), LENIENT).is_ok());
    assert!(reply_is_right(&ack, &request[4..20]));
    for packet in [&request, &ack] {
        let mut forged = packet.clone();
        forged[25] ^= 1;
        assert!(verify_request(&buf(&forged), &layout(&forged), &xyzzy(), LENIENT).is_err());
        assert!(!reply_is_right(&forged, &request[4..20]));
    }
}

#[test]
fn a_coa_request_is_signed_for_the_nas_to_the_octet_and_so_is_its_ack() {
    // The vector as a peer sends it under another secret, without what a proxy adds: rewritten it is the vector again,
    // whose last attribute is then our Proxy-State.
    let [request, ack] = packets(&vector("coa-request-ma-and-ack")).try_into().unwrap();
    let (ours, rest) = (values(&request, attr::PROXY_STATE).pop().unwrap(), &list(&request)[1..]);
    let sent = RequestBuilder::new(Code::COA_REQUEST, 200, [0; 16]).message_authenticator();
    let sent = rest[..rest.len() - 1].iter().fold(sent, |r, (n, v)| r.attribute(*n, v)).build(&nas()).unwrap();
    let mut buf = buf(&sent);
    let verified = verified(&buf, &nas());
    let (_, seal) = rewrite_dynauth(&mut buf, &verified, request[1], &ours, &salted::Salted::default()).unwrap();
    seal.apply(buf.bytes_mut(), &xyzzy());
    assert_eq!(buf.bytes(), request);

    write_reply(&mut buf, Code::COA_ACK, request[1], &authenticator(&request), &xyzzy(), &request, &[]).unwrap();
    assert_eq!(buf.bytes(), ack);
}

fn upstream_access_request(proxy_states: &[&[u8]]) -> Vec<u8> {
    let mut request = RequestBuilder::new(Code::ACCESS_REQUEST, 9, RA_UP).message_authenticator();
    for value in proxy_states.iter().chain([&OURS]) {
        request = request.attribute(attr::PROXY_STATE, value);
    }
    request.build(&home()).unwrap()
}

#[test]
fn an_accept_is_restored_for_the_client_to_the_octet() {
    let v = vector("proxy-access-accept-end-to-end");
    let mut buf = buf(&field(&v, "up"));
    let ours = b"proxy001";
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 9, RA_UP)
        .attribute(attr::PROXY_STATE, [1, 2])
        .attribute(attr::PROXY_STATE, ours)
        .build(&home())
        .unwrap();
    let reply = verified_reply(&buf, &RA_UP, &home());
    let edits = restore(&mut buf, &reply, &request, 200, &mut || 0x9abc, ours);
    assert_eq!(edits.unwrap().reencrypted, 1);
    assert_eq!(buf.bytes(), expected(&v, "down"));
}

#[test]
fn an_eap_request_stands_or_falls_with_its_message_authenticator() {
    let packet = &packets(&vector("eap-access-request-ma"))[0];
    let verify = |packet: &[u8]| verify_request(&buf(packet), &layout(packet), &nas(), LENIENT).map(|_| ());
    assert_eq!(verify(packet), Ok(()));
    for octet in (0..packet.len()).filter(|i| !(2..4).contains(i)) {
        for bit in 0..8 {
            let mut flipped = packet.clone();
            flipped[octet] ^= 1 << bit;
            if let Ok(layout) = scan(&flipped) {
                let verdict = verify_request(&buf(&flipped), &layout, &nas(), LENIENT);
                assert!(verdict.is_err(), "bit {bit} of octet {octet}");
            }
        }
    }
    let mut stripped = [&packet[..20], &packet[38..]].concat();
    stripped[3] -= 18;
    assert_eq!(verify(&stripped), Err(Refusal::EapWithoutMessageAuthenticator));
}

#[test]
fn blast_radius_is_refused_by_either_flag() {
    let packet = &packets(&vector("blast-limit-proxy-state"))[0];
    let verify = |require_message_authenticator, limit_proxy_state| {
        let policy = RequestPolicy { require_message_authenticator, limit_proxy_state };
        verify_request(&buf(packet), &layout(packet), &nas(), policy).map(|_| ())
    };
    assert_eq!(verify(true, false), Err(Refusal::MessageAuthenticatorMissing));
    assert_eq!(verify(false, true), Err(Refusal::ProxyStateWithoutMessageAuthenticator));
    assert_eq!(verify(false, false), Ok(()));
    let verified = verified(&buf(packet), &nas());
    let mut buf = buf(packet);
    forward_request(&mut buf, &verified, &nas(), &home(), 9, &RA_UP, OURS).unwrap();
    assert_eq!(numbers(buf.bytes()), [80, 1, 2, 33, 33]);
}

#[test]
fn tunnel_attributes_of_every_tagging_pass_the_scan() {
    for attribute in packets(&vector("tunnel-tag-ambiguity")) {
        let mut packet = [&[1, 0, 0, 20 + attribute.len() as u8][..], &[0; 16], &attribute].concat();
        assert_eq!(list(&packet).len(), 1);
        packet.push(0xff);
        assert_eq!(layout(&packet).length as usize, packet.len() - 1);
    }
}

#[test]
fn the_malformed_are_dropped_and_padding_is_not() {
    let packets = packets(&vector("malformed-set"));
    let verdicts: Vec<_> = packets.iter().map(|p| scan(p).map(|l| l.length)).collect();
    assert_eq!(
        verdicts,
        [
            Err(Malformed::TooShort),
            Ok(20),
            Err(Malformed::BadAttribute),
            Err(Malformed::BadAttribute),
            Err(Malformed::BadAttribute),
            Ok(20),
            Ok(20),
        ]
    );
    // The last is well-formed but of code 0.
    let code_0 = &packets[6];
    let verdict = verify_request(&buf(code_0), &layout(code_0), &nas(), LENIENT);
    assert_eq!(verdict.map(|_| ()), Err(Refusal::NotARequest));
    let no_reply = verify_reply(&buf(code_0), &layout(code_0), &RA_UP, &nas(), false);
    assert_eq!(no_reply.map(|_| ()), Err(ReplyRefusal::ResponseAuthenticatorBad));
}
