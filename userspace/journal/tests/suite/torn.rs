//! A crash leaves any part of the last write, and anything in place of the rest.

use crate::common::*;
use sekisho_journal::{Appended, sim::SimDisk};

/// A journal whose last batch has three frames: the file, where each frame ends (the batch before has two), and the file's name.
fn torn() -> (Vec<u8>, [usize; 4], String) {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    write(&mut journal, [ended(1), ended(2)]);
    let start = journal.usage().octets as usize;
    write(&mut journal, [ended(3), waiting(4), ended(5)]);
    let end = journal.usage().octets as usize;
    let frame = (end - start) / 3;
    (disk.contents(&last(&disk)), [start, start + frame, start + 2 * frame, end], last(&disk))
}

/// What is found of it, after which the journal takes the rest again.
fn recovers(name: &str, file: &[u8], expected: &[u32], what: &str) -> u64 {
    let disk = SimDisk::new(2);
    disk.put(name, file);
    let (mut journal, found) = open(disk.clone(), &small(), NOW);
    assert_eq!(read(&disk).numbers(), expected, "{what}");
    assert_eq!((found.damaged.as_slice(), found.damaged_octets), (&[][..], 0), "{what}");
    assert_eq!(found.records, expected.len() as u64, "{what}");
    for number in 1..=5 {
        let note = if number == 4 { waiting(4) } else { ended(number) };
        let known = matches!(append(&mut journal, &note), Appended::Known(_));
        assert_eq!(known, expected.contains(&number), "{what}: {number}");
    }
    journal.commit().unwrap();
    let mut numbers = read(&disk).numbers();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5], "{what}");
    found.torn_octets
}

#[test]
fn a_write_that_was_torn_at_any_octet_leaves_the_whole_frames_before_it() {
    let (file, [start, first, second, end], name) = torn();
    for cut in start..=end {
        let whole = 2 + usize::from(cut >= first) + usize::from(cut >= second) + usize::from(cut >= end);
        let expected = &[1, 2, 3, 4, 5][..whole];
        let at = [start, first, second, end][whole - 2];

        // The file ends there, or goes on with zeros, or with what the disk had there before.
        let mut zeros = file.clone();
        zeros[cut..].fill(0);
        for file in [&file[..cut], &zeros] {
            let torn = recovers(&name, file, expected, &format!("cut at {cut} of {}", file.len()));
            assert!(torn <= (cut - at) as u64 && (cut == at || torn > 0));
        }
        let mut garbage = file.clone();
        garbage[cut..].iter_mut().enumerate().for_each(|(at, octet)| *octet = !(at as u8).wrapping_mul(37) | 1);
        if cut < end {
            assert_eq!(recovers(&name, &garbage, expected, &format!("garbage from {cut}")), (file.len() - at) as u64);
        }
    }
}

#[test]
fn frames_of_the_last_batch_behind_one_that_is_missing_are_cut_off() {
    let (file, [start, first, second, end], name) = torn();
    for (from, to, expected) in [(start, first, &[1, 2][..]), (first, second, &[1, 2, 3])] {
        let mut holed = file.clone();
        holed[from..to].fill(0);
        assert_eq!(recovers(&name, &holed, expected, "a hole"), (end - from) as u64);
    }
}

#[test]
fn a_segment_that_was_being_made_is_none() {
    let (file, ..) = torn();
    let name = "00000000000000000077.journal";
    for size in [0, 1, 100, 4096, 8191, 8192, 24 << 10] {
        let disk = SimDisk::new(3);
        let mut blank = vec![0; size];
        blank.iter_mut().zip(&file).take(60).for_each(|(octet, other)| *octet = *other);
        disk.put(name, &blank);
        let (mut journal, found) = open(disk.clone(), &small(), NOW);
        assert_eq!((found.segments, found.damaged_octets, disk.names()), (0, 0, vec![]), "{size} octets");
        assert!(write(&mut journal, [ended(1)])[0].0 > 77, "its name may come back");
    }
}

#[test]
fn a_segment_whose_header_was_half_written_is_mended() {
    let disk = SimDisk::new(4);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    journal.maintain(NOW).unwrap();
    drop(journal);
    let mut file = disk.contents(&last(&disk));
    file[4096..].fill(0);
    disk.put(&last(&disk), &file);
    assert_eq!(read(&disk).damaged, []);
    let (_, found) = open(disk.clone(), &small(), NOW);
    assert_eq!(found.damaged, []);
    let mended = disk.contents(&last(&disk));
    assert_eq!(mended[..4096], mended[4096..]);
}

#[test]
fn what_was_read_after_a_failed_sync_is_durable_after_the_start() {
    // The kernel says that it has written what it has not: only writing it again helps.
    for seed in 0..64 {
        let disk = SimDisk::new(seed);
        let (mut journal, _) = open(disk.clone(), &small(), NOW);
        write(&mut journal, [ended(1)]);
        append(&mut journal, &ended(2));
        disk.fail(sekisho_journal::sim::Operation::Sync, 0);
        disk.fail(sekisho_journal::sim::Operation::Truncate, 0);
        journal.commit().unwrap_err();
        drop(journal);
        let (mut journal, _) = open(disk.clone(), &small(), NOW);
        assert!(matches!(append(&mut journal, &ended(2)), Appended::Known(_)));
        journal.commit().unwrap();
        drop(journal);
        disk.crash();
        assert_eq!(read(&disk).numbers(), [1, 2]);
    }
}
