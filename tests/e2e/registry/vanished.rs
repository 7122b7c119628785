//! The file of the registry is gone: nobody who is served notices, and nothing takes its place by itself.

use std::time::Duration;

use sekisho_tests::registry::Office;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::within;

use super::scene::{ALICE, BOB, SAKURA_GROUP, Town, login, try_login};

/// A node notices that the registry is there again so soon.
const BACK: Duration = Duration::from_secs(12);

/// Removes the file and those that SQLite keeps beside it.
fn remove(office: &Office) {
    for more in ["", "-wal", "-shm"] {
        let path = format!("{}{more}", office.file().display());
        let _ = std::fs::remove_file(path);
    }
    assert!(!office.file().exists());
}

fn up(sekisho: &Sekisho<'_>) -> u64 {
    sekisho.metrics().sum("sekisho_registry_up", &[])
}

/// Waits until there is a copy of the registry on the node's disk.
fn mirrored(office: &Office) {
    let mirror = office.path("state").join("registry-mirror");
    assert!(within(Duration::from_secs(20), || mirror.exists().then_some(())).is_some(), "no mirror");
}

#[test]
fn a_node_whose_registry_is_removed_serves_on_and_after_a_restart_too_until_a_backup_is_restored() {
    let (town, office) = (Town::new(), Office::new());
    let (desk, documents) = (town.desk(&office), town.node(&office));
    town.serve_sakura(&office, &desk);
    let sekisho = Sekisho::start(&town.network, &documents);
    let nas = town.sakura_nas();
    let backup = office.path("backup").display().to_string();
    desk.done(&["registry", "backup", &backup]);
    mirrored(&office);
    remove(&office);
    sekisho.metrics_when("the metric says so", |metrics| metrics.sum("sekisho_registry_up", &[]) == 0);
    let status = sekisho.command(&["status"]).output;
    assert!(status.contains("cannot be reached: served from memory"), "{status}");
    assert_eq!((login(&nas, ALICE), login(&nas, "nobody@sakura.example")), (2, 3));
    // A command does not put an empty one in its place either.
    for words in [&["get", "contracts"][..], &["suspend", SAKURA_GROUP], &["registry", "status"]] {
        let told = desk.fails(words, 1);
        assert!(told.contains("registry.db") && told.contains("restore"), "{words:?}: {told}");
        assert!(!office.file().exists(), "{words:?} made a new one");
    }

    sekisho.stop();
    let sekisho = Sekisho::start(&town.network, &documents);
    assert!(!office.file().exists(), "the start made a new one");
    assert_eq!(up(&sekisho), 0);
    let status = sekisho.command(&["status"]).output;
    assert!(status.contains("served from the mirror of"), "{status}");
    assert_eq!((login(&nas, ALICE), login(&nas, "nobody@sakura.example")), (2, 3));

    desk.done(&["registry", "restore", &backup]);
    let back = within(BACK, || (up(&sekisho) == 1).then_some(()));
    assert!(back.is_some(), "{}", sekisho.log());
    assert_eq!((login(&nas, ALICE), login(&nas, "nobody@sakura.example")), (2, 3));
    assert_eq!(desk.contract(SAKURA_GROUP)["served"], true);
    desk.done(&["accounts", "set", "--contract", SAKURA_GROUP, "alice", "--disable"]);
    let followed = within(Duration::from_secs(2), || (try_login(&nas, ALICE) == Some(3)).then_some(()));
    assert!(followed.is_some(), "{}", sekisho.log());
}

#[test]
fn a_running_node_takes_a_restored_registry_in_place_of_one_that_was_removed() {
    let (town, office) = (Town::new(), Office::new());
    let (desk, documents) = (town.desk(&office), town.node(&office));
    town.serve_sakura(&office, &desk);
    let backup = office.path("backup").display().to_string();
    desk.done(&["registry", "backup", &backup]);
    // Not in the backup.
    desk.done(&["accounts", "remove", "--contract", SAKURA_GROUP, "bob"]);
    let sekisho = Sekisho::start(&town.network, &documents);
    let nas = town.sakura_nas();
    assert_eq!((login(&nas, ALICE), login(&nas, BOB)), (2, 3));
    mirrored(&office);
    remove(&office);
    sekisho.metrics_when("the metric says so", |metrics| metrics.sum("sekisho_registry_up", &[]) == 0);
    desk.done(&["registry", "restore", &backup]);
    // Whoever is in the backup logs in all the time.
    let back = within(BACK, || {
        assert_eq!(login(&nas, ALICE), 2);
        (up(&sekisho) == 1).then_some(())
    });
    assert!(back.is_some(), "{}", sekisho.log());
    let followed = within(Duration::from_secs(2), || (try_login(&nas, BOB) == Some(2)).then_some(()));
    assert!(followed.is_some(), "what is in force is what the backup says: {}", sekisho.log());
    desk.done(&["accounts", "remove", "--contract", SAKURA_GROUP, "alice"]);
    let followed = within(Duration::from_secs(2), || (try_login(&nas, ALICE) == Some(3)).then_some(()));
    assert!(followed.is_some(), "{}", sekisho.log());
}
