//! A small journal on a simulated disk, and what it has.

use std::time::Duration;

use sekisho_journal::{
    Appended, Damaged, Disk, Entry, Item, Journal, Kind, Options, Position, Reader, Record, Recovery, Start,
    sim::SimDisk,
};

pub const SECOND: u64 = 1_000_000_000;
pub const NOW: u64 = 1_700_000_000 * SECOND;
/// Where frames begin, and how long a frame is without its record.
pub const HEADER: usize = 8192;
pub const HEAD: usize = 37;

/// A record that can be told from all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub number: u32,
    pub kind: Kind,
    pub received: u64,
    pub packet: Vec<u8>,
}

impl Note {
    pub fn new(number: u32, kind: Kind, received: u64, octets: usize) -> Note {
        let packet = number.to_be_bytes().into_iter().cycle().take(octets).collect();
        Note { number, kind, received, packet }
    }

    pub fn identity(&self) -> u128 {
        identity(self.number)
    }

    pub fn record(&self) -> Record<'_> {
        Record {
            received: self.received,
            kind: self.kind,
            source: "lac",
            from: ([192, 0, 2, 1], 1646).into(),
            customer: "acme",
            contract: "vpdn-1",
            realm: "acme.example",
            packet: &self.packet,
        }
    }
}

pub fn identity(number: u32) -> u128 {
    0xACC7_0000_0000_0000_0000_0000_0000 + u128::from(number)
}

/// A record that ends here, of 60 octets of packet.
pub fn ended(number: u32) -> Note {
    Note::new(number, Kind::Ended, NOW + u64::from(number), 60)
}

pub fn waiting(number: u32) -> Note {
    Note { kind: Kind::Waiting, ..ended(number) }
}

/// Segments that are full after some records.
pub fn small() -> Options {
    Options {
        segment: 28 << 10,
        batch: 10 << 10,
        retention: Duration::from_secs(5000),
        reserve: 1000,
        ..Options::default()
    }
}

pub fn open<D: Disk>(disk: D, options: &Options, now: u64) -> (Journal<D>, Recovery) {
    Journal::open(disk, options.clone(), now).unwrap()
}

pub fn append<D: Disk>(journal: &mut Journal<D>, note: &Note) -> Appended {
    journal.append(note.received, note.identity(), &note.record()).unwrap()
}

/// Appends them as one batch.
pub fn write<D: Disk>(journal: &mut Journal<D>, notes: impl IntoIterator<Item = Note>) -> Vec<Position> {
    let positions = notes.into_iter().map(|note| append(journal, &note).position()).collect();
    journal.commit().unwrap();
    positions
}

/// What a reader has read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub positions: Vec<Position>,
    pub notes: Vec<Note>,
    pub damaged: Vec<Damaged>,
}

impl Read {
    pub fn numbers(&self) -> Vec<u32> {
        self.notes.iter().map(|note| note.number).collect()
    }

    pub fn take(&mut self, item: Item<'_>) {
        match item {
            Item::Record(entry) => {
                self.positions.push(entry.position);
                self.notes.push(note(&entry));
            }
            Item::Damaged(damaged) => self.damaged.push(damaged),
        }
    }
}

/// The note that a record was made from; it must be one.
pub fn note(entry: &Entry<'_>) -> Note {
    let number = (entry.identity - identity(0)) as u32;
    let record = &entry.record;
    let note = Note::new(number, record.kind, record.received, record.packet.len());
    assert_eq!(note.record(), *record);
    note
}

pub fn drain<D: Disk>(reader: &mut Reader<D>) -> Read {
    let mut all = Read::default();
    while let Some(item) = reader.read().unwrap() {
        all.take(item);
    }
    all
}

pub fn read_from(disk: &SimDisk, start: Start) -> Read {
    drain(&mut Reader::new(disk.clone(), start))
}

pub fn read(disk: &SimDisk) -> Read {
    read_from(disk, Start::After(Position::START))
}

pub fn pending<D: Disk>(journal: &Journal<D>) -> Read {
    let mut pending = journal.pending(Position::START);
    let mut all = Read::default();
    while let Some(item) = pending.read().unwrap() {
        all.take(item);
    }
    all
}

/// The name of the last segment.
pub fn last(disk: &SimDisk) -> String {
    disk.names().pop().unwrap()
}
