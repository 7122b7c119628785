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
    /// Times may have been told by a clock that lied, the order of the segments cannot. So no segment is older than the latest record
    /// before its end, nor than when the one after it was made; times that have not come yet say nothing of others. And where this
    /// process has made the one after it, as much time must have passed here.
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
        let (mut removed, mut at, mut marks_are_needed, mut latest) = (0, 0, false, 0);
        while removed < AT_ONCE
            && let (Some(segment), Some(next)) = (self.segments.get(at), self.segments.get(at + 1))
        {
            let too_much = self.options.max_octets > 0 && octets > self.options.max_octets;
            let told = [segment.newest, next.created].into_iter().filter(|told| *told <= now);
            latest = told.fold(latest, u64::max);
            let seen =
                next.begun.is_none_or(|begun| u128::from(self.elapsed - begun) >= self.options.retention.as_nanos());
            let is_old = seen && segment.newest.max(latest) < horizon;
            let waits = self.waiting.any(segment.first..next.first);
            if waits || (segment.waits && marks_are_needed) || !(is_old || too_much) {
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
