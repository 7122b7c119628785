//! What came out of a load.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};
use sekisho_wire::code::Code;
use serde::{Deserialize, Serialize};

/// What became of the requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Requests begun.
    pub sent: u64,
    /// Requests that got a verified reply.
    pub completed: u64,
    /// Datagrams sent again after a timeout.
    pub retransmitted: u64,
    /// Requests given up.
    pub lost: u64,
    /// Replies whose authenticators are wrong, or that are malformed, or that nobody asked for.
    pub bad: u64,
    /// Verified replies to requests that had one already.
    pub duplicates: u64,
    /// Requests that were due and could not be sent: all ids taken, or refused by our own kernel.
    pub unsent: u64,
    /// Completed requests by the reply's code.
    pub replies: BTreeMap<String, u64>,
    /// From the first request to the last one begun.
    pub seconds: f64,
    /// Requests completed in that time, a second.
    pub rate: f64,
    /// Of completed requests.
    pub latency: Latency,
    /// Processor time of the load itself for each completed request, in microseconds.
    pub own_cpu_us: f64,
}

impl Report {
    /// Requests whose reply had this code.
    pub fn replied(&self, code: Code) -> u64 {
        self.replies.get(code.name()).copied().unwrap_or_default()
    }
}

/// Latencies in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The mean.
    pub mean_us: f64,
    /// Half are below.
    pub p50_us: f64,
    /// Nine of ten.
    pub p90_us: f64,
    /// 99 of 100.
    pub p99_us: f64,
    /// 999 of 1000.
    pub p99_9_us: f64,
    /// The longest.
    pub max_us: f64,
}

/// Counts while a load runs.
pub(super) struct Tally {
    pub(super) sent: u64,
    pub(super) completed: u64,
    pub(super) retransmitted: u64,
    pub(super) lost: u64,
    pub(super) bad: u64,
    pub(super) duplicates: u64,
    pub(super) unsent: u64,
    pub(super) skipped: u64,
    replies: [u64; 256],
    latency: Histogram<u64>,
}

impl Tally {
    pub(super) fn new() -> Result<Self, CreationError> {
        Ok(Self {
            sent: 0,
            completed: 0,
            retransmitted: 0,
            lost: 0,
            bad: 0,
            duplicates: 0,
            unsent: 0,
            skipped: 0,
            replies: [0; 256],
            latency: Histogram::new_with_bounds(1_000, 600_000_000_000, 3)?,
        })
    }

    /// Requests that were due so far, whether or not there was an id for them.
    pub(super) fn begun(&self) -> u64 {
        self.sent + self.skipped
    }

    /// A request was completed.
    pub(super) fn complete(&mut self, code: Code, nanoseconds: u64) {
        self.completed += 1;
        self.replies[usize::from(code.0)] += 1;
        self.latency.saturating_record(nanoseconds);
    }

    /// The report of a load that began requests for `time`, in which `completed` got their reply.
    pub(super) fn report(&self, time: Duration, completed: u64, own_cpu: Duration) -> Report {
        let us = |nanoseconds: u64| nanoseconds as f64 / 1e3;
        let replies = (0..=255).zip(self.replies).filter(|(_, count)| *count > 0);
        let seconds = time.as_secs_f64();
        Report {
            sent: self.sent,
            completed: self.completed,
            retransmitted: self.retransmitted,
            lost: self.lost,
            bad: self.bad,
            duplicates: self.duplicates,
            unsent: self.unsent + self.skipped,
            replies: replies.map(|(code, count)| (Code(code).name().to_owned(), count)).collect(),
            seconds,
            rate: if seconds > 0.0 { completed as f64 / seconds } else { 0.0 },
            latency: Latency {
                mean_us: self.latency.mean() / 1e3,
                p50_us: us(self.latency.value_at_quantile(0.5)),
                p90_us: us(self.latency.value_at_quantile(0.9)),
                p99_us: us(self.latency.value_at_quantile(0.99)),
                p99_9_us: us(self.latency.value_at_quantile(0.999)),
                max_us: us(self.latency.max()),
            },
            own_cpu_us: own_cpu.as_secs_f64() * 1e6 / self.completed.max(1) as f64,
        }
    }
}
