//! Whether there is room, and when to look again: a full disk costs nothing while it is full.

use std::{sync::Arc, time::Duration};

use crate::{
    disk::Disk,
    errors::{AppendError, Failure, Full},
    journal::Journal,
    options::passed,
};

/// After a failure, the disk is left alone for so long.
const RETRY: Duration = Duration::from_millis(100);
/// Free octets are counted so often while a segment is written.
const LOOK: Duration = Duration::from_secs(1);

/// What is known of the room on the disk.
#[derive(Debug, Default)]
pub(crate) struct Space {
    /// When something was refused last, and why.
    refused: Option<(u64, AppendError)>,
    /// When free octets were counted last.
    looked: Option<u64>,
}

impl Space {
    /// Nothing is tried for a while.
    pub fn refuse(&mut self, now: u64, error: AppendError) {
        self.refused = Some((now, error));
    }
}

impl<D: Disk> Journal<D> {
    /// Whether there is room for what comes next: with `segment`, a whole one.
    pub(crate) fn look(&mut self, now: u64, segment: bool) -> Result<(), AppendError> {
        match &self.space.refused {
            Some((since, error)) if !passed(*since, now, RETRY) => return Err(error.clone()),
            None if !segment && self.space.looked.is_some_and(|looked| !passed(looked, now, LOOK)) => return Ok(()),
            _ => {}
        }
        let wanted = self.options.reserve.saturating_add(if segment { self.options.segment } else { 0 });
        let error = match self.disk.free() {
            Ok(free) if free >= wanted => {
                self.space = Space { refused: None, looked: Some(now) };
                return Ok(());
            }
            Ok(free) => AppendError::Full(self.full(Some((free, wanted)))),
            Err(error) => AppendError::Failed(Failure {
                path: self.disk.path().to_owned(),
                action: "asked for free space",
                source: Arc::new(error),
            }),
        };
        self.space.refuse(now, error.clone());
        Err(error)
    }

    /// The error that says so: `short` are the octets that are free and those that are wanted.
    pub(crate) fn full(&self, short: Option<(u64, u64)>) -> Full {
        Full { path: self.disk.path().into(), short }
    }
}
