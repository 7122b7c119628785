//! Following: every process hears of every change, and of its database being lost and found.

use std::{fs, sync::Arc, time::Duration};

use crate::common::{Place, account, postgresql::PostgreSql, put};
use sekisho_registry::{Heard, RegistryError, Watch};
use tokio::time::{sleep, timeout};

over_both!(
    a_change_of_one_process_is_heard_in_another,
    nothing_is_heard_while_nothing_changes,
    what_changed_before_the_watch_began_is_heard_by_its_revision,
    a_registry_that_was_made_anew_is_not_taken_for_the_old_one,
);

async fn hear(watch: &mut Watch) -> Heard {
    timeout(Duration::from_secs(30), watch.changed()).await.expect("nothing was heard")
}

async fn a_change_of_one_process_is_heard_in_another(place: Place) {
    let (writer, reader) = (place.open().await, place.open().await);
    let mut watch = reader.watch().await;
    for seen in 0..3 {
        writer.record(seen, put([account(&seen.to_string())])).await.unwrap();
        assert_eq!(hear(&mut watch).await, Heard::Changed(seen + 1));
        let (changes, reached) = reader.accounts(seen).await.unwrap();
        assert_eq!((changes.len(), reached), (1, seen + 1));
    }
}

async fn nothing_is_heard_while_nothing_changes(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([])).await.unwrap();
    let mut watch = registry.watch().await;
    registry.history(0).await.unwrap();
    registry.record(9, put([])).await.unwrap_err();
    assert!(timeout(Duration::from_secs(1), watch.changed()).await.is_err());
}

async fn what_changed_before_the_watch_began_is_heard_by_its_revision(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([])).await.unwrap();
    let mut watch = registry.watch_after(0).await;
    assert_eq!(hear(&mut watch).await, Heard::Changed(1));
}

async fn a_registry_that_was_made_anew_is_not_taken_for_the_old_one(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([])).await.unwrap();
    let mut watch = registry.watch().await;
    place.say("UPDATE meta SET id = 'another', revision = revision + 1").await.unwrap();
    assert!(matches!(registry.record(1, put([])).await, Err(RegistryError::Replaced { .. })));
    assert!(matches!(registry.history(0).await, Err(RegistryError::Replaced { .. })));
    assert!(matches!(hear(&mut watch).await, Heard::Lost(words) if words.contains("open it again")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_database_is_lost_and_found_again_with_what_changed_meanwhile() {
    let server = Arc::new(PostgreSql::start());
    let place = Place::of(Arc::clone(&server));
    let registry = place.open().await;
    registry.record(0, put([account("alice")])).await.unwrap();
    let mut watch = registry.watch().await;

    server.stop();
    match hear(&mut watch).await {
        Heard::Lost(words) => assert!(
            words.contains("see that the database runs") && words.contains(&place.location.to_string()),
            "{words}"
        ),
        heard => panic!("{heard:?}"),
    }
    let error = registry.record(1, put([])).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable { .. }) && error.is_transient(), "{error}");
    assert!(timeout(Duration::from_secs(2), watch.changed()).await.is_err(), "it is lost once");

    server.resume();
    // Another process is faster than the follower, or is not.
    place.open().await.record(1, put([account("bob")])).await.unwrap();
    assert_eq!(hear(&mut watch).await, Heard::Back);
    assert_eq!(hear(&mut watch).await, Heard::Changed(2));
    // And it hears as before.
    registry.record(2, put([])).await.unwrap();
    assert_eq!(hear(&mut watch).await, Heard::Changed(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_whose_connection_was_cut_listens_anew() {
    let place = Place::postgres();
    let registry = place.open().await;
    let mut watch = registry.watch().await;
    registry.record(0, put([])).await.unwrap();
    assert_eq!(hear(&mut watch).await, Heard::Changed(1));
    place.say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").await.unwrap();
    sleep(Duration::from_millis(200)).await;
    place.open().await.record(1, put([])).await.unwrap();
    loop {
        match hear(&mut watch).await {
            Heard::Changed(revision) => break assert_eq!(revision, 2),
            Heard::Lost(_) | Heard::Back => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_taken_away_is_lost_and_nothing_is_written_to_it() {
    let place = Place::sqlite();
    let registry = place.open().await;
    registry.record(0, put([])).await.unwrap();
    let mut watch = registry.watch().await;
    let (path, away) = (place.location.file().unwrap(), place.file("away"));
    fs::rename(path, &away).unwrap();
    assert!(matches!(hear(&mut watch).await, Heard::Lost(words) if words.contains("removed or replaced")));
    assert!(matches!(registry.record(1, put([])).await, Err(RegistryError::Vanished { .. })));
    fs::rename(&away, path).unwrap();
    assert_eq!(hear(&mut watch).await, Heard::Back);
    registry.record(1, put([])).await.unwrap();
    assert_eq!(hear(&mut watch).await, Heard::Changed(2));
}
