//! The journal, as its one writer has it.

use std::{collections::VecDeque, path::PathBuf, sync::Arc};

use crate::{
    directory::Directory,
    disk::{Disk, DiskFile as _},
    errors::{AppendError, CommitError, Failure, OpenError, Vanished, says_full},
    frame::{self, MAX_FRAME, Stamp},
    known::Known,
    options::{Options, before},
    pending::Pending,
    position::{Appended, Position},
    record::{Kind, Record},
    recovery::{Recovery, recover},
    rotation::{Current, Segment},
    space::Space,
    waiting::Waiting,
};

/// Nobody leaves a journal alone for longer: what the clock goes on by beyond that at once, it was corrected by (or the machine was
/// stopped, and then things are kept for longer).
const STEP: u64 = 30 * 60 * 1_000_000_000;

/// A journal that is written. There is one writer a directory.
///
/// Whoever drops it without [`close`](Journal::close) leaves what a killed process leaves: what was committed.
#[derive(Debug)]
pub struct Journal<D: Disk = Directory> {
    pub(crate) disk: D,
    pub(crate) options: Options,
    /// Oldest first. The last is the one that is written, if any is.
    pub(crate) segments: VecDeque<Segment>,
    pub(crate) current: Option<Current<D::File>>,
    pub(crate) batch: Batch,
    /// The sequence number of the next frame.
    pub(crate) next: u64,
    durable: u64,
    known: Known,
    pub(crate) waiting: Waiting,
    pub(crate) space: Space,
    /// What was found to be gone. Nothing is written any more then.
    pub(crate) vanished: Option<Vanished>,
    /// The time that was told last.
    now: u64,
    /// Nanoseconds that have passed since it was opened, by what was told, in steps that can be believed.
    pub(crate) elapsed: u64,
}

/// Frames that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    frames: Vec<u8>,
    /// The sequence number of the first.
    first: u64,
    /// When the latest of its records was received.
    newest: u64,
    /// Whether it has waiting records, or marks.
    waits: bool,
}

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Files.
    pub segments: usize,
    /// Octets in them, what the last one has allocated but not written left out.
    pub octets: u64,
    /// Records that wait.
    pub waiting: usize,
    /// Records that are remembered.
    pub remembered: usize,
}

impl<D: Disk> Journal<D> {
    /// Opens the journal in a directory, which is made where it does not exist, and says what was found. `now`, here as everywhere,
    /// is in nanoseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`OpenError`]. Nothing is lost by it.
    pub fn open(mut disk: D, options: Options, now: u64) -> Result<(Journal<D>, Recovery), OpenError> {
        options.check()?;
        let (mut known, mut waiting) = (Known::new(options.remember_records), Waiting::default());
        let horizon = before(now, options.remember);
        let (segments, next, mut recovery) = recover(&mut disk, horizon, &mut known, &mut waiting)?;
        (recovery.remembered, recovery.waiting) = (known.len(), waiting.len());
        let journal = Journal {
            disk,
            options,
            segments,
            current: None,
            batch: Batch::default(),
            next,
            durable: next - 1,
            known,
            waiting,
            space: Space::default(),
            vanished: None,
            now,
            elapsed: 0,
        };
        Ok((journal, recovery))
    }

    /// Takes a record, unless it is known. It is durable, and may be acknowledged, after the next [`commit`](Journal::commit).
    ///
    /// `identity` is what makes two requests the same record: 128 bits, which two different records have in common by no chance
    /// worth mentioning.
    ///
    /// # Errors
    ///
    /// [`AppendError`]; the record has not been taken, all others are untouched. What is known is found even so, except where the journal must be
    /// [reopened](AppendError::must_reopen).
    pub fn append(&mut self, now: u64, identity: u128, record: &Record<'_>) -> Result<Appended, AppendError> {
        self.usable()?;
        self.known.expire(before(now, self.options.remember));
        if let Some(sequence) = self.known.find(identity) {
            return Ok(Appended::Known(Position(sequence)));
        }
        let waits = record.kind == Kind::Waiting;
        if waits && self.waiting.len() >= self.options.waiting_records {
            return Err(AppendError::TooManyWaiting { records: self.waiting.len() });
        }
        let (stamp, at) = self.stamp(now)?;
        frame::push_record(&mut self.batch.frames, stamp, identity, record)?;
        self.next += 1;
        self.known.insert(identity, stamp.sequence, record.received);
        if waits {
            self.waiting.insert(stamp.sequence, at);
            self.batch.waits = true;
        }
        self.batch.newest = self.batch.newest.max(record.received);
        Ok(Appended::New(Position(stamp.sequence)))
    }

    /// Marks a waiting record as delivered. The mark is durable after the next [`commit`](Journal::commit); if it is lost before, the
    /// record waits again.
    /// `false`: the record does not wait.
    ///
    /// # Errors
    ///
    /// [`AppendError`]; the record waits as before.
    pub fn done(&mut self, now: u64, position: Position) -> Result<bool, AppendError> {
        self.usable()?;
        if !self.waiting.waits(position.0) {
            return Ok(false);
        }
        let (stamp, _) = self.stamp(now)?;
        frame::push_done(&mut self.batch.frames, stamp, position.0);
        self.next += 1;
        self.waiting.mark(position.0);
        self.batch.waits = true;
        Ok(true)
    }

    /// Makes durable what was appended: one write and one `fdatasync`. Everything up to the position that it returns is durable then, and
    /// in the journal's directory.
    ///
    /// # Errors
    ///
    /// [`CommitError`]: nothing of what was appended since the last commit is, and its positions stand for nothing. After that the
    /// journal goes on by itself in another file, as soon as the disk lets it; except where its files were taken away
    /// ([`CommitError::must_reopen`]).
    pub fn commit(&mut self) -> Result<Position, CommitError> {
        if let (Some(current), Some(segment), false) =
            (&mut self.current, self.segments.back_mut(), self.batch.is_empty())
        {
            let written = current.file.write_at(&self.batch.frames, segment.octets).map_err(|error| ("written", error));
            let durable = written.and_then(|()| current.file.sync_data().map_err(|error| ("made durable", error)));
            if let Err((action, error)) = durable {
                let file = current.path.clone();
                self.abandon();
                return Err(self.not_durable(file, action, error));
            }
        }
        if let Err(error) = self.see() {
            if !self.batch.is_empty() {
                self.abandon();
                self.space.refuse(self.now, error.clone().into());
            }
            return Err(error);
        }
        if let (Some(current), Some(segment), false) =
            (&mut self.current, self.segments.back_mut(), self.batch.is_empty())
        {
            current.since.get_or_insert(self.now);
            segment.octets += self.batch.frames.len() as u64;
            segment.newest = segment.newest.max(self.batch.newest);
            segment.waits |= self.batch.waits;
            self.waiting.commit();
            self.batch.clear();
            self.durable = self.next - 1;
        }
        Ok(Position(self.durable))
    }

    /// What has to be done now and then, some times a minute, between batches: begins a new segment where the last one is old, removes
    /// what need not be kept any longer, and keeps a segment ready; and sees whether its files are still there. Returns how many were
    /// removed.
    ///
    /// # Errors
    ///
    /// [`AppendError`]: what will be tried again, unless the journal must be [reopened](AppendError::must_reopen).
    pub fn maintain(&mut self, now: u64) -> Result<usize, AppendError> {
        self.see()?;
        self.tell(now);
        let removed = self.retain(now)?;
        self.place(now)?;
        Ok(removed)
    }

    /// Commits, and gives back the room that the last segment does not need.
    ///
    /// # Errors
    ///
    /// [`CommitError`], as of [`commit`](Journal::commit).
    pub fn close(mut self) -> Result<(), CommitError> {
        let committed = self.commit();
        self.finish();
        committed.map(drop)
    }

    /// Everything up to here is durable, except what a [`CommitError`] was about.
    pub fn durable(&self) -> Position {
        Position(self.durable)
    }

    /// The records that wait and are durable, oldest first, from the one after this position on.
    pub fn pending(&self, after: Position) -> Pending<'_, D> {
        Pending::new(self, after)
    }

    /// How much there is.
    pub fn usage(&self) -> Usage {
        Usage {
            segments: self.segments.len(),
            octets: self.segments.iter().map(|segment| segment.octets).sum(),
            waiting: self.waiting.len(),
            remembered: self.known.len(),
        }
    }

    /// Where the next frame goes, and its offset in the segment.
    fn stamp(&mut self, now: u64) -> Result<(Stamp, u32), AppendError> {
        self.tell(now);
        if self.batch.frames.len() + MAX_FRAME > self.options.batch {
            return Err(AppendError::BatchFull);
        }
        let place = self.place(now)?;
        if self.batch.is_empty() {
            self.batch.first = self.next;
        }
        // Below 2^30: `Options::check`.
        let batch = place.octets as u32;
        let stamp = Stamp { salt: place.salt, sequence: self.next, batch };
        Ok((stamp, batch + self.batch.frames.len() as u32))
    }

    /// Takes the time.
    fn tell(&mut self, now: u64) {
        self.elapsed += now.saturating_sub(self.now).min(STEP);
        self.now = now;
    }

    /// The batch, if there is one, is lost, and the segment with it: nobody knows what of the batch is on the disk, and a second
    /// `fdatasync` that says so would prove nothing, since the kernel drops what it could not write.
    pub(crate) fn abandon(&mut self) {
        if !self.batch.is_empty() {
            self.known.forget_from(self.batch.first);
            self.waiting.roll_back(self.batch.first);
            self.batch.clear();
        }
        self.leave();
    }

    fn not_durable(&mut self, path: PathBuf, action: &'static str, error: std::io::Error) -> CommitError {
        let lost = if says_full(&error) {
            CommitError::Full(self.full(None))
        } else {
            CommitError::Failed(Failure { path, action, source: Arc::new(error) })
        };
        self.space.refuse(self.now, lost.clone().into());
        lost
    }
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    fn clear(&mut self) {
        self.frames.clear();
        (self.newest, self.waits) = (0, false);
    }
}
