//! A database that is slow, locked or full: an error in words after seconds, and never a hang.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::common::{CONTRACT, Place, account, operator_document, postgresql::PostgreSql, put};
use sekisho_registry::{Heard, Location, RegistryError};
use sqlx::{Connection, Executor};
use tokio::time::timeout;

/// More than any operation may take.
const SECONDS: Duration = Duration::from_secs(12);

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_another_connection_holds_ends_in_words_and_readers_go_on() {
    let place = Place::postgres();
    let registry = place.open().await;
    registry.record(0, put([])).await.unwrap();
    let Location::Postgres(url) = &place.location else { panic!() };
    let mut other = sqlx::PgConnection::connect(url).await.unwrap();
    other.execute("BEGIN; SELECT * FROM meta FOR UPDATE").await.unwrap();
    let holding = tokio::spawn(async move { other.execute("SELECT pg_sleep(30)").await.map(drop) });

    let started = Instant::now();
    let error = registry.record(1, put([account("alice")])).await.unwrap_err();
    assert!(matches!(error, RegistryError::Locked { .. }) && error.is_transient(), "{error}");
    assert!(started.elapsed() < SECONDS);
    assert_eq!(registry.history(0).await.unwrap().len(), 1);
    holding.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_ends_in_words() {
    let place = Place::postgres();
    let registry = place.open().await;
    place
        .say(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$; \
             CREATE TRIGGER slow BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION slow()",
        )
        .await
        .unwrap();
    let started = Instant::now();
    let error = registry.record(0, put([account("alice")])).await.unwrap_err();
    assert!(matches!(error, RegistryError::Slow { .. }), "{error}");
    assert!(started.elapsed() < SECONDS);
    // Nothing of it is left, and nobody waits for it.
    assert_eq!(registry.history(0).await.unwrap(), []);
    registry.record(0, put([])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_answering_ends_in_words_and_serves_again_when_it_goes_on() {
    let server = Arc::new(PostgreSql::start());
    let place = Place::of(Arc::clone(&server));
    let registry = place.open().await;
    registry.record(0, put([])).await.unwrap();
    let mut watch = registry.watch().await;
    server.freeze();
    for _ in 0..2 {
        let started = Instant::now();
        let error = registry.record(1, put([account("alice")])).await.unwrap_err();
        assert!(matches!(error, RegistryError::Unreachable { .. } | RegistryError::Slow { .. }), "{error}");
        assert!(started.elapsed() < SECONDS, "{:?}", started.elapsed());
    }
    assert!(matches!(timeout(2 * SECONDS, watch.changed()).await, Ok(Heard::Lost(_))));
    server.thaw();
    assert_eq!(timeout(2 * SECONDS, watch.changed()).await, Ok(Heard::Back));
    registry.record(1, put([account("alice")])).await.unwrap();
    assert_eq!(timeout(SECONDS, watch.changed()).await, Ok(Heard::Changed(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_while_a_change_is_committed_leaves_it_uncertain() {
    let place = Place::postgres();
    let registry = place.open().await;
    place
        .say(
            "CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$; \
             CREATE CONSTRAINT TRIGGER breaks AFTER INSERT ON account DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION breaks()",
        )
        .await
        .unwrap();
    let error = registry.record(0, put([account("alice")])).await.unwrap_err();
    assert!(matches!(error, RegistryError::Uncertain { .. }), "{error}");
    // The history says which.
    assert_eq!(registry.history(0).await.unwrap(), []);
    registry.record(0, put([])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_server_is_said() {
    let place = Place::postgres();
    let registry = place.open().await;
    place
        .say(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$; \
             CREATE TRIGGER full_disk BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION full_disk()",
        )
        .await
        .unwrap();
    let error = registry.record(0, put([account("alice")])).await.unwrap_err();
    assert!(matches!(error, RegistryError::Full { .. }), "{error}");
    assert_eq!(registry.history(0).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_process_writes_to_ends_in_words_and_readers_go_on() {
    let place = Place::sqlite();
    let registry = place.open().await;
    registry.record(0, put([])).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(place.location.file().unwrap());
    let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();

    let started = Instant::now();
    let error = registry.record(1, put([account("alice")])).await.unwrap_err();
    assert!(matches!(error, RegistryError::Locked { .. }) && error.is_transient(), "{error}");
    assert!(error.to_string().contains("another process"), "{error}");
    assert!(started.elapsed() < SECONDS);
    assert_eq!(registry.history(0).await.unwrap().len(), 1);
    // A process that only wants to read may be started meanwhile.
    assert_eq!(place.open().await.revision().await.unwrap(), 1);
    other.execute("ROLLBACK").await.unwrap();
    registry.record(1, put([account("alice")])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_the_change_whole_and_is_forgotten_with_its_cause() {
    let disk = Disk::of("2m");
    let mut place = Place::sqlite();
    place.location = Location::Sqlite(disk.path().join("registry.sqlite"));
    let registry = place.open().await;
    registry.record(0, operator_document("text")).await.unwrap();
    let many = || (0..20_000).map(|number| account(&format!("user {number}")));
    let error = registry.record(1, put(many())).await.unwrap_err();
    assert!(matches!(error, RegistryError::Full { .. }) && error.is_transient(), "{error}");
    assert!(error.to_string().contains("make room"), "{error}");
    assert_eq!(registry.count_accounts(CONTRACT).await.unwrap(), 0);
    disk.grow("200m");
    registry.record(1, put(many())).await.unwrap();
    assert_eq!(registry.count_accounts(CONTRACT).await.unwrap(), 20_000);
}

/// A disk of a given size.
struct Disk(tempfile::TempDir);

impl Disk {
    fn of(size: &str) -> Disk {
        let disk = Disk(tempfile::tempdir().unwrap());
        disk.mount(&format!("size={size}"));
        disk
    }

    fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    fn grow(&self, size: &str) {
        self.mount(&format!("remount,size={size}"));
    }

    fn mount(&self, options: &str) {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(self.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&mounted.stderr).into_owned();
        assert!(mounted.status.success(), "run this test as root, who may mount a disk of its own: {error}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the registry's connections may be closed after it.
        let _ = std::process::Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
