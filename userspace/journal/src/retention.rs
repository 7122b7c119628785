//! What need not be kept any longer.

use std::{io, sync::Arc};

use crate::{
    disk::Disk,
    errors::{AppendError, Failure},
    journal::Journal,
    options::before,
    segment::name,
};

/// So many segments are removed at once: removing takes its time, and records wait meanwhile.
const AT_ONCE: usize = 16;

impl<D: Disk> Journal<D> {
    /// Removes the oldest segments that are too old or too many, and returns how many.
    ///
    /// A record that waits keeps its segment, and all later ones that have marks: among them may be those of other records in that
    /// segment, which would wait again without them.
    pub(crate) fn retain(&mut self, now: u64) -> Result<usize, AppendError> {
        // What a segment has behind its records is void because the next one says so. That one must not go first.
        if !self.trim() {
            return Ok(0);
        }
        let horizon = before(now, self.options.retention);
        let mut octets: u64 = self.segments.iter().map(|segment| segment.octets).sum();
        let (mut removed, mut at, mut marks_are_needed) = (0, 0, false);
        while removed < AT_ONCE
            && let (Some(segment), Some(next)) = (self.segments.get(at), self.segments.get(at + 1))
        {
            let too_much = self.options.max_octets > 0 && octets > self.options.max_octets;
            let waits = self.waiting.any(segment.first..next.first);
            if waits || (segment.waits && marks_are_needed) || !(segment.newest < horizon || too_much) {
                marks_are_needed |= segment.waits;
                at += 1;
                continue;
            }
            let (file, size) = (name(segment.first), segment.octets);
            let failed = |path, action, error| Failure { path, action, source: Arc::new(error) };
            // A crash may bring back what was removed: the records before, then, without their marks.
            let gone = if segment.waits { self.disk.sync() } else { Ok(()) };
            gone.map_err(|error| AppendError::Failed(failed(self.disk.path().into(), "made durable", error)))?;
            match self.disk.remove(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(AppendError::Failed(failed(self.disk.path().join(file), "removed", error)));
                }
                _ => {}
            }
            self.segments.remove(at);
            octets -= size;
            removed += 1;
        }
        Ok(removed)
    }
}
