//! FreeRADIUS's `users` files: what is taken over, what is refused, and at which line.

use std::time::{Duration, Instant};

use crate::formats::{account, any_accounts, defaults, fault, password, told};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use sekisho_registry::{
    account::{Account, Secret},
    formats::{Defaults, ExportError, ImportErrors, Imported, Secrets, users},
};

fn read(text: impl AsRef<[u8]>) -> Result<Imported, ImportErrors> {
    users::read(text.as_ref(), &defaults())
}

fn secrets(text: &str) -> Vec<Secret> {
    read(text).unwrap().accounts.into_iter().map(|it| it.secret).collect()
}

fn written(accounts: &[Account]) -> Vec<u8> {
    let mut out = Vec::new();
    users::write(&mut out, accounts, Secrets::Shown, &TimeZone::UTC).unwrap();
    out
}

#[test]
fn an_ordinary_file_is_taken_over() {
    let text = "\
# Subscribers of the branch offices.
alice\tCleartext-Password := \"hello\"
\tService-Type = Framed-User,
\t# a comment within
\tFramed-IP-Address = 192.0.2.1,

\tFramed-Route = \"198.51.100.0/24 192.0.2.1 1\",
\tFramed-Route += \"203.0.113.0/24 192.0.2.1 1\",
\tReply-Message = \"Hello, you\"\t# and one at the end

bob@Branch.Acme.Example  Cleartext-Password := 'it''s', Simultaneous-Use := 1
";
    // FreeRADIUS knows no doubled quotation mark.
    assert!(read(text).is_err());
    let imported = read(text.replace("'it''s'", "\"it's\"")).unwrap();
    assert_eq!(imported.warnings, Vec::<String>::new());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let alice = Account {
        reply: vec![
            pair("Service-Type", "Framed-User"),
            pair("Framed-IP-Address", "192.0.2.1"),
            pair("Framed-Route", "198.51.100.0/24 192.0.2.1 1"),
            pair("Framed-Route", "203.0.113.0/24 192.0.2.1 1"),
            pair("Reply-Message", "Hello, you"),
        ],
        ..account("alice", "hello")
    };
    let bob = Account { realm: "branch.acme.example".to_owned(), simultaneous: Some(1), ..account("bob", "it's") };
    assert_eq!(imported.accounts, [alice, bob]);
}

#[test]
fn check_items_become_what_an_account_has() {
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    let text = "\
a Cleartext-Password := x, Calling-Station-Id == \"+819012345678\"
b Calling-Station-Id =~ \"^([+]819012345678|0901|00-11-22-33-44-55)$\", Cleartext-Password == x
c Cleartext-Password = x, Expiration := \"01 Apr 2027\"
d Cleartext-Password := x, Expiration := \"Apr 01 2027 12:30:00\"
e Cleartext-Password := x, Auth-Type := Reject
f Cleartext-Password := x, Simultaneous-Use := 0, Expiration := \"1806500000\"
g cleartext-password := x, SIMULTANEOUS-USE == \"3\", Expiration := \"2027-04-01 12:00\"
";
    let imported = users::read(text.as_bytes(), &Defaults { time_zone: zone, ..defaults() }).unwrap();
    let expires = |time: &str| Some(time.parse().unwrap());
    let numbers = |numbers: &[&str]| numbers.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    let expected = [
        Account { calling: numbers(&["+819012345678"]), ..account("a", "x") },
        Account { calling: numbers(&["+819012345678", "0901", "00-11-22-33-44-55"]), ..account("b", "x") },
        Account { expires: expires("2027-03-31T15:00:00Z"), ..account("c", "x") },
        Account { expires: expires("2027-04-01T03:30:00Z"), ..account("d", "x") },
        Account { enabled: false, ..account("e", "x") },
        Account { simultaneous: Some(0), expires: expires("2027-03-31T13:33:20Z"), ..account("f", "x") },
        Account { simultaneous: Some(3), expires: expires("2027-04-01T03:00:00Z"), ..account("g", "x") },
    ];
    assert_eq!(imported.accounts, expected);
}

#[test]
fn quotes_and_escapes_are_those_of_freeradius_3_2() {
    // Each pair was asked of a FreeRADIUS 3.2.1: it accepts this password for that value.
    for (value, octets) in [
        (r#""a\\b""#, &b"a\\b"[..]),
        (r#""a\"b""#, b"a\"b"),
        (r#""a\101b""#, b"aAb"),
        (r#""a%%b""#, b"a%%b"),
        (r#""100%sure""#, b"100%sure"),
        (r#"'a%{b}\nc'"#, b"a%{b}\nc"),
        (r#""a\zb""#, b"a\\zb"),
        (r#""a\'b""#, b"a\\'b"),
        (r#"'a\'b'"#, b"a'b"),
        (r#"'a\101'"#, b"aA"),
        (r#"a\nb"#, b"a\nb"),
        (r#""\303\244\377""#, b"\xc3\xa4\xff"),
        (r#""a\x41""#, b"a\\x41"),
        (r#"0x6162"#, b"0x6162"),
        (r#""`x`""#, b"`x`"),
        ("\"あ\"", "あ".as_bytes()),
    ] {
        assert_eq!(secrets(&format!("u Cleartext-Password := {value}\n")), [password(octets)], "{value}");
    }
}

#[test]
fn names_are_read_as_freeradius_reads_them() {
    let names = |text: &str| read(text).unwrap().accounts.into_iter().map(|it| it.user).collect::<Vec<_>>();
    assert_eq!(
        names("\"u 8\" Cleartext-Password := x\n'u\"9' Cleartext-Password := x\nA\\u Cleartext-Password := x\n"),
        ["u 8", "u\"9", "A\\u"]
    );
    assert_eq!(names("\"v\\\\19\" Cleartext-Password := x\n\"a\\\"b\" Cleartext-Password := x\n"), ["v\\\\19", "a\"b"]);
    assert_eq!(names("a@b@acme.example Cleartext-Password := x\r\nb@ Cleartext-Password := x"), ["a@b", "b@"]);
}

#[test]
fn what_is_no_account_is_left_out_with_a_warning() {
    let text = "\
DEFAULT\tFramed-Protocol == PPP
\tFramed-Protocol = PPP,
\tFall-Through = Yes
lost\tAuth-Type := Reject
\tReply-Message = \"Call us\"
alice\tCleartext-Password := x, Auth-Type := CHAP
\tFilter-Id = a,
\tFall-Through = Yes
DEFAULT\tAuth-Type := Reject
";
    let imported = read(text).unwrap();
    assert_eq!(
        imported.accounts,
        [Account { reply: vec![("Filter-Id".to_owned(), "a".to_owned())], ..account("alice", "x") }]
    );
    let starts = [
        "line 1: DEFAULT is no account",
        "line 4: the entry has no password and is always rejected",
        "line 6: Auth-Type was left out",
        "line 6: Fall-Through was left out",
        "line 9: DEFAULT",
    ];
    assert_eq!(imported.warnings.len(), starts.len(), "{:#?}", imported.warnings);
    for (warning, start) in imported.warnings.iter().zip(starts) {
        assert!(warning.starts_with(start), "{warning}");
    }
}

#[test]
fn a_password_that_nobody_can_read_is_refused_by_name() {
    for attribute in [
        "NT-Password",
        "LM-Password",
        "Crypt-Password",
        "MD5-Password",
        "SMD5-Password",
        "SHA-Password",
        "SSHA-Password",
        "SSHA2-256-Password",
        "PBKDF2-Password",
        "Password-With-Header",
    ] {
        let (line, told) = fault(read(format!("# one\nu {attribute} := \"0123456789abcdef\"\n")));
        assert_eq!(line, 2);
        assert!(told.contains(&format!("`{attribute}`")) && told.contains("Cleartext-Password :="), "{told}");
        assert!(told.contains("hash") && !told.contains("0123456789abcdef"), "{told}");
    }
    let (_, told) = fault(read("u User-Password == \"x\"\n"));
    assert!(told.contains("is what a request carries"), "{told}");
}

#[test]
fn every_fault_is_told_with_its_line() {
    for (text, line, what) in [
        ("$INCLUDE other\n", 1, "$INCLUDE names another file, which is not followed"),
        ("\n  u Cleartext-Password := x\n", 2, "the line begins with a space, and no entry is before it"),
        ("u\n", 1, "the entry has no password"),
        ("u\n\tFilter-Id = a\n\n", 1, "the entry has no password"),
        ("u Cleartext-Password := \"x\n", 1, "has no counterpart on its line"),
        ("\"u Cleartext-Password := x\n", 1, "the quotation mark before the user's name"),
        ("\"u x\n", 1, "the quotation mark before the user's name"),
        ("u, Cleartext-Password := x\n", 1, "a comma follows the user's name"),
        ("u Cleartext-Password x\n", 1, "no operator follows Cleartext-Password"),
        (
            "u Cleartext-Password := se,cret\n",
            1,
            "no operator follows an attribute (a value with a comma needs quotes)",
        ),
        ("u Cleartext-Password :=\n", 1, "Cleartext-Password has no value"),
        ("u Cleartext-Password := \"\"\n", 1, "`password` is empty"),
        ("u Cleartext-Password := a#b\n", 1, "mean something else without quotes: put it into double quotes"),
        ("u Cleartext-Password := a b\n", 1, "neither a comma nor a comment"),
        ("u Cleartext-Password := x Filter-Id = a\n", 1, "put a comma between attributes"),
        ("u Cleartext-Password := \"%{User-Name}\"\n", 1, "is expanded by FreeRADIUS"),
        ("u Cleartext-Password := `cat x`\n", 1, "is expanded by FreeRADIUS"),
        ("u Cleartext-Password != x\n", 1, "`Cleartext-Password` has the operator !="),
        ("u Cleartext-Password := x,\n\tFilter-Id = a\n", 1, "the first line of an entry ends with a comma"),
        (
            "u Cleartext-Password := x, NAS-Port-Type == Virtual\n",
            1,
            "`NAS-Port-Type` is a condition that has no counterpart here",
        ),
        ("u Cleartext-Password := x, Auth-Type := Accept\n", 1, "`Auth-Type` is another than Reject"),
        ("u Cleartext-Password := x, Simultaneous-Use := many\n", 1, "`Simultaneous-Use` is no number of sessions"),
        ("u Cleartext-Password := x, Expiration := \"soon\"\n", 1, "`Expiration` is no time"),
        ("u Cleartext-Password := x, Expiration := \"31 Feb 2027\"\n", 1, "`Expiration` is no time"),
        (
            "u Cleartext-Password := x, Calling-Station-Id =~ \"^0901\"\n",
            1,
            "is a regular expression that is not a list of numbers",
        ),
        (
            "u Cleartext-Password := x, Calling-Station-Id =~ \"^(.*)$\"\n",
            1,
            "is a regular expression that is not a list of numbers",
        ),
        ("u Cleartext-Password := x\n\tFilter-Id = a\n\tFilter-Id = b\n", 3, "line 2 ends without a comma"),
        ("u Cleartext-Password := x\n\n\tFilter-Id = a,\n\n", 3, "the line ends with a comma and nothing follows"),
        (
            "u Cleartext-Password := x\n\tFilter-Id = a,\n\tFilter-Id = \"%{NAS-Port}\"\n",
            3,
            "`Filter-Id` is expanded by FreeRADIUS",
        ),
        ("u Cleartext-Password := x\n\tFilter-Id == a\n", 2, "`Filter-Id` has the operator ==, which compares"),
        ("u Cleartext-Password := x\n\tFilter-Id -= a\n", 2, "`Filter-Id` has the operator -="),
        (
            "u Cleartext-Password := x\n\tCleartext-Password := y\n",
            2,
            "`Cleartext-Password` stands among what is replied",
        ),
        ("u Cleartext-Password := x\n\tFilter-Id = \"\\377\"\n", 2, "`Filter-Id` is not UTF-8"),
        ("u Cleartext-Password := x\n\tFilter-Id = \"\"\n", 1, "`reply` has a value of 0 octets"),
        ("u Cleartext-Password := x\nu Cleartext-Password := y\n", 2, "repeats the account of line 1"),
        ("u@ACME.example Cleartext-Password := x\nu Cleartext-Password := y\n", 2, "repeats the account of line 1"),
        ("u@a..b Cleartext-Password := x\n", 1, "is no realm"),
    ] {
        let (found, told) = fault(read(text));
        assert_eq!(found, line, "{text:?}: {told}");
        assert!(told.contains(what), "{text:?}: {told}");
    }
    let faults = told(read(b"a Cleartext-Password := x\n\tFilter-Id = \"\x83p\"\nb\n".as_slice()));
    assert!(faults[0].starts_with("line 2: it is not UTF-8") && faults[1].starts_with("line 3: "), "{faults:?}");
}

#[test]
fn users_of_another_realm_are_refused_where_the_contract_does_not_serve_it() {
    let own = Defaults { realms: Some(vec!["acme.example".to_owned()]), ..defaults() };
    let (line, told) =
        fault(users::read("a Cleartext-Password := x\nb@other.example Cleartext-Password := x\n".as_bytes(), &own));
    assert_eq!(line, 2);
    assert!(told.contains("\"other.example\" is no realm of contract g1"), "{told}");
    let pattern = Defaults::new("g1", Some("pattern:all"));
    let (_, told) = fault(users::read("b@other.example Cleartext-Password := x\n".as_bytes(), &pattern));
    assert!(told.contains("import it as CSV"), "{told}");
}

#[test]
fn an_export_is_what_freeradius_reads() {
    let all = Account {
        enabled: false,
        expires: Some("2027-03-31T15:00:00Z".parse().unwrap()),
        simultaneous: Some(2),
        calling: vec!["+819012345678".to_owned(), "0901".to_owned()],
        reply: vec![
            ("Framed-Route".to_owned(), "198.51.100.0/24".to_owned()),
            ("Framed-Route".to_owned(), "203.0.113.0/24".to_owned()),
        ],
        ..account("alice", "it's \"%{x}\"")
    };
    let other = Account { realm: "nt:acme".to_owned(), calling: vec!["0901".to_owned()], ..account("bob x", "\n") };
    let mut out = Vec::new();
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    let exported = users::write(&mut out, &[all, other], Secrets::Shown, &zone).unwrap();
    assert_eq!((exported.accounts, exported.warnings.len()), (2, 0));
    let expected = "\
alice@acme.example\tCleartext-Password := 'it\\'s \"%{x}\"', Auth-Type := \"Reject\", Expiration := \"01 Apr 2027 00:00:00\", \
Simultaneous-Use := \"2\", Calling-Station-Id =~ \"^([+]819012345678|0901)$\"
\tFramed-Route = \"198.51.100.0/24\",
\tFramed-Route += \"203.0.113.0/24\"
\"acme\\bob x\"\tCleartext-Password := \"\\n\", Calling-Station-Id == \"0901\"
";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn what_the_format_has_no_room_for_is_left_out_and_told() {
    let accounts = [
        Account { secret: Secret::Argon2id("$argon2id$".to_owned()), ..account("a", "") },
        Account { realm: "default:default".to_owned(), ..account("DEFAULT", "x") },
        Account { realm: "default:default".to_owned(), ..account("\" '\\", "x") },
        Account { calling: vec!["(1)".to_owned(), "2".to_owned()], ..account("b", "x") },
        Account { note: "hello".to_owned(), ..account("c", "x") },
    ];
    let mut out = Vec::new();
    let exported = users::write(&mut out, &accounts, Secrets::Shown, &TimeZone::UTC).unwrap();
    assert_eq!(exported.accounts, 1);
    let starts = [
        "1 accounts were left out: they have argon2id",
        "2 accounts were left out: their users' names",
        "1 accounts were left out: they have several numbers",
        "1 accounts were written without",
    ];
    assert_eq!(exported.warnings.len(), starts.len(), "{:?}", exported.warnings);
    for (warning, start) in exported.warnings.iter().zip(starts) {
        assert!(warning.starts_with(start), "{warning}");
    }
    assert!(!String::from_utf8(out).unwrap().contains("DEFAULT"));
}

#[test]
fn an_export_without_passwords_is_refused() {
    let error = users::write(Vec::new(), &[account("a", "x")], Secrets::Withheld, &TimeZone::UTC).unwrap_err();
    assert!(matches!(error, ExportError::NeedsSecrets) && error.to_string().contains("as CSV"), "{error}");
}

#[test]
fn a_hundred_thousand_entries_are_read_and_written_at_once() {
    let accounts: Vec<Account> = (0..100_000)
        .map(|i| Account {
            calling: vec![format!("8190{i:08}")],
            reply: vec![("Framed-IP-Address".to_owned(), format!("10.{}.{}.{}", i >> 16, i >> 8 & 255, i & 255))],
            ..account(&format!("user{i}"), format!("password{i}"))
        })
        .collect();
    let begun = Instant::now();
    let text = written(&accounts);
    let wrote = begun.elapsed();
    let imported = read(&text).unwrap();
    let took = begun.elapsed();
    assert!(imported.accounts == accounts);
    println!("written in {wrote:?}, read in {:?}", took - wrote);
    // About a second in a release build; this one is not optimised, and shares its machine.
    assert!(took < Duration::from_secs(30), "{took:?}");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_the_same_but_for_notes_and_hashes(accounts in any_accounts()) {
        let expected: Vec<Account> = accounts
            .iter()
            .filter(|it| it.faults().is_empty() && matches!(it.secret, Secret::Recoverable(_)))
            .map(|it| Account { note: String::new(), ..it.clone() })
            .collect();
        let mut out = Vec::new();
        let exported = users::write(&mut out, &expected, Secrets::Shown, &TimeZone::UTC).unwrap();
        // Names that cannot be said are none of this test's.
        prop_assume!(exported.accounts == expected.len());
        prop_assert_eq!(read(&out).unwrap().accounts, expected, "{}", String::from_utf8_lossy(&out));
    }

    #[test]
    fn no_file_makes_it_panic(text in prop::collection::vec(prop::sample::select(b"u \t\n\r\"'\\:=+~,#%{`x0\xff".to_vec()), 0..80)) {
        let with_name = [b"u Cleartext-Password := ".as_slice(), &text].concat();
        let _ = (read(&text), read(with_name));
    }
}
