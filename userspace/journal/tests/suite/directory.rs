//! On a real file system.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    time::Duration,
};

use crate::common::*;
use sekisho_journal::{
    Access, Appended, Directory, Disk as _, Journal, OpenError, Options, Position, ReadError, Reader, Start,
};

fn files(path: &Path) -> Vec<String> {
    let mut names = Directory::new(path).list().unwrap();
    names.retain(|name| name != "lock");
    names.sort_unstable();
    names
}

fn numbers(path: &Path) -> Vec<u32> {
    drain(&mut Reader::new(Directory::new(path), Start::After(Position::START))).numbers()
}

#[test]
fn what_was_committed_is_there_after_a_kill_and_known() {
    let at = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(Directory::new(at.path()), &small(), NOW);
    write(&mut journal, [ended(1), waiting(2)]);
    append(&mut journal, &ended(3));
    // Nothing is written by dropping it.
    drop(journal);
    assert_eq!(numbers(at.path()), [1, 2]);
    let (mut journal, found) = open(Directory::new(at.path()), &small(), NOW);
    assert_eq!((found.records, found.waiting, found.torn_octets), (2, 1, 0));
    assert!(matches!(append(&mut journal, &waiting(2)), Appended::Known(_)));
    assert!(matches!(append(&mut journal, &ended(3)), Appended::New(_)));
    journal.close().unwrap();
    assert_eq!(numbers(at.path()), [1, 2, 3]);
}

#[test]
fn segments_are_given_their_room_and_give_it_back() {
    let at = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(Directory::new(at.path()), &Options { reserve: 0, ..Options::default() }, NOW);
    write(&mut journal, [ended(1)]);
    let name = at.path().join(&files(at.path())[0]);
    let found = fs::metadata(&name).unwrap();
    assert_eq!(found.len(), 64 << 20);
    // Where the file system can: this is how a full disk shows early.
    assert!(found.blocks() * 512 >= 64 << 20 || found.blocks() * 512 < 1 << 20);
    let octets = journal.usage().octets;
    journal.close().unwrap();
    let closed = fs::metadata(&name).unwrap().len();
    assert!(closed > octets && closed < octets + 100);
}

#[test]
fn segments_rotate_and_are_removed() {
    let at = tempfile::tempdir().unwrap();
    let options = Options { retention: Duration::from_secs(50), ..small() };
    let (mut journal, _) = open(Directory::new(at.path()), &options, NOW);
    for number in 0..100 {
        write(&mut journal, [Note::new(number, ended(0).kind, NOW + u64::from(number) * SECOND, 1000)]);
    }
    assert!(files(at.path()).len() > 7);
    assert_eq!(numbers(at.path()).len(), 100);
    assert!(journal.maintain(NOW + 100 * SECOND).unwrap() > 2);
    let kept = numbers(at.path());
    assert!(kept[0] <= 50 && kept.len() < 70);
    assert_eq!(kept, (kept[0]..100).collect::<Vec<_>>());
}

#[test]
fn there_is_one_writer_and_any_number_of_readers() {
    let at = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(Directory::new(at.path()), &small(), NOW);
    let error = Journal::open(Directory::new(at.path()), small(), NOW).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
    assert!(error.to_string().contains(at.path().to_str().unwrap()), "{error}");
    write(&mut journal, [ended(1)]);
    assert_eq!(numbers(at.path()), [1]);
    drop(journal);
    open(Directory::new(at.path()), &small(), NOW);
}

#[test]
fn only_its_owner_may_read_it() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("state/journal");
    let (mut journal, _) = open(Directory::new(&path), &small(), NOW);
    write(&mut journal, [ended(1)]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o700, 0o700));
    for name in Directory::new(&path).list().unwrap() {
        assert_eq!(mode(&path.join(name)), 0o600);
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let at = tempfile::tempdir().unwrap();
    for name in ["README", "1.journal", "00000000000000000001.journal.gz"] {
        fs::write(at.path().join(name), "mine").unwrap();
    }
    let (mut journal, found) = open(Directory::new(at.path()), &small(), NOW);
    assert_eq!(found.segments, 0);
    write(&mut journal, [ended(1)]);
    assert_eq!(numbers(at.path()), [1]);
    assert_eq!(fs::read_to_string(at.path().join("README")).unwrap(), "mine");
}

#[test]
fn a_directory_that_is_none_is_told() {
    let at = tempfile::tempdir().unwrap();
    let file = at.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Journal::open(Directory::new(&file), small(), NOW).unwrap_err();
    assert!(error.to_string().contains("file could not be locked"), "{error}");
    let missing = Reader::new(Directory::new(at.path().join("none")), Start::Received(0)).read().map(drop).unwrap_err();
    assert!(matches!(missing, ReadError::Failed(_)) && missing.to_string().contains("none could not be listed"));
}

#[test]
fn a_file_that_was_opened_to_be_read_cannot_be_written() {
    use sekisho_journal::DiskFile as _;
    let at = tempfile::tempdir().unwrap();
    let disk = Directory::new(at.path());
    disk.create("a").unwrap().write_at(b"octets", 0).unwrap();
    assert!(disk.create("a").is_err());
    let file = disk.open("a", Access::Read).unwrap();
    assert_eq!(file.size().unwrap(), 6);
    assert!(file.write_at(b"others", 0).is_err());
    assert!(disk.free().unwrap() > 0);
}
