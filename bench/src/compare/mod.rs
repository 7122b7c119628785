//! Proxies side by side: the same load, the same home server, the same machine, in turn.
//!
//! Each [`Proxy`] is set up as a competent administrator would ([`peers`], with the documents under `bench/peers/`), and
//! every combination of proxy, kind of request and window is measured ([`measure`]) once a round, the proxies in turn
//! within it: what else the machine does meets all of them alike. [`table`] takes the median of the rounds, per
//! *completed* transaction, and sets it against the former build, FreeRADIUS and radsecproxy.
//!
//! What is counted is the proxy process's own user and system time. On loopback the kernel delivers a datagram in the
//! context of whoever sent it, so part of a packet's reception is on its sender's account; that is so for every proxy.

pub(crate) mod child;
pub mod machine;
pub mod measure;
pub mod peers;
pub mod table;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use measure::Measurement;
pub use peers::Proxy;

use crate::load::{Kind, LoadError};
use crate::stop::Stop;
use child::Child;
use machine::Machine;
use measure::Bench;
use peers::Programs;
use table::Summary;

/// What is compared, and how.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// In this order, within each round.
    pub proxies: Vec<Proxy>,
    /// Kinds of request.
    pub kinds: Vec<Kind>,
    /// Requests outstanding at once.
    pub windows: Vec<usize>,
    /// How often everything is measured.
    pub rounds: usize,
    /// For how long each time.
    pub time: Duration,
    /// Load before that, not counted.
    pub warm_up: Duration,
    /// Unanswered that long, a request is sent again.
    pub timeout: Duration,
    /// How often.
    pub retries: u32,
    /// The sekisho program, if it is to take part.
    pub sekisho: Option<PathBuf>,
    /// An earlier build of it, if that is to take part.
    pub former: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A program could not be started, or a file not written.
    #[error("{what}: {error}")]
    Start {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
    /// A program was started and never answered a request.
    #[error("{proxy} did not answer within {seconds} s; it said:\n{said}")]
    NotReady {
        /// Which.
        proxy: String,
        /// How long was waited.
        seconds: u64,
        /// What it wrote.
        said: String,
    },
    /// The load could not run.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Nothing to compare.
    #[error("none of the proxies is installed")]
    Nothing,
    /// We were asked to stop.
    #[error("stopped before the end")]
    Stopped,
}

/// Everything that a comparison found out, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// The day, UTC.
    pub date: String,
    /// Where.
    pub machine: Machine,
    /// Which proxies, by name.
    pub versions: Vec<(String, String)>,
    /// Seconds of each measurement, and of the warm-up before it.
    pub seconds: (f64, f64),
    /// Seconds until a request is sent again, and how often that is done.
    pub retransmission: (f64, u32),
    /// Medians of the rounds.
    pub summary: Vec<Summary>,
    /// Each measurement.
    pub measurements: Vec<Measurement>,
}

impl Comparison {
    /// Measures everything; `progress` gets a line for each measurement.
    ///
    /// # Errors
    /// When a program cannot be started or does not answer. Peers that are not installed are left out, with a line.
    pub fn run(&self, stop: &Stop, progress: &mut dyn FnMut(&str)) -> Result<Results, CompareError> {
        let programs = Programs::find(self.sekisho.as_deref(), self.former.as_deref());
        let mut proxies = self.proxies.clone();
        // Without a former build nothing is missing.
        proxies.retain(|proxy| *proxy != Proxy::Former || self.former.is_some());
        proxies.retain(|proxy| {
            let found = programs.has(*proxy);
            if !found {
                progress(&format!("{proxy} is not installed: left out"));
            }
            found
        });
        if proxies.is_empty() {
            return Err(CompareError::Nothing);
        }
        let bench = Bench::start(self, &programs)?;
        let mut measurements = Vec::new();
        for round in 1..=self.rounds {
            for kind in &self.kinds {
                for window in &self.windows {
                    for proxy in &proxies {
                        let measurement = bench.measure(*proxy, *kind, *window, round, stop)?;
                        progress(&measurement.to_string());
                        measurements.push(measurement);
                        if stop.is_set() {
                            return Err(CompareError::Stopped);
                        }
                    }
                }
            }
        }
        Ok(Results {
            date: machine::today(),
            machine: Machine::describe(),
            versions: proxies.iter().map(|proxy| (proxy.to_string(), programs.version(*proxy))).collect(),
            seconds: (self.time.as_secs_f64(), self.warm_up.as_secs_f64()),
            retransmission: (self.timeout.as_secs_f64(), self.retries),
            summary: table::summarize(&measurements),
            measurements,
        })
    }
}
