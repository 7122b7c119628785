//! Hosted accounts: put, changed and removed, counted, followed.

use std::time::{Duration, Instant};

use crate::common::{CONTRACT, Place, REALM, account, put, remove};
use sekisho_registry::{
    AccountChange, AccountEdit, AccountSet, Change, Page, RegistryError, StoredSecret,
    account::{Account, Secret},
};

over_both!(
    an_account_is_read_back_as_it_was_put,
    a_secret_that_is_moved_to_another_account_does_not_open,
    what_is_set_changes_and_the_rest_stays,
    edits_are_done_in_their_order,
    an_account_of_another_contract_is_never_touched,
    a_removed_account_leaves_nothing_but_its_name,
    a_follower_hears_of_what_happened_after_its_revision,
    a_contract_never_has_more_accounts_than_it_states,
    two_writers_do_not_exceed_a_limit_together,
    a_contracts_accounts_are_listed_in_pages,
    a_hundred_thousand_accounts_are_imported_in_seconds,
);

async fn an_account_is_read_back_as_it_was_put(place: Place) {
    let registry = place.open().await;
    let hashed = Account {
        secret: Secret::Argon2id("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA".into()),
        enabled: false,
        expires: None,
        simultaneous: None,
        calling: vec![],
        reply: vec![],
        note: String::new(),
        ..account("bob/…'; DROP TABLE account")
    };
    registry.record(0, put([account("alice"), hashed.clone()])).await.unwrap();
    for put in [account("alice"), hashed] {
        let row = registry.account(REALM, &put.user).await.unwrap().unwrap();
        assert_eq!(row.open(&place.keys).unwrap(), put);
        assert_eq!(row.revision, 1);
    }
    let StoredSecret::Recoverable(sealed) = registry.account(REALM, "alice").await.unwrap().unwrap().secret else {
        panic!()
    };
    assert!(!sealed.windows(6).any(|octets| octets == b"secret"));
    assert_eq!(registry.account(REALM, "Alice").await.unwrap(), None);
    assert_eq!(registry.account("other.example", "alice").await.unwrap(), None);
}

async fn a_secret_that_is_moved_to_another_account_does_not_open(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([account("alice"), account("mallory")])).await.unwrap();
    let trick = "UPDATE account SET secret = (SELECT secret FROM account WHERE user_name = 'alice') WHERE user_name = 'mallory'";
    place.say(trick).await.unwrap();
    let row = registry.account(REALM, "mallory").await.unwrap().unwrap();
    assert!(row.secret(&place.keys).is_err());
}

async fn what_is_set_changes_and_the_rest_stays(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([account("alice")])).await.unwrap();
    let set = |set| {
        let edit = AccountEdit::Set {
            contract: CONTRACT.into(),
            realm: REALM.into(),
            user: "alice".into(),
            set: Box::new(set),
        };
        Change { accounts: vec![edit], ..Change::default() }
    };
    registry
        .record(1, set(AccountSet { enabled: Some(false), expires: Some(None), ..AccountSet::default() }))
        .await
        .unwrap();
    let expected = Account { enabled: false, expires: None, ..account("alice") };
    let row = registry.account(REALM, "alice").await.unwrap().unwrap();
    assert_eq!((row.open(&place.keys).unwrap(), row.revision), (expected.clone(), 2));

    let secret = Secret::Recoverable(b"another".to_vec().into());
    registry.record(1, set(AccountSet { secret: Some(secret.clone()), ..AccountSet::default() })).await.unwrap();
    let row = registry.account(REALM, "alice").await.unwrap().unwrap();
    assert_eq!(row.open(&place.keys).unwrap(), Account { secret, ..expected });
}

async fn edits_are_done_in_their_order(place: Place) {
    let registry = place.open().await;
    let note = |note: &str| Account { note: note.into(), ..account("alice") };
    let set = AccountSet { note: Some("set".into()), ..AccountSet::default() };
    let accounts = vec![
        AccountEdit::Put(note("first")),
        AccountEdit::Put(account("bob")),
        remove("alice"),
        AccountEdit::Put(note("second")),
        AccountEdit::Put(note("third")),
        remove("bob"),
        AccountEdit::Set { contract: CONTRACT.into(), realm: REALM.into(), user: "alice".into(), set: Box::new(set) },
    ];
    registry.record(0, Change { accounts, ..Change::default() }).await.unwrap();
    assert_eq!(registry.account(REALM, "alice").await.unwrap().unwrap().note, "set");
    assert_eq!(registry.account(REALM, "bob").await.unwrap(), None);
    let twice = Change { accounts: vec![remove("alice"), remove("alice")], ..Change::default() };
    assert!(matches!(registry.record(0, twice).await, Err(RegistryError::NoAccount { edit: 2, .. })));
}

async fn an_account_of_another_contract_is_never_touched(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([account("alice")])).await.unwrap();
    let before = registry.account(REALM, "alice").await.unwrap();
    let (contract, realm, user) = ("other-group".to_owned(), REALM.to_owned(), "alice".to_owned());
    let theirs = Account { contract: contract.clone(), ..account("alice") };
    let many = (0..1500).map(|number| account(&number.to_string())).chain([theirs.clone()]);
    for (place, edits) in [
        (1, vec![AccountEdit::Put(theirs)]),
        (1501, many.map(AccountEdit::Put).collect()),
        (1, vec![AccountEdit::Remove { contract: contract.clone(), realm: realm.clone(), user: user.clone() }]),
        (1, vec![AccountEdit::Set { contract, realm, user, set: Box::default() }]),
    ] {
        let error = registry.record(1, Change { accounts: edits, ..Change::default() }).await.unwrap_err();
        assert!(matches!(&error, RegistryError::OtherContract { edit, .. } if *edit == place), "{error}");
        // It may be logged: whose account it is, it does not say.
        assert!(!error.to_string().contains("alice"));
    }
    assert_eq!(registry.account(REALM, "alice").await.unwrap(), before);
    assert_eq!(registry.count_accounts(CONTRACT).await.unwrap(), 1);
}

async fn a_removed_account_leaves_nothing_but_its_name(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([account("alice")])).await.unwrap();
    registry.record(1, Change { accounts: vec![remove("alice")], ..Change::default() }).await.unwrap();
    assert_eq!(registry.count_accounts(CONTRACT).await.unwrap(), 0);
    let left = "DELETE FROM account WHERE contract = '' AND length(secret) = 0 AND calling = '[]' AND reply = '[]' AND note = ''";
    place.say(left).await.unwrap();
    assert_eq!(registry.accounts(0).await.unwrap().0, []);

    // Another contract may have the name then.
    registry.record(1, put([account("bob")])).await.unwrap();
    registry.record(2, Change { accounts: vec![remove("bob")], ..Change::default() }).await.unwrap();
    registry.record(2, put([Account { contract: "other-group".into(), ..account("bob") }])).await.unwrap();
    assert_eq!(registry.account(REALM, "bob").await.unwrap().unwrap().contract, "other-group");
}

async fn a_follower_hears_of_what_happened_after_its_revision(place: Place) {
    let registry = place.open().await;
    registry.record(0, put([account("alice"), account("bob"), account("carol")])).await.unwrap();
    let (all, reached) = registry.accounts(0).await.unwrap();
    assert_eq!((all.len(), reached), (3, 1));
    assert_eq!(registry.accounts(1).await.unwrap(), (vec![], 1));

    let accounts = vec![remove("bob"), AccountEdit::Put(Account { note: "new".into(), ..account("carol") })];
    registry.record(1, Change { accounts, ..Change::default() }).await.unwrap();
    let (changes, reached) = registry.accounts(1).await.unwrap();
    assert_eq!(reached, 2);
    assert_eq!(changes[0], AccountChange::Gone { realm: REALM.into(), user: "bob".into(), revision: 2 });
    assert!(matches!(&changes[1], AccountChange::Changed(row) if row.user == "carol" && row.note == "new"));
    assert_eq!(changes.len(), 2);
    // It has seen more than there is: the registry was put back meanwhile.
    assert!(matches!(registry.accounts(3).await, Err(RegistryError::Rewound { seen: 3, revision: 2, .. })));
}

async fn a_contract_never_has_more_accounts_than_it_states(place: Place) {
    let registry = place.open().await;
    let limited = |limit, accounts: Vec<AccountEdit>| Change {
        accounts,
        account_limits: [(CONTRACT.to_owned(), limit)].into(),
        ..Change::default()
    };
    let three = ["alice", "bob", "carol"].map(|user| AccountEdit::Put(account(user))).to_vec();
    let error = registry.record(0, limited(2, three.clone())).await.unwrap_err();
    assert!(matches!(error, RegistryError::TooMany { accounts: 3, limit: 2, .. }), "{error}");
    assert_eq!(registry.count_accounts(CONTRACT).await.unwrap(), 0);
    registry.record(0, limited(3, three)).await.unwrap();
    // One goes and one comes: what counts is what there is after the change.
    registry.record(0, limited(3, vec![AccountEdit::Put(account("dave")), remove("alice")])).await.unwrap();
    assert_eq!(registry.count_accounts(CONTRACT).await.unwrap(), 3);
}

async fn two_writers_do_not_exceed_a_limit_together(place: Place) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let registry = place.open().await;
        writers.spawn(async move {
            let mut put = 0;
            for number in 0..5 {
                let account = AccountEdit::Put(account(&format!("{writer}-{number}")));
                let change = Change {
                    accounts: vec![account],
                    account_limits: [(CONTRACT.to_owned(), 7)].into(),
                    ..Change::default()
                };
                match registry.record(0, change).await {
                    Ok(_) => put += 1,
                    Err(RegistryError::TooMany { accounts: 8, limit: 7, .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            put
        });
    }
    assert_eq!(writers.join_all().await.into_iter().sum::<u64>(), 7);
    assert_eq!(place.open().await.count_accounts(CONTRACT).await.unwrap(), 7);
}

async fn a_contracts_accounts_are_listed_in_pages(place: Place) {
    let registry = place.open().await;
    // Their order is that of their octets, whatever language the database speaks.
    let users = ["B", "a", "b", "あ", "é"];
    let other = Account { contract: "other-group".into(), ..account("aa") };
    registry.record(0, put(users.map(account).into_iter().chain([other]))).await.unwrap();
    let mut page = Page { after: None, size: 2 };
    let mut listed = Vec::new();
    loop {
        let accounts = registry.accounts_of(CONTRACT, &page).await.unwrap();
        let Some(last) = accounts.last() else { break };
        page.after = Some((last.realm.clone(), last.user.clone()));
        listed.extend(accounts.into_iter().map(|account| account.user));
    }
    assert_eq!(listed, ["B", "a", "b", "é", "あ"]);
}

async fn a_hundred_thousand_accounts_are_imported_in_seconds(place: Place) {
    const ACCOUNTS: usize = 100_000;
    let registry = place.open().await;
    let mut change = put((0..ACCOUNTS).map(|number| account(&format!("user{number:06}"))));
    change.account_limits.insert(CONTRACT.into(), ACCOUNTS as u32);
    let started = Instant::now();
    registry.record(0, change).await.unwrap();
    let imported = started.elapsed();

    let started = Instant::now();
    let (accounts, _) = registry.accounts(0).await.unwrap();
    let read = started.elapsed();
    assert_eq!(accounts.len(), ACCOUNTS);
    assert!(accounts.is_sorted_by_key(|change| match change {
        AccountChange::Changed(row) => row.user.clone(),
        AccountChange::Gone { .. } => panic!("nothing was removed"),
    }));

    let started = Instant::now();
    let accounts = (0..ACCOUNTS).map(|number| remove(&format!("user{number:06}"))).collect();
    registry.record(1, Change { accounts, ..Change::default() }).await.unwrap();
    let removed = started.elapsed();
    assert_eq!(registry.count_accounts(CONTRACT).await.unwrap(), 0);
    println!("{ACCOUNTS} accounts: imported in {imported:.2?}, read in {read:.2?}, removed in {removed:.2?}");
    // What it takes alone is far less; other tests run beside it, on a small machine.
    assert!(imported < Duration::from_secs(60) && read < Duration::from_secs(20), "{imported:?}, {read:?}");
}
