//! Reads a journal, also while another process writes it.

use std::{collections::VecDeque, io, sync::Arc};

use crate::{
    directory::Directory,
    disk::{Access, Disk, DiskFile},
    errors::{Failure, ReadError},
    position::Position,
    record::{NoRecord, Record},
    scan::{Damaged, Frame, Purpose, Scan, Step},
    segment::{BLOCK, HEADER, Header, HeaderFound, first_of, is_blank, name, read_header},
};

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the record after this one; [`Position::START`] for all.
    After(Position),
    /// With what was received at this time, nanoseconds since 1970, or later.
    Received(u64),
}

/// A record, and where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'r> {
    /// Where.
    pub position: Position,
    /// What makes a repeated request the same record.
    pub identity: u128,
    /// What was recorded.
    pub record: Record<'r>,
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'r> {
    /// A record.
    Record(Entry<'r>),
    /// Octets that were durable once and cannot be read: records are missing here.
    Damaged(Damaged),
}

/// Reads records in the order in which they were written. It takes no lock and writes nothing.
///
/// What the last commit of a running writer has written may be read before it is durable. If that commit fails, and only then, such a record is
/// not the writer's any more, and may come once more with another position: the identity tells.
///
/// Memory: 256 KiB, and 8 octets for each file in the directory.
#[derive(Debug)]
pub struct Reader<D: Disk = Directory> {
    disk: D,
    start: Start,
    open: Option<Open<D::File>>,
    /// Segments up to this one have been read.
    passed: u64,
    /// Those that come after it, as far as they have been seen.
    upcoming: VecDeque<u64>,
    tail: u64,
}

/// The segment that is being read.
#[derive(Debug)]
struct Open<F> {
    first: u64,
    scan: Scan<F>,
    /// Damage that is yet to be told.
    damaged: Option<Damaged>,
    /// There are later segments, and none of them says anything of this one.
    last_look: bool,
}

/// What was found in a segment.
enum Found {
    Record(Frame),
    Damaged(Damaged),
}

/// What became of the next segment.
enum Advance {
    Opened,
    /// It cannot be read at all.
    Damaged(Damaged),
    NoMore,
}

/// What the segments after one say of it.
enum Successor {
    /// There are none, or one that is being made.
    None,
    /// Nothing.
    Silent,
    /// It has so many octets that count, and no record that was received later than this.
    Ended { octets: u64, newest: u64 },
}

impl<D: Disk> Reader<D> {
    /// A reader of the journal in a directory.
    pub fn new(disk: D, start: Start) -> Reader<D> {
        Reader { disk, start, open: None, passed: 0, upcoming: VecDeque::new(), tail: 0 }
    }

    /// The next record or damage; `None`: no more for now. What is written later is read by later calls. Damage is told of all that is read,
    /// which may begin some records before the start.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn read(&mut self) -> Result<Option<Item<'_>>, ReadError> {
        let found = loop {
            if self.open.is_none() {
                match self.advance()? {
                    Advance::Opened => {}
                    Advance::Damaged(damaged) => return Ok(Some(Item::Damaged(damaged))),
                    Advance::NoMore => return Ok(None),
                }
            }
            if let Some(found) = self.step()? {
                break found;
            }
            if self.open.is_some() {
                return Ok(None);
            }
        };
        let frame = match found {
            Found::Damaged(damaged) => return Ok(Some(Item::Damaged(damaged))),
            Found::Record(frame) => frame,
        };
        let record = self.open.as_ref().and_then(|open| open.scan.record(&frame)?.ok());
        let (position, identity) = (Position(frame.head.sequence), frame.head.identity);
        Ok(record.map(|record| Item::Record(Entry { position, identity, record })))
    }

    /// After [`read`](Reader::read) has returned `None`: so many octets stand behind the last record that are none. A write in progress,
    /// or one that was torn when the writer was stopped; the next writer cuts it off.
    pub fn tail(&self) -> u64 {
        self.tail
    }

    /// Goes on in the open segment. `None`: it has nothing more for now, or at all, and is open no longer.
    fn step(&mut self) -> Result<Option<Found>, ReadError> {
        while let Some(open) = &mut self.open {
            let segment = open.first;
            // A header without a record behind it may be one that is being written.
            let is_whole = open.scan.limit().is_some() || open.scan.at() > HEADER;
            if let Some(damaged) = open.damaged.take_if(|_| is_whole) {
                return Ok(Some(Found::Damaged(damaged)));
            }
            match open.scan.step().map_err(|error| failed(&self.disk, segment, "read", error))? {
                Step::Damaged { at, octets } => return Ok(Some(Found::Damaged(Damaged { segment, at, octets }))),
                Step::Frame(frame) => match open.scan.record(&frame) {
                    Some(Ok(record)) if self.start.wants(frame.head.sequence, &record) => {
                        return Ok(Some(Found::Record(frame)));
                    }
                    Some(Err(NoRecord)) => {
                        let (at, octets) = (frame.at, frame.head.length as u64);
                        return Ok(Some(Found::Damaged(Damaged { segment, at, octets })));
                    }
                    Some(Ok(_)) | None => {}
                },
                Step::End { tail } => {
                    let at = open.scan.at();
                    let is_read = open.scan.limit().is_some() || open.last_look;
                    self.tail = tail;
                    if is_read {
                        (self.open, self.passed) = (None, segment);
                        // Nobody says that it was not durable.
                        return Ok((tail > 0).then_some(Found::Damaged(Damaged { segment, at, octets: tail })));
                    }
                    match (self.successor(segment)?, &mut self.open) {
                        (Successor::None, _) => return Ok(None),
                        (Successor::Ended { octets, .. }, Some(open)) => open.scan.set_limit(octets),
                        (Successor::Silent, Some(open)) => open.last_look = true,
                        (_, None) => {}
                    }
                }
            }
        }
        Ok(None)
    }

    /// Opens the next segment.
    fn advance(&mut self) -> Result<Advance, ReadError> {
        loop {
            if self.upcoming.is_empty() {
                self.list()?;
            }
            let Some(first) = self.upcoming.pop_front() else { return Ok(Advance::NoMore) };
            let all_before = self.upcoming.front().is_some_and(|next| self.start.is_after(*next));
            let opened = if all_before { None } else { self.file(first)? };
            let Some(file) = opened else {
                self.passed = first;
                continue;
            };
            let (header, bad) = match read_header(&file, first) {
                HeaderFound::Header(header, bad) => (header, bad),
                HeaderFound::Newer(version) => {
                    return Err(ReadError::Newer { path: self.disk.path().join(name(first)), version });
                }
                HeaderFound::None => {
                    let read = is_blank(&file).and_then(|blank| Ok((blank, file.size()?)));
                    let (blank, octets) = read.map_err(|error| failed(&self.disk, first, "read", error))?;
                    if blank && self.upcoming.is_empty() {
                        // It is being made.
                        return Ok(Advance::NoMore);
                    }
                    self.passed = first;
                    if blank {
                        continue;
                    }
                    return Ok(Advance::Damaged(Damaged { segment: first, at: 0, octets }));
                }
            };
            let limit = match self.successor(first)? {
                Successor::Ended { newest, .. } if self.start.is_later_than(newest) => {
                    self.passed = first;
                    continue;
                }
                Successor::Ended { octets, .. } => Some(octets),
                Successor::Silent | Successor::None => None,
            };
            let scan = Scan::new(file, Purpose::Read, header.salt, first, limit);
            let damaged = bad.map(|at| Damaged { segment: first, at, octets: BLOCK as u64 });
            self.open = Some(Open { first, scan, damaged, last_look: false });
            return Ok(Advance::Opened);
        }
    }

    /// What the segments after this one say of it.
    fn successor(&mut self, first: u64) -> Result<Successor, ReadError> {
        if self.upcoming.is_empty() {
            self.passed = first;
            self.list()?;
        }
        for &later in &self.upcoming {
            let Some(file) = self.file(later)? else { continue };
            match read_header(&file, later) {
                HeaderFound::Header(Header { previous: Some(previous), .. }, _) if previous.first == first => {
                    return Ok(Successor::Ended { octets: previous.octets, newest: previous.newest });
                }
                HeaderFound::Header(..) | HeaderFound::Newer(_) => return Ok(Successor::Silent),
                HeaderFound::None => {}
            }
        }
        // What is being made is looked at anew the next time.
        self.upcoming.clear();
        Ok(Successor::None)
    }

    /// Sees which segments there are now after those that have been read.
    fn list(&mut self) -> Result<(), ReadError> {
        let names = self.disk.list().map_err(|error| {
            ReadError::Failed(Failure { path: self.disk.path().into(), action: "listed", source: Arc::new(error) })
        })?;
        self.upcoming = names.iter().filter_map(|name| first_of(name)).filter(|first| *first > self.passed).collect();
        self.upcoming.make_contiguous().sort_unstable();
        Ok(())
    }

    /// Opens a segment's file, unless it has been removed.
    fn file(&self, first: u64) -> Result<Option<D::File>, ReadError> {
        match self.disk.open(&name(first), Access::Read) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&self.disk, first, "opened", error)),
        }
    }
}

impl Start {
    fn wants(self, sequence: u64, record: &Record<'_>) -> bool {
        match self {
            Start::After(position) => sequence > position.0,
            Start::Received(time) => record.received >= time,
        }
    }

    /// Whether nothing is wanted before this sequence number.
    fn is_after(self, sequence: u64) -> bool {
        matches!(self, Start::After(position) if position.0.saturating_add(1) >= sequence)
    }

    /// Whether nothing is wanted that was received at this time or before.
    fn is_later_than(self, received: u64) -> bool {
        matches!(self, Start::Received(time) if time > received)
    }
}

fn failed(disk: &impl Disk, segment: u64, action: &'static str, error: io::Error) -> ReadError {
    ReadError::Failed(Failure { path: disk.path().join(name(segment)), action, source: Arc::new(error) })
}
