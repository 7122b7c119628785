//! A disk that fails: nothing is acknowledged that is not durable, and the journal goes on.

use crate::common::*;
use sekisho_journal::{
    AppendError, Appended, CommitError, Journal, OpenError,
    sim::{Operation, SimDisk},
};

#[test]
fn a_failed_sync_is_never_repeated_and_its_batch_is_not_known() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    let [first] = write(&mut journal, [ended(1)])[..] else { panic!() };
    let lost = append(&mut journal, &ended(2)).position();
    disk.fail(Operation::Sync, 0);
    assert!(matches!(journal.commit(), Err(CommitError::Failed(failure)) if failure.action == "made durable"));
    assert_eq!(journal.durable(), first);

    // Nothing is in the batch any more, so there is nothing to be made durable.
    assert_eq!(journal.commit().unwrap(), first);
    let again = Note { received: NOW + SECOND, ..ended(2) };
    assert!(matches!(append(&mut journal, &again), Appended::New(position) if position > lost));
    journal.commit().unwrap();
    assert_eq!(disk.names().len(), 2);
    assert_eq!(read(&disk).numbers(), [1, 2]);
    disk.crash();
    assert_eq!(read(&disk).numbers(), [1, 2]);
}

#[test]
fn what_a_failed_write_has_left_is_void_even_where_it_cannot_be_cut_off() {
    for operation in [Operation::Write, Operation::Sync] {
        let disk = SimDisk::new(2);
        let (mut journal, _) = open(disk.clone(), &small(), NOW);
        write(&mut journal, [ended(1)]);
        append(&mut journal, &ended(2));
        disk.fail(operation, 0);
        disk.fail(Operation::Truncate, 0);
        journal.commit().unwrap_err();
        write(&mut journal, [Note { received: NOW + SECOND, ..ended(2) }]);
        assert_eq!(read(&disk).numbers(), [1, 2]);
        drop(journal);
        open(disk.clone(), &small(), NOW);
        assert_eq!(read(&disk).numbers(), [1, 2]);
    }
}

#[test]
fn after_a_failure_the_disk_is_left_alone_for_a_tenth_of_a_second() {
    let disk = SimDisk::new(3);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    disk.fail(Operation::Create, 0);
    let at = |milliseconds: u64| Note { received: NOW + milliseconds * 1_000_000, ..ended(1) };
    let mut try_at = |milliseconds| {
        let note = at(milliseconds);
        journal.append(note.received, note.identity(), &note.record()).map(drop)
    };
    assert!(matches!(try_at(0), Err(AppendError::Failed(_))));
    assert!(matches!(try_at(99), Err(AppendError::Failed(_))));
    try_at(100).unwrap();
}

#[test]
fn a_mark_that_is_lost_makes_the_record_wait_again() {
    let disk = SimDisk::new(4);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    let positions = write(&mut journal, [waiting(1), waiting(2)]);
    assert!(journal.done(NOW, positions[0]).unwrap());
    assert_eq!(pending(&journal).numbers(), [2]);
    disk.fail(Operation::Sync, 0);
    journal.commit().unwrap_err();
    assert_eq!(pending(&journal).numbers(), [1, 2]);
}

#[test]
fn every_failure_of_the_start_says_what_and_leaves_the_journal_as_it_was() {
    let make = || {
        let disk = SimDisk::new(5);
        let (mut journal, _) = open(disk.clone(), &small(), NOW);
        write(&mut journal, [ended(1), waiting(2)]);
        append(&mut journal, &ended(3));
        drop(journal);
        disk
    };
    for operation in [Operation::Write, Operation::Truncate, Operation::Sync, Operation::SyncDirectory] {
        let disk = make();
        disk.fail(operation, 0);
        let Err(OpenError::Failed(failure)) = Journal::open(disk.clone(), small(), NOW) else {
            panic!("{operation:?}")
        };
        assert!(failure.to_string().starts_with("/sim"), "{failure}");
        open(disk.clone(), &small(), NOW);
        assert_eq!(read(&disk).numbers(), [1, 2]);
    }
    // A block of the last segment that cannot be read is no reason to cut it off.
    let disk = make();
    disk.fail(Operation::Read, 2);
    assert!(Journal::open(disk.clone(), small(), NOW).is_err());
    assert_eq!(read(&disk).numbers(), [1, 2]);
}

#[test]
fn a_journal_of_a_later_version_is_left_alone() {
    let disk = SimDisk::new(6);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    write(&mut journal, [ended(1)]);
    journal.close().unwrap();
    let name = last(&disk);
    let mut file = disk.contents(&name);
    for block in file[..HEADER].chunks_mut(4096) {
        block[8] = 2;
        let mut sum = crc32fast::Hasher::new();
        sum.update(&block[..12]);
        sum.update(&block[16..]);
        block[12..16].copy_from_slice(&sum.finalize().to_le_bytes());
    }
    disk.put(&name, &file);
    let error = Journal::open(disk.clone(), small(), NOW).unwrap_err();
    assert!(matches!(error, OpenError::Newer { version: 2, .. }), "{error}");
    assert_eq!(disk.contents(&name), file);
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    for options in [
        sekisho_journal::Options { batch: 5000, ..small() },
        sekisho_journal::Options { segment: 10_000, ..small() },
        sekisho_journal::Options { segment: 2 << 30, ..small() },
    ] {
        assert!(matches!(Journal::open(SimDisk::new(7), options, NOW), Err(OpenError::Option { .. })));
    }
}
