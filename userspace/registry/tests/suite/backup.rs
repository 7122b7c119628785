//! Backup and restore, from either database into either.

use std::{fs, os::unix::fs::MetadataExt};

use crate::common::{CONTRACT, Place, account, operator_document, put, remove};
use sekisho_registry::{
    AccountChange, BackedUp, Change, DumpError, Registry, RegistryError, account::Account, account::Secret,
    keys::KeyRing,
};

over_both!(
    a_backup_is_restored_on_an_empty_machine,
    a_backup_goes_into_the_other_database_and_back,
    a_backup_is_restored_into_an_empty_registry_only,
    a_backup_that_is_cut_or_altered_makes_nothing,
    a_backup_needs_its_keys,
    a_backup_is_of_one_state,
);

/// A registry with something of everything in it.
async fn fill(place: &Place) -> Registry {
    let registry = place.open().await;
    registry.record(0, operator_document("the operator's text")).await.unwrap();
    let mut change = operator_document("the customer's text");
    change.documents[0].1 = Some("acme".into());
    registry.record(1, change).await.unwrap();
    let hashed = Account { secret: Secret::Argon2id("$argon2id$…".into()), ..account("hashed") };
    registry
        .record(2, put((0..2500).map(|number| account(&format!("user {number}"))).chain([hashed, account("gone")])))
        .await
        .unwrap();
    registry.record(3, Change { accounts: vec![remove("gone")], ..Change::default() }).await.unwrap();
    registry.record(3, put([Account { note: "changed".into(), ..account("user 7") }])).await.unwrap();
    registry
}

/// All that is in it.
async fn contents(registry: &Registry) -> impl PartialEq + std::fmt::Debug {
    let (mut accounts, _) = registry.accounts(0).await.unwrap();
    accounts.retain(|change| matches!(change, AccountChange::Changed(_)));
    let documents = [registry.document(1).await.unwrap(), registry.document(2).await.unwrap()];
    (registry.history(0).await.unwrap(), documents, accounts)
}

async fn a_backup_is_restored_on_an_empty_machine(place: Place) {
    let registry = fill(&place).await;
    let file = place.file("backup");
    let done = registry.backup(&file).await.unwrap();
    assert_eq!(done, BackedUp { entries: 4, documents: 2, accounts: 2501 });
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("secret of") && !text.contains("'s text"));

    let empty = place.another();
    let restored = Registry::restore(&empty.location, &file, place.keys.clone()).await.unwrap();
    assert_eq!(contents(&restored).await, contents(&registry).await);
    // Whoever followed the other one reads this one whole.
    assert_ne!(restored.id(), registry.id());
    assert!(restored.revision().await.unwrap() > registry.revision().await.unwrap());
    // And life goes on.
    restored.record(4, put([account("new")])).await.unwrap();
    assert_eq!(empty.open().await.count_accounts(CONTRACT).await.unwrap(), 2502);
}

async fn a_backup_goes_into_the_other_database_and_back(place: Place) {
    let registry = fill(&place).await;
    let file = place.file("backup");
    registry.backup(&file).await.unwrap();
    let other = if place.server.is_some() { Place::sqlite() } else { Place::postgres() };
    let there = Registry::restore(&other.location, &file, place.keys.clone()).await.unwrap();
    assert_eq!(contents(&there).await, contents(&registry).await);
    there.backup(&file).await.unwrap();
    let empty = place.another();
    let back = Registry::restore(&empty.location, &file, place.keys.clone()).await.unwrap();
    assert_eq!(contents(&back).await, contents(&registry).await);
}

async fn a_backup_is_restored_into_an_empty_registry_only(place: Place) {
    let registry = fill(&place).await;
    let file = place.file("backup");
    registry.backup(&file).await.unwrap();
    let before = registry.revision().await.unwrap();
    let error = Registry::restore(&place.location, &file, place.keys.clone()).await.err().unwrap();
    assert!(matches!(error, RegistryError::NotEmpty { .. }), "{error}");
    assert_eq!(registry.revision().await.unwrap(), before);
}

async fn a_backup_that_is_cut_or_altered_makes_nothing(place: Place) {
    let registry = fill(&place).await;
    let file = place.file("backup");
    registry.backup(&file).await.unwrap();
    let whole = fs::read_to_string(&file).unwrap();
    let line_1000 = whole.lines().take(999).map(|line| line.len() + 1).sum::<usize>();
    let empty = place.another();
    for (text, line) in [
        (whole[..line_1000 + 50].to_owned(), 1000),
        (whole[..line_1000].to_owned(), 1000),
        (whole.replacen("user 990\"", "user 99O\"", 1), 0),
        (whole.lines().take(whole.lines().count() - 1).map(|line| format!("{line}\n")).collect(), 2509),
        (whole.replacen("sato", "saito", 1), 2),
    ] {
        fs::write(&file, &text).unwrap();
        let error = Registry::restore(&empty.location, &file, place.keys.clone()).await.err().unwrap();
        match &error {
            RegistryError::Dump(DumpError::Truncated { line: said, .. } | DumpError::Altered { line: said, .. }) => {
                assert!(line == 0 || *said == line, "{error}");
            }
            _ => panic!("{error}"),
        }
        assert!(!error.to_string().contains("user 99"), "{error}");
    }
    // Whoever restores the right one after that finds nothing in its way.
    fs::write(&file, &whole).unwrap();
    let restored = Registry::restore(&empty.location, &file, place.keys.clone()).await.unwrap();
    assert_eq!(contents(&restored).await, contents(&registry).await);
}

async fn a_backup_needs_its_keys(place: Place) {
    let registry = fill(&place).await;
    let file = place.file("backup");
    registry.backup(&file).await.unwrap();
    let empty = place.another();
    let error = Registry::restore(&empty.location, &file, KeyRing::generate().unwrap()).await.err().unwrap();
    // The first that is sealed: the operator's document, behind the head and four entries.
    assert!(matches!(error, RegistryError::Dump(DumpError::Sealed { line: 6, .. })), "{error}");
    // Nothing was made, so that the right keys may still make it.
    Registry::restore(&empty.location, &file, place.keys.clone()).await.unwrap();
}

async fn a_backup_is_of_one_state(place: Place) {
    let registry = fill(&place).await;
    let writer = place.open().await;
    // Each change is an entry and an account: a backup between the two would have another number of them.
    let writing = tokio::spawn(async move {
        for seen in 4..40 {
            writer.record(seen, put([account(&format!("later {seen}"))])).await.unwrap();
        }
    });
    let file = place.file("backup");
    for _ in 0..4 {
        let done = registry.backup(&file).await.unwrap();
        assert_eq!(done.accounts - 2501, done.entries - 4);
    }
    writing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_cannot_be_written_leaves_the_former_one() {
    let place = Place::sqlite();
    let registry = fill(&place).await;
    let file = place.file("backup");
    registry.backup(&file).await.unwrap();
    let former = fs::read(&file).unwrap();
    place.say("PRAGMA ignore_check_constraints = ON; UPDATE account SET calling = 'damaged' WHERE user_name = 'user 2000'").await.unwrap();
    assert!(matches!(registry.backup(&file).await, Err(RegistryError::Damaged { .. })));
    assert_eq!(fs::read(&file).unwrap(), former);
    let error = registry.backup(&place.file("nowhere").join("backup")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Dump(DumpError::Io { .. })), "{error}");
}
