//! One segment ends, another begins.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io,
    path::PathBuf,
    sync::Arc,
};

use crate::{
    disk::{Access, Disk, DiskFile},
    errors::{AppendError, Failure, says_full},
    frame::{self, HEAD, Stamp},
    journal::Journal,
    options::passed,
    segment::{Ended, HEADER, Header, name},
};

/// What the writer keeps of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// The sequence number of its first frame.
    pub first: u64,
    pub salt: u32,
    /// When it was made, as the clock said then.
    pub created: u64,
    /// What the journal had [elapsed](Journal::elapsed) when it was made; `None`: an earlier process has made it.
    pub begun: Option<u64>,
    /// Octets that are durable, the header included.
    pub octets: u64,
    /// When the latest of its records was received; where it has none, when it was made.
    pub newest: u64,
    /// Whether it has waiting records, or marks of delivery.
    pub waits: bool,
    /// The file has no octets behind those. Until it has been cut, the segment after this one says that they are void.
    pub trimmed: bool,
}

/// The file that is written, the last of the segments.
#[derive(Debug)]
pub(crate) struct Current<F> {
    pub file: F,
    pub path: PathBuf,
    /// When its first batch was committed.
    pub since: Option<u64>,
}

/// Where frames go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub salt: u32,
    /// Octets before them.
    pub octets: u64,
}

impl Segment {
    fn ended(&self) -> Ended {
        Ended { first: self.first, octets: self.octets, newest: self.newest, waits: self.waits }
    }
}

impl<D: Disk> Journal<D> {
    /// The segment that the batch goes to; before a batch begins, a new one where that is due.
    pub(crate) fn place(&mut self, now: u64) -> Result<Place, AppendError> {
        if self.batch.is_empty() {
            let due = self.is_due(now);
            self.look(now, due)?;
            if due {
                self.finish();
                return self.begin(now);
            }
        }
        let (Some(_), Some(segment)) = (&self.current, self.segments.back()) else { return self.begin(now) };
        Ok(Place { salt: segment.salt, octets: segment.octets })
    }

    /// Closes the segment that is written, if one is: the mark that it is complete, and the file no longer than it needs to be.
    pub(crate) fn finish(&mut self) {
        let (Some(current), Some(segment)) = (self.current.take(), self.segments.back_mut()) else { return };
        let mut mark = Vec::new();
        if segment.octets > HEADER {
            let stamp = Stamp { salt: segment.salt, sequence: self.next, batch: segment.octets as u32 };
            frame::push_closed(&mut mark, stamp);
            self.next += 1;
        }
        let end = segment.octets + mark.len() as u64;
        let marked = current.file.write_at(&mark, segment.octets).and_then(|()| trim(&current.file, end));
        // A mark that cannot be written is void, as all else that is behind the records.
        match marked {
            Ok(()) => (segment.octets, segment.trimmed) = (end, true),
            Err(_) => segment.trimmed = trim(&current.file, segment.octets).is_ok(),
        }
    }

    /// Leaves the segment that is written, of which nobody knows what is behind its durable octets.
    pub(crate) fn leave(&mut self) {
        let (Some(current), Some(segment)) = (self.current.take(), self.segments.back_mut()) else { return };
        segment.trimmed = trim(&current.file, segment.octets).is_ok();
    }

    /// Cuts what has not been cut. `false`: some of it could not be.
    pub(crate) fn trim(&mut self) -> bool {
        let closed = self.segments.len() - usize::from(self.current.is_some());
        let mut all = true;
        for segment in self.segments.iter_mut().take(closed).filter(|segment| !segment.trimmed) {
            let file = self.disk.open(&name(segment.first), Access::Write);
            segment.trimmed = file.and_then(|file| trim(&file, segment.octets)).is_ok();
            all &= segment.trimmed;
        }
        all
    }

    /// Whether there is no segment to write to, or another one has to be begun.
    fn is_due(&self, now: u64) -> bool {
        let (Some(current), Some(segment)) = (&self.current, self.segments.back()) else { return true };
        let full = segment.octets + self.options.batch as u64 + HEAD as u64 > self.options.segment;
        full || current.since.is_some_and(|since| passed(since, now, self.options.rotate_after))
    }

    /// Begins a segment.
    fn begin(&mut self, now: u64) -> Result<Place, AppendError> {
        self.see()?;
        let first = self.next;
        // The last one may have nothing, and then it is not worth keeping; but only now, since no number may come twice.
        let empty = self.segments.back().is_some_and(|last| last.trimmed && last.octets == HEADER);
        let previous = self.segments.iter().rev().nth(usize::from(empty)).map(Segment::ended);
        let salt = RandomState::new().build_hasher().finish() as u32;
        let header = Header {
            salt,
            first,
            created: now,
            oldest_waiting: self.waiting.oldest().map_or(first, |oldest| oldest.min(first)),
            previous,
        };
        match self.create(&header) {
            Ok(file) => {
                if empty
                    && let Some(last) = self.segments.back()
                    && self.disk.remove(&name(last.first)).is_ok()
                {
                    self.segments.pop_back();
                }
                self.current = Some(Current { file, path: self.disk.path().join(name(first)), since: None });
                self.segments.push_back(Segment {
                    first,
                    salt,
                    created: now,
                    begun: Some(self.elapsed),
                    octets: HEADER,
                    newest: now,
                    waits: false,
                    trimmed: false,
                });
                Ok(Place { salt, octets: HEADER })
            }
            Err((action, error)) => {
                // Its name is never used again: what is left of it may come back after a crash. Where it cannot be removed it is
                // an empty segment, or none.
                self.next += 1;
                // What could not be made is none of ours.
                if action != "created" {
                    let _ = self.disk.remove(&name(first));
                }
                let refused = if says_full(&error) {
                    AppendError::Full(self.full(None))
                } else {
                    AppendError::Failed(Failure {
                        path: self.disk.path().join(name(first)),
                        action,
                        source: Arc::new(error),
                    })
                };
                self.space.refuse(now, refused.clone());
                Err(refused)
            }
        }
    }

    /// Makes the file of a segment, durably.
    fn create(&self, header: &Header) -> Result<D::File, (&'static str, io::Error)> {
        let file = self.disk.create(&name(header.first)).map_err(|error| ("created", error))?;
        match file.allocate(self.options.segment) {
            Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(("given its room", error)),
            _ => {}
        }
        file.write_at(&header.encode(), 0).map_err(|error| ("written", error))?;
        file.sync_all().and_then(|()| self.disk.sync()).map_err(|error| ("made durable", error))?;
        Ok(file)
    }
}

/// Cuts off what is beyond `octets`, durably.
pub(crate) fn trim(file: &impl DiskFile, octets: u64) -> io::Result<()> {
    file.truncate(octets).and_then(|()| file.sync_all())
}
