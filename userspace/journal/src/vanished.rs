//! Whether the files are where they were: what is written to a file that was removed is durable, and lost.
//!
//! Asked with every commit, after the sync and before anything is acknowledged: four calls to the kernel, next to nothing beside the sync.
//! Neither a link count nor the directory that was opened would do, since a file that was moved has both.

use std::{io, path::PathBuf, sync::Arc};

use crate::{
    directory::LOCK,
    disk::{Disk, DiskFile as _},
    errors::{CommitError, Failure, Vanished},
    journal::Journal,
};

impl<D: Disk> Journal<D> {
    /// Whether this journal can be used at all.
    pub(crate) fn usable(&self) -> Result<(), CommitError> {
        self.vanished.clone().map_or(Ok(()), |vanished| Err(CommitError::Vanished(vanished)))
    }

    /// Sees whether the lock and the open segment are where they were. If not, the journal is not used any further, and its files are
    /// left alone: they may be another writer's now.
    pub(crate) fn see(&mut self) -> Result<(), CommitError> {
        self.usable()?;
        let failed = |path, error: io::Error| {
            Err(CommitError::Failed(Failure { path, action: "looked for", source: Arc::new(error) }))
        };
        let lock = || self.disk.path().join(LOCK);
        match self.disk.has_lock() {
            Ok(true) => {}
            Ok(false) => return Err(self.vanish(lock())),
            Err(error) => return failed(lock(), error),
        }
        let Some(current) = &self.current else { return Ok(()) };
        match current.file.is_at(&current.path) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.vanish(current.path.clone())),
            Err(error) => failed(current.path.clone(), error),
        }
    }

    fn vanish(&mut self, path: PathBuf) -> CommitError {
        self.current = None;
        self.abandon();
        let vanished = Vanished { path };
        self.vanished = Some(vanished.clone());
        CommitError::Vanished(vanished)
    }
}
