//! What the tests of formats share.

use proptest::prelude::*;
use sekisho_registry::{
    account::{Account, Secret},
    formats::{Defaults, Fault, ImportErrors, Imported, Place},
};
use zeroize::Zeroizing;

/// For contract `g1`, with the realm `acme.example`.
pub fn defaults() -> Defaults {
    Defaults::new("g1", Some("acme.example"))
}

pub fn password(octets: impl AsRef<[u8]>) -> Secret {
    Secret::Recoverable(Zeroizing::new(octets.as_ref().to_vec()))
}

/// An account of `g1` and `acme.example` with nothing but a password.
pub fn account(user: &str, secret: impl AsRef<[u8]>) -> Account {
    Account {
        contract: "g1".to_owned(),
        realm: "acme.example".to_owned(),
        user: user.to_owned(),
        secret: password(secret),
        enabled: true,
        expires: None,
        simultaneous: None,
        calling: Vec::new(),
        reply: Vec::new(),
        note: String::new(),
    }
}

/// What is the matter, as lines for the operator.
pub fn told(result: Result<Imported, ImportErrors>) -> Vec<String> {
    faults(result).iter().map(Fault::to_string).collect()
}

pub fn faults(result: Result<Imported, ImportErrors>) -> Vec<Fault> {
    match result {
        Err(ImportErrors::Faulty(faults)) => faults.faults,
        Err(other) => panic!("{other}"),
        Ok(imported) => panic!("{} accounts were imported", imported.accounts.len()),
    }
}

/// The one fault, with its line.
pub fn fault(result: Result<Imported, ImportErrors>) -> (u64, String) {
    let faults = faults(result);
    let [fault] = faults.as_slice() else { panic!("{faults:?}") };
    match fault.place {
        Place::Line(line) => (line, fault.to_string()),
        place => panic!("{place:?}"),
    }
}

/// A value as a password or an attribute may have it.
pub fn value() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "=1+1",
        "'=1",
        "''",
        "'",
        "\"",
        "\"\"",
        "a,b",
        "a;b",
        " ",
        "\\",
        "\\n",
        "\\\"",
        "\\101",
        "%{User-Name}",
        "%",
        "%%",
        "#x",
        "\n",
        "\r\n",
        "\t",
        "あ",
        "é",
        "`",
        "{",
        "@",
        "+81",
        "-",
        "=",
        "'a'",
        "\"a\"",
        "\\'",
        "\u{7f}",
        "\u{1}",
    ]);
    let piece = prop_oneof![odd.prop_map(str::to_owned), "[a-z0-9]{1,4}"];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

/// Any account of `g1` that can be kept.
pub fn any_account() -> impl Strategy<Value = Account> {
    let secret = prop_oneof![
        6 => value().prop_map(password),
        1 => prop::collection::vec(1_u8.., 1..20).prop_map(password),
        1 => Just(Secret::Argon2id("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".to_owned())),
    ];
    let user = value().prop_map(|it| it.replace(char::is_control, "x"));
    let expires = prop::option::of((0_i64..4_000_000_000).prop_map(|it| jiff::Timestamp::from_second(it).unwrap()));
    let calling = prop::collection::vec("[+]?[0-9]{6,15}", 0..3);
    let reply = prop::collection::vec(("[A-Z][A-Za-z0-9]{0,9}(-[A-Z][a-z]{1,5}){0,2}(:1)?", value()), 0..4);
    let note = prop_oneof![
        Just(String::new()),
        value().prop_map(|it| it.replace(|it: char| it.is_control() && it != '\n' && it != '\t', " "))
    ];
    (user, secret, any::<bool>(), expires, any::<Option<u16>>(), calling, reply, note).prop_map(
        |(user, secret, enabled, expires, simultaneous, calling, reply, note)| Account {
            contract: "g1".to_owned(),
            realm: "acme.example".to_owned(),
            user,
            secret,
            enabled,
            expires,
            simultaneous,
            calling,
            reply,
            note,
        },
    )
}

/// Some accounts, no two of the same user.
pub fn any_accounts() -> impl Strategy<Value = Vec<Account>> {
    prop::collection::vec(any_account(), 0..6).prop_map(|mut accounts| {
        for (i, account) in accounts.iter_mut().enumerate() {
            account.user.push_str(&i.to_string());
        }
        accounts
    })
}
