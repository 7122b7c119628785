//! The frames of one segment, one after the other, past what is damaged.
//!
//! A place without a good frame is *damaged* if it was durable once, and *the end* otherwise: a write in progress, or one that was torn by
//! a crash. It was durable if the next segment says that this one was longer, or if a good frame behind it belongs to a later batch,
//! which is written only after all earlier ones are durable. After damage, the next good frame is that whose sum is right and
//! whose sequence number is one that so many lost octets can explain.

use std::{fmt, io};

use crate::{
    disk::DiskFile,
    frame::{Body, HEAD, Head},
    record::{NoRecord, Record},
    segment::{HEADER, name},
};

/// Octets that are read at once.
pub(crate) const CHUNK: usize = 256 << 10;
/// What a disk fails to read, it fails to read in blocks of this size.
const BLOCK: usize = 4096;
/// So many zeros at the end of what is being written are taken for the end without looking further.
const QUIET: usize = 64 << 10;

/// A part of a segment that was durable once and cannot be read any more: records may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The number in the segment's name.
    pub segment: u64,
    /// Where in the file.
    pub at: u64,
    /// How many octets.
    pub octets: u64,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets at {} of {} cannot be read", self.octets, self.at, name(self.segment))
    }
}

/// What a segment is scanned for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To cut off what is behind its end: everything is looked at, and what cannot be read is an error.
    Recover,
    /// To have its records: blocks that cannot be read are damage like any other.
    Read,
}

/// A segment that is being read.
#[derive(Debug)]
pub(crate) struct Scan<F> {
    pub file: F,
    purpose: Purpose,
    salt: u32,
    /// Where the next frame is.
    at: u64,
    /// Its sequence number.
    next: u64,
    /// What the segment after this one says of its length.
    limit: Option<u64>,
    window: Vec<u8>,
    /// Where the window is.
    base: u64,
}

/// What was found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A frame, whose [`Scan::body`] can be had until the next step.
    Frame(Frame),
    /// So many octets, from there.
    Damaged { at: u64, octets: u64 },
    /// There are no more frames, or not yet, but `tail` octets that are none.
    End { tail: u64 },
}

/// Where a frame was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub at: u64,
    pub head: Head,
}

impl<F: DiskFile> Scan<F> {
    /// From the first frame on. `limit`: how many octets of the file count, if that is known.
    pub fn new(file: F, purpose: Purpose, salt: u32, first: u64, limit: Option<u64>) -> Scan<F> {
        Scan { file, purpose, salt, at: HEADER, next: first, limit, window: Vec::new(), base: 0 }
    }

    /// Where the scan is: before the next frame, or at the end.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The sequence number of the next frame.
    pub fn next(&self) -> u64 {
        self.next
    }

    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// There is a next segment now, and this is what it says.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = Some(limit);
        self.window.clear();
    }

    /// The next frame, the damage before it, or the end. At the end one may ask again: the file may have grown.
    pub fn step(&mut self) -> io::Result<Step> {
        let at = self.at;
        if let Some(head) = self.frame_at(at, self.next, self.next)? {
            (self.at, self.next) = (at + head.length as u64, head.sequence + 1);
            return Ok(Step::Frame(Frame { at, head }));
        }
        let durable = self.limit.unwrap_or(HEADER);
        let quiet = self.purpose == Purpose::Read && at >= durable && self.is_quiet()?;
        let (found, tail) = if quiet { (None, 0) } else { self.search(durable)? };
        if let Some(head) = found {
            (self.at, self.next) = head;
        } else if at < durable {
            self.at = durable;
        } else {
            self.window.clear();
            return Ok(Step::End { tail });
        }
        Ok(Step::Damaged { at, octets: self.at - at })
    }

    /// What the frame holds that was found last.
    pub fn body(&self, frame: &Frame) -> Option<Body<'_>> {
        frame.head.body(self.loaded(frame.at)?)
    }

    /// The record that the frame holds which was found last; `None`: it is a mark.
    pub fn record(&self, frame: &Frame) -> Option<Result<Record<'_>, NoRecord>> {
        match self.body(frame)? {
            Body::Record(octets) => Some(Record::decode(octets)),
            Body::Done(_) | Body::Closed => None,
        }
    }

    /// The head of a good frame at `at` whose sequence number is between `least` and `most`.
    fn frame_at(&mut self, at: u64, least: u64, most: u64) -> io::Result<Option<Head>> {
        let Some(head) = Head::read(self.load(at, HEAD)?) else { return Ok(None) };
        let batch = u64::from(head.batch);
        if !(least..=most).contains(&head.sequence) || !(HEADER..=at).contains(&batch) {
            return Ok(None);
        }
        let salt = self.salt;
        let octets = self.load(at, head.length)?;
        Ok(head.verifies(octets, salt).then_some(head))
    }

    /// Looks behind a place without a frame: where the frames go on and with which number, if the place was durable; and how far
    /// there is anything at all.
    fn search(&mut self, durable: u64) -> io::Result<(Option<(u64, u64)>, u64)> {
        let (from, lost) = (self.at, self.next);
        let (mut at, mut tail, mut found) = (from, 0, None);
        while let Some(octet) = self.find_octet(at)? {
            tail = octet + 1 - from;
            // The first octet of a length may be zero, but not the second as well.
            at = at.max(octet.saturating_sub(1));
            let most = lost + (at - from) / HEAD as u64;
            let Some(head) = self.frame_at(at, lost + 1, most)? else {
                at += 1;
                continue;
            };
            let goes_on = *found.get_or_insert((at, head.sequence));
            if from < durable || u64::from(head.batch) > from {
                return Ok((Some(goes_on), tail));
            }
            at += head.length as u64;
            tail = at - from;
        }
        Ok((None, tail))
    }

    /// Whether there is nothing but zeros here, as far as one needs to look.
    fn is_quiet(&mut self) -> io::Result<bool> {
        let octets = self.load(self.at, QUIET)?;
        Ok(octets.iter().take(QUIET).all(|octet| *octet == 0))
    }

    /// Where the next octet is, from `at` on, that is not zero.
    fn find_octet(&mut self, mut at: u64) -> io::Result<Option<u64>> {
        loop {
            let octets = self.load(at, 1)?;
            if octets.is_empty() {
                return Ok(None);
            }
            if let Some(place) = octets.iter().position(|octet| *octet != 0) {
                return Ok(Some(at + place as u64));
            }
            at += octets.len() as u64;
        }
    }

    /// What there is from `at` on: `wanted` octets or more, unless the file, or what counts of it, ends before.
    fn load(&mut self, at: u64, wanted: usize) -> io::Result<&[u8]> {
        let wanted = self.limit.map_or(wanted as u64, |limit| limit.saturating_sub(at).min(wanted as u64));
        if self.loaded(at).is_none_or(|octets| (octets.len() as u64) < wanted) {
            self.fill(at)?;
        }
        Ok(self.loaded(at).unwrap_or_default())
    }

    /// What of the window is at `at` and behind it.
    fn loaded(&self, at: u64) -> Option<&[u8]> {
        self.window.get(usize::try_from(at.checked_sub(self.base)?).ok()?..)
    }

    /// Reads the window anew, from `at` on.
    fn fill(&mut self, at: u64) -> io::Result<()> {
        let room = self.limit.map_or(CHUNK as u64, |limit| limit.saturating_sub(at).min(CHUNK as u64)) as usize;
        self.window.resize(room, 0);
        self.base = at;
        let read = match read_full(&self.file, &mut self.window, at) {
            Err(_) if self.purpose == Purpose::Read => read_blocks(&self.file, &mut self.window, at),
            read => read,
        };
        self.window.truncate(*read.as_ref().unwrap_or(&0));
        read.map(drop)
    }
}

/// Reads until `into` is full or the file ends; how much was read.
pub(crate) fn read_full(file: &impl DiskFile, into: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match file.read_at(&mut into[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The same, block by block, with zeros for those that cannot be read: zeros are no frame.
fn read_blocks(file: &impl DiskFile, into: &mut [u8], at: u64) -> io::Result<usize> {
    let size = file.size()?.saturating_sub(at);
    let within = into.len().min(usize::try_from(size).unwrap_or(usize::MAX));
    let mut filled = 0;
    while filled < within {
        let block = BLOCK - ((at + filled as u64) % BLOCK as u64) as usize;
        let end = within.min(filled + block);
        if read_full(file, &mut into[filled..end], at + filled as u64).is_err() {
            into[filled..end].fill(0);
        }
        filled = end;
    }
    Ok(filled)
}
