//! When a segment ends, and how long it is kept.

use std::time::Duration;

use crate::common::*;
use sekisho_journal::{
    AppendError, Options, Position,
    sim::{Operation, SimDisk},
};

const HOUR: u64 = 3600 * SECOND;

fn at(number: u32, seconds: u64) -> Note {
    Note { received: NOW + seconds * SECOND, ..ended(number) }
}

#[test]
fn a_full_segment_is_followed_by_another_and_no_longer_than_its_records() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    (0..60).for_each(|number| _ = write(&mut journal, [Note::new(number, ended(0).kind, NOW, 1000)]));
    let sizes: Vec<_> = disk.names().iter().map(|name| disk.contents(name).len()).collect();
    let (last, full) = sizes.split_last().unwrap();
    assert!(full.len() > 3);
    assert!(full.iter().all(|size| *size > 16 << 10 && *size < 28 << 10), "{sizes:?}");
    assert_eq!(*last, 28 << 10);
    assert_eq!(read(&disk).numbers(), (0..60).collect::<Vec<_>>());
}

#[test]
fn a_batch_is_not_larger_than_it_may_be() {
    let (mut journal, _) = open(SimDisk::new(2), &small(), NOW);
    let mut count = 0;
    let error = loop {
        let note = Note::new(count, ended(0).kind, NOW, 100);
        match journal.append(NOW, note.identity(), &note.record()) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, AppendError::BatchFull) && count > 2);
    journal.commit().unwrap();
    append(&mut journal, &Note::new(count, ended(0).kind, NOW, 4096));
}

#[test]
fn an_old_segment_ends_and_one_without_records_does_not() {
    let disk = SimDisk::new(3);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    journal.maintain(NOW).unwrap();
    journal.maintain(NOW + 5 * HOUR).unwrap();
    assert_eq!(disk.names().len(), 1);
    let records = 5 * 3600;
    write(&mut journal, [at(1, records)]);
    journal.maintain(NOW + 5 * HOUR + HOUR - 1).unwrap();
    assert_eq!(disk.names().len(), 1);
    journal.maintain(NOW + 6 * HOUR).unwrap();
    assert_eq!(disk.names().len(), 2, "it can be shipped, and a segment is ready");
    write(&mut journal, [at(2, records + 3601)]);
    write(&mut journal, [at(3, records + 7300)]);
    assert_eq!(disk.names().len(), 3, "also without anybody's maintaining it");
}

#[test]
fn restarts_leave_no_empty_segments_behind() {
    let disk = SimDisk::new(4);
    for round in 0..10 {
        let (mut journal, _) = open(disk.clone(), &small(), NOW);
        journal.maintain(NOW).unwrap();
        if round == 5 {
            write(&mut journal, [ended(1)]);
        }
    }
    assert!(disk.names().len() <= 2, "{:?}", disk.names());
    assert_eq!(read(&disk).numbers(), [1]);
}

#[test]
fn positions_rise_over_every_restart() {
    let disk = SimDisk::new(5);
    let mut last = Position::START;
    for number in 0..10 {
        let (mut journal, _) = open(disk.clone(), &small(), NOW);
        // These are never durable, but a reader may have seen them.
        let positions: Vec<_> =
            (0..5).map(|more| append(&mut journal, &ended(number * 10 + more)).position()).collect();
        assert!(positions[0] > last);
        last = positions[4];
        drop(journal);
        disk.crash();
    }
}

#[test]
fn what_is_too_old_goes_and_what_waits_stays() {
    let disk = SimDisk::new(6);
    let options = Options { retention: Duration::from_secs(1000), rotate_after: Duration::from_secs(10), ..small() };
    let (mut journal, _) = open(disk.clone(), &options, NOW);
    // Each in a segment of its own.
    let first = write(&mut journal, [Note { kind: waiting(1).kind, ..at(1, 100) }])[0];
    let second = write(&mut journal, [Note { kind: waiting(2).kind, ..at(2, 200) }])[0];
    assert!(journal.done(NOW + 300 * SECOND, second).unwrap());
    write(&mut journal, [at(3, 300)]);
    write(&mut journal, [at(4, 400)]);
    write(&mut journal, [at(5, 500)]);
    assert_eq!((read(&disk).numbers(), disk.names().len()), (vec![1, 2, 3, 4, 5], 5));

    // The first waits, and while its segment is there, the mark of the second has to be.
    let now = NOW + 1550 * SECOND;
    assert_eq!(journal.maintain(now).unwrap(), 1);
    assert_eq!(read(&disk).numbers(), [1, 2, 3, 5]);
    drop(journal);
    let (mut journal, _) = open(disk.clone(), &options, now);
    assert_eq!(pending(&journal).positions, [first]);

    assert!(journal.done(now, first).unwrap());
    journal.commit().unwrap();
    assert_eq!(journal.maintain(now).unwrap(), 3);
    assert_eq!(read(&disk).numbers(), [5]);
}

#[test]
fn marks_outlive_the_segments_of_their_records() {
    let disk = SimDisk::new(7);
    let options = Options { retention: Duration::from_secs(1000), rotate_after: Duration::from_secs(10), ..small() };
    let (mut journal, _) = open(disk.clone(), &options, NOW);
    let positions = write(&mut journal, [waiting(1), waiting(2)]);
    journal.maintain(NOW + 20 * SECOND).unwrap();
    // A record of its own segment is delivered; the other one is stuck, and keeps the segment for good.
    assert!(journal.done(NOW + 20 * SECOND, positions[0]).unwrap());
    journal.commit().unwrap();
    for round in 2..6 {
        journal.maintain(NOW + round * 2000 * SECOND).unwrap();
        write(&mut journal, [Note { received: NOW + round * 2000 * SECOND, ..ended(100 + round as u32) }]);
    }
    drop(journal);
    let (journal, _) = open(disk, &options, NOW + 20_000 * SECOND);
    assert_eq!(pending(&journal).numbers(), [2]);
}

#[test]
fn a_crash_brings_no_record_back_without_its_mark() {
    let options = Options { retention: Duration::from_secs(1000), rotate_after: Duration::from_secs(10), ..small() };
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let (mut journal, _) = open(disk.clone(), &options, NOW);
        let positions = write(&mut journal, [waiting(1), waiting(2)]);
        // A mark in a segment that goes, and one in a segment that was begun before.
        assert!(journal.done(NOW + 100 * SECOND, positions[1]).unwrap());
        journal.commit().unwrap();
        write(&mut journal, [at(3, 2000)]);
        assert!(journal.done(NOW + 2000 * SECOND, positions[0]).unwrap());
        journal.commit().unwrap();
        // A segment is ready before, so that nothing syncs the directory after what is removed.
        write(&mut journal, [at(4, 3100)]);
        assert_eq!(journal.maintain(NOW + 3100 * SECOND).unwrap(), 2);
        drop(journal);
        disk.crash();
        assert_eq!(pending(&open(disk, &options, NOW).0).numbers(), []);
    }
}

#[test]
fn what_makes_the_octets_before_it_void_is_not_removed_before_they_are() {
    let disk = SimDisk::new(9);
    let options = Options { retention: Duration::from_secs(1000), rotate_after: Duration::from_secs(10), ..small() };
    let (mut journal, _) = open(disk.clone(), &options, NOW);
    write(&mut journal, [waiting(1)]);
    append(&mut journal, &ended(2));
    disk.fail(Operation::Sync, 0);
    disk.fail(Operation::Truncate, 0);
    journal.commit().unwrap_err();
    write(&mut journal, [at(2, 1)]);
    write(&mut journal, [at(3, 2000)]);

    disk.fail(Operation::Truncate, 0);
    assert_eq!(journal.maintain(NOW + 3100 * SECOND).unwrap(), 0);
    assert_eq!(read(&disk).numbers(), [1, 2, 3]);
    assert_eq!(journal.maintain(NOW + 3100 * SECOND).unwrap(), 1);
    assert_eq!(read(&disk).numbers(), [1, 3]);
}

#[test]
fn the_oldest_go_when_all_together_are_too_large() {
    let disk = SimDisk::new(8);
    let options = Options { max_octets: 50_000, ..small() };
    let (mut journal, _) = open(disk.clone(), &options, NOW);
    for number in 0..200 {
        write(&mut journal, [Note::new(number, ended(0).kind, NOW, 1000)]);
        journal.maintain(NOW).unwrap();
    }
    let numbers = read(&disk).numbers();
    assert!(journal.usage().octets <= 50_000);
    assert_eq!(numbers, (numbers[0]..200).collect::<Vec<_>>());
    assert!(numbers.len() > 15);
}
