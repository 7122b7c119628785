//! A NAS that has no response asks again: the record is written once, whatever happened in between.

use std::time::Duration;

use crate::common::*;
use sekisho_journal::{Appended, Options, sim::SimDisk};

#[test]
fn a_record_is_known_before_and_after_it_is_durable() {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    let new = append(&mut journal, &ended(1));
    assert_eq!(append(&mut journal, &ended(1)), Appended::Known(new.position()));
    assert!(journal.durable() < new.position());
    journal.commit().unwrap();
    assert_eq!(append(&mut journal, &ended(1)), Appended::Known(new.position()));
    assert!(journal.durable() >= new.position());
    assert_eq!(read(&disk).numbers(), [1]);
}

#[test]
fn a_crash_at_any_point_and_a_repeated_request_leave_one_record() {
    for seed in 0..200 {
        for (point, must_be_known) in [("appended", false), ("written", false), ("durable", true)] {
            let disk = SimDisk::new(seed);
            let (mut journal, _) = open(disk.clone(), &small(), NOW);
            write(&mut journal, [ended(1)]);
            append(&mut journal, &waiting(2));
            match point {
                "appended" => {}
                "written" => {
                    // The write has gone to the kernel when the machine stops: nothing after it is done.
                    disk.fail(sekisho_journal::sim::Operation::Sync, 0);
                    disk.fail(sekisho_journal::sim::Operation::Truncate, 0);
                    journal.commit().unwrap_err();
                }
                _ => _ = journal.commit().unwrap(),
            }
            drop(journal);
            disk.crash();

            let (mut journal, _) = open(disk.clone(), &small(), NOW + SECOND);
            let appended = append(&mut journal, &waiting(2));
            let is_known = matches!(appended, Appended::Known(_));
            assert!(is_known || !must_be_known, "{point}");
            assert!(!is_known || point != "appended");
            assert!(!is_known || appended.position() <= journal.durable());
            journal.commit().unwrap();
            drop(journal);
            disk.crash();
            assert_eq!(read(&disk).numbers(), [1, 2], "{point}");
            assert_eq!(pending(&open(disk, &small(), NOW).0).numbers(), [2], "{point}");
        }
    }
}

#[test]
fn records_are_remembered_for_their_time_over_a_restart_too() {
    let options = Options { remember: Duration::from_secs(60), ..small() };
    let disk = SimDisk::new(2);
    let (mut journal, _) = open(disk.clone(), &options, NOW);
    for number in 0..50 {
        write(&mut journal, [Note::new(number, ended(0).kind, NOW + u64::from(number) * 2 * SECOND, 900)]);
    }
    assert!(disk.names().len() > 3);
    let now = NOW + 100 * SECOND;
    let is_known = |journal: &mut sekisho_journal::Journal<SimDisk>, number| {
        let note = Note { received: now, ..ended(number) };
        matches!(append(journal, &note), Appended::Known(_))
    };
    assert!(is_known(&mut journal, 20));
    drop(journal);
    let (mut journal, found) = open(disk, &options, now);
    assert_eq!(found.remembered, 30);
    assert!(is_known(&mut journal, 20) && is_known(&mut journal, 49) && !is_known(&mut journal, 19));
}

#[test]
fn no_more_are_remembered_than_may_be() {
    let options = Options { remember_records: 10, ..small() };
    let (mut journal, _) = open(SimDisk::new(3), &options, NOW);
    write(&mut journal, (0..11).map(ended));
    assert_eq!(journal.usage().remembered, 10);
    assert!(matches!(append(&mut journal, &ended(10)), Appended::Known(_)));
    assert!(matches!(append(&mut journal, &ended(0)), Appended::New(_)));
}
