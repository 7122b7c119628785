//! Accounts as CSV: what is read back, what is refused, and at which line.

use std::time::{Duration, Instant};

use crate::formats::{account, any_accounts, defaults, fault, faults, password, told};
use proptest::prelude::*;
use sekisho_registry::{
    account::{Account, Secret},
    formats::{Defaults, ImportErrors, Imported, MAX_FAULTS, Place, Secrets, csv},
};

fn read(text: impl AsRef<[u8]>) -> Result<Imported, ImportErrors> {
    csv::read(text.as_ref(), &defaults())
}

fn written(accounts: &[Account], secrets: Secrets) -> Vec<u8> {
    let mut out = Vec::new();
    csv::write(&mut out, accounts, secrets).unwrap();
    out
}

#[test]
fn every_column_is_read_in_any_order() {
    let text = "note,reply,calling,simultaneous,expires,enabled,argon2id,password,realm,user\n\
                at the desk,\"Framed-IP-Address = 192.0.2.1, Reply-Message = \"\"hello, you\"\"\",+81 90-1234-5678; 0901,2,2027-04-01T00:00:00+09:00,no,,hunter2,PREFIX.example.,alice\n";
    let imported = read(text).unwrap();
    assert!(imported.warnings.is_empty());
    let expected = Account {
        realm: "prefix.example".to_owned(),
        enabled: false,
        expires: Some("2027-03-31T15:00:00Z".parse().unwrap()),
        simultaneous: Some(2),
        calling: vec!["+81 90-1234-5678".to_owned(), "0901".to_owned()],
        reply: vec![
            ("Framed-IP-Address".to_owned(), "192.0.2.1".to_owned()),
            ("Reply-Message".to_owned(), "hello, you".to_owned()),
        ],
        note: "at the desk".to_owned(),
        ..account("alice", "hunter2")
    };
    assert_eq!(imported.accounts, [expected]);
}

#[test]
fn two_columns_are_enough() {
    let imported = read("user,password\r\nalice,x\r\n\r\nbob@Other.Example,y").unwrap();
    let bob = Account { realm: "other.example".to_owned(), ..account("bob", "y") };
    assert_eq!(imported.accounts, [account("alice", "x"), bob]);
    assert_eq!(read("\u{feff}User, Password\nalice,x\n").unwrap().accounts.len(), 1, "with a byte order mark");
}

#[test]
fn passwords_of_every_kind_are_read_back() {
    let passwords = [
        "a,b",
        "say \"x\"",
        "two\nlines",
        "two\r\nlines",
        "パスワード",
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@x",
        "'=1",
        "'twas",
        "''=",
        "\t=",
        " leading",
        "trailing ",
        "\\n",
        "%{x}",
        "\"",
        "'",
    ];
    let accounts: Vec<Account> = passwords.iter().enumerate().map(|(i, it)| account(&format!("u{i}"), it)).collect();
    assert_eq!(read(written(&accounts, Secrets::Shown)).unwrap().accounts, accounts);
}

#[test]
fn no_cell_of_an_export_is_a_formula_for_a_spreadsheet() {
    let accounts = [Account {
        user: "=HYPERLINK(1)".to_owned(),
        calling: vec!["+819012345678".to_owned()],
        note: "-2+3".to_owned(),
        ..account("", "@SUM(1)")
    }];
    let text = written(&accounts, Secrets::Shown);
    // What any other program makes of it.
    let mut reader = ::csv::ReaderBuilder::new().from_reader(text.as_slice());
    for record in reader.records() {
        for cell in &record.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
        }
    }
    assert_eq!(read(&text).unwrap().accounts, accounts);
}

#[test]
fn an_apostrophe_that_marks_nothing_stays() {
    let imported = read("user,password\na,'twas\nb,''\nc,'=1\nd,''=1\n").unwrap();
    let passwords: Vec<_> = imported.accounts.iter().map(|it| it.secret.clone()).collect();
    assert_eq!(passwords, [password("'twas"), password("''"), password("=1"), password("'=1")]);
}

#[test]
fn passwords_are_in_an_export_only_where_they_were_asked_for() {
    let hash = sekisho_registry::argon::hash(b"x").unwrap();
    let accounts =
        [account("alice", "hunter2"), Account { secret: Secret::Argon2id(hash.clone()), ..account("bob", "") }];
    let without = String::from_utf8(written(&accounts, Secrets::Withheld)).unwrap();
    assert_eq!(without.lines().next(), Some("user,realm,enabled,expires,simultaneous,calling,reply,note"));
    assert!(!without.contains("hunter2") && !without.contains("argon2"));
    let with = String::from_utf8(written(&accounts, Secrets::Shown)).unwrap();
    assert_eq!(
        with.lines().next(),
        Some("user,realm,password,argon2id,enabled,expires,simultaneous,calling,reply,note")
    );
    assert!(with.contains("hunter2") && with.contains(&hash));
    assert!(told(read(without)).concat().contains("an export has them where passwords were asked for"));
}

#[test]
fn neither_debug_nor_a_message_shows_a_password() {
    let imported = read("user,password\nalice,hunter2\n").unwrap();
    assert!(!format!("{imported:?}").contains("hunter2"));
    let error = read("user,password,password_hex\nalice,hunter2,hunter2\n").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn a_header_that_is_wrong_is_told_at_line_1() {
    for (text, what) in [
        ("", "the file is empty"),
        ("alice,wonderland\nbob,builder\n", "the first line names no column of accounts"),
        ("alice\n", "the first line names no column of accounts"),
        ("user,password,colour\na,b,c\n", "`colour` is no column of accounts"),
        ("user,password,user\na,b,c\n", "`user` is there twice"),
        ("password\nx\n", "`user` is no column of this file"),
        ("user,note\nx,y\n", "`password` is no column of this file"),
        ("user;password\na;b\n", "separate the columns by commas"),
        ("\"user,password\na,b\n", "a quotation mark opens a cell here and none closes it"),
    ] {
        let (line, told) = fault(read(text));
        assert_eq!(line, 1, "{told}");
        assert!(told.contains(what), "{told}");
    }
    let (_, told) = fault(read(b"\xff\xfeu\0s\0e\0r\0,\0p\0".as_slice()));
    assert!(told.contains("UTF-16"), "{told}");
}

#[test]
fn every_fault_is_told_with_its_line_and_nothing_is_imported() {
    let text = "user,realm,password,argon2id,enabled,expires,simultaneous,calling,reply,note\n\
                good,,x,,,,,,,\n\
                few,,x\n\
                enabled,,x,,perhaps,,,,,\n\
                expires,,x,,,tomorrow,,,,\n\
                expires,,x,,,2027-04-01,,,,\n\
                simultaneous,,x,,,,65536,,,\n\
                reply,,x,,,,,,Framed-IP-Address 192.0.2.1,\n\
                reply,,x,,,,,,\"Filter-Id = a,\",\n\
                reply,,x,,,,,,Filter-Id += a,\n\
                \n\
                \"two\nlines\",,x,,,,,,,\n\
                empty,,,,,,,,,\n\
                both,,x,$argon2id$,,,,,,\n\
                hash,,,$argon2id$v=19$m=9999999,,,,,,\n\
                realm,a..b,x,,,,,,,\n\
                good,acme.example,x,,,,,,,\n\
                ,,x,,,,,,,\n\
                Good,ACME.example,x,,,,,,,\n";
    let told = told(read(text));
    let expected = [
        "line 3: the row has 3 cells, and the header 10: put as many commas",
        "line 4: `enabled` is neither yes nor no: write yes or no",
        "line 5: `expires` is no time with an offset: write it as 2027-03-31T15:00:00Z",
        "line 6: `expires` is no time with an offset",
        "line 7: `simultaneous` is no number of sessions",
        "line 8: `reply` no operator follows Framed-IP-Address: write NAME OPERATOR VALUE",
        "line 9: `reply` ends with a comma",
        "line 10: `reply` has the operator += at Filter-Id: write =",
        "line 12: `user` has a control character: take it out",
        "line 14: `password` is empty: give the password",
        "line 15: `password` is not the row's only secret",
        "line 16: `argon2id` asks for 9999999 KiB",
        "line 17: `realm` \"a..b\" is no realm",
        "line 18: repeats the account of line 2: leave one of them",
        "line 19: `user` has 0 octets: give 1 to 253",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
}

#[test]
fn quotation_marks_that_do_not_fit_are_told_where_they_are() {
    let (line, told) = fault(read("user,password\r\na,\"two\r\nlines\"\r\n\r\nb,\"x\"y\r\nc,x\r\n"));
    assert_eq!(line, 5);
    assert!(told.contains("something follows a cell's closing quotation mark"), "{told}");
    let (line, told) = fault(read("user,password\na,x\"y\nb,x\n"));
    assert_eq!(line, 2);
    assert!(told.contains("write that one twice"), "{told}");
    let (line, told) = fault(read("user,password\na,\"ok\nok\"\nb,\"never\nc,x\nd,x\n"));
    assert_eq!(line, 4, "where it was opened, not where the file ends");
    assert!(told.contains("what follows could not be read"), "{told}");
    let (line, _) = fault(read(format!("user,password\na,\"{}\n", "x\n".repeat(100_000))));
    assert_eq!(line, 2, "nor is the whole file read for it");
    let (line, _) = fault(read("user,password,note\n\"a\nb\",x,\"c\nd\n"));
    assert_eq!(line, 3, "the cell that is open is not the row's first of two lines");
}

#[test]
fn a_line_that_is_no_text_is_told_and_the_next_is_read() {
    // Shift_JIS.
    let faults = told(read(b"user,password\na,\x83p\x83X\nb,\n".as_slice()));
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("line 2: it is not UTF-8") && faults[0].contains("Shift_JIS"), "{faults:?}");
    assert!(faults[1].starts_with("line 3: "), "{faults:?}");
    let long = format!("user,password\na,{}\nb,\n", "x".repeat(100_000));
    let faults = told(read(long));
    assert!(faults[0].starts_with("line 2: the line has more than"), "{faults:?}");
    assert!(faults[1].starts_with("line 3: "), "{faults:?}");
}

#[test]
fn lengths_are_bounded_by_what_a_packet_has_room_for() {
    assert_eq!(read(format!("user,password\n{},{}\n", "u".repeat(253), "p".repeat(128))).unwrap().accounts.len(), 1);
    let (_, told) = fault(read(format!("user,password\n{},x\n", "u".repeat(254))));
    assert!(told.contains("`user` has 254 octets: give 1 to 253"), "{told}");
    let (_, told) = fault(read(format!("user,password\nu,{}\n", "あ".repeat(43))));
    assert!(told.contains("`password` has 129 octets") && told.contains("RFC 2865 §5.2"), "{told}");
    let (_, told) = fault(read("user,password\nu,a\0b\n"));
    assert!(told.contains("an octet 0"), "{told}");
}

#[test]
fn a_hundred_faults_are_told_and_the_rest_counted() {
    let text = format!("user,password\n{}", "x,\n".repeat(250));
    let Err(ImportErrors::Faulty(faults)) = read(&text) else { panic!("imported") };
    assert_eq!((faults.faults.len(), faults.more), (MAX_FAULTS, 150));
    let told = faults.to_string();
    assert_eq!(told.lines().count(), MAX_FAULTS + 1);
    assert!(told.ends_with("\nand 150 more"), "{told}");
}

#[test]
fn an_account_of_a_realm_that_the_contract_does_not_serve_is_refused() {
    let own = Defaults { realms: Some(vec!["acme.example".to_owned(), "prefix:acme".to_owned()]), ..defaults() };
    let text = "user,realm,password\na,acme.example,x\na,prefix:ACME,x\na,acme.example.evil.example,x\na,xn--cme-8na.example,x\na@other.example,,x\n";
    let told = told(csv::read(text.as_bytes(), &own));
    assert_eq!(told.len(), 3, "{told:?}");
    for (told, line) in told.iter().zip([4, 5, 6]) {
        assert!(
            told.starts_with(&format!("line {line}: `realm` "))
                && told.contains("is no realm of contract g1: name one that it serves"),
            "{told}"
        );
    }
}

#[test]
fn a_user_without_a_realm_needs_a_default() {
    let (line, told) =
        fault(csv::read("user,password\na@acme.example,x\nb,x\n".as_bytes(), &Defaults::new("g1", None)));
    assert_eq!(line, 3);
    assert!(told.contains("no realm was given for those"), "{told}");
    let places: Vec<Place> = faults(csv::read("user,password\nb,x\n".as_bytes(), &Defaults::new("g1", Some("a b"))))
        .iter()
        .map(|it| it.place)
        .collect();
    assert_eq!(places, [Place::All, Place::Line(2)], "the default itself may be no realm");
}

#[test]
fn realms_that_are_no_domains_are_taken_off_where_they_stand() {
    let users = |realm: &str, name: &str| {
        let text = format!("user,password\n\"{name}\",x\n");
        let imported = csv::read(text.as_bytes(), &Defaults::new("g1", Some(realm))).unwrap();
        (imported.accounts[0].user.clone(), imported.accounts[0].realm.clone())
    };
    let found = |user: &str, realm: &str| (user.to_owned(), realm.to_owned());
    assert_eq!(users("prefix:acme", "ACME/alice"), found("alice", "prefix:acme"));
    assert_eq!(users("prefix:acme", "other/alice@x"), found("other/alice@x", "prefix:acme"));
    assert_eq!(users("nt:acme", "ACME\\alice"), found("alice", "nt:acme"));
    assert_eq!(users("apn:internet.acme", "alice@x"), found("alice@x", "apn:internet.acme"));
    assert_eq!(users("pattern:all", "alice"), found("alice", "pattern:all"));
    assert_eq!(users("acme.example", "alice@x@acme.example"), found("alice@x", "acme.example"));
}

#[test]
fn a_hundred_thousand_rows_are_read_and_written_at_once() {
    let accounts: Vec<Account> = (0..100_000)
        .map(|i| Account {
            calling: vec![format!("8190{i:08}")],
            reply: vec![("Framed-IP-Address".to_owned(), format!("10.{}.{}.{}", i >> 16, i >> 8 & 255, i & 255))],
            ..account(&format!("user{i}"), format!("password{i}"))
        })
        .collect();
    let begun = Instant::now();
    let text = written(&accounts, Secrets::Shown);
    let wrote = begun.elapsed();
    let imported = read(&text).unwrap();
    let took = begun.elapsed();
    assert!(imported.accounts == accounts);
    println!("written in {wrote:?}, read in {:?}", took - wrote);
    // About a second in a release build; this one is not optimised, and shares its machine.
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn a_file_that_breaks_off_is_an_error_of_its_own() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let error = csv::read(Broken, &defaults()).unwrap_err();
    assert!(matches!(error, ImportErrors::Unreadable(_)) && error.to_string().contains("the disk is gone"));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_the_same(accounts in any_accounts()) {
        prop_assume!(accounts.iter().all(|it| it.faults().is_empty()));
        let text = written(&accounts, Secrets::Shown);
        let imported = read(&text).unwrap();
        prop_assert_eq!(&imported.accounts, &accounts);
        prop_assert_eq!(written(&imported.accounts, Secrets::Shown), text);
    }

    #[test]
    fn cells_are_where_the_csv_crate_finds_them(accounts in any_accounts()) {
        let text = written(&accounts, Secrets::Shown);
        let mut reader = ::csv::ReaderBuilder::new().from_reader(text.as_slice());
        prop_assert_eq!(reader.byte_records().filter(|it| it.is_ok()).count(), accounts.len());
    }

    #[test]
    fn no_file_makes_it_panic(text in prop::collection::vec(prop::sample::select(b"user,password\"\n\r'=\\x\xff\0".to_vec()), 0..80)) {
        let with_header = [b"user,password,reply\n".as_slice(), &text].concat();
        let _ = (read(&text), read(with_header));
    }
}
