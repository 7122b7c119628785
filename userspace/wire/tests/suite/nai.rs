//! Which realm a User-Name belongs to.

use std::collections::HashMap;

use sekisho_wire::nai::{CanonicalRealm, Place, Stripped, canonical, realm_nt, realm_prefix, realm_suffix};

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

#[test]
fn a_windows_domain_precedes_the_first_backslash() {
    assert_eq!(realm_nt(br"ACME\alice"), Some(&b"ACME"[..]));
    assert_eq!(realm_nt(br"ACME\alice\x@y"), Some(&b"ACME"[..]));
    for none in ["", "alice", r"\alice", r"\", "acme/alice"] {
        assert_eq!(realm_nt(none.as_bytes()), None);
    }
}

fn text(octets: &[u8]) -> &str {
    str::from_utf8(octets).unwrap()
}

fn parts<'a>(stripped: Stripped<'a>) -> [&'a str; 3] {
    [stripped.front(), stripped.user(), stripped.back()].map(text)
}

#[test]
fn a_name_without_its_realm_is_the_user() {
    for (name, place, expected) in [
        ("alice@acme.example", Place::Suffix, ["", "alice", "@acme.example"]),
        ("alice@old@acme.example", Place::Suffix, ["", "alice@old", "@acme.example"]),
        ("acme/alice", Place::Prefix, ["acme/", "alice", ""]),
        ("acme/alice/x@y", Place::Prefix, ["acme/", "alice/x@y", ""]),
        (r"ACME\alice", Place::Nt, [r"ACME\", "alice", ""]),
    ] {
        assert_eq!(parts(Stripped::of(name.as_bytes()).without_realm(place)), expected);
    }
    for place in [Place::Suffix, Place::Prefix, Place::Nt] {
        for whole in ["", "alice", "@acme.example", "acme/", r"ACME\", "alice@", "@", "/", r"\", "@@", "//"] {
            let stripped = Stripped::of(whole.as_bytes()).without_realm(place);
            assert_eq!(parts(stripped), ["", whole, ""]);
        }
    }
}

#[test]
fn a_carriers_suffix_comes_off_first_in_whatever_way_it_is_written() {
    for (name, expected) in [
        ("alice@acme.example@carrier.example", ["", "alice@acme.example", "@carrier.example"]),
        ("alice@acme.example@CARRIER.Example.", ["", "alice@acme.example", "@CARRIER.Example."]),
        ("alice@carrier.example", ["", "alice", "@carrier.example"]),
        ("alice@acme.example", ["", "alice@acme.example", ""]),
        ("alice@carrier.example@acme.example", ["", "alice@carrier.example@acme.example", ""]),
        ("@carrier.example", ["", "@carrier.example", ""]),
        ("alice", ["", "alice", ""]),
        ("", ["", "", ""]),
    ] {
        assert_eq!(parts(Stripped::of(name.as_bytes()).without_outer(b"carrier.example")), expected);
    }
    let both = Stripped::of(b"acme/alice@carrier.example").without_outer(b"carrier.example");
    assert_eq!(parts(both.without_realm(Place::Prefix)), ["acme/", "alice", "@carrier.example"]);
    let both = Stripped::of(b"alice@acme.example@carrier.example").without_outer(b"carrier.example");
    assert_eq!(parts(both.without_realm(Place::Suffix)), ["", "alice", "@acme.example@carrier.example"]);
}

#[test]
fn a_reply_names_the_user_as_the_client_did() {
    let name = b"acme/alice@carrier.example";
    let stripped = Stripped::of(name).without_outer(b"carrier.example").without_realm(Place::Prefix);
    let restored = |from: &str| stripped.restore(from.as_bytes(), &mut [0; 253]).map(|it| text(it).to_owned());
    assert_eq!(restored("alice").as_deref(), Some("acme/alice@carrier.example"));
    assert_eq!(restored("another").as_deref(), Some("acme/another@carrier.example"));
    assert_eq!(restored(""), Some("acme/@carrier.example".to_owned()));
    assert_eq!(restored("acme/alice@carrier.example"), None);
    assert_eq!(restored("ACME/alice@Carrier.example"), None);
    assert_eq!(restored(&"x".repeat(231)).map(|it| it.len()), Some(252));
    assert_eq!(restored(&"x".repeat(232)).map(|it| it.len()), Some(253));
    assert_eq!(restored(&"x".repeat(233)), None);
    let whole = Stripped::of(name);
    assert_eq!(whole.restore(b"alice", &mut [0; 253]), None);
}
