//! FreeRADIUS's tables: read from SQLite and from PostgreSQL, written as SQL.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::common::postgresql::PostgreSql;
use crate::formats::{account, any_accounts, defaults, faults, password};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use sekisho_registry::{
    account::{Account, Secret},
    formats::{Defaults, ExportError, ImportErrors, Imported, Secrets, sql},
};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};

/// What FreeRADIUS's schema has of these tables, in SQL that both databases take.
const TABLES: &str = "
    CREATE TABLE radcheck (id ID, UserName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '', op varchar(2) NOT NULL DEFAULT '==', Value text NOT NULL DEFAULT '');
    CREATE TABLE radreply (id ID, UserName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '', op varchar(2) NOT NULL DEFAULT '=', Value text NOT NULL DEFAULT '');
";
const GROUPS: &str = "
    CREATE TABLE radgroupcheck (id ID, GroupName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '', op varchar(2) NOT NULL DEFAULT '==', Value text NOT NULL DEFAULT '');
    CREATE TABLE radgroupreply (id ID, GroupName text NOT NULL DEFAULT '', Attribute text NOT NULL DEFAULT '', op varchar(2) NOT NULL DEFAULT '=', Value text NOT NULL DEFAULT '');
    CREATE TABLE radusergroup (id ID, UserName text NOT NULL DEFAULT '', GroupName text NOT NULL DEFAULT '', priority integer NOT NULL DEFAULT 0);
";

/// A database of FreeRADIUS's in a directory of its own.
struct Database {
    directory: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Database {
    fn new() -> Database {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Database { directory: tempfile::tempdir().unwrap(), runtime }
    }

    /// With all tables, and what `text` puts into them.
    fn with(text: &str) -> Database {
        let database = Database::new();
        database.run(&format!("{TABLES}{GROUPS}").replace(" ID,", " INTEGER PRIMARY KEY AUTOINCREMENT,"));
        database.run(text);
        database
    }

    fn file(&self) -> std::path::PathBuf {
        self.directory.path().join("freeradius.db")
    }

    fn run(&self, text: &str) {
        self.runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(self.file()).create_if_missing(true);
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            connection.execute(AssertSqlSafe(text.to_owned())).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    fn read(&self) -> Result<Imported, ImportErrors> {
        self.read_with(&defaults())
    }

    fn read_with(&self, defaults: &Defaults) -> Result<Imported, ImportErrors> {
        self.runtime.block_on(sql::read(&sql::Source::Sqlite(self.file()), defaults))
    }

    fn told(&self) -> Vec<String> {
        faults(self.read()).iter().map(ToString::to_string).collect()
    }
}

fn written(accounts: &[Account]) -> String {
    let mut out = Vec::new();
    sql::write(&mut out, accounts, Secrets::Shown, &TimeZone::UTC).unwrap();
    String::from_utf8(out).unwrap()
}

const SMALL: &str = "
    INSERT INTO radcheck (UserName, Attribute, op, Value) VALUES
        ('alice', 'Cleartext-Password', ':=', 'it''s, 100%'), ('bob@branch.example', 'Cleartext-Password', ':=', 'x'),
        ('alice', 'Calling-Station-Id', '==', '+819012345678'), ('bob@branch.example', 'Auth-Type', ':=', 'Reject');
    INSERT INTO radreply (UserName, Attribute, op, Value) VALUES
        ('alice', 'Framed-IP-Address', '=', '192.0.2.1'), ('alice', 'Filter-Id', '+=', '\"a b\"'), ('nobody', 'Filter-Id', '=', 'x');
";

fn small() -> [Account; 2] {
    let alice = Account {
        calling: vec!["+819012345678".to_owned()],
        reply: vec![
            ("Framed-IP-Address".to_owned(), "192.0.2.1".to_owned()),
            ("Filter-Id".to_owned(), "a b".to_owned()),
        ],
        ..account("alice", "it's, 100%")
    };
    [alice, Account { realm: "branch.example".to_owned(), enabled: false, ..account("bob", "x") }]
}

#[test]
fn accounts_are_gathered_of_their_rows() {
    let imported = Database::with(SMALL).read().unwrap();
    assert_eq!(imported.accounts, small());
    assert_eq!(
        imported.warnings,
        ["radreply, id 3: the row was left out: radcheck has no row of its user, and so no password"]
    );
}

#[test]
fn the_same_tables_of_postgresql_give_the_same() {
    let cluster = PostgreSql::shared();
    let url = cluster.database();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = |text: &str| {
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            connection.execute(AssertSqlSafe(text.to_owned())).await.unwrap();
            connection.close().await.unwrap();
        });
    };
    let source: sql::Source = url.parse().unwrap();
    let error = runtime.block_on(sql::read(&source, &defaults())).unwrap_err().to_string();
    assert!(error.contains("there is no table radcheck"), "{error}");
    run(&TABLES.replace(" ID,", " serial PRIMARY KEY,"));
    run(SMALL);
    let imported = runtime.block_on(sql::read(&source, &defaults())).unwrap();
    assert_eq!(imported.accounts, small(), "without tables of groups");
    assert_eq!(imported.warnings.len(), 1);
    run(&GROUPS.replace(" ID,", " serial PRIMARY KEY,"));
    run(
        "INSERT INTO radusergroup (UserName, GroupName, priority) VALUES ('alice', 'staff', 1);
         INSERT INTO radgroupreply (GroupName, Attribute, op, Value) VALUES ('staff', 'Session-Timeout', ':=', '3600');",
    );
    let imported = runtime.block_on(sql::read(&source, &defaults())).unwrap();
    assert_eq!(imported.accounts[0].reply[2], ("Session-Timeout".to_owned(), "3600".to_owned()));
    // An export is taken by PostgreSQL, and gives the same again.
    let odd = [account("a'b", "\\n' \"x\""), account("c", "'quoted'"), account("d", "two\nlines"), account("e", "\\")];
    run("TRUNCATE radcheck, radreply, radusergroup");
    run(&written(&odd));
    assert_eq!(runtime.block_on(sql::read(&source, &defaults())).unwrap().accounts, odd);
}

#[test]
fn values_are_taken_as_freeradius_3_2_takes_them() {
    // Each pair was asked of a FreeRADIUS 3.2.1 with SQLite: it accepts this password for that value.
    let pairs = [
        (r"a\b", "a\\b"),
        (r"a\nb", "a\nb"),
        (r"a%b%{User-Name}", "a%b%{User-Name}"),
        (r#""a\"b""#, "a\"b"),
        (r"'a\'b'", "a'b"),
        (r#"a"b"#, "a\"b"),
        (r#""abc""#, "abc"),
        (r"a\\b", "a\\b"),
        (r"a\101b", "aAb"),
        (r"'a\nb'", "a\nb"),
        (r"a'b", "a'b"),
        ("a\nb", "a\nb"),
        (r"50%%", "50%%"),
        (r#"\"abc\""#, "\"abc\""),
    ];
    let rows: Vec<String> = pairs
        .iter()
        .enumerate()
        .map(|(i, (value, _))| format!("('u{i}', 'Cleartext-Password', ':=', '{}')", value.replace('\'', "''")))
        .collect();
    let imported =
        Database::with(&format!("INSERT INTO radcheck (username, attribute, op, value) VALUES {}", rows.join(", ")))
            .read()
            .unwrap();
    for (account, (value, expected)) in imported.accounts.iter().zip(pairs) {
        assert_eq!(account.secret, password(expected), "{value}");
    }
    assert_eq!(imported.accounts.len(), pairs.len());
}

#[test]
fn what_groups_give_becomes_the_accounts_own() {
    let imported = Database::with(
        "INSERT INTO radcheck (username, attribute, op, value) VALUES ('a', 'Cleartext-Password', ':=', 'x'), ('a', 'Simultaneous-Use', ':=', '5'), ('b', 'Cleartext-Password', ':=', 'x'),
             ('c', 'Cleartext-Password', ':=', 'x');
         INSERT INTO radreply (username, attribute, op, value) VALUES ('a', 'Filter-Id', '=', 'own'), ('a', 'Class', '=', 'own'), ('c', 'Fall-Through', '=', 'No');
         INSERT INTO radusergroup (username, groupname, priority) VALUES ('a', 'second', 2), ('a', 'first', 1), ('a', 'third', 3), ('b', 'locked', 1), ('c', 'first', 1);
         INSERT INTO radgroupcheck (groupname, attribute, op, value) VALUES ('first', 'Simultaneous-Use', '=', '1'), ('locked', 'Auth-Type', ':=', 'Reject'), ('locked', 'Simultaneous-Use', '=', '1');
         INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES ('first', 'Filter-Id', '=', 'group'), ('first', 'Class', ':=', 'group'), ('first', 'Fall-Through', '=', 'Yes'),
             ('second', 'Session-Timeout', '=', '60'), ('second', 'Filter-Id', '+=', 'more'), ('third', 'Idle-Timeout', '=', '1');",
    )
    .read()
    .unwrap();
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect::<Vec<_>>();
    let expected = [
        Account {
            simultaneous: Some(5),
            reply: pairs(&[("Filter-Id", "own"), ("Class", "group"), ("Session-Timeout", "60"), ("Filter-Id", "more")]),
            ..account("a", "x")
        },
        Account { simultaneous: Some(1), enabled: false, ..account("b", "x") },
        account("c", "x"),
    ];
    assert_eq!(imported.accounts, expected);
}

#[test]
fn every_fault_is_told_with_its_table_and_row() {
    let database = Database::with(
        "INSERT INTO radcheck (username, attribute, op, value) VALUES ('a', 'Cleartext-Password', ':=', 'x'), ('b', 'NT-Password', ':=', '0123456789abcdef'), ('c', 'Cleartext-Password', '', 'x'),
             ('d', 'Cleartext-Password', ':=', ''), ('e', 'Simultaneous-Use', ':=', '1'), ('f', 'Cleartext-Password', ':=', '`cat`'), ('a@ACME.example', 'Cleartext-Password', ':=', 'x'),
             ('g', 'Huntgroup-Name', '==', 'x');
         INSERT INTO radreply (username, attribute, op, value) VALUES ('a', 'Filter-Id', '<=', 'x');
         INSERT INTO radusergroup (username, groupname, priority) VALUES ('d', 'odd', 1);
         INSERT INTO radgroupcheck (groupname, attribute, op, value) VALUES ('odd', 'NAS-IP-Address', '==', '192.0.2.1'), ('odd', 'Calling-Station-Id', '==', '8190');",
    );
    let told = database.told();
    let expected = [
        "radcheck, id 2: `NT-Password` holds a hash",
        "radcheck, id 3: `Cleartext-Password` has no operator that is known",
        "radcheck, id 6: `Cleartext-Password` is expanded by FreeRADIUS",
        "radcheck, id 8: `Huntgroup-Name` is a condition",
        "radreply, id 1: `Filter-Id` has the operator <=",
        "radgroupcheck, id 1: `NAS-IP-Address` is a condition",
        "radgroupcheck, id 2: `Calling-Station-Id` is a condition of a group",
        "radcheck, id 5: the user has no password",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
    assert!(!told.concat().contains("0123456789abcdef"));
}

#[test]
fn one_user_under_two_names_is_told() {
    let told = Database::with("INSERT INTO radcheck (username, attribute, op, value) VALUES ('a', 'Cleartext-Password', ':=', 'x'), ('a@ACME.example', 'Cleartext-Password', ':=', 'x')").told();
    assert_eq!(told, ["radcheck, id 2: repeats the account of radcheck, id 1: leave one of them"]);
}

#[test]
fn groups_that_are_more_than_a_handful_are_refused() {
    let rows: Vec<String> = (0..1001).map(|i| format!("('g{i}', 'Filter-Id', '=', 'x')")).collect();
    let text = format!("INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES {}", rows.join(", "));
    let database = Database::with(&format!("{SMALL}; {text}"));
    assert_eq!(database.read().unwrap().accounts, small(), "nobody is in them");
    database.run("INSERT INTO radusergroup (username, groupname, priority) VALUES ('alice', 'g1', 1)");
    let told = database.told();
    assert!(told[0].contains("the groups have 1001 items") && told[0].contains("the contract's `reply`"), "{told:?}");
}

#[test]
fn a_database_that_is_none_is_told_in_words_and_never_with_its_password() {
    let database = Database::new();
    let error = database.read().unwrap_err().to_string();
    assert!(error.contains("freeradius.db") && error.contains("see that the file or the database is there"), "{error}");
    assert!(!database.file().exists(), "it was not created by looking for it");
    database.run("CREATE TABLE radacct (id integer)");
    let error = database.read().unwrap_err().to_string();
    assert!(error.contains("there is no table radcheck"), "{error}");
    std::fs::write(database.file(), "no database, but a text that is long enough to be seen as none at all".repeat(20))
        .unwrap();
    assert!(matches!(database.read(), Err(ImportErrors::Database { .. })));
    for url in ["postgresql://radius:hunter2@127.0.0.1:1/radius", "postgres://radius:hunter2@127.0.0.1:x/radius"] {
        let source: sql::Source = url.parse().unwrap();
        let error = database.runtime.block_on(sql::read(&source, &defaults())).unwrap_err();
        let told = format!("{error} {error:?} {source} {source:?}");
        assert!(!told.contains("hunter2"), "{told}");
        assert!(matches!(error, ImportErrors::Database { .. }));
    }
    assert_eq!("sqlite:///var/lib/x.db".parse(), Ok(sql::Source::Sqlite(Path::new("/var/lib/x.db").to_owned())));
}

#[test]
fn an_export_is_one_transaction_with_quotes_that_are_doubled() {
    let mut accounts = small();
    accounts[0].note = "hello".to_owned();
    let hashed = Account { secret: Secret::Argon2id("$argon2id$".to_owned()), ..account("h", "") };
    let binary = account("i", b"\xff");
    let mut out = Vec::new();
    let exported =
        sql::write(&mut out, accounts.iter().chain([&hashed, &binary]), Secrets::Shown, &TimeZone::UTC).unwrap();
    assert_eq!(exported.accounts, 2);
    assert_eq!(exported.warnings.len(), 3, "{:?}", exported.warnings);
    let expected = "\
-- For PostgreSQL and SQLite; for MySQL after SET sql_mode = 'NO_BACKSLASH_ESCAPES'.
BEGIN;
INSERT INTO radcheck (username, attribute, op, value) VALUES
('alice@acme.example', 'Cleartext-Password', ':=', 'it''s, 100%'),
('alice@acme.example', 'Calling-Station-Id', '==', '+819012345678'),
('bob@branch.example', 'Cleartext-Password', ':=', 'x'),
('bob@branch.example', 'Auth-Type', ':=', 'Reject');
INSERT INTO radreply (username, attribute, op, value) VALUES
('alice@acme.example', 'Framed-IP-Address', '=', '192.0.2.1'),
('alice@acme.example', 'Filter-Id', '=', 'a b');
COMMIT;
";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let refused = sql::write(Vec::new(), &accounts, Secrets::Withheld, &TimeZone::UTC);
    assert!(matches!(refused, Err(ExportError::NeedsSecrets)));
}

#[test]
fn a_hundred_thousand_accounts_are_read_at_once() {
    let accounts: Vec<Account> = (0..100_000)
        .map(|i| Account {
            reply: vec![("Framed-IP-Address".to_owned(), format!("10.{}.{}.{}", i >> 16, i >> 8 & 255, i & 255))],
            ..account(&format!("user{i}"), format!("password{i}"))
        })
        .collect();
    let database = Database::with(&written(&accounts));
    let begun = Instant::now();
    let imported = database.read().unwrap();
    println!("read in {:?}", begun.elapsed());
    assert!(imported.accounts == accounts);
    // Some seconds in this build, which is not optimised and shares its machine.
    assert!(begun.elapsed() < Duration::from_secs(60));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_back_the_same_but_for_notes_and_hashes(accounts in any_accounts()) {
        let text = |secret: &Secret| matches!(secret, Secret::Recoverable(it) if std::str::from_utf8(it).is_ok());
        let expected: Vec<Account> = accounts
            .iter()
            .filter(|it| it.faults().is_empty() && text(&it.secret))
            .map(|it| Account { note: String::new(), ..it.clone() })
            .collect();
        let written = written(&expected);
        prop_assert_eq!(Database::with(&written).read().unwrap().accounts, expected, "{}", written);
    }
}
