//! MS-CHAP of both versions: logins as NASes send them, and what an Accept or a Reject says to them.

use crate::common::*;
use sekisho_wire::buf::Buf;
use sekisho_wire::build::RequestBuilder;
use sekisho_wire::code::Code;
use sekisho_wire::mschap::mppe::{EncryptionPolicy, EncryptionTypes, append_encryption, append_v1_keys};
use sekisho_wire::mschap::nt::{NoNtHash, NtHash};
use sekisho_wire::mschap::{BadMsChap, MsChapLogin, failure, v1, v2};
use sekisho_wire::password::unhide;
use sekisho_wire::salted;
use sekisho_wire::select::AttributeId;
use sekisho_wire::vendor::MICROSOFT;

const NAME: &[u8] = b"alice@acme.example";

fn hash() -> NtHash {
    NtHash::of(b"wonderland").unwrap()
}

fn login() -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN).attribute(1, NAME)
}

fn packet(request: RequestBuilder) -> Vec<u8> {
    request.build(&nas()).unwrap()
}

/// MS-CHAP-Response of a peer that knows the password.
fn v1_response(flags: u8) -> Vec<u8> {
    [&[9, flags][..], &[0; 24], &hash().challenge_response(b"8 octets")].concat()
}

/// MS-CHAP2-Response of a peer that knows the password.
fn v2_response(name: &[u8]) -> Vec<u8> {
    [&[9, 0][..], &[4; 16], &[0; 8], &v2::nt_response(&[3; 16], &[4; 16], name, &hash())].concat()
}

fn microsoft(packet: &[u8], kind: u8) -> Vec<u8> {
    AttributeId::Vendor(MICROSOFT, kind).find(packet).unwrap().to_vec()
}

/// An empty packet, to append attributes to.
fn accept() -> Buf {
    buf(&RequestBuilder::new(Code::ACCESS_ACCEPT, 7, RA_DOWN).build(&nas()).unwrap())
}

#[test]
fn a_login_of_the_first_version_is_right_with_the_nt_response() {
    let request = packet(login().vendor(MICROSOFT, 11, b"8 octets").vendor(MICROSOFT, 1, v1_response(1)));
    let Ok(Some(MsChapLogin::V1(challenge, response))) = MsChapLogin::find(&request) else { panic!("not found") };
    assert_eq!(response.ident, 9);
    assert!(v1::verify(challenge, &response, &hash()));
    assert!(!v1::verify(b"8 others", &response, &hash()));
    assert!(!v1::verify(challenge, &response, &NtHash::of(b"Wonderland").unwrap()));
}

#[test]
fn lan_managers_response_is_refused_whatever_it_is() {
    let request = packet(login().vendor(MICROSOFT, 11, b"8 octets").vendor(MICROSOFT, 1, v1_response(0)));
    assert_eq!(MsChapLogin::find(&request), Err(BadMsChap::LanManager));
}

#[test]
fn a_login_of_the_second_version_is_right_and_the_server_proves_itself() {
    let request = packet(login().vendor(MICROSOFT, 11, [3; 16]).vendor(MICROSOFT, 25, v2_response(NAME)));
    let Ok(Some(MsChapLogin::V2(challenge, response))) = MsChapLogin::find(&request) else { panic!("not found") };
    let success = v2::verify(challenge, &response, NAME, &hash()).unwrap();
    assert!(v2::verify(&[4; 16], &response, NAME, &hash()).is_none());
    assert!(v2::verify(challenge, &response, b"bob@acme.example", &hash()).is_none());
    assert!(v2::verify(challenge, &response, NAME, &NtHash::of(b"Wonderland").unwrap()).is_none());

    let mut reply = accept();
    success.append(&mut reply, response.ident).unwrap();
    let value = microsoft(reply.bytes(), 26);
    assert_eq!((value[0], value.len()), (9, 43));
    assert_eq!(value[1..], success.message());
    assert!(value[3..].iter().all(|digit| b"0123456789ABCDEF".contains(digit)));
}

#[test]
fn a_domain_before_the_name_is_not_hashed_and_a_realm_behind_it_is() {
    let answer = |name: &[u8]| v2_response(name);
    let is_right = |octets: &[u8], name: &[u8]| {
        let response = v2::Response::parse(octets).unwrap();
        v2::verify(&[3; 16], &response, name, &hash()).is_some()
    };
    assert!(is_right(&answer(b"alice"), br"ACME\alice"));
    assert!(is_right(&answer(br"ACME\alice@acme.example"), NAME));
    assert!(!is_right(&answer(b"alice"), NAME));
    assert!(!is_right(&answer(NAME), b"alice"));
    for (name, without) in [(&br"A\b\c"[..], &br"b\c"[..]), (br"\b", b"b"), (br"A\", b""), (b"", b"")] {
        assert_eq!(v2::without_domain(name), without);
    }
}

#[test]
fn challenges_and_responses_of_other_lengths_are_refused() {
    let find = |request| MsChapLogin::find(&packet(request)).map(|_| ());
    for length in [0, 1, 7, 9, 15, 17, 24, 200] {
        let challenge = || login().vendor(MICROSOFT, 11, vec![3; length]);
        assert_eq!(find(challenge().vendor(MICROSOFT, 1, v1_response(1))), Err(BadMsChap::Challenge), "{length}");
        assert_eq!(find(challenge().vendor(MICROSOFT, 25, v2_response(NAME))), Err(BadMsChap::Challenge), "{length}");
    }
    for length in [0, 1, 2, 26, 49, 51, 200] {
        let first = login().vendor(MICROSOFT, 11, [3; 8]).vendor(MICROSOFT, 1, vec![1; length]);
        assert_eq!(find(first), Err(BadMsChap::Response), "{length}");
        let second = login().vendor(MICROSOFT, 11, [3; 16]).vendor(MICROSOFT, 25, vec![1; length]);
        assert_eq!(find(second), Err(BadMsChap::Response), "{length}");
    }
}

#[test]
fn a_login_that_could_mean_two_things_is_refused() {
    let find = |request| MsChapLogin::find(&packet(request)).map(|_| ());
    let (one, two) = (v1_response(1), v2_response(NAME));
    let challenged = || login().vendor(MICROSOFT, 11, [3; 16]);
    assert_eq!(find(login().vendor(MICROSOFT, 25, &two)), Err(BadMsChap::NoChallenge));
    assert_eq!(find(login().vendor(MICROSOFT, 1, &one)), Err(BadMsChap::NoChallenge));
    let both = challenged().vendor(MICROSOFT, 1, &one).vendor(MICROSOFT, 25, &two);
    assert_eq!(find(both), Err(BadMsChap::Repeated));
    let twice = challenged().vendor(MICROSOFT, 25, &two).vendor(MICROSOFT, 25, &two);
    assert_eq!(find(twice), Err(BadMsChap::Repeated));
    assert_eq!(find(challenged().vendor(MICROSOFT, 11, [3; 16]).vendor(MICROSOFT, 25, &two)), Err(BadMsChap::Repeated));
}

#[test]
fn a_challenge_and_a_response_may_share_an_attribute() {
    let both = [&[0, 0, 1, 55, 11, 18][..], &[3; 16], &[25, 52], &v2_response(NAME)].concat();
    assert!(matches!(MsChapLogin::find(&packet(login().attribute(26, both))), Ok(Some(MsChapLogin::V2(..)))));
}

#[test]
fn other_packets_and_other_vendors_attributes_are_no_ms_chap_login() {
    assert_eq!(MsChapLogin::find(&packet(login())), Ok(None));
    assert_eq!(MsChapLogin::find(&packet(login().vendor(MICROSOFT, 11, [3; 16]))), Ok(None));
    assert_eq!(MsChapLogin::find(&packet(login().vendor(9, 11, [3; 16]).vendor(9, 25, v2_response(NAME)))), Ok(None));
}

#[test]
fn passwords_are_hashed_by_their_characters() {
    // Of MD4 over "ä" and over a character of two units, both little end first; by another implementation.
    let of = |password: &str| *NtHash::of(password.as_bytes()).unwrap().octets();
    assert_eq!(of("ä"), *b"\x31\x04\xea\xb4\x84\xd5\x9e\xfa\xbc\xea\x2c\x44\xb0\x7f\x41\xd3");
    assert_eq!(of("𝄞"), *b"\x78\xd5\x4e\xcb\x6c\xc7\xc8\x23\xf8\xb6\xd7\xac\xf6\x7b\xf6\x57");
    // Of no password at all, as every Windows knows it.
    assert_eq!(of(""), *b"\x31\xd6\xcf\xe0\xd1\x6a\xe9\x31\xb7\x3c\x59\xd7\xe0\xc0\x89\xc0");
}

#[test]
fn a_password_that_ms_chap_cannot_express_has_no_hash() {
    assert_eq!(NtHash::of(b"\xff\xfe").unwrap_err(), NoNtHash::NotUtf8);
    assert!(NtHash::of("é".repeat(256).as_bytes()).is_ok());
    assert_eq!(NtHash::of("é".repeat(257).as_bytes()).unwrap_err(), NoNtHash::TooLong);
    // Of two units each.
    assert!(NtHash::of("𝄞".repeat(128).as_bytes()).is_ok());
    assert_eq!(NtHash::of("𝄞".repeat(129).as_bytes()).unwrap_err(), NoNtHash::TooLong);
}

#[test]
fn the_nas_decrypts_the_keys_and_their_salts_differ() {
    let octets = v2_response(NAME);
    let response = v2::Response::parse(&octets).unwrap();
    let success = v2::verify(&[3; 16], &response, NAME, &hash()).unwrap();
    for salt in [0, 0x7ffe, 0x7fff, 0x8000, 0xfffe, 0xffff] {
        let mut reply = accept();
        success.keys().append(&mut reply, (&nas(), &RA_DOWN, salt)).unwrap();
        let (mut send, mut recv) = (microsoft(reply.bytes(), 16), microsoft(reply.bytes(), 17));
        assert!(send[0] & recv[0] & 0x80 != 0);
        assert_ne!(send[..2], recv[..2], "salt {salt}");
        assert_eq!(salted::decrypt(&mut send, &nas(), &RA_DOWN).unwrap(), success.keys().send());
        assert_eq!(salted::decrypt(&mut recv, &nas(), &RA_DOWN).unwrap(), success.keys().recv());
    }
    assert_eq!(success.keys().msk()[..], [&success.keys().recv()[..], success.keys().send(), &[0; 32]].concat());
}

#[test]
fn keys_can_be_had_again_from_the_response_alone() {
    let octets = v2_response(NAME);
    let response = v2::Response::parse(&octets).unwrap();
    let success = v2::verify(&[3; 16], &response, NAME, &hash()).unwrap();
    let later = sekisho_wire::mschap::mppe::Keys::of(&hash(), response.nt);
    assert_eq!((later.send(), later.recv()), (success.keys().send(), success.keys().recv()));
}

#[test]
fn the_first_versions_keys_are_hidden_like_a_password() {
    let mut reply = accept();
    let known = NtHash::of(b"clientPass").unwrap();
    append_v1_keys(&mut reply, &known, (&nas(), &RA_DOWN)).unwrap();
    let mut value = microsoft(reply.bytes(), 12);
    unhide(&mut value, &nas(), &RA_DOWN).unwrap();
    // The hash of the hash is that of RFC 2759 §9.2 and RFC 3079 §3.5.3.
    let again = b"\x41\xc0\x0c\x58\x4b\xd2\xd9\x1c\x40\x17\xa2\xa1\x2f\xa5\x9f\x3f";
    assert_eq!(value, [&[0; 8][..], again, &[0; 8]].concat());
}

#[test]
fn an_accept_says_whether_and_how_to_encrypt() {
    let mut reply = accept();
    append_encryption(&mut reply, EncryptionPolicy::Required, EncryptionTypes::Strong).unwrap();
    assert_eq!(microsoft(reply.bytes(), 7), [0, 0, 0, 2]);
    assert_eq!(microsoft(reply.bytes(), 8), [0, 0, 0, 4]);
    let mut reply = accept();
    append_encryption(&mut reply, EncryptionPolicy::Allowed, EncryptionTypes::Any).unwrap();
    assert_eq!(microsoft(reply.bytes(), 7), [0, 0, 0, 1]);
    assert_eq!(microsoft(reply.bytes(), 8), [0, 0, 0, 6]);
}

#[test]
fn a_reject_says_that_it_is_final_in_each_versions_words() {
    let mut reply = accept();
    reply.append_attribute(26, &failure::v1_attribute(9, b"\x10\x2d\xb5\xdf\x08\x5d\x30\x41")).unwrap();
    assert_eq!(microsoft(reply.bytes(), 2), b"\x09E=691 R=0 C=102DB5DF085D3041 V=2");
    let mut reply = accept();
    reply.append_attribute(26, &failure::v2_attribute(9, &[0xab; 16])).unwrap();
    let text = b"\x09E=691 R=0 C=ABABABABABABABABABABABABABABABAB V=3 M=Authentication failure";
    assert_eq!(microsoft(reply.bytes(), 2), text);
}

#[test]
fn no_key_hash_or_proof_is_ever_shown() {
    let octets = v2_response(NAME);
    let success = v2::verify(&[3; 16], &v2::Response::parse(&octets).unwrap(), NAME, &hash()).unwrap();
    assert_eq!(format!("{:?}", hash()), "NtHash(..)");
    assert_eq!(format!("{:?}", success.keys()), "Keys(..)");
    assert_eq!(format!("{success:?}"), "Success(..)");
}
