//! Opening: what is made, what is brought up to date, and what is refused, in which words.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use crate::common::{Place, account, operator_document, postgresql::PASSWORD, put};
use sekisho_registry::{Location, Registry, RegistryError, keys::KeyRing};

over_both!(
    several_processes_make_one_registry_at_once,
    the_wrong_keys_are_found_out_at_once,
    a_newer_schema_is_refused_in_words,
    an_altered_schema_is_refused,
    the_previous_schema_is_brought_up_to_date_with_what_is_in_it,
    several_processes_bring_one_registry_up_to_date,
    a_database_of_somebody_else_is_left_alone,
    what_makes_no_sense_is_named,
);

async fn refusal(location: &Location, keys: &KeyRing) -> RegistryError {
    match Registry::open(location, keys.clone()).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

async fn several_processes_make_one_registry_at_once(place: Place) {
    let mut opening = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (location, keys) = (place.location.clone(), place.keys.clone());
        opening.spawn(async move { Registry::open(&location, keys).await.unwrap().id().to_owned() });
    }
    let mut ids = opening.join_all().await;
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

async fn the_wrong_keys_are_found_out_at_once(place: Place) {
    place.open().await;
    let error = refusal(&place.location, &KeyRing::generate().unwrap()).await;
    assert!(matches!(error, RegistryError::WrongKey { .. }), "{error}");
    assert!(error.to_string().contains("key file"), "{error}");
}

async fn a_newer_schema_is_refused_in_words(place: Place) {
    place.open().await;
    let newer = "INSERT INTO sekisho_schema (version, description, installed_on, success, checksum, execution_time) \
                 SELECT 99, 'of times to come', installed_on, success, checksum, 0 FROM sekisho_schema WHERE version = 1";
    place.say(newer).await.unwrap();
    let error = refusal(&place.location, &place.keys).await;
    assert!(matches!(error, RegistryError::Newer { version: 99, known: 2, .. }), "{error}");
}

async fn an_altered_schema_is_refused(place: Place) {
    place.open().await;
    let checksum = if place.server.is_some() { "'\\x00'" } else { "x'00'" };
    place.say(&format!("UPDATE sekisho_schema SET checksum = {checksum} WHERE version = 1")).await.unwrap();
    let error = refusal(&place.location, &place.keys).await;
    assert!(matches!(error, RegistryError::NotARegistry { .. }), "{error}");
}

async fn the_previous_schema_is_brought_up_to_date_with_what_is_in_it(place: Place) {
    make_previous(&place).await;
    let registry = place.open().await;
    assert_eq!(registry.id(), "5f0c");
    assert_eq!(registry.revision().await.unwrap(), 4);
    assert_eq!(registry.history(0).await.unwrap()[0].who, "sato");
    assert_eq!(registry.document(1).await.unwrap().as_str(), "of the previous schema");
    registry.record(1, put([account("alice")])).await.unwrap();
    assert_eq!(registry.accounts(4).await.unwrap().0.len(), 1);
    // And once more, with nothing to do.
    assert_eq!(place.open().await.history(0).await.unwrap().len(), 2);
}

async fn several_processes_bring_one_registry_up_to_date(place: Place) {
    make_previous(&place).await;
    let mut opening = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (location, keys) = (place.location.clone(), place.keys.clone());
        opening
            .spawn(async move { Registry::open(&location, keys).await.unwrap().count_accounts("c1").await.unwrap() });
    }
    assert_eq!(opening.join_all().await, [0; 4]);
}

async fn a_database_of_somebody_else_is_left_alone(place: Place) {
    if let Location::Sqlite(path) = &place.location {
        fs::File::create(path).unwrap().set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
    }
    place.say("CREATE TABLE account (balance INTEGER)").await.unwrap();
    let error = refusal(&place.location, &place.keys).await;
    assert!(matches!(&error, RegistryError::NotARegistry { matter, .. } if matter.contains("`account`")), "{error}");
    place.say("INSERT INTO account VALUES (1)").await.unwrap();
    place.say("CREATE TABLE history (year INTEGER)").await.unwrap();
}

async fn what_makes_no_sense_is_named(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([account("alice")])).await.unwrap();
    place.say("UPDATE account SET calling = 'x'").await.unwrap();
    let error = registry.accounts(0).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Damaged { what, .. } if what.contains("numbers")), "{error}");
    assert!(!error.to_string().contains("alice"), "{error}");
    place.say("INSERT INTO history (number, at, who, why, event) VALUES (2, 'yesterday', '', '', '{}')").await.unwrap();
    let error = registry.history(0).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Damaged { what, .. } if what.contains("entry 2")), "{error}");
}

/// What a sekisho before this one would have left: the first step of the schema only, and something recorded in it.
async fn make_previous(place: &Place) {
    use sqlx::{
        Connection, SqlSafeStr,
        migrate::{Migration, MigrationType, Migrator},
    };
    let first = |sql: &'static str| {
        let step = Migration::new(1, "history".into(), MigrationType::Simple, sql.into_sql_str(), false);
        let mut migrator = Migrator::with_migrations(vec![step]);
        migrator.dangerous_set_table_name("sekisho_schema");
        migrator
    };
    let seal = |context: &str, text: &str| {
        let sealed: String =
            place.keys.seal(context, text.as_bytes()).unwrap().iter().map(|octet| format!("{octet:02x}")).collect();
        if place.server.is_some() { format!("'\\x{sealed}'") } else { format!("x'{sealed}'") }
    };
    match &place.location {
        Location::Sqlite(path) => {
            fs::File::create(path).unwrap().set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            first(include_str!("../../migrations/sqlite/0001_history.sql")).run(&mut connection).await.unwrap();
        }
        Location::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            first(include_str!("../../migrations/postgres/0001_history.sql")).run(&mut connection).await.unwrap();
        }
    }
    let meta = seal("registry/5f0c", "these are the keys");
    place.say(&format!("INSERT INTO meta VALUES (1, '5f0c', '2026-11-01T00:00:00Z', 4, {meta})")).await.unwrap();
    let event = r#"{"event":"operator","from":"2026-12-01"}"#;
    place
        .say(&format!("INSERT INTO history VALUES (1, '2026-11-01T00:00:00Z', 'sato', 'first', '{event}')"))
        .await
        .unwrap();
    place
        .say(&format!("INSERT INTO document VALUES (1, NULL, {})", seal("document//1", "of the previous schema")))
        .await
        .unwrap();
}

#[tokio::test]
async fn nobody_else_may_open_the_file_of_a_new_registry() {
    let place = Place::sqlite();
    let registry = place.open().await;
    registry.record(0, operator_document("text")).await.unwrap();
    let path = place.location.file().unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let mode = fs::metadata(format!("{}{suffix}", path.display())).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
    registry.close().await;

    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let error = refusal(&place.location, &place.keys).await;
    assert!(matches!(error, RegistryError::Exposed { mode: 0o644, .. }), "{error}");
    assert!(error.to_string().contains("chmod o= "), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_stays_as_it_is() {
    let place = Place::sqlite();
    let path = place.location.file().unwrap();
    fs::write(path, "[operator]\n".repeat(1000)).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    let error = refusal(&place.location, &place.keys).await;
    assert!(matches!(error, RegistryError::NotARegistry { .. }), "{error}");
    assert_eq!(fs::read_to_string(path).unwrap(), "[operator]\n".repeat(1000));
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_said() {
    let place = Place::sqlite();
    let location = Location::Sqlite(place.file("nowhere").join("registry.sqlite"));
    let error = refusal(&location, &place.keys).await;
    assert!(matches!(error, RegistryError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("directory"), "{error}");
    assert!(!Path::new(&place.file("nowhere")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_let_us_in_is_said_without_the_password() {
    let place = Place::postgres();
    let server = place.server.as_ref().unwrap();
    let name = place.location.to_string().split(['/', '?']).nth(3).unwrap().to_owned();
    let over_tcp = |password, name| Location::Postgres(server.over_tcp(password, name));
    Registry::open(&over_tcp(PASSWORD, &name), place.keys.clone()).await.unwrap();
    for (location, remedy) in [
        (over_tcp("wrong-password", &name), "password of the registry's URL"),
        (over_tcp(PASSWORD, "nothing"), "createdb"),
        (Location::Postgres(format!("postgres://u:{PASSWORD}@127.0.0.1:1/x")), "see that the database runs"),
        (Location::Postgres(format!("postgres://u:{PASSWORD}@localhost:nine/x")), "write postgres://"),
        (Location::Postgres(format!("postgres:///x?host=/nowhere&password={PASSWORD}")), "see that the database runs"),
    ] {
        let error = refusal(&location, &place.keys).await;
        assert!(matches!(error, RegistryError::Unreachable { .. }), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(remedy), "{shown}");
        assert!(!shown.contains(PASSWORD) && !shown.contains("wrong-password"), "{shown}");
    }
}
