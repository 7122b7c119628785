//! A clock that lies: retention goes by what is known, and removes nothing that has just been acknowledged.

use std::time::Duration;

use crate::common::*;
use sekisho_journal::{Journal, Options, sim::SimDisk};

const DAY: u64 = 24 * 3600 * SECOND;

/// Thirty-one days, and a segment ends after ten seconds.
fn options() -> Options {
    Options { retention: Options::default().retention, rotate_after: Duration::from_secs(10), ..small() }
}

/// A record a minute, each in a segment of its own, the first at `from`.
fn fill(journal: &mut Journal<SimDisk>, numbers: std::ops::Range<u32>, from: u64) {
    for (minute, number) in (0..).zip(numbers) {
        write(journal, [Note { received: from + minute * 60 * SECOND, ..ended(number) }]);
    }
}

/// Time passes as a program tells it. Returns how many segments were removed.
fn pass(journal: &mut Journal<SimDisk>, from: u64, days: u64) -> usize {
    (0..days * 48).map(|half_hour| journal.maintain(from + half_hour * 1800 * SECOND).unwrap()).sum()
}

#[test]
fn a_clock_that_was_set_back_and_corrected_removes_nothing() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(disk.clone(), &options(), NOW - 60 * DAY);
    fill(&mut journal, 1..5, NOW - 60 * DAY);
    assert_eq!(journal.maintain(NOW).unwrap(), 0);
    fill(&mut journal, 5..6, NOW);
    assert_eq!(journal.maintain(NOW).unwrap(), 0);
    assert_eq!(read(&disk).numbers(), [1, 2, 3, 4, 5]);
    // They go in the end, as all others.
    assert_eq!(pass(&mut journal, NOW, 30), 0);
    assert!(pass(&mut journal, NOW + 30 * DAY, 3) >= 4);
    assert!(read(&disk).numbers().len() <= 1);
}

#[test]
fn nor_does_it_after_a_restart_while_older_records_tell_the_time() {
    let disk = SimDisk::new(2);
    let (mut journal, _) = open(disk.clone(), &options(), NOW);
    fill(&mut journal, 1..3, NOW);
    fill(&mut journal, 3..6, NOW - 60 * DAY);
    drop(journal);
    let (mut journal, _) = open(disk.clone(), &options(), NOW + DAY);
    fill(&mut journal, 6..7, NOW + DAY);
    assert_eq!(journal.maintain(NOW + DAY).unwrap(), 0);
    assert_eq!(read(&disk).numbers(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn what_was_recorded_before_a_segment_began_is_no_older_than_that() {
    let disk = SimDisk::new(3);
    let (mut journal, _) = open(disk.clone(), &options(), NOW - 60 * DAY);
    fill(&mut journal, 1..2, NOW - 60 * DAY);
    drop(journal);
    let (mut journal, _) = open(disk.clone(), &options(), NOW);
    assert_eq!(journal.maintain(NOW).unwrap(), 0);
    fill(&mut journal, 2..3, NOW);
    drop(journal);
    let (mut journal, _) = open(disk.clone(), &options(), NOW + DAY);
    assert_eq!(journal.maintain(NOW + DAY).unwrap(), 0);
    assert_eq!(read(&disk).numbers(), [1, 2]);
}

#[test]
fn a_clock_that_was_ahead_keeps_nothing_but_what_was_recorded_then() {
    let disk = SimDisk::new(4);
    let (mut journal, _) = open(disk.clone(), &options(), NOW + 400 * DAY);
    fill(&mut journal, 1..2, NOW + 400 * DAY);
    fill(&mut journal, 2..5, NOW);
    assert!(pass(&mut journal, NOW, 35) >= 2);
    let kept = read(&disk).numbers();
    assert!(kept.contains(&1) && !kept.contains(&2) && !kept.contains(&3), "{kept:?}");
}

#[test]
fn old_segments_of_an_earlier_process_go_at_once() {
    let disk = SimDisk::new(5);
    let (mut journal, _) = open(disk.clone(), &options(), NOW);
    fill(&mut journal, 1..5, NOW);
    drop(journal);
    let (mut journal, _) = open(disk.clone(), &options(), NOW + 40 * DAY);
    assert_eq!(journal.maintain(NOW + 40 * DAY).unwrap(), 3);
    assert_eq!(read(&disk).numbers(), [4]);
}
