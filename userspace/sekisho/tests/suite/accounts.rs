//! Hosted accounts by command: one by one, from files of each kind, and out again.

use crate::common::office::{Office, day, today};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

const GROUP: [&str; 2] = ["--contract", "sakura-group"];

/// With the contract of the examples, and no account yet.
fn office() -> Office {
    let office = Office::new();
    office.done(&["apply", "-f", "sakura.toml"]);
    office.done(&["accept", "--customer", "sakura"]);
    office
}

fn accounts(office: &Office) -> Vec<Value> {
    office.json(&[&["accounts", "list"], &GROUP[..]].concat())["accounts"].as_array().unwrap().clone()
}

fn users(office: &Office) -> Vec<String> {
    accounts(office).iter().map(|one| one["user"].as_str().unwrap().to_owned()).collect()
}

fn import(office: &Office, file: &str, format: &str) -> String {
    office.done(&[&["accounts", "import", file, "--format", format], &GROUP[..]].concat())
}

fn exported(office: &Office, more: &[&str]) -> String {
    office.done(&[&["accounts", "export"], &GROUP[..], more].concat())
}

fn add(office: &Office, user: &str, password: &str, more: &[&str]) {
    let output = office.run_with(&[&["accounts", "add", user], &GROUP[..], more].concat(), password);
    assert_eq!(output.status.code(), Some(0), "{}", crate::common::text(&output));
}

#[test]
fn an_account_is_added_changed_and_removed_and_its_password_is_never_shown() {
    let office = office();
    let more =
        ["--expires", "2030-04-01T00:00:00+09:00", "--simultaneous", "2", "--calling", "09012345678,08012345678"];
    let more = [&more[..], &["--reply", "Framed-IP-Address=192.0.2.7", "--note", "branch office"]].concat();
    add(&office, "carol", "a-password-of-carol\n", &more);
    assert_eq!(
        accounts(&office),
        [json!({
            "realm": "sakura.example", "user": "carol", "password": "recoverable", "enabled": true,
            "expires": "2030-03-31T15:00:00Z", "simultaneous": 2, "calling": ["09012345678", "08012345678"],
            "reply": ["Framed-IP-Address"], "note": "branch office",
        })]
    );
    let set = |more: &[&str]| office.done(&[&["accounts", "set", "carol"], &GROUP[..], more].concat());
    set(&["--disable", "--expires", "never", "--simultaneous", "contract", "--calling", "", "--note", ""]);
    let one = &accounts(&office)[0];
    assert_eq!(
        (&one["enabled"], &one["expires"], &one["simultaneous"], &one["note"]),
        (&json!(false), &Value::Null, &Value::Null, &json!("")),
        "{one:#}"
    );
    assert_eq!(one["calling"], json!([]), "{one:#}");
    set(&["--reply", ""]);
    assert_eq!(accounts(&office)[0]["reply"], json!([]));
    set(&["--enable"]);
    office.write("new-password", "another-password\n");
    set(&["--password-file", "new-password"]);
    let with_secrets = exported(&office, &["--secrets"]);
    assert!(with_secrets.contains("carol") && with_secrets.contains("another-password"), "{with_secrets}");
    for shown in [exported(&office, &[]), office.done(&[&["accounts", "list"], &GROUP[..]].concat())] {
        assert!(shown.contains("carol") && !shown.contains("another-password"), "{shown}");
    }
    assert!(!office.done(&["get", "history"]).contains("carol"), "the history names no subscriber");
    let removed = office.done(&[&["accounts", "remove", "carol"], &GROUP[..]].concat());
    assert_eq!(removed, "sakura-group: the account is gone\n");
    assert!(accounts(&office).is_empty());
}

#[test]
fn an_account_that_is_not_there_is_neither_changed_nor_removed() {
    let office = office();
    for verb in [&["accounts", "remove", "nobody"][..], &["accounts", "set", "nobody", "--disable"]] {
        for more in [&[][..], &["--dry-run"]] {
            let said = office.refused(&[verb, &GROUP[..], more].concat());
            assert!(said.contains("contract sakura-group has no such account in realm sakura.example"), "{said}");
            assert!(!said.contains("nobody"), "{said}");
        }
    }
}

#[test]
fn what_makes_no_sense_in_an_account_is_refused_and_says_what_would() {
    let office = office();
    let refused = |more: &[&str], password: &str| {
        office.refused_with(&[&["accounts", "add", "carol"], &GROUP[..], more].concat(), password)
    };
    assert!(refused(&[], "").contains("password"), "an account without a password");
    let said = refused(&["--reply", "No-Such-Attribute=1"], "x");
    assert!(said.contains("No-Such-Attribute"), "{said}");
    let said = refused(&["--reply", "Framed-IP-Address=nowhere"], "x");
    assert!(said.contains("Framed-IP-Address"), "{said}");
    let said = refused(&["--realm", "acme.example"], "x");
    assert!(said.contains("sakura-group does not serve realm acme.example: it serves sakura.example"), "{said}");
    let said = refused(&["--note", "\u{1b}[2J"], "x");
    assert!(said.starts_with("note: ") && !said.contains('\u{1b}'), "{said}");
    let said = refused(&["--password-file", "nowhere"], "");
    assert!(said.contains("nowhere: cannot be read"), "{said}");
    for more in [["--expires", "tomorrow"], ["--simultaneous", "70000"], ["--reply", "Framed-IP-Address"]] {
        let said = refused(&more, "x");
        assert!(said.contains(more[0]), "{said}");
    }
    let said = office.refused(&["accounts", "list", "--contract", "sakura-nas"]);
    assert!(said.contains("sakura-nas is of another kind: only a `group` contract has accounts"), "{said}");
    assert!(accounts(&office).is_empty());
}

#[test]
fn the_number_of_accounts_is_a_hard_limit_which_names_article_7() {
    let office = office();
    office.done(&["change", "sakura-group", "--accounts", "2"]);
    import(&office, "sakura.csv", "csv");
    for more in [&[][..], &["--dry-run"]] {
        let said = office.refused_with(&[&["accounts", "add", "carol"], &GROUP[..], more].concat(), "x");
        assert!(
            said.contains("sakura-group would have 3 accounts, and it states 2") && said.contains("Art. 7"),
            "{said}"
        );
    }
    import(&office, "sakura.csv", "csv");
    assert_eq!(users(&office), ["alice", "bob"], "the same again are no more");
}

#[test]
fn a_dry_run_of_an_import_says_what_it_would_do_and_does_nothing() {
    let office = office();
    let said = office.done(&[&["accounts", "import", "sakura.csv", "--dry-run"], &GROUP[..]].concat());
    assert!(said.starts_with("sakura-group: 2 accounts imported\nNothing has been recorded"), "{said}");
    assert!(accounts(&office).is_empty());
}

#[test]
fn accounts_come_from_csv_and_go_out_as_they_came() {
    let office = office();
    let text = "user,realm,password,argon2id,enabled,expires,simultaneous,calling,reply,note\n\
                alice,,wonderland,,yes,,,,Framed-IP-Address=192.0.2.10,\n\
                dave,,\"with, comma\",,no,2030-03-31T15:00:00Z,1,+819012345678,,=note\n";
    office.write("accounts.csv", text);
    import(&office, "accounts.csv", "csv");
    let first = exported(&office, &["--secrets"]);
    assert!(first.contains("'=note"), "no cell is a formula: {first}");
    office.write("again.csv", &first);
    let other = self::office();
    std::fs::copy(office.file("again.csv"), other.file("again.csv")).unwrap();
    import(&other, "again.csv", "csv");
    assert_eq!(accounts(&other), accounts(&office));
    assert_eq!(exported(&other, &["--secrets"]), first);
}

#[test]
fn accounts_come_from_standard_input() {
    let office = office();
    let text = "user,password\nerin,x\n";
    let output = office.run_with(&[&["accounts", "import", "-"], &GROUP[..]].concat(), text);
    assert_eq!(output.status.code(), Some(0), "{}", crate::common::text(&output));
    assert_eq!(users(&office), ["erin"]);
}

#[test]
fn accounts_come_from_freeradiuss_users_file_and_go_out_as_one() {
    let office = office();
    let text = "alice\tCleartext-Password := \"hello\"\n\tFramed-IP-Address = 192.0.2.1\n\
                bob@sakura.example Cleartext-Password := \"x\", Simultaneous-Use := 1\n";
    office.write("users", text);
    import(&office, "users", "users");
    assert_eq!(users(&office), ["alice", "bob"]);
    let out = exported(&office, &["--secrets", "--format", "users"]);
    assert!(out.contains("Cleartext-Password := \"hello\"") && out.contains("Simultaneous-Use := \"1\""), "{out}");
    let before = accounts(&office);
    office.write("again", &out);
    import(&office, "again", "users");
    assert_eq!(accounts(&office), before);
}

#[test]
fn accounts_come_from_freeradiuss_tables_and_go_out_as_statements() {
    let office = office();
    let tables = "
        CREATE TABLE radcheck (id INTEGER PRIMARY KEY, UserName text, Attribute text, op varchar(2), Value text);
        CREATE TABLE radreply (id INTEGER PRIMARY KEY, UserName text, Attribute text, op varchar(2), Value text);";
    let database = |name: &str, statements: &str| {
        let options = SqliteConnectOptions::new().filename(office.file(name)).create_if_missing(true);
        let statements = format!("{tables}{statements}");
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            connection.execute(AssertSqlSafe(statements)).await.unwrap();
            connection.close().await.unwrap();
        });
    };
    database(
        "radius.db",
        "INSERT INTO radcheck (UserName, Attribute, op, Value) VALUES
            ('alice', 'Cleartext-Password', ':=', 'hello'), ('bob', 'Cleartext-Password', ':=', 'x'),
            ('bob', 'Calling-Station-Id', '==', '+819012345678');
         INSERT INTO radreply (UserName, Attribute, op, Value) VALUES ('alice', 'Framed-IP-Address', '=', '192.0.2.1');",
    );
    import(&office, "radius.db", "sql");
    assert_eq!(users(&office), ["alice", "bob"]);
    assert_eq!(accounts(&office)[1]["calling"], json!(["+819012345678"]));
    let before = accounts(&office);
    database("again.db", &exported(&office, &["--secrets", "--format", "sql"]));
    import(&office, "again.db", "sql");
    assert_eq!(accounts(&office), before);
    let nowhere = "postgresql://radius:not-to-be-seen@127.0.0.1:9/radius";
    let said = office.refused(&[&["accounts", "import", nowhere, "--format", "sql"], &GROUP[..]].concat());
    assert!(said.starts_with("the database: ") && !said.contains("not-to-be-seen"), "{said}");
}

#[test]
fn every_fault_of_a_file_is_named_with_its_line_and_nothing_is_imported() {
    let office = office();
    let refused = |file: &str, format: &str| {
        office.refused(&[&["accounts", "import", file, "--format", format], &GROUP[..]].concat())
    };
    office.write("bad.csv", "user,password\nalice,hello\nbob,\ncarol,x,y\n");
    let said = refused("bad.csv", "csv");
    assert!(said.starts_with("bad.csv: ") && said.contains("line 3") && said.contains("line 4"), "{said}");
    office.write("foreign.csv", "user,realm,password\nalice,acme.example,hello\n");
    let said = refused("foreign.csv", "csv");
    assert!(said.contains("line 2") && said.contains("acme.example"), "{said}");
    office.write("users", "alice Cleartext-Password := hello\nbob Crypt-Password := \"$1$abc\"\n");
    let said = refused("users", "users");
    assert!(said.starts_with("users: ") && said.contains("line 2") && said.contains("Crypt-Password"), "{said}");
    office.write("no.csv", "name,word\nalice,hello\n");
    assert!(refused("no.csv", "csv").contains("line 1"));
    assert!(refused("nowhere.csv", "csv").contains("nowhere.csv: cannot be read"));
    office.write("attribute.csv", "user,password,reply\nalice,hello,\nbob,x,No-Such-Attribute=1\n");
    let said = refused("attribute.csv", "csv");
    assert!(said.contains("No-Such-Attribute") && said.contains("line 3"), "{said}");
    assert!(accounts(&office).is_empty());
}

#[test]
fn where_passwords_are_kept_as_argon2id_none_can_be_had_again() {
    let office = office();
    office.change("sakura.toml", "passwords = \"recoverable\"", "passwords = \"argon2id\"");
    office.done(&["apply", "-f", "sakura.toml"]);
    add(&office, "alice", "wonderland", &[]);
    assert_eq!(accounts(&office)[0]["password"], "argon2id");
    let out = exported(&office, &["--secrets"]);
    assert!(out.contains("$argon2id$") && !out.contains("wonderland"), "{out}");
    // And what is a hash does not go where CHAP is wanted.
    let other = self::office();
    other.write("hashes.csv", &out);
    let said = other.refused(&[&["accounts", "import", "hashes.csv"], &GROUP[..]].concat());
    assert!(said.contains("sakura-group keeps recoverable passwords"), "{said}");
}

#[test]
fn there_are_never_more_than_a_later_day_allows() {
    let office = Office::serving_since(today());
    let add = |user| [&["accounts", "add", user], &GROUP[..]].concat();
    office.done(&["change", "sakura-group", "--accounts", "3", "--at", &day(10).to_string()]);
    assert_eq!(office.run_with(&add("carol"), "x").status.code(), Some(0));
    for more in [&[][..], &["--dry-run"]] {
        let said = office.refused_with(&[&add("dave")[..], more].concat(), "x");
        let words = format!("as of {}: contract sakura-group would have 4 accounts, and it states 3", day(10));
        assert!(said.starts_with(&words), "{said}");
    }
    office.write("more.csv", "user,password\ndave,x\n");
    let said = office.refused(&[&["accounts", "import", "more.csv"], &GROUP[..]].concat());
    assert!(said.contains("would have 4 accounts"), "{said}");
    // Until then it is for as many as before, and so it says.
    let page = office.done(&[&["accounts", "list"], &GROUP[..]].concat());
    assert!(page.contains("the contract is for 100\n"), "{page}");
    // A contract that is over before that day has no use for the later number.
    office.done(&["end", "sakura-group", "sakura-nas", "--on", &day(9).to_string()]);
    assert_eq!(office.run_with(&add("dave"), "x").status.code(), Some(0));
}

#[test]
fn a_list_is_as_long_as_it_is_asked_to_be_and_shows_nothing_that_a_terminal_obeys() {
    let office = Office::serving_since(today());
    add(&office, "mallory\u{202e}", "x", &["--note", "gone\u{2028}\u{202e}"]);
    let page = office.done(&[&["accounts", "list"], &GROUP[..]].concat());
    assert!(page.contains("3 shown of 3 accounts; the contract is for 100\n"), "{page}");
    assert!(page.contains("gone") && !page.contains(['\u{2028}', '\u{202e}']), "{page}");
    let page = office.done(&[&["accounts", "list", "--limit", "1"], &GROUP[..]].concat());
    assert!(page.contains("1 shown of 3 accounts; the contract is for 100: --limit shows more\n"), "{page}");
    let page = office.done(&[&["accounts", "list", "--user", "bob"], &GROUP[..]].concat());
    assert!(page.contains("bob") && !page.contains("alice"), "{page}");
}
