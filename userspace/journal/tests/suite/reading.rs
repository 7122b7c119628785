//! Reading beside the writer.

use std::time::Duration;

use crate::common::*;
use sekisho_journal::{Options, Position, Reader, Start, sim::SimDisk};

/// Sixty records, a second apart, in several segments.
fn many(disk: &SimDisk) -> Vec<Position> {
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    let notes = (0..60).map(|number| Note::new(number, ended(0).kind, NOW + u64::from(number) * SECOND, 900));
    notes.flat_map(|note| write(&mut journal, [note])).collect()
}

#[test]
fn a_reader_begins_after_any_position() {
    let disk = SimDisk::new(1);
    let positions = many(&disk);
    for (at, position) in positions.iter().enumerate() {
        let numbers = read_from(&disk, Start::After(*position)).numbers();
        assert_eq!(numbers, (at as u32 + 1..60).collect::<Vec<_>>());
    }
    assert_eq!(read_from(&disk, Start::After(Position(u64::MAX))).numbers(), []);
}

#[test]
fn a_reader_begins_at_any_time() {
    let disk = SimDisk::new(2);
    many(&disk);
    for second in 0..62 {
        let numbers = read_from(&disk, Start::Received(NOW + second * SECOND)).numbers();
        assert_eq!(numbers, (second as u32..60).collect::<Vec<_>>());
    }
}

#[test]
fn a_reader_follows_a_writer_over_segments_restarts_and_removals() {
    let disk = SimDisk::new(3);
    let mut reader = Reader::new(disk.clone(), Start::After(Position::START));
    assert_eq!(drain(&mut reader).numbers(), []);
    let mut expected = 0;
    for _ in 0..5 {
        let (mut journal, _) = open(disk.clone(), &small(), NOW);
        assert_eq!(drain(&mut reader).numbers(), []);
        for _ in 0..17 {
            write(&mut journal, [Note::new(expected, ended(0).kind, NOW, 1500)]);
            assert_eq!(drain(&mut reader).numbers(), [expected]);
            expected += 1;
        }
        while journal.maintain(NOW + 10_000 * SECOND).unwrap() > 0 {}
    }
}

#[test]
fn what_was_written_last_is_read_though_the_next_segment_has_gone() {
    let disk = SimDisk::new(6);
    let options = Options { retention: Duration::from_secs(1000), rotate_after: Duration::from_secs(100), ..small() };
    let at = |seconds: u64, note: Note| Note { received: NOW + seconds * SECOND, ..note };
    let (mut journal, _) = open(disk.clone(), &options, NOW);
    write(&mut journal, [at(0, waiting(1))]);
    let mut reader = Reader::new(disk.clone(), Start::After(Position::START));
    assert_eq!(drain(&mut reader).numbers(), [1]);
    // What waits keeps the first segment; the second, which says where that one ends, is removed.
    write(&mut journal, [at(1, ended(2))]);
    write(&mut journal, [at(200, ended(3))]);
    write(&mut journal, [at(2000, ended(4))]);
    assert_eq!(journal.maintain(NOW + 3100 * SECOND).unwrap(), 1);
    let all = drain(&mut reader);
    assert_eq!((all.numbers(), all.damaged), (vec![2, 4], vec![]));
}

#[test]
fn a_write_in_progress_is_no_record_and_no_damage() {
    let disk = SimDisk::new(4);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    write(&mut journal, [ended(1)]);
    let before = disk.contents(&last(&disk));
    write(&mut journal, [ended(2)]);
    let after = disk.contents(&last(&disk));
    let (start, end) = (before.iter().rposition(|octet| *octet != 0).unwrap() + 1, journal.usage().octets as usize);
    for written in start..end {
        let mut file = before.clone();
        file[..written].copy_from_slice(&after[..written]);
        disk.put(&last(&disk), &file);
        let mut reader = Reader::new(disk.clone(), Start::After(Position::START));
        let all = drain(&mut reader);
        assert_eq!((all.numbers(), all.damaged), (vec![1], vec![]));
        assert!(reader.tail() <= (written - start) as u64);
    }
}

#[test]
fn a_reader_takes_no_lock_and_changes_nothing() {
    let disk = SimDisk::new(5);
    many(&disk);
    let before: Vec<_> = disk.names().iter().map(|name| disk.contents(name)).collect();
    let (journal, _) = open(disk.clone(), &small(), NOW);
    let opened: Vec<_> = disk.names().iter().map(|name| disk.contents(name)).collect();
    assert_eq!(read(&disk).numbers().len(), 60);
    let after: Vec<_> = disk.names().iter().map(|name| disk.contents(name)).collect();
    assert_eq!((before.len(), opened), (after.len(), after));
    drop(journal);
}
