//! What an operator may choose.

use std::time::Duration;

use crate::{
    errors::OpenError,
    frame::{HEAD, MAX_FRAME},
    segment::HEADER,
};

/// The largest segment: places in it are numbers of 32 bits.
pub(crate) const MAX_SEGMENT: u64 = 1 << 30;

/// What an operator may choose. Sizes are in octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The size of a segment's file while it is written. 64 MiB.
    pub segment: u64,
    /// A segment ends this long after its first record, if it is not full before: then it can be shipped. 1 hour.
    pub rotate_after: Duration,
    /// The most that is written at once, and kept in memory until it is. A segment ends where a whole batch might not fit any more. 8 MiB.
    pub batch: usize,
    /// A record that comes again within this time is not written again. 10 minutes.
    pub remember: Duration,
    /// So many records are remembered at most. 1,048,576.
    pub remember_records: usize,
    /// So many records may wait at most. 1,048,576.
    pub waiting_records: usize,
    /// A segment is removed when it ended so long ago, its latest record is as old, and none of its records waits. 31 days.
    pub retention: Duration,
    /// The oldest segments are removed, unless records in them wait, while all together are larger. 0: they may be.
    pub max_octets: u64,
    /// Nothing is taken while the file system has less room than this. 64 MiB.
    pub reserve: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment: 64 << 20,
            rotate_after: Duration::from_secs(60 * 60),
            batch: 8 << 20,
            remember: Duration::from_secs(10 * 60),
            remember_records: 1 << 20,
            waiting_records: 1 << 20,
            retention: Duration::from_secs(31 * 24 * 60 * 60),
            max_octets: 0,
            reserve: 64 << 20,
        }
    }
}

impl Options {
    /// Whether they go together.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let refuse = |option, value, remedy| Err(OpenError::Option { option, value, remedy });
        let least = self.batch as u64 + HEADER + HEAD as u64;
        if self.batch < MAX_FRAME {
            return refuse("batch", self.batch as u64, format!("a single record may need {MAX_FRAME} octets"));
        }
        if self.segment < least {
            return refuse("segment", self.segment, format!("a batch needs {least} octets"));
        }
        if self.segment > MAX_SEGMENT {
            return refuse("segment", self.segment, format!("{MAX_SEGMENT} octets are the most"));
        }
        Ok(())
    }
}

/// A time in nanoseconds since 1970, less so much.
pub(crate) fn before(now: u64, time: Duration) -> u64 {
    now.saturating_sub(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// Whether so much time has passed since then, or the clock has been set back by as much.
pub(crate) fn passed(since: u64, now: u64, time: Duration) -> bool {
    u128::from(now.abs_diff(since)) >= time.as_nanos()
}
