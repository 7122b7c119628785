//! The records that wait, for whoever delivers them.

use std::{
    ops::Bound::{Excluded, Included},
    sync::Arc,
};

use crate::{
    disk::{Access, Disk},
    errors::{Failure, ReadError},
    frame::{Body, Head, MAX_FRAME},
    journal::Journal,
    position::Position,
    reader::{Entry, Item},
    record::Record,
    scan::{Damaged, read_full},
    segment::name,
};

/// Reads waiting records, oldest first, one at a time: memory for one record, and one open file.
#[derive(Debug)]
pub struct Pending<'j, D: Disk> {
    journal: &'j Journal<D>,
    after: Position,
    /// A segment's number, and its file.
    open: Option<(u64, D::File)>,
    frame: Vec<u8>,
}

impl<'j, D: Disk> Pending<'j, D> {
    pub(crate) fn new(journal: &'j Journal<D>, after: Position) -> Pending<'j, D> {
        Pending { journal, after, open: None, frame: Vec::new() }
    }

    /// The next one; `None`: there are no more. One that cannot be read any more is [`Item::Damaged`]: nobody can deliver it, and its
    /// segment is kept until it is [`done`](Journal::done) all the same, with [`position`](Pending::position).
    ///
    /// # Errors
    ///
    /// [`ReadError`]. The next call is about the record after that.
    pub fn read(&mut self) -> Result<Option<Item<'_>>, ReadError> {
        let Pending { journal, after, open, frame } = self;
        let durable = journal.durable();
        let Some((sequence, at)) = journal.waiting.first((Excluded(after.0), Included(durable.0))) else {
            return Ok(None);
        };
        *after = Position(sequence);
        let before = journal.segments.partition_point(|segment| segment.first <= sequence);
        let Some(segment) = journal.segments.get(before.wrapping_sub(1)) else { return Ok(None) };
        let failed = |action, error| {
            let path = journal.disk.path().join(name(segment.first));
            ReadError::Failed(Failure { path, action, source: Arc::new(error) })
        };
        let file = match open {
            Some((first, file)) if *first == segment.first => file,
            _ => {
                let file = journal.disk.open(&name(segment.first), Access::Read);
                &mut open.insert((segment.first, file.map_err(|error| failed("opened", error))?)).1
            }
        };
        frame.resize(MAX_FRAME, 0);
        let length = read_full(file, frame, at.into()).map_err(|error| failed("read", error))?;
        frame.truncate(length);
        let head = Head::read(frame).filter(|head| head.sequence == sequence && head.verifies(frame, segment.salt));
        let record = head.and_then(|head| match head.body(frame) {
            Some(Body::Record(octets)) => Some((head.identity, Record::decode(octets).ok()?)),
            _ => None,
        });
        Ok(Some(match record {
            Some((identity, record)) => Item::Record(Entry { position: *after, identity, record }),
            None => {
                let octets = head.map_or(0, |head| head.length as u64);
                Item::Damaged(Damaged { segment: segment.first, at: at.into(), octets })
            }
        }))
    }

    /// Of the record that was read last.
    pub fn position(&self) -> Position {
        self.after
    }
}
