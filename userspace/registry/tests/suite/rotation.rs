//! After a key rotation everything is sealed anew, and the former key can be thrown away.

use std::fs;

use crate::common::{Place, REALM, account, operator_document, put, remove};
use sekisho_registry::{Change, Registry, RegistryError, account::Account, account::Secret, keys::KeyRing};

over_both!(everything_is_sealed_anew_and_then_the_former_key_is_not_needed, resealing_stops_at_what_does_not_open);

async fn everything_is_sealed_anew_and_then_the_former_key_is_not_needed(mut place: Place) {
    let file = place.file("registry.key");
    place.keys = KeyRing::create(&file).unwrap();
    let registry = place.open().await;
    registry.record(0, operator_document("the operator's text")).await.unwrap();
    let hashed = Account { secret: Secret::Argon2id("$argon2id$…".into()), ..account("hashed") };
    registry
        .record(1, put((0..1200).map(|number| account(&format!("user {number}"))).chain([hashed, account("gone")])))
        .await
        .unwrap();
    registry.record(2, Change { accounts: vec![remove("gone")], ..Change::default() }).await.unwrap();

    // Rotated: what is new is sealed by the new key, and what is old can still be read.
    let registry = Registry::open(&place.location, KeyRing::rotate(&file).unwrap()).await.unwrap();
    registry.record(2, put([account("new")])).await.unwrap();
    let before = registry.revision().await.unwrap();
    let mut heard = Vec::new();
    let done = registry.reseal(|progress| heard.push(progress)).await.unwrap();
    assert_eq!((done.documents, done.accounts, done.resealed), (1, 1203, 1201));
    assert!(heard.len() > 2 && heard.is_sorted_by_key(|progress| (progress.documents, progress.accounts)), "{heard:?}");
    // Followers hear of it, so that their mirrors are sealed by the new key too.
    let (changes, reached) = registry.accounts(before).await.unwrap();
    assert!(reached > before);
    assert_eq!(changes.len(), 1200);
    // There is nothing more to do, and no new revision.
    assert_eq!(registry.reseal(|_| {}).await.unwrap().resealed, 0);
    assert_eq!(registry.revision().await.unwrap(), reached);

    let rings = fs::read_to_string(&file).unwrap();
    let current: String = rings.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).take(1).collect();
    fs::write(&file, current).unwrap();
    let keys = KeyRing::from_file(&file).unwrap();
    assert_eq!(keys.ids().count(), 1);
    let registry = Registry::open(&place.location, keys.clone()).await.unwrap();
    assert_eq!(registry.document(1).await.unwrap().as_str(), "the operator's text");
    for user in ["user 0", "user 1199", "new"] {
        assert_eq!(registry.account(REALM, user).await.unwrap().unwrap().open(&keys).unwrap(), account(user));
    }
    let error = Registry::open(&place.location, place.keys.clone()).await.err().unwrap();
    assert!(matches!(error, RegistryError::WrongKey { .. }), "{error}");
}

async fn resealing_stops_at_what_does_not_open(mut place: Place) {
    let file = place.file("registry.key");
    place.keys = KeyRing::create(&file).unwrap();
    let registry = place.open().await;
    registry.record(0, put([account("alice"), account("bob")])).await.unwrap();
    place.say("UPDATE account SET secret = (SELECT secret FROM account WHERE user_name = 'alice')").await.unwrap();
    let registry = Registry::open(&place.location, KeyRing::rotate(&file).unwrap()).await.unwrap();
    let error = registry.reseal(|_| {}).await.unwrap_err();
    assert!(matches!(&error, RegistryError::Sealed { what, .. } if what.contains(REALM)), "{error}");
    assert!(!error.to_string().contains("bob"), "{error}");
    // What was sealed anew before, in the same batch, is as it was: a key that is still needed is not thrown away.
    assert!(registry.account(REALM, "alice").await.unwrap().unwrap().open(&place.keys).is_ok());
}
