//! `[registry]` and `[hosted]`: where documents come from, what is the default, and what is refused.

use std::time::Duration;

use crate::common::{ACME, HOSTED, NODE, documents, held, refused, with};
use sekisho_config::{CustomersFrom, Database, Hosted, KeySource, Node, Registry, load_node};

/// The node's document alone, with a registry that has these keys.
fn node(keys: &str) -> (crate::common::Documents, Node) {
    let documents = documents(&format!("{NODE}[registry]\n{keys}"), &[]);
    documents.file("secrets/database", "postgresql://sekisho:pass@db.example/registry\n", 0o600);
    let env = |name: &str| (name == "DATABASE").then(|| "postgres://u:p@db/r".to_owned());
    let (node, _) = load_node(documents.path(), &env).unwrap_or_else(|faults| panic!("{faults}"));
    (documents, node)
}

fn registry(keys: &str) -> Registry {
    node(keys).1.customers.registry().unwrap().clone()
}

/// What is said of a registry with these keys.
fn faults(keys: &str) -> Vec<String> {
    let documents = documents(&format!("{NODE}[registry]\n{keys}"), &[]);
    documents.file("secrets/database", "mysql://u:hidden@db/r", 0o600);
    let faults = load_node(documents.path(), &|_| None).unwrap_err();
    faults.faults.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn keys_refused(keys: &str, says: &str) {
    let faults = faults(keys);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].contains(says), "{says:?} is not in {}", faults[0]);
    assert!(!faults[0].contains("hidden"), "{}", faults[0]);
}

#[test]
fn a_registry_without_a_key_is_a_file_below_state_in_tokyos_time() {
    let (documents, node) = node("");
    let state = documents.path().join("state");
    let expected = Registry {
        database: Database::Sqlite(state.join("registry.db")),
        key: KeySource::File(state.join("registry.key")),
        time_zone: "Asia/Tokyo".into(),
        mirror: state.join("registry-mirror"),
    };
    assert_eq!(node.customers, CustomersFrom::Registry(expected));
}

#[test]
fn a_database_is_a_file_or_a_postgresql_url() {
    let (documents, node) = node("database = \"other.db\"\nkey_file = \"keys/a\"\nmirror = \"m\"");
    let at = documents.path();
    let registry = node.customers.registry().unwrap();
    assert_eq!(registry.database, Database::Sqlite(at.join("state/other.db")));
    assert_eq!((&registry.key, &registry.mirror), (&KeySource::File(at.join("keys/a")), &at.join("m")));
    for (key, shown, whole) in [
        ("database = \"postgresql://db/r\"", "postgresql://db/r", "postgresql://db/r"),
        ("database = \"postgres:///r?host=/run/postgresql\"", "postgres:///r", "postgres:///r?host=/run/postgresql"),
        (
            "database_file = \"database\"",
            "postgresql://db.example/registry",
            "postgresql://sekisho:pass@db.example/registry",
        ),
        ("database_env = \"DATABASE\"", "postgres://db/r", "postgres://u:p@db/r"),
    ] {
        let Database::Postgres(url) = self::registry(key).database else { panic!("{key}") };
        assert_eq!((url.to_string().as_str(), url.expose()), (shown, whole));
        assert!(!format!("{url:?}").contains("pass"));
    }
}

#[test]
fn a_faulty_registry_is_refused_and_no_password_shown() {
    keys_refused(
        "database = \"mysql://u:hidden@db/r\"",
        "registry.database: is of a database that is not known here. Give",
    );
    keys_refused("database_file = \"database\"", "registry.database_file: is of a database that is not known here");
    keys_refused("database = \"\"", "registry.database: is empty. Give a file for SQLite, or the URL");
    keys_refused("database = \"postgresql://u:hidden@db\"", "registry.database: names no database behind its host");
    keys_refused(
        "database = \"postgresql://u:hid den@db/r\"",
        "registry.database: holds a blank or a control character",
    );
    keys_refused(
        "database = \"a\"\ndatabase_env = \"B\"",
        "registry.database_env: stands beside `database`, so there are two",
    );
    keys_refused("key_file = \"a\"\nkey_credential = \"b\"", "registry.key_credential: stands beside `key_file`");
    keys_refused("key_file = \"\"", "registry.key_file: is empty. Give a path");
    keys_refused("key_credential = \"../b\"", "registry.key_credential: \"../b\" cannot be a name");
    keys_refused(
        "time_zone = \"Asia/Edo\"",
        "registry.time_zone: \"Asia/Edo\" is no time zone. Give its name in the IANA",
    );
    keys_refused("data = 1", "registry.data: there is no such key here");
}

#[test]
fn a_time_zone_is_written_as_the_database_of_time_zones_does() {
    assert_eq!(registry("time_zone = \"europe/berlin\"").time_zone, "Europe/Berlin");
    assert_eq!(registry("key_credential = \"sekisho-key\"").key, KeySource::Credential("sekisho-key".into()));
}

#[test]
fn documents_come_from_one_place() {
    let both = with(NODE, "[node]\n", "[registry]\n[node]\ncustomers = \"customers\"\n");
    let says = [
        "sekisho.toml:4:13: node.customers: stands beside [registry], at sekisho.toml:2, and documents come from one place. Take",
    ];
    refused(&documents(&both, &[]), &says);
    let files = documents(&format!("{NODE}[registry]\n"), &[("acme", ACME)]);
    refused(
        &files,
        &["registry: says that customers' documents are in the registry, and here they would be files. Take"],
    );
    let held = held("", &[("acme", ACME)]);
    held.node().file("sekisho.toml", NODE, 0o640);
    held.refused(&[
        "customers' documents of this node are files, and here they would come from a registry. Give [registry]",
    ]);
}

#[test]
fn the_nodes_document_is_read_without_any_customers() {
    let (_, alone) = node("");
    assert_eq!(alone.listeners.len(), 2);
    let documents = documents("[node]\nworkers = 65\n", &[]);
    assert!(load_node(documents.path(), &|_| None).unwrap_err().faults.len() > 1);
    let files = crate::common::documents(NODE, &[]);
    let (node, _) = load_node(files.path(), &|_| None).unwrap();
    assert_eq!(node.customers, CustomersFrom::Directory(files.path().join("customers")));
    assert!(node.customers.registry().is_none());
}

#[test]
fn hosted_accounts_have_bounds() {
    let minutes = |n: u64| Duration::from_secs(n * 60);
    let default = Hosted {
        argon2_workers: 1,
        argon2_queue: 64,
        max_failures: 10,
        failure_window: minutes(5),
        lock: minutes(5),
        client_failures: 1_000,
        max_sessions: 1_000_000,
    };
    assert_eq!(node("").1.hosted, default);
    let given = node(
        "[hosted]\nargon2_workers = 2\nargon2_queue = 1\nmax_failures = 0\nfailure_window = \"1s\"\nlock = \"24h\"\n\
         client_failures = 0\nmax_sessions = 1024\n",
    );
    let expected = Hosted {
        argon2_workers: 2,
        argon2_queue: 1,
        max_failures: 0,
        failure_window: Duration::from_secs(1),
        lock: minutes(24 * 60),
        client_failures: 0,
        max_sessions: 1_024,
    };
    assert_eq!(given.1.hosted, expected);
    for (keys, says) in [
        ("argon2_workers = 0", "hosted.argon2_workers: 0 is out of bounds. Give a number from 1 to 64."),
        ("argon2_queue = 0", "hosted.argon2_queue: 0 is out of bounds. Give a number from 1 to 65536."),
        ("max_failures = 1001", "hosted.max_failures: 1001 is out of bounds"),
        ("failure_window = \"0s\"", "hosted.failure_window: \"0s\" is out of bounds. Give a time from 1s to 24h"),
        ("lock = \"1500ms\"", "hosted.lock: \"1500ms\" is no whole number of seconds. Give it as"),
        ("client_failures = 65536", "hosted.client_failures: 65536 is out of bounds. Give a number from 0 to 65535."),
        ("lock = \"25h\"", "hosted.lock: \"25h\" is out of bounds"),
        ("max_sessions = 1", "hosted.max_sessions: 1 is out of bounds. Give a number from 1024 to 16777216."),
    ] {
        keys_refused(&format!("[hosted]\n{keys}"), says);
    }
    let files = documents(&format!("{NODE}[hosted]\nmax_failures = 5\n"), &[("acme", ACME)]);
    assert!(
        files.warnings()[0].contains("hosted: means nothing where customers' documents are files. Give [registry]")
    );
}

#[test]
fn hosted_accounts_need_a_registry() {
    let says = "customers/acme.toml:11:12: group[0].contract: a `group` contract (グループ) is answered from the operator's account database";
    refused(&documents(NODE, &[("acme", HOSTED)]), &[says, "Give [registry] in sekisho.toml"]);
    held(NODE, &[("acme", HOSTED)]).taken();
}
