//! What can go wrong, an enum a phase, in words for whoever must act on it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{record::TooLong, segment::VERSION};

/// Why the journal could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another writer has it.
    #[error("another process writes the journal in {}: stop that one, or give each a directory of its own", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// Written by a program to come.
    #[error(
        "{} has format {version}, this sekisho knows {VERSION}: run the one that wrote it, or move the journal's directory away", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// Options that do not go together.
    #[error("the journal's {option} cannot be {value}: {remedy}")]
    Option {
        /// Which of them.
        option: &'static str,
        /// What was given.
        value: u64,
        /// What would be possible.
        remedy: String,
    },
    /// The disk, or the file system, said no.
    #[error("the journal cannot be opened: {0}")]
    Failed(#[source] Failure),
}

/// Why a record, or a mark, was not taken. The journal is as it was before.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// There is no room. It is looked for again, ten times a second at most, whenever something is appended.
    #[error("the journal takes no records: {0}")]
    Full(Full),
    /// No segment could be made, and that is tried again in the same way; or one could not be removed.
    #[error("the journal takes no records: {0}")]
    Failed(#[source] Failure),
    /// The journal's files were taken away: it takes nothing any more.
    #[error("the journal takes no records: {0}")]
    Vanished(#[source] Vanished),
    /// As much as one batch may have: [commit](crate::Journal::commit) first.
    #[error("the batch is full: commit it, then append")]
    BatchFull,
    /// So many records wait already.
    #[error(
        "{records} records wait for their home servers, no more may: deliver some, or raise the journal's waiting_records"
    )]
    TooManyWaiting {
        /// How many.
        records: usize,
    },
    /// It is no record that could be kept.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// Why a batch is not durable. Nothing that was appended since the last commit may be acknowledged; whoever sent it will send it again.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// There is no room.
    #[error("the batch is not durable: {0}")]
    Full(Full),
    /// The disk, or the file system, said no. The segment is not trusted any more; the next record begins another one.
    #[error("the batch is not durable: {0}")]
    Failed(#[source] Failure),
    /// The journal's files were taken away, and the batch with them: it takes nothing any more.
    #[error("the batch is not durable: {0}")]
    Vanished(#[source] Vanished),
}

impl AppendError {
    /// Whether this journal will never take a record again: drop it, and [open](crate::Journal::open) it anew.
    pub fn must_reopen(&self) -> bool {
        matches!(self, AppendError::Vanished(_))
    }
}

impl CommitError {
    /// Whether this journal will never take a record again: drop it, and [open](crate::Journal::open) it anew. Also what
    /// [`append`](crate::Journal::append) has found to be known since the last commit must not be acknowledged then, since its record
    /// may have gone.
    pub fn must_reopen(&self) -> bool {
        matches!(self, CommitError::Vanished(_))
    }
}

/// What a batch was lost for is what the next record is refused for.
impl From<CommitError> for AppendError {
    fn from(error: CommitError) -> AppendError {
        match error {
            CommitError::Full(full) => AppendError::Full(full),
            CommitError::Failed(failure) => AppendError::Failed(failure),
            CommitError::Vanished(vanished) => AppendError::Vanished(vanished),
        }
    }
}

/// Why the journal could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Written by a program to come.
    #[error("{} has format {version}, this sekisho knows {VERSION}: read it with the one that wrote it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// The disk, or the file system, said no.
    #[error("the journal cannot be read: {0}")]
    Failed(#[source] Failure),
}

/// No room on the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full {
    /// The journal's directory.
    pub path: Arc<Path>,
    /// Octets that are free and octets that should be, where that is what decided.
    pub short: Option<(u64, u64)>,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the file system of {} is full", self.path.display())?;
        if let Some((free, wanted)) = self.short {
            write!(f, ", {free} octets are free and {wanted} are wanted")?;
        }
        f.write_str(": make room there (remove what is none of the journal's, or lower its retention or reserve); it goes on by itself")
    }
}

/// A file that the writer has open is not where it was: somebody has removed, moved or replaced it, or its directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} was removed or replaced while the journal was written: leave the journal's directory alone while sekisho runs", path.display())]
pub struct Vanished {
    /// Where it was: a segment, or the lock.
    pub path: PathBuf,
}

/// What the file system refused.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The file, or the directory.
    pub path: PathBuf,
    /// What was to be done with it: `created`, `written`, …
    pub action: &'static str,
    /// What the kernel said.
    pub source: Arc<io::Error>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { path, action, source } = self;
        write!(f, "{} could not be {action} ({source}): ", path.display())?;
        f.write_str(match source.kind() {
            io::ErrorKind::PermissionDenied => "let sekisho's user read and write there",
            io::ErrorKind::NotFound => "see that the directory is there",
            io::ErrorKind::ReadOnlyFilesystem => "the kernel's log says why the file system is read-only",
            _ => "look in the kernel's log for what the disk reports",
        })
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// Whether this is what a full file system, or a used-up quota, says.
pub(crate) fn says_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
