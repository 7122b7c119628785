//! What is found when a journal is opened, and what has to be put right.
//!
//! Only the last segment can be torn. What counts of all others, the header of the next one says; so they are read only where
//! records in them may wait or are to be remembered.

use std::{collections::VecDeque, io, sync::Arc};

use crate::{
    disk::{Access, Disk, DiskFile},
    errors::{Failure, OpenError},
    frame::{Body, HEAD},
    known::Known,
    options::MAX_SEGMENT,
    record::{Kind, Record},
    rotation::{Segment, trim},
    scan::{Damaged, Frame, Purpose, Scan, Step, read_full},
    segment::{BLOCK, Ended, HEADER, Header, HeaderFound, first_of, is_blank, name, read_header},
    waiting::Waiting,
};

/// So many numbers are left out at every start; no batch has more frames. They may have been those of frames that some reader has seen and
/// no disk has kept, or of files that were never finished: what has a number above all that anybody has seen is new to everybody.
const LEFT_OUT: u64 = MAX_SEGMENT / HEAD as u64;
/// So many damaged places are told one by one.
const DAMAGED: usize = 64;

/// What was found when a journal was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments, of whatever age.
    pub segments: usize,
    /// Records that were read: those that may wait, or are to be remembered, and all of the last segment.
    pub records: u64,
    /// Records that are remembered.
    pub remembered: usize,
    /// Records that wait.
    pub waiting: usize,
    /// Octets that were cut off from the last segment: a write that was never finished, and never acknowledged. (Damage to the very last
    /// batch before a crash looks the same.)
    pub torn_octets: u64,
    /// Octets that were durable once and cannot be read. Records may be missing; what is damaged is left as it is.
    pub damaged_octets: u64,
    /// Where, the first 64 places.
    pub damaged: Vec<Damaged>,
}

/// A segment, as far as headers tell.
struct Found {
    header: Header,
    /// Where a copy of the header is that cannot be read.
    bad: Option<u64>,
    size: u64,
    /// What the next one says of it.
    ended: Option<Ended>,
}

/// What a segment turned out to have.
struct Replayed {
    /// Where its frames end.
    end: u64,
    /// The sequence number after its last frame.
    next: u64,
    /// Where the last batch begins.
    batch: u64,
    newest: u64,
    waits: bool,
    tail: u64,
}

/// Where what is read goes.
struct Replay<'m> {
    /// Before this one nothing waits.
    oldest: u64,
    /// What was received before is not remembered.
    horizon: u64,
    known: &'m mut Known,
    waiting: &'m mut Waiting,
    recovery: Recovery,
}

/// The segments, the next sequence number, and what was found.
pub(crate) type Recovered = (VecDeque<Segment>, u64, Recovery);

/// Takes the directory, puts right what has to be, and learns which records wait and which were received at `horizon` or later.
pub(crate) fn recover<D: Disk>(
    disk: &mut D,
    horizon: u64,
    known: &mut Known,
    waiting: &mut Waiting,
) -> Result<Recovered, OpenError> {
    if !disk.lock().map_err(|error| failed(disk, None, "locked", error))? {
        return Err(OpenError::Locked { path: disk.path().to_owned() });
    }
    let mut recovery = Recovery::default();
    let (found, mut next) = survey(disk, &mut recovery)?;
    let oldest = found.last().map_or(0, |last| last.header.oldest_waiting);
    let mut replay = Replay { oldest, horizon, known, waiting, recovery };
    let mut segments = VecDeque::with_capacity(found.len());
    for (at, segment) in found.iter().enumerate() {
        let after = found.get(at + 1).map(|next| next.header.first);
        let (segment, number) = match &segment.ended {
            Some(ended) => (Some(replay.ended(disk, segment, ended, after)?), 0),
            None if after.is_some() => replay.open_end(disk, segment)?,
            None => replay.last(disk, segment)?,
        };
        segments.extend(segment);
        next = next.max(number + LEFT_OUT);
    }
    disk.sync().map_err(|error| failed(disk, None, "made durable", error))?;
    replay.recovery.segments = segments.len();
    Ok((segments, next, replay.recovery))
}

/// Reads the headers of all segments. Returns them in order, with a sequence number that comes after all their names.
fn survey<D: Disk>(disk: &D, recovery: &mut Recovery) -> Result<(Vec<Found>, u64), OpenError> {
    let names = disk.list().map_err(|error| failed(disk, None, "listed", error))?;
    let mut firsts: Vec<u64> = names.iter().filter_map(|name| first_of(name)).collect();
    firsts.sort_unstable();
    let mut next = firsts.last().map_or(1, |last| last + LEFT_OUT);
    let mut found: Vec<Found> = Vec::with_capacity(firsts.len());
    for first in firsts {
        let file = open(disk, first, Access::Read)?;
        let size = file.size().map_err(|error| failed(disk, Some(first), "read", error))?;
        match read_header(&file, first) {
            HeaderFound::Header(header, bad) => {
                if let Some(ended) = header.previous
                    && let Ok(at) = found.binary_search_by_key(&ended.first, |found| found.header.first)
                {
                    found[at].ended = Some(ended);
                }
                found.push(Found { header, bad, size, ended: None });
            }
            HeaderFound::Newer(version) => {
                return Err(OpenError::Newer { path: disk.path().join(name(first)), version });
            }
            // It was being made when everything stopped, and has never had a record.
            HeaderFound::None if is_blank(&file).map_err(|error| failed(disk, Some(first), "read", error))? => {
                disk.remove(&name(first)).map_err(|error| failed(disk, Some(first), "removed", error))?;
            }
            HeaderFound::None => {
                recovery.damage(Damaged { segment: first, at: 0, octets: size });
                next = next.max(first + size / HEAD as u64 + LEFT_OUT);
            }
        }
    }
    Ok((found, next))
}

impl Replay<'_> {
    /// A segment that the next one says the end of: read only if it may matter.
    fn ended<D: Disk>(
        &mut self,
        disk: &D,
        found: &Found,
        ended: &Ended,
        after: Option<u64>,
    ) -> Result<Segment, OpenError> {
        let Header { first, salt, created, .. } = found.header;
        self.bad_header(found);
        if found.size > ended.octets {
            let file = open(disk, first, Access::Write)?;
            trim(&file, ended.octets).map_err(|error| failed(disk, Some(first), "cut", error))?;
        }
        let may_wait = ended.waits && after.is_none_or(|after| after > self.oldest);
        if may_wait || ended.newest >= self.horizon || found.size < ended.octets {
            let file = open(disk, first, Access::Read)?;
            let mut scan = Scan::new(file, Purpose::Read, salt, first, Some(ended.octets));
            self.read(&found.header, &mut scan).map_err(|error| failed(disk, Some(first), "read", error))?;
        }
        let Ended { octets, newest, waits, .. } = *ended;
        Ok(Segment { first, salt, created, begun: None, octets, newest, waits, trimmed: true })
    }

    /// A segment that is not the last, but no other one says anything of it: the next one has gone or cannot be read, or it was never
    /// finished, and then it goes. Returns the sequence number after its frames, too.
    fn open_end<D: Disk>(&mut self, disk: &D, found: &Found) -> Result<(Option<Segment>, u64), OpenError> {
        let Header { first, salt, created, .. } = found.header;
        let mut scan = Scan::new(open(disk, first, Access::Read)?, Purpose::Read, salt, first, None);
        let read = |error| failed(disk, Some(first), "read", error);
        let Replayed { end, next, newest, waits, tail, .. } = self.read(&found.header, &mut scan).map_err(read)?;
        if end == HEADER && is_blank(&scan.file).map_err(read)? {
            disk.remove(&name(first)).map_err(|error| failed(disk, Some(first), "removed", error))?;
            return Ok((None, next));
        }
        self.bad_header(found);
        if tail > 0 {
            self.recovery.damage(Damaged { segment: first, at: end, octets: tail });
        }
        Ok((
            Some(Segment { first, salt, created, begun: None, octets: found.size, newest, waits, trimmed: true }),
            next,
        ))
    }

    /// The last segment. Returns the sequence number after its frames, too.
    fn last<D: Disk>(&mut self, disk: &D, found: &Found) -> Result<(Option<Segment>, u64), OpenError> {
        let Header { first, salt, created, .. } = found.header;
        let mut scan = Scan::new(open(disk, first, Access::Write)?, Purpose::Recover, salt, first, None);
        let all = self.read(&found.header, &mut scan).map_err(|error| failed(disk, Some(first), "read", error))?;
        if all.end == HEADER {
            // Its header may be in the kernel's memory only, and what is wrong with it was torn.
            let written = scan.file.write_at(&found.header.encode(), 0);
            written.map_err(|error| failed(disk, Some(first), "written", error))?;
        } else {
            self.bad_header(found);
        }
        settle(&scan.file, &all).map_err(|error| failed(disk, Some(first), "made durable", error))?;
        self.recovery.torn_octets = all.tail;
        let Replayed { end, newest, waits, .. } = all;
        let segment = Segment { first, salt, created, begun: None, octets: end, newest, waits, trimmed: true };
        Ok((Some(segment), all.next))
    }

    fn bad_header(&mut self, Found { header, bad, .. }: &Found) {
        for at in bad.iter().copied() {
            self.recovery.damage(Damaged { segment: header.first, at, octets: BLOCK as u64 });
        }
    }

    /// Reads a segment: its records are remembered, those that wait are noted, marks of delivery are heeded.
    fn read<F: DiskFile>(&mut self, header: &Header, scan: &mut Scan<F>) -> io::Result<Replayed> {
        let segment = header.first;
        let mut all = Replayed { end: 0, next: 0, batch: HEADER, newest: header.created, waits: false, tail: 0 };
        loop {
            let frame = match scan.step()? {
                Step::Frame(frame) => frame,
                Step::Damaged { at, octets } => {
                    self.recovery.damage(Damaged { segment, at, octets });
                    continue;
                }
                Step::End { tail } => {
                    (all.end, all.next, all.tail) = (scan.at(), scan.next(), tail);
                    return Ok(all);
                }
            };
            all.batch = frame.head.batch.into();
            match scan.body(&frame) {
                Some(Body::Record(octets)) => match Record::decode(octets) {
                    Ok(record) => {
                        all.newest = all.newest.max(record.received);
                        all.waits |= record.kind == Kind::Waiting;
                        self.record(&frame, &record);
                    }
                    Err(_) => {
                        self.recovery.damage(Damaged { segment, at: frame.at, octets: frame.head.length as u64 });
                    }
                },
                Some(Body::Done(sequence)) => {
                    all.waits = true;
                    self.waiting.remove(sequence);
                }
                Some(Body::Closed) | None => {}
            }
        }
    }

    fn record(&mut self, frame: &Frame, record: &Record<'_>) {
        let sequence = frame.head.sequence;
        self.recovery.records += 1;
        if record.received >= self.horizon {
            self.known.insert(frame.head.identity, sequence, record.received);
        }
        if record.kind == Kind::Waiting && sequence >= self.oldest {
            // Places in a segment have 32 bits.
            self.waiting.insert(sequence, frame.at as u32);
        }
    }
}

/// Makes the last segment end with its last frame, durably.
///
/// What is read may be in the kernel's memory only, even where the process before has called `fdatasync` and that failed: then the kernel
/// takes it for written. So the last batch, the only one that can be in doubt, is written again.
fn settle(file: &impl DiskFile, all: &Replayed) -> io::Result<()> {
    let mut batch = vec![0; all.end.saturating_sub(all.batch) as usize];
    let length = read_full(file, &mut batch, all.batch)?;
    file.write_at(&batch[..length], all.batch)?;
    trim(file, all.end)
}

fn open<D: Disk>(disk: &D, segment: u64, access: Access) -> Result<D::File, OpenError> {
    disk.open(&name(segment), access).map_err(|error| failed(disk, Some(segment), "opened", error))
}

fn failed(disk: &impl Disk, segment: Option<u64>, action: &'static str, error: io::Error) -> OpenError {
    let path = segment.map_or_else(|| disk.path().to_owned(), |first| disk.path().join(name(first)));
    OpenError::Failed(Failure { path, action, source: Arc::new(error) })
}

impl Recovery {
    fn damage(&mut self, damaged: Damaged) {
        self.damaged_octets += damaged.octets;
        if self.damaged.len() < DAMAGED {
            self.damaged.push(damaged);
        }
    }
}
