//! What was durable and cannot be read any more is told, and costs nothing but itself.

use crate::common::*;
use sekisho_journal::{Journal, Position, Reader, Record, Start, sim::SimDisk};

/// A journal of three batches that was closed.
fn closed() -> (Vec<u8>, String) {
    let disk = SimDisk::new(1);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    write(&mut journal, [ended(1), waiting(2)]);
    write(&mut journal, [ended(3)]);
    write(&mut journal, [ended(4), ended(5)]);
    journal.close().unwrap();
    (disk.contents(&last(&disk)), last(&disk))
}

#[test]
fn one_bit_anywhere_loses_one_record_at_most_and_is_told() {
    let (file, name) = closed();
    let mark = file.len() - HEAD;
    for at in 0..file.len() {
        let mut flipped = file.clone();
        flipped[at] ^= 1 << (at % 8);
        let disk = SimDisk::new(2);
        disk.put(&name, &flipped);

        let mut reader = Reader::new(disk.clone(), Start::After(Position::START));
        let all = drain(&mut reader);
        let expected = if (HEADER..mark).contains(&at) { 4 } else { 5 };
        assert_eq!(all.notes.len(), expected, "octet {at}");
        if at < mark {
            assert_eq!(all.damaged.len(), 1, "octet {at}");
            let damaged = all.damaged[0];
            assert!((damaged.at..damaged.at + damaged.octets).contains(&(at as u64)), "octet {at}");
        } else {
            // Nothing behind the mark tells that it was durable.
            assert_eq!((all.damaged.len(), reader.tail()), (0, HEAD as u64), "octet {at}");
        }

        let (mut journal, found) = open(disk.clone(), &small(), NOW);
        assert_eq!(found.damaged, all.damaged, "octet {at}");
        assert_eq!(found.torn_octets, reader.tail(), "octet {at}");
        // What is missing is taken when it comes again.
        for number in 1..=5 {
            let note = if number == 2 { waiting(2) } else { ended(number) };
            append(&mut journal, &note);
        }
        journal.commit().unwrap();
        let mut numbers = read(&disk).numbers();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4, 5], "octet {at}");
    }
}

#[test]
fn any_run_of_lost_octets_in_an_older_segment_is_told_and_read_around() {
    let (file, name) = closed();
    let disk = SimDisk::new(3);
    disk.put(&name, &file);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    write(&mut journal, [ended(6)]);
    journal.close().unwrap();
    let next = disk.contents(&last(&disk));
    for from in (HEADER..file.len()).step_by(7) {
        for length in [1, 40, 130, 1000] {
            let to = file.len().min(from + length);
            for with in [0, 0xFF] {
                let mut lost = file.clone();
                lost[from..to].fill(with);
                let disk = SimDisk::new(4);
                disk.put(&name, &lost);
                disk.put("00000000000099999999.journal", b"no segment, whatever it is called");
                disk.put(&last_of(&next), &next);
                let all = read(&disk);
                assert_eq!(all.notes.last().unwrap().number, 6);
                for at in (from..to).filter(|at| lost[*at] != file[*at]) {
                    let told = all.damaged.iter().any(|it| (it.at..it.at + it.octets).contains(&(at as u64)));
                    assert!(told, "{at} of {from}..{to}: {:?}", all.damaged);
                }
                assert!(Journal::open(disk, small(), NOW).is_ok());
            }
        }
    }
}

/// The name of the segment with these octets.
fn last_of(file: &[u8]) -> String {
    format!("{:020}.journal", u64::from_le_bytes(file[20..28].try_into().unwrap()))
}

#[test]
fn an_older_segment_that_was_cut_is_damaged() {
    let (file, name) = closed();
    let disk = SimDisk::new(5);
    disk.put(&name, &file);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    write(&mut journal, [ended(6)]);
    disk.put(&name, &file[..file.len() - 100]);
    let all = read(&disk);
    assert_eq!(all.numbers(), [1, 2, 3, 4, 6]);
    assert_eq!(all.damaged.len(), 1);
    drop(journal);
    assert_eq!(open(disk, &small(), NOW).1.damaged, all.damaged);
}

#[test]
fn a_segment_with_neither_copy_of_its_header_is_kept_and_told() {
    let (file, name) = closed();
    let mut lost = file.clone();
    lost[..HEADER].fill(0);
    let disk = SimDisk::new(6);
    disk.put(&name, &lost);
    let (mut journal, found) = open(disk.clone(), &small(), NOW);
    assert_eq!(found.damaged_octets, file.len() as u64);
    write(&mut journal, [ended(6)]);
    let all = read(&disk);
    assert_eq!((all.numbers(), all.damaged), (vec![6], found.damaged));
    assert_eq!(disk.contents(&name), lost);
}

#[test]
fn a_frame_inside_a_packet_is_no_frame() {
    // The second frame of another segment: here too, its number would come next.
    let (other, name) = closed();
    let length = |at: usize| u32::from_le_bytes(other[at..at + 4].try_into().unwrap()) as usize;
    let second = HEADER + length(HEADER);
    let frame = &other[second..second + length(second)];

    let disk = SimDisk::new(7);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    let packet: Vec<u8> = frame.iter().copied().cycle().take(3000).collect();
    journal.append(NOW, 1, &Record { packet: &packet, ..ended(1).record() }).unwrap();
    journal.commit().unwrap();
    write(&mut journal, [ended(3)]);
    journal.close().unwrap();
    let mut file = disk.contents(&name);
    file[HEADER] ^= 1;
    disk.put(&name, &file);
    let all = read(&disk);
    assert_eq!((all.numbers(), all.damaged.len()), (vec![3], 1));
}

#[test]
fn a_block_that_cannot_be_read_is_damage_but_no_reason_to_cut_the_last_segment() {
    let disk = SimDisk::new(8);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    for number in 0..17 {
        write(&mut journal, [Note::new(number, ended(0).kind, NOW, 500)]);
    }
    drop(journal);
    // Three blocks of frames are there; this is the second, but for a few octets.
    disk.spoil(&last(&disk), 12_300..12_400);
    let all = read(&disk);
    assert!(all.notes.len() > 5 && all.notes.len() < 17);
    assert_eq!((all.notes[0].number, all.notes.last().unwrap().number), (0, 16));
    assert_eq!(all.damaged.len(), 1);
    assert!(all.damaged[0].at <= 12_288 && all.damaged[0].at + all.damaged[0].octets >= 16_384);

    // It may be readable tomorrow.
    let before = disk.contents(&last(&disk));
    let refused = Journal::open(disk.clone(), small(), NOW).unwrap_err();
    assert!(refused.to_string().contains("could not be read"), "{refused}");
    assert_eq!(disk.contents(&last(&disk)), before);
}

#[test]
fn a_waiting_record_that_cannot_be_read_is_told_and_can_be_given_up() {
    let disk = SimDisk::new(9);
    let (mut journal, _) = open(disk.clone(), &small(), NOW);
    let positions = write(&mut journal, [waiting(1), waiting(2)]);
    let (name, end) = (last(&disk), journal.usage().octets as usize);
    let mut file = disk.contents(&name);
    file[end - 1] ^= 1;
    disk.put(&name, &file);
    let all = pending(&journal);
    assert_eq!((all.numbers(), all.damaged.len()), (vec![1], 1));
    assert!(journal.done(NOW, positions[1]).unwrap());
    assert_eq!(pending(&journal).damaged, []);
}
