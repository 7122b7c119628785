//! A full disk: nothing is taken, nothing is lost, and when there is room again the journal finds out by itself.

use crate::common::*;
use sekisho_journal::{AppendError, Appended, Options, sim::SimDisk};

fn at(number: u32, milliseconds: u64) -> Note {
    Note { received: NOW + milliseconds * 1_000_000, ..ended(number) }
}

#[test]
fn a_disk_without_room_for_a_segment_says_so_before_anything_is_written() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    disk.set_free(small().segment + small().reserve - 1);
    let note = at(1, 0);
    let error = journal.append(note.received, note.identity(), &note.record()).unwrap_err();
    assert!(matches!(&error, AppendError::Full(full) if full.short.is_some()), "{error}");
    assert!(error.to_string().contains("/sim") && error.to_string().contains("make room"), "{error}");
    assert_eq!(disk.names(), Vec::<String>::new());

    disk.set_free(small().segment + small().reserve);
    assert!(journal.append(note.received + 99_999_999, note.identity(), &note.record()).is_err(), "not yet looked for");
    write(&mut journal, [at(1, 100)]);
    assert_eq!(read(&disk).numbers(), [1]);
}

#[test]
fn the_reserve_is_left_to_others_while_a_segment_is_written() {
    let disk = SimDisk::new(2);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    write(&mut journal, [at(1, 0)]);
    disk.set_free(small().reserve - 1);
    write(&mut journal, [at(2, 500)]);
    let note = at(3, 1000);
    let refused = journal.append(note.received, note.identity(), &note.record());
    assert!(matches!(refused, Err(AppendError::Full(_))), "a second later it is seen");
    // What is known may be acknowledged all the same.
    assert!(matches!(append(&mut journal, &at(1, 1000)), Appended::Known(_)));
    disk.set_free(small().reserve);
    write(&mut journal, [at(3, 1100)]);
    assert_eq!((disk.names().len(), read(&disk).numbers()), (1, vec![1, 2, 3]));
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_write_leaves_nothing_behind() {
    // Without a reserve, on a file system that cannot give a file its room beforehand, so that the write itself fails.
    let disk = SimDisk::new(3);
    let options = Options { reserve: 0, segment: 20 << 10, ..small() };
    let (mut journal, _) = open(disk.clone(), &options, NOW);
    disk.refuse_to_allocate();
    write(&mut journal, [at(1, 0)]);
    disk.set_free(20);
    append(&mut journal, &at(2, 10));
    let error = journal.commit().unwrap_err();
    assert!(matches!(error, sekisho_journal::CommitError::Full(_)), "{error}");
    assert_eq!(read(&disk).numbers(), [1]);
    for round in 1..50 {
        let note = at(2, round * 50);
        assert!(journal.append(note.received, note.identity(), &note.record()).is_err());
        journal.commit().unwrap();
    }
    assert_eq!(disk.names().len(), 1);
    disk.set_free(1 << 20);
    write(&mut journal, [at(2, 5000)]);
    assert_eq!(read(&disk).numbers(), [1, 2]);
}
