//! Hashes that only PAP is checked with.

use sekisho_registry::argon::{self, ArgonError};

#[test]
fn a_password_is_right_for_its_own_hash_alone() {
    let hash = argon::hash("hünter2, \"x\"".as_bytes()).unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_eq!(argon::verify(&hash, "hünter2, \"x\"".as_bytes()), Ok(true));
    assert_eq!(argon::verify(&hash, b"hunter2"), Ok(false));
    assert_eq!(argon::verify(&hash, b""), Ok(false));
    assert_eq!(argon::verify(&hash, &[b'x'; 5000]), Ok(false));
    assert_ne!(argon::hash(b"x").unwrap(), argon::hash(b"x").unwrap(), "salts are random");
}

#[test]
fn a_hash_of_the_reference_implementation_is_checked() {
    // `echo -n password | argon2 somesalt -id -t 2 -k 256 -p 1 -l 32`, a vector of the reference implementation's test.c.
    let hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    assert_eq!(argon::verify(hash, b"password"), Ok(true));
    assert_eq!(argon::verify(hash, b"Password"), Ok(false));
}

#[test]
fn the_dummy_costs_what_a_hash_costs_and_nothing_is_right_for_it() {
    let (dummy, hash) = (argon::dummy().unwrap(), argon::hash(b"x").unwrap());
    let parameters = |phc: &str| phc.split('$').take(4).collect::<Vec<_>>().join("$");
    assert_eq!(parameters(&dummy), parameters(&hash));
    assert_eq!(argon::verify(&dummy, b""), Ok(false));
}

#[test]
fn a_hash_that_would_stop_a_node_is_refused_before_it_is_tried() {
    let with = |parameters: &str| {
        argon::check(&format!(
            "$argon2id$v=19${parameters}$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
        ))
    };
    assert_eq!(with("m=19456,t=2,p=1"), Ok(()));
    assert_eq!(with("m=262144,t=2,p=4"), Ok(()));
    for parameters in
        ["m=262145,t=1,p=1", "m=262144,t=3,p=1", "m=19456,t=4294967295,p=1", "m=4194304,t=1,p=1", "m=19456,t=2,p=17"]
    {
        let error = with(parameters).unwrap_err();
        assert!(matches!(error, ArgonError::TooMuch { .. }), "{parameters}: {error}");
        assert!(error.to_string().contains("262144 KiB"), "{error}");
    }
}

#[test]
fn what_is_no_argon2id_is_refused_in_words() {
    let salted = "$c29tZXNhbHRzb21lc2FsdA$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    for phc in [
        String::new(),
        "hunter2".to_owned(),
        "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy".to_owned(),
        format!("$argon2i$v=19$m=19456,t=2,p=1{salted}"),
        format!("$argon2d$v=19$m=19456,t=2,p=1{salted}"),
        format!("$argon2id$v=16$m=19456,t=2,p=1{salted}"),
        format!("$argon2id$m=19456,t=2,p=1{salted}"),
        format!("$argon2id$v=19$m=1,t=0,p=0{salted}"),
    ] {
        let error = argon::check(&phc).unwrap_err();
        assert_eq!(error, ArgonError::NoHash, "{phc}");
        assert!(error.to_string().contains("$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH"), "{error}");
        assert!(argon::verify(&phc, b"x").is_err());
    }
    assert_eq!(argon::check("$argon2id$v=19$m=19456,t=2,p=1"), Err(ArgonError::Short));
    assert_eq!(argon::check("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA"), Err(ArgonError::Short));
}
