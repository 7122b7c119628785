//! A node's mirror of the registry: read back as it was written, or refused in words.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

use crate::common::{Place, account, now, operator_document, put, remove};
use sekisho_registry::{
    AccountRow, Change, DumpError, Mirror, Snapshot, StoredSecret, account::Account, account::Secret, keys::KeyRing,
};

over_both!(a_mirror_holds_what_the_registry_held);

async fn a_mirror_holds_what_the_registry_held(place: Place) {
    let registry = place.open().await;
    registry.record(0, operator_document("secret = \"former\"")).await.unwrap();
    registry.record(1, operator_document("secret = \"in force\"")).await.unwrap();
    let hashed = Account { secret: Secret::Argon2id("$argon2id$…".into()), ..account("bob") };
    registry.record(2, put([account("alice"), hashed, account("carol")])).await.unwrap();
    registry.record(3, Change { accounts: vec![remove("carol")], ..Change::default() }).await.unwrap();

    let snapshot = registry.snapshot(&[2]).await.unwrap();
    assert_eq!((snapshot.revision, snapshot.registry.as_str()), (4, registry.id()));
    assert_eq!((snapshot.history.len(), snapshot.documents.len(), snapshot.accounts.len()), (3, 1, 2));
    assert!(registry.snapshot(&[3]).await.is_err());

    let file = place.file("mirror");
    Mirror::write(&file, &snapshot).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains("in force") && !text.contains("secret of"));

    // The database is gone, and the node was started anew.
    registry.close().await;
    let read = Mirror::read(&file, &place.keys).unwrap().unwrap();
    assert_eq!(read, snapshot);
    assert_eq!(read.documents[0].open(&place.keys).unwrap().as_str(), "secret = \"in force\"");
    assert_eq!(read.accounts[0].open(&place.keys).unwrap(), account("alice"));
}

fn snapshot(keys: &KeyRing, accounts: usize) -> Snapshot {
    let row = |number| {
        let Account { contract, realm, user, enabled, expires, simultaneous, calling, reply, note, .. } =
            account(&format!("user{number:06}"));
        let sealed = keys.seal(&format!("account/{contract}/{realm}/{user}"), b"a password").unwrap();
        let secret = StoredSecret::Recoverable(sealed);
        AccountRow { contract, realm, user, revision: 1, secret, enabled, expires, simultaneous, calling, reply, note }
    };
    Snapshot {
        registry: "5f0c".into(),
        revision: 1,
        taken: now(),
        history: vec![],
        documents: vec![],
        accounts: (0..accounts).map(row).collect(),
    }
}

#[test]
fn there_may_be_no_mirror_yet() {
    let keys = KeyRing::generate().unwrap();
    assert!(Mirror::read(Path::new("/nowhere/mirror"), &keys).unwrap().is_none());
    let error = Mirror::write(Path::new("/nowhere/mirror"), &snapshot(&keys, 1)).unwrap_err();
    assert!(error.to_string().contains("see that the directory is there"), "{error}");
}

#[test]
fn a_new_mirror_takes_the_place_of_the_old_and_leaves_nothing_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mirror");
    let keys = KeyRing::generate().unwrap();
    for accounts in [3, 1, 2] {
        Mirror::write(&file, &snapshot(&keys, accounts)).unwrap();
        assert_eq!(Mirror::read(&file, &keys).unwrap().unwrap().accounts.len(), accounts);
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_mirror_that_is_cut_anywhere_is_refused_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mirror");
    let keys = KeyRing::generate().unwrap();
    Mirror::write(&file, &snapshot(&keys, 3)).unwrap();
    let whole = fs::read(&file).unwrap();
    for length in 8..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let lines = whole[..length].iter().filter(|octet| **octet == b'\n').count() as u64;
        match Mirror::read(&file, &keys) {
            Err(DumpError::Truncated { line, .. }) => assert_eq!(line, lines + 1),
            other => panic!("{length}: {other:?}"),
        }
    }
}

#[test]
fn a_mirror_in_which_any_octet_was_altered_is_refused_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mirror");
    let keys = KeyRing::generate().unwrap();
    Mirror::write(&file, &snapshot(&keys, 2)).unwrap();
    let whole = fs::read(&file).unwrap();
    for position in 0..whole.len() {
        let mut altered = whole.clone();
        altered[position] ^= 1;
        fs::write(&file, &altered).unwrap();
        let line = whole[..position].iter().filter(|octet| **octet == b'\n').count() as u64 + 1;
        match Mirror::read(&file, &keys).unwrap_err() {
            DumpError::Altered { line: said, .. } => assert_eq!(said, line, "octet {position}"),
            // Its head, or the end of its last line.
            DumpError::OtherForm { .. } | DumpError::Newer { .. } => assert_eq!(line, 1, "octet {position}"),
            DumpError::Truncated { .. } => assert_eq!(position, whole.len() - 1),
            other => panic!("octet {position}: {other}"),
        }
    }
}

#[test]
fn lines_that_were_left_out_doubled_or_put_elsewhere_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mirror");
    let keys = KeyRing::generate().unwrap();
    Mirror::write(&file, &snapshot(&keys, 3)).unwrap();
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for (order, line) in
        [(vec![0, 2, 3, 4], 2), (vec![0, 1, 1, 2, 3, 4], 3), (vec![0, 2, 1, 3, 4], 2), (vec![0, 1, 2, 3, 4, 4], 6)]
    {
        fs::write(&file, order.iter().map(|at| lines[*at]).collect::<String>()).unwrap();
        let error = Mirror::read(&file, &keys).unwrap_err();
        assert!(error.to_string().contains(&format!("mirror:{line}: ")), "{error}");
    }
}

#[test]
fn a_mirror_of_other_keys_or_of_another_form_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mirror");
    let keys = KeyRing::generate().unwrap();
    Mirror::write(&file, &snapshot(&keys, 1)).unwrap();
    let error = Mirror::read(&file, &KeyRing::generate().unwrap()).unwrap_err();
    assert!(matches!(error, DumpError::Sealed { line: 2, .. }), "{error}");

    fs::write(&file, "[operator]\n").unwrap();
    assert!(matches!(Mirror::read(&file, &keys), Err(DumpError::OtherForm { .. })));
    fs::write(&file, "").unwrap();
    assert!(matches!(Mirror::read(&file, &keys), Err(DumpError::OtherForm { .. })));
    fs::write(&file, "{\"sum\":\"0000000000000000\",\"head\":{\"form\":\"something new\",\"version\":2}}\n").unwrap();
    assert!(matches!(Mirror::read(&file, &keys), Err(DumpError::Newer { version: 2, .. })));
}

#[test]
fn a_mirror_of_a_hundred_thousand_accounts_is_written_and_read_quickly() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("mirror");
    let keys = KeyRing::generate().unwrap();
    let snapshot = snapshot(&keys, 100_000);
    let started = Instant::now();
    Mirror::write(&file, &snapshot).unwrap();
    let written = started.elapsed();
    let started = Instant::now();
    let read = Mirror::read(&file, &keys).unwrap().unwrap();
    let took = started.elapsed();
    assert_eq!(read.accounts.len(), 100_000);
    let octets = fs::metadata(&file).unwrap().len();
    println!("100,000 accounts: {octets} octets, written in {written:.2?}, read in {took:.2?}");
    assert!(written < Duration::from_secs(20) && took < Duration::from_secs(20), "{written:?}, {took:?}");
}
