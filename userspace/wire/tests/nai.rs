//! Which realm a User-Name belongs to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

use std::collections::HashMap;

use sekisho_wire::nai::{CanonicalRealm, canonical, realm_prefix, realm_suffix};

fn form(realm: impl AsRef<[u8]>) -> Option<String> {
    let mut out = [0xff; 255];
    canonical(realm.as_ref(), &mut out).map(|r| String::from_utf8(r.to_vec()).unwrap())
}

#[test]
fn the_realm_follows_the_last_at_or_precedes_the_first_slash() {
    assert_eq!(realm_suffix(b"alice@acme.example"), Some(&b"acme.example"[..]));
    assert_eq!(realm_suffix(b"alice@old@acme.example"), Some(&b"acme.example"[..]));
    assert_eq!(realm_prefix(b"acme/alice/x"), Some(&b"acme"[..]));
    for none in ["", "alice", "alice@", "@"] {
        assert_eq!(realm_suffix(none.as_bytes()), None);
    }
    for none in ["", "alice", "/alice", "/"] {
        assert_eq!(realm_prefix(none.as_bytes()), None);
    }
}

#[test]
fn spellings_of_one_realm_are_one_realm() {
    for same in ["acme.example", "ACME.example", "Acme.Example."] {
        assert_eq!(form(same).unwrap(), "acme.example");
    }
    // Composed, decomposed, upper case, full width, A-label.
    for same in
        ["bücher.example", "bu\u{308}cher.example", "BÜCHER.EXAMPLE", "ｂücher．example.", "XN--bcher-kva.example"]
    {
        assert_eq!(form(same).unwrap(), "xn--bcher-kva.example", "{same}");
    }
    assert_eq!(form("関所.example").unwrap(), "xn--8ous75i.example");
}

#[test]
fn look_alikes_stay_apart() {
    let acme = form("acme.example").unwrap();
    for other in ["аcme.example", "acme.example.evil", "acme-example", ".*", "acme%.example", "acmé.example"] {
        assert_ne!(form(other), Some(acme.clone()), "{other}");
    }
    // Non-transitional: ß is a letter of its own.
    assert_ne!(form("straße.example"), form("strasse.example"));
}

#[test]
fn what_cannot_be_a_realm_is_none() {
    for none in ["", ".", "..", ".acme", "acme..example", "acme.example..", "a b", "acme\n", "a\0b", "\u{1b}[2J"] {
        assert_eq!(form(none), None, "{none:?}");
    }
    assert_eq!(form(b"\xff\xfe"), None);
    assert_eq!(form("a\u{7f}"), None);
    assert_eq!(form("ü\u{0}"), None);
}

#[test]
fn realms_of_253_octets_are_the_longest() {
    let longest = ["a".repeat(60), "b".repeat(60), "c".repeat(60), "d".repeat(60), "e".repeat(9)].join(".");
    assert_eq!(longest.len(), 253);
    assert_eq!(form(&longest), Some(longest.clone()));
    assert_eq!(form(format!("{longest}.")), Some(longest.clone()));
    assert_eq!(form(format!("{longest}x")), None);
    assert_eq!(form("ü".repeat(300)), None);
}

#[test]
fn a_table_of_realms_is_looked_up_by_octets() {
    let table: HashMap<CanonicalRealm, u8> = HashMap::from([(CanonicalRealm::new("Bücher.example").unwrap(), 1)]);
    let mut out = [0; 255];
    let key = canonical("BÜCHER.example.".as_bytes(), &mut out).unwrap();
    assert_eq!(table.get(key), Some(&1));
    assert!(CanonicalRealm::new("not a realm").is_err());
    assert_eq!(CanonicalRealm::new("Acme.").unwrap().to_string(), "acme");
}
