//! The history and its documents: recorded whole, numbered without gaps, never altered.

use crate::common::{Place, accounts_entry, entry, now, operator_document, put};
use jiff::civil::date;
use sekisho_registry::{Change, NewEntry, Recorded, Registry, RegistryError};
use sekisho_regulation::event::Event;

over_both!(
    what_was_recorded_is_read_back_by_another_process,
    a_document_is_opened_by_its_entry_and_by_no_other,
    a_change_is_recorded_whole_or_not_at_all,
    a_rehearsal_says_what_recording_would_and_leaves_nothing,
    who_decided_by_an_old_history_is_told_so,
    concurrent_writers_number_without_gaps,
    nobody_alters_the_history,
    a_change_with_nothing_in_it_is_no_revision,
    what_one_database_could_not_give_back_is_refused_by_both,
    a_writer_that_is_dropped_in_the_middle_has_changed_nothing,
);

async fn what_was_recorded_is_read_back_by_another_process(place: Place) {
    let registry = place.open().await;
    assert_eq!(registry.revision().await.unwrap(), 0);
    let accepted = Event::Accepted { contract: "c1".into(), on: date(2026, 11, 27), test_from: None };
    let change = Change { entries: vec![entry(accepted.clone()), accounts_entry("none")], ..Change::default() };
    assert_eq!(registry.record(0, change).await.unwrap(), Recorded { last: 2, revision: 1 });
    registry.close().await;

    let registry = place.open().await;
    let history = registry.history(0).await.unwrap();
    assert_eq!(history.iter().map(|entry| entry.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(history[0].event, accepted);
    assert_eq!((history[0].at, history[0].why.as_str()), (now(), "“申込” by telephone"));
    assert_eq!(registry.history(1).await.unwrap(), history[1..]);
    assert_eq!(registry.history(2).await.unwrap(), []);
}

async fn a_document_is_opened_by_its_entry_and_by_no_other(place: Place) {
    let registry = place.open().await;
    registry.record(0, operator_document("secret = \"operator\"")).await.unwrap();
    let mut change = operator_document("secret = \"acme\"");
    change.documents[0].1 = Some("acme".into());
    registry.record(1, change).await.unwrap();
    assert_eq!(**registry.document(1).await.unwrap(), *"secret = \"operator\"");
    assert_eq!(**registry.document(2).await.unwrap(), *"secret = \"acme\"");
    assert!(matches!(registry.document(3).await, Err(RegistryError::NoDocument { number: 3, .. })));
    assert_eq!(registry.documents(&[2, 1]).await.unwrap()[0].customer.as_deref(), Some("acme"));

    // Somebody who can write to the database moves a secret where he may read it.
    let trick = "UPDATE document SET sealed = (SELECT sealed FROM document WHERE number = 2) WHERE number = 1";
    place.say(trick).await.unwrap();
    let error = registry.document(1).await.unwrap_err();
    assert!(matches!(error, RegistryError::Sealed { .. }), "{error}");
    assert!(!error.to_string().contains("operator\""));
}

async fn a_change_is_recorded_whole_or_not_at_all(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([crate::common::account("alice")])).await.unwrap();
    let mut change = put([crate::common::account("bob")]);
    change.documents = vec![(0, None, "text".to_owned().into())];
    change.accounts.push(crate::common::remove("nobody"));
    let error = registry.record(1, change).await.unwrap_err();
    assert!(matches!(error, RegistryError::NoAccount { edit: 2, .. }), "{error}");
    assert_eq!(registry.history(0).await.unwrap().len(), 1);
    assert!(registry.document(2).await.is_err());
    assert_eq!(registry.account(crate::common::REALM, "bob").await.unwrap(), None);
    assert_eq!(registry.revision().await.unwrap(), 1);
}

async fn a_rehearsal_says_what_recording_would_and_leaves_nothing(place: Place) {
    let registry = place.open().await;
    let two = || put(["alice", "bob"].map(crate::common::account));
    let limited = |limit| Change { account_limits: [(crate::common::CONTRACT.to_owned(), limit)].into(), ..two() };
    registry.rehearse(0, limited(2)).await.unwrap();
    let error = registry.rehearse(0, limited(1)).await.unwrap_err();
    assert!(matches!(error, RegistryError::TooMany { accounts: 2, limit: 1, .. }), "{error}");
    let error = registry.rehearse(3, two()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Moved { seen: 3, last: 0 }), "{error}");
    assert_eq!(registry.revision().await.unwrap(), 0);
    assert_eq!(registry.count_accounts(crate::common::CONTRACT).await.unwrap(), 0);
    assert_eq!(registry.history(0).await.unwrap(), []);
    // And what was rehearsed is recorded all the same.
    registry.record(0, limited(2)).await.unwrap();
    assert_eq!(registry.count_accounts(crate::common::CONTRACT).await.unwrap(), 2);
}

async fn who_decided_by_an_old_history_is_told_so(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([])).await.unwrap();
    let error = registry.record(0, put([])).await.unwrap_err();
    assert!(matches!(error, RegistryError::Moved { seen: 0, last: 1 }), "{error}");
    let error = registry.record(7, put([])).await.unwrap_err();
    assert!(matches!(error, RegistryError::Moved { seen: 7, last: 1 }), "{error}");
}

async fn concurrent_writers_number_without_gaps(place: Place) {
    const WRITERS: u64 = 4;
    const EACH: u64 = 10;
    // Each has the registry opened for itself, as another process would.
    let writer = async |name: u64, registry: Registry| {
        let (mut recorded, mut moved) = (0, 0);
        while recorded < EACH {
            let seen = registry.history(0).await.unwrap().len() as u64;
            let event = Event::Accounts { contract: format!("c{name}"), what: format!("{recorded}") };
            let entries = vec![NewEntry { at: now(), who: format!("writer {name}"), why: String::new(), event }];
            match registry.record(seen, Change { entries, ..Change::default() }).await {
                Ok(done) => {
                    assert_eq!(done.last, seen + 1);
                    recorded += 1;
                }
                Err(RegistryError::Moved { .. }) => moved += 1,
                Err(error) => panic!("{error}"),
            }
        }
        moved
    };
    let (a, b, c, d) = (place.open().await, place.open().await, place.open().await, place.open().await);
    let moved = tokio::join!(
        tokio::spawn(writer(0, a)),
        tokio::spawn(writer(1, b)),
        tokio::spawn(writer(2, c)),
        tokio::spawn(writer(3, d))
    );
    let moved = moved.0.unwrap() + moved.1.unwrap() + moved.2.unwrap() + moved.3.unwrap();
    assert!(moved > 0, "nobody met anybody");
    let registry = place.open().await;
    let numbers: Vec<u64> = registry.history(0).await.unwrap().iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, (1..=WRITERS * EACH).collect::<Vec<_>>());
    assert_eq!(registry.revision().await.unwrap(), WRITERS * EACH);
}

async fn nobody_alters_the_history(place: Place) {
    let registry = place.open().await;
    registry.record(0, operator_document("text")).await.unwrap();
    for sql in [
        "UPDATE history SET who = 'nobody'",
        "UPDATE history SET number = 7",
        "DELETE FROM history",
        "INSERT INTO history (number, at, who, why, event) VALUES (3, '', '', '', '')",
        "INSERT INTO history (number, at, who, why, event) VALUES (1, '', '', '', '')",
        "UPDATE document SET customer = 'acme'",
        "DELETE FROM document",
    ] {
        assert!(place.say(sql).await.is_err(), "{sql}");
    }
    if place.server.is_some() {
        for sql in ["TRUNCATE history CASCADE", "TRUNCATE document"] {
            assert!(place.say(sql).await.is_err(), "{sql}");
        }
    }
    assert_eq!(registry.history(0).await.unwrap().len(), 1);
    assert_eq!(registry.document(1).await.unwrap().as_str(), "text");
}

async fn a_change_with_nothing_in_it_is_no_revision(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([])).await.unwrap();
    assert_eq!(registry.record(1, Change::default()).await.unwrap(), Recorded { last: 1, revision: 1 });
    assert!(matches!(registry.record(0, Change::default()).await, Err(RegistryError::Moved { .. })));
    assert_eq!(registry.revision().await.unwrap(), 1);
}

async fn what_one_database_could_not_give_back_is_refused_by_both(place: Place) {
    let registry = place.open().await;
    let mut change = put([]);
    change.entries[0].why = "nul\0".into();
    assert!(matches!(registry.record(0, change).await, Err(RegistryError::Unfit { .. })));
    for (contract, realm, user) in
        [("a/b", "r", "u"), ("a", "r/s", "u"), ("a", "r", ""), ("a", "r", "u\n"), ("", "r", "u")]
    {
        let mut account = crate::common::account(user);
        (account.contract, account.realm) = (contract.into(), realm.into());
        let error = registry.record(0, put([account])).await.unwrap_err();
        assert!(matches!(error, RegistryError::Unfit { .. }), "{error}");
    }
    let mut change = operator_document("text");
    change.documents[0].0 = 1;
    assert!(matches!(registry.record(0, change).await, Err(RegistryError::Unfit { .. })));
    assert_eq!(registry.revision().await.unwrap(), 0);
}

async fn a_writer_that_is_dropped_in_the_middle_has_changed_nothing(place: Place) {
    let registry = place.open().await;
    for delay in 0..40 {
        let change = put((0..200).map(|number| crate::common::account(&format!("user {number}"))));
        let cut = tokio::time::timeout(std::time::Duration::from_millis(delay), registry.record(0, change)).await;
        if cut.is_ok() {
            break;
        }
        let snapshot = registry.snapshot(&[]).await.unwrap();
        let (accounts, history) = (snapshot.accounts.len(), snapshot.history.len());
        // It may have been cut after its commit, and is recorded whole then.
        assert!(
            (accounts, history) == (0, 0) || (accounts, history) == (200, 1),
            "{accounts} accounts, {history} entries"
        );
        if history == 1 {
            break;
        }
    }
    // And it holds up nobody.
    let seen = registry.history(0).await.unwrap().len() as u64;
    registry.record(seen, put([crate::common::account("alice")])).await.unwrap();
}
