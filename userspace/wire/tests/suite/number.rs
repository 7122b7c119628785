//! Which spellings of a telephone number are one number.

use proptest::collection::vec;
use proptest::prelude::*;
use sekisho_wire::number::canonical_number;

fn form(value: impl AsRef<[u8]>, country_code: &str) -> Option<String> {
    let mut out = [0xff; 32];
    canonical_number(value.as_ref(), country_code, &mut out).map(|it| String::from_utf8(it.to_vec()).unwrap())
}

#[test]
fn every_way_to_write_a_number_is_one_number() {
    let spellings = [
        "819012345678",
        "+819012345678",
        "09012345678",
        "00819012345678",
        "00 81 90 1234 5678",
        "+81-90-1234-5678",
        "090-1234-5678",
        " 090 1234 5678 ",
        "0 9 0-1234-5678",
    ];
    for spelling in spellings {
        assert_eq!(form(spelling, "81").as_deref(), Some("819012345678"), "{spelling}");
    }
    assert_eq!(form("06 12 34 56 78", "33").as_deref(), Some("33612345678"));
    assert_eq!(form("+1 202 555 0123", "81").as_deref(), Some("12025550123"));
}

#[test]
fn other_numbers_stay_apart() {
    let mine = form("09012345678", "81");
    for other in ["09012345679", "+829012345678", "9012345678", "0819012345678", "440101234567890"] {
        assert_ne!(form(other, "81"), mine, "{other}");
        assert!(form(other, "81").is_some(), "{other}");
    }
    assert_ne!(form("09012345678", "82"), mine);
}

#[test]
fn without_a_country_code_only_separators_go() {
    assert_eq!(form("090-1234-5678", "").as_deref(), Some("09012345678"));
    assert_eq!(form("+81 90 1234 5678", "").as_deref(), Some("819012345678"));
    assert_eq!(form("0081 90 1234 5678", "").as_deref(), Some("819012345678"));
}

#[test]
fn what_is_no_number_is_none() {
    let none = [
        "",
        "+",
        "0",
        "00",
        "-",
        "  ",
        "12345",
        "+81 90 abcd",
        "alice",
        "192.0.2.1",
        "+8190+12345678",
        "81901234567890123",
        "+09012345678",
        "0009012345678",
        "00-11-22-33-44-55",
        "00-1b-21-3c-9d-f8",
        "(090)12345678",
        "090123\u{0}45678",
        "０９０12345678",
        "1234567890123456789012345678901234567890",
    ];
    for none in none {
        assert_eq!(form(none, "81"), None, "{none:?}");
    }
    assert_eq!(form(b"\xff\xfe", "81"), None);
}

#[test]
fn six_digits_are_enough_and_fifteen_the_most() {
    assert_eq!(form("123456", "81").as_deref(), Some("123456"));
    assert_eq!(form("01234", "81").as_deref(), Some("811234"));
    assert_eq!(form("123456789012345", "81").as_deref(), Some("123456789012345"));
    assert_eq!(form("1234567890123456", "81"), None);
    assert_eq!(form("0123456789", "a country code that is far longer than any number could be"), None);
}

proptest! {
    #[test]
    fn any_octets_give_digits_or_nothing_and_the_form_is_its_own_form(
        value in prop_oneof![vec(any::<u8>(), 0..60), "[+0-9 -]{0,40}".prop_map(String::into_bytes)],
        country_code in prop_oneof![Just(""), Just("1"), Just("81"), Just("886")],
    ) {
        if let Some(number) = form(&value, country_code) {
            prop_assert!((6..=15).contains(&number.len()) && number.bytes().all(|it| it.is_ascii_digit()));
            prop_assert_eq!(form(&number, country_code), Some(number));
        }
    }
}
