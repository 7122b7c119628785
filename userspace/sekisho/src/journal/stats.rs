//! What the journal's writer did, read by whoever looks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use sekisho_engine::stats::{Counter, Latency};

/// Written by the writer alone.
#[derive(Debug, Default)]
pub struct JournalStats {
    /// Records written.
    pub written: Counter,
    /// Records that had been written before, repeated by their NAS.
    pub known: Counter,
    /// Records that could not be written: their NAS keeps them.
    pub refused: Counter,
    /// How long a commit took, from the first record of its batch to the disk's word.
    pub commits: Latency,
    /// Octets of all segments.
    pub octets: AtomicU64,
    /// How many segments there are.
    pub segments: AtomicU64,
    /// Records that wait for a home server.
    pub waiting: AtomicU64,
    /// Whether the disk takes nothing at the moment.
    failing: AtomicBool,
}

impl JournalStats {
    /// Whether the disk takes nothing at the moment.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// Says whether the disk takes something, and whether that is new.
    pub(super) fn set_failing(&self, failing: bool) -> bool {
        self.failing.swap(failing, Relaxed) != failing
    }
}
