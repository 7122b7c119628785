//! Records that wait for a home server, until somebody says that it has them.

use crate::common::*;
use sekisho_journal::{AppendError, Item, Options, Position, sim::SimDisk};

#[test]
fn what_waits_is_given_oldest_first_once_it_is_durable() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    let positions = write(&mut journal, [waiting(1), ended(2), waiting(3)]);
    append(&mut journal, &waiting(4));
    assert_eq!(pending(&journal).numbers(), [1, 3]);
    let mut rest = journal.pending(positions[0]);
    assert!(matches!(rest.read(), Ok(Some(Item::Record(entry))) if note(&entry) == waiting(3)));
    assert_eq!(rest.position(), positions[2]);
    assert_eq!(rest.read().unwrap(), None);
    assert_eq!(journal.usage().waiting, 3);
}

#[test]
fn a_mark_counts_once_and_for_good() {
    let disk = SimDisk::new(2);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    let positions = write(&mut journal, [waiting(1), ended(2), waiting(3)]);
    assert!(journal.done(NOW, positions[0]).unwrap());
    assert!(!journal.done(NOW, positions[0]).unwrap());
    assert!(!journal.done(NOW, positions[1]).unwrap(), "it does not wait");
    assert!(!journal.done(NOW, Position(9999)).unwrap());
    journal.commit().unwrap();
    assert!(!journal.done(NOW, positions[0]).unwrap());
    let octets = journal.usage().octets;
    journal.commit().unwrap();
    assert_eq!(journal.usage().octets, octets);
    drop(journal);
    let (journal, found) = open(disk.clone(), &small(), NOW);
    assert_eq!((found.waiting, pending(&journal).numbers()), (1, vec![3]));
    assert_eq!(read(&disk).numbers(), [1, 2, 3], "marks are no records");
}

#[test]
fn what_waits_in_any_segment_is_found_at_the_start_and_the_rest_is_not_read() {
    let disk = SimDisk::new(3);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    for number in 0..200 {
        let kind = if number == 70 || number == 150 { waiting(0).kind } else { ended(0).kind };
        write(&mut journal, [Note::new(number, kind, NOW, 1000)]);
    }
    drop(journal);
    let (journal, found) = open(disk.clone(), &small(), NOW + 3600 * SECOND);
    assert_eq!(pending(&journal).numbers(), [70, 150]);
    assert!(found.records < 60, "{} of 200 read", found.records);
    assert_eq!(found.remembered, 0);
}

#[test]
fn no_more_may_wait_than_there_is_room_for() {
    let options = Options { waiting_records: 2, ..small() };
    let (mut journal, _) = open(SimDisk::new(4), &options, NOW);
    let positions = write(&mut journal, [waiting(1), waiting(2), ended(3)]);
    let note = waiting(4);
    let refused = journal.append(NOW, note.identity(), &note.record());
    assert!(matches!(refused, Err(AppendError::TooManyWaiting { records: 2 })));
    journal.done(NOW, positions[0]).unwrap();
    journal.commit().unwrap();
    append(&mut journal, &note);
}
