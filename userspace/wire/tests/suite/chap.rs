//! PAP and CHAP against a password that the server has.

use crate::common::*;
use proptest::collection::vec;
use proptest::prelude::*;
use sekisho_wire::attr;
use sekisho_wire::build::{RequestBuilder, chap_response};
use sekisho_wire::chap::{self, BadChap, ChapLogin};
use sekisho_wire::code::Code;
use sekisho_wire::password::verify;

fn login() -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN).attribute(attr::USER_NAME, "flopsy")
}

fn found(request: &[u8]) -> Result<Option<bool>, BadChap> {
    Ok(ChapLogin::find(request, &layout(request))?.map(|login| login.is_by(b"arctangent")))
}

#[test]
fn the_challenge_is_the_request_authenticator_unless_the_nas_sends_one() {
    let request = login().chap_password(22, b"arctangent").build(&nas()).unwrap();
    assert_eq!(found(&request), Ok(Some(true)));

    let challenge = b"any length will do, and not only sixteen";
    let request = login()
        .attribute(attr::CHAP_CHALLENGE, challenge)
        .attribute(attr::CHAP_PASSWORD, chap_response(22, b"arctangent", challenge));
    assert_eq!(found(&request.clone().build(&nas()).unwrap()), Ok(Some(true)));

    let other = login()
        .attribute(attr::CHAP_CHALLENGE, challenge)
        .attribute(attr::CHAP_PASSWORD, chap_response(22, b"arctangent", &RA_DOWN));
    assert_eq!(found(&other.build(&nas()).unwrap()), Ok(Some(false)));
}

#[test]
fn a_packet_without_chap_password_is_no_chap_login() {
    let request = login().attribute(attr::CHAP_CHALLENGE, [1; 16]).build(&nas()).unwrap();
    assert_eq!(found(&request), Ok(None));
}

#[test]
fn a_chap_password_of_another_length_is_refused() {
    for length in [0, 1, 15, 16, 18, 33, 253] {
        let request = login().attribute(attr::CHAP_PASSWORD, vec![22; length]).build(&nas()).unwrap();
        assert_eq!(found(&request), Err(BadChap::Password), "{length}");
    }
}

#[test]
fn an_empty_challenge_is_refused_since_its_answer_never_changes() {
    let request = login()
        .attribute(attr::CHAP_PASSWORD, chap_response(22, b"arctangent", b""))
        .attribute(attr::CHAP_CHALLENGE, "");
    assert_eq!(found(&request.build(&nas()).unwrap()), Err(BadChap::Challenge));
}

#[test]
fn identifier_challenge_and_every_octet_of_the_response_count() {
    let response = chap_response(22, b"arctangent", &RA_DOWN);
    let response: [u8; 16] = array(&response[1..]);
    assert!(chap::verify(22, &RA_DOWN, &response, b"arctangent"));
    assert!(!chap::verify(23, &RA_DOWN, &response, b"arctangent"));
    assert!(!chap::verify(22, &RA_UP, &response, b"arctangent"));
    assert!(!chap::verify(22, &RA_DOWN, &response, b"arctangen"));
    for bit in 0..128 {
        let mut wrong = response;
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(!chap::verify(22, &RA_DOWN, &wrong, b"arctangent"), "bit {bit}");
    }
}

fn hidden(password: &[u8]) -> Vec<u8> {
    let request = login().user_password(password, &nas()).build(&nas()).unwrap();
    layout(&request).user_password.unwrap().of(&request).to_vec()
}

#[test]
fn a_hidden_password_is_right_whatever_its_padding() {
    for length in [0, 1, 15, 16, 17, 127, 128] {
        let password = vec![b'x'; length];
        assert!(verify(&hidden(&password), &nas(), &RA_DOWN, &password), "{length}");
    }
    // Two blocks where one is enough: some NASes pad everything to 32 or 128.
    let mut longer = [0; 32];
    longer[..6].copy_from_slice(b"secret");
    sekisho_wire::password::hide(&mut longer, &nas(), &RA_DOWN).unwrap();
    assert!(verify(&longer, &nas(), &RA_DOWN, b"secret"));
}

#[test]
fn a_hidden_password_of_no_possible_length_is_never_right() {
    for length in [0, 1, 15, 17, 129, 144, 253] {
        assert!(!verify(&vec![0; length], &nas(), &RA_DOWN, b""), "{length}");
    }
    assert!(!verify(&hidden(&[b'x'; 128]), &nas(), &RA_DOWN, &[b'x'; 129]));
}

#[test]
fn the_secret_and_the_request_authenticator_hide_a_password() {
    let octets = hidden(b"secret");
    assert!(!verify(&octets, &home(), &RA_DOWN, b"secret"));
    assert!(!verify(&octets, &nas(), &RA_UP, b"secret"));
}

proptest! {
    #[test]
    fn only_the_password_itself_is_right(given in vec(any::<u8>(), 0..=128), account in vec(any::<u8>(), 0..=140)) {
        let same = |a: &[u8], b: &[u8]| sekisho_wire::password::without_padding(a) == sekisho_wire::password::without_padding(b);
        let octets = hidden(&given);
        prop_assert!(verify(&octets, &nas(), &RA_DOWN, &given));
        prop_assert_eq!(verify(&octets, &nas(), &RA_DOWN, &account), same(&given, &account));
    }
}
