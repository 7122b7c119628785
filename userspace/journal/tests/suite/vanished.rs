//! The files are taken away beside the writer: nothing is acknowledged that has gone with them.

use std::{fs, path::Path};

use crate::common::*;
use sekisho_journal::{
    AppendError, Appended, CommitError, Directory, Disk, Journal, OpenError, Options, Position, Reader, Start,
    sim::{Operation, SimDisk},
};

fn numbers(path: &Path) -> Vec<u32> {
    drain(&mut Reader::new(Directory::new(path), Start::After(Position::START))).numbers()
}

fn segment(path: &Path) -> std::path::PathBuf {
    let mut names = Directory::new(path).list().unwrap();
    names.retain(|name| name != "lock");
    path.join(names.iter().max().unwrap())
}

/// A batch is not durable, nor is anything after it, and the error says why.
fn is_refused<D: Disk>(journal: &mut Journal<D>) -> CommitError {
    let durable = journal.durable();
    append(journal, &ended(2));
    let error = journal.commit().unwrap_err();
    assert!(matches!(error, CommitError::Vanished(_)) && error.must_reopen(), "{error}");
    is_over(journal);
    assert_eq!(journal.durable(), durable);
    error
}

/// Also what is known is acknowledged no more: its record may be what was removed.
fn is_over<D: Disk>(journal: &mut Journal<D>) {
    for note in [ended(1), ended(3)] {
        let error = journal.append(note.received, note.identity(), &note.record()).unwrap_err();
        assert!(matches!(error, AppendError::Vanished(_)) && error.must_reopen(), "{error}");
    }
    assert!(journal.done(NOW, Position::START).unwrap_err().must_reopen());
    assert!(journal.maintain(NOW + SECOND).unwrap_err().must_reopen());
    assert!(journal.commit().unwrap_err().must_reopen());
}

/// What is not acknowledged comes again, and is recorded in the journal that is opened then.
fn goes_on(path: &Path) {
    let (mut journal, _) = open(Directory::new(path), &small(), NOW);
    append(&mut journal, &ended(2));
    journal.commit().unwrap();
    assert!(numbers(path).contains(&2));
    let error = Journal::open(Directory::new(path), small(), NOW).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
}

/// Does this to a directory with a journal that is being written.
fn beside_a_writer(meddle: impl FnOnce(&Path)) {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("journal");
    let (mut journal, _) = open(Directory::new(&path), &small(), NOW);
    write(&mut journal, [ended(1)]);
    meddle(&path);
    let error = is_refused(&mut journal);
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    drop(journal);
    goes_on(&path);
}

#[test]
fn a_directory_that_was_removed_takes_nothing() {
    beside_a_writer(|path| fs::remove_dir_all(path).unwrap());
}

#[test]
fn a_directory_that_was_removed_and_made_again_takes_nothing() {
    beside_a_writer(|path| {
        fs::remove_dir_all(path).unwrap();
        fs::create_dir(path).unwrap();
    });
}

#[test]
fn a_directory_that_was_moved_takes_nothing() {
    beside_a_writer(|path| fs::rename(path, path.with_extension("old")).unwrap());
}

#[test]
fn a_segment_that_was_removed_takes_nothing() {
    beside_a_writer(|path| fs::remove_file(segment(path)).unwrap());
}

#[test]
fn a_segment_that_was_moved_takes_nothing() {
    beside_a_writer(|path| fs::rename(segment(path), path.with_extension("away")).unwrap());
}

#[test]
fn a_segment_that_was_replaced_by_a_copy_takes_nothing() {
    beside_a_writer(|path| {
        let (file, copy) = (segment(path), path.join("copy"));
        fs::copy(&file, &copy).unwrap();
        fs::rename(copy, file).unwrap();
    });
}

#[test]
fn a_lock_that_was_removed_keeps_no_second_writer_out_and_so_ends_the_first() {
    beside_a_writer(|path| fs::remove_file(path.join("lock")).unwrap());
}

#[test]
fn a_directory_that_was_moved_and_is_still_led_to_goes_on() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("journal");
    let (mut journal, _) = open(Directory::new(&path), &small(), NOW);
    write(&mut journal, [ended(1)]);
    let moved = at.path().join("moved");
    fs::rename(&path, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &path).unwrap();
    write(&mut journal, [ended(2)]);
    assert_eq!(numbers(&path), [1, 2]);
}

#[test]
fn a_journal_without_a_record_to_write_notices_too() {
    for maintained in [true, false] {
        let at = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(Directory::new(at.path()), &small(), NOW);
        write(&mut journal, [ended(1)]);
        fs::remove_file(segment(at.path())).unwrap();
        if maintained {
            assert!(journal.maintain(NOW + SECOND).unwrap_err().must_reopen());
        } else {
            assert!(matches!(append(&mut journal, &ended(1)), Appended::Known(_)));
            assert!(journal.commit().unwrap_err().must_reopen());
        }
        is_over(&mut journal);
        assert!(journal.close().unwrap_err().must_reopen());
    }
}

#[test]
fn no_segment_is_made_where_another_writer_may_be() {
    let at = tempfile::tempdir().unwrap();
    let (mut first, _) = open(Directory::new(at.path()), &small(), NOW);
    fs::remove_file(at.path().join("lock")).unwrap();
    let (mut second, _) = open(Directory::new(at.path()), &small(), NOW);
    write(&mut second, [ended(1)]);
    let note = ended(2);
    let error = first.append(NOW, note.identity(), &note.record()).unwrap_err();
    assert!(error.must_reopen(), "{error}");
    is_over(&mut first);
    drop(first);
    write(&mut second, [ended(3)]);
    assert_eq!(numbers(at.path()), [1, 3]);
}

#[test]
fn a_simulated_disk_can_be_taken_away_too() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    write(&mut journal, [ended(1)]);
    disk.take_away();
    is_refused(&mut journal);
    // The old one is still there, and has nothing of the new one.
    let (mut again, found) = open(disk.clone(), &small(), NOW);
    assert_eq!(found.segments, 0);
    write(&mut again, [ended(2)]);
    drop(journal);
    assert!(Journal::open(disk.clone(), small(), NOW).is_err());
    assert_eq!(read(&disk).numbers(), [2]);

    disk.remove(&last(&disk)).unwrap();
    append(&mut again, &ended(3));
    assert!(again.commit().unwrap_err().must_reopen());
}

#[test]
fn what_only_fails_goes_on_by_itself() {
    let disk = SimDisk::new(2);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    write(&mut journal, [ended(1)]);
    for operation in [Operation::Sync, Operation::Write, Operation::Look] {
        append(&mut journal, &ended(2));
        disk.fail(operation, 0);
        let error = journal.commit().unwrap_err();
        assert!(matches!(error, CommitError::Failed(_)) && !error.must_reopen(), "{error}");
        let later = Options::default().remember.as_secs() * SECOND;
        assert!(journal.maintain(NOW + later).is_ok());
    }
    // With no batch, nothing is lost by it.
    write(&mut journal, [Note { received: NOW + 1000 * SECOND, ..ended(2) }]);
    disk.fail(Operation::Look, 0);
    journal.commit().unwrap_err();
    assert!(matches!(append(&mut journal, &Note { received: NOW + 1000 * SECOND, ..ended(2) }), Appended::Known(_)));
    journal.commit().unwrap();
    assert_eq!(read(&disk).numbers(), [1, 2]);
}
