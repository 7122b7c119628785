//! What a worker is told at its start.

use std::{sync::Arc, time::Duration};

use sekisho_abi::Service;
use sekisho_lns::sessions::Sessions;

use crate::{hosted::Hosted, limiter::Limiter, retransmits::Retransmits, sticky::Sticky, time::Time};

/// Fixed for the life of a worker, but for the limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Index of the worker, for its counters.
    pub worker: usize,
    /// What each service socket is for.
    pub services: Vec<Service>,
    /// Bounds and windows.
    pub limits: Limits,
    /// Seed of the generator of Request Authenticators, salts and hash keys. From the operating system's generator in
    /// production; fixed in simulations.
    pub seed: [u8; 32],
    /// Which server has which conversation: shared by all workers of a node.
    pub sticky: Arc<Sticky>,
    /// Rate limits where the kernel keeps none: shared by all workers of a node.
    pub limiter: Arc<Limiter>,
    /// Sessions of `vpdn` contracts: shared by all workers of a node.
    pub sessions: Arc<Sessions>,
    /// Hosted accounts: shared by all workers of a node.
    pub hosted: Arc<Hosted>,
    /// Unix time of [`Time`] zero, in seconds.
    pub epoch: u64,
    /// Where requests that are being repeated are published; `None` where nobody but the engine answers.
    pub retransmits: Option<Arc<dyn Retransmits>>,
    /// Content of the Proxy-State that we add: the same for all workers of a node, so that a loop is recognised.
    pub marker: [u8; 8],
}

impl Settings {
    /// Unix time, in seconds.
    pub(crate) fn wall(&self, now: Time) -> u64 {
        self.epoch + now.0 / 1_000_000_000
    }
}

/// Bounds and windows of one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests in flight and answers remembered, together.
    pub max_requests: u32,
    /// Rejects held back at a time.
    pub max_delayed_rejects: u32,
    /// How long an answer is remembered (RFC 5080 §2.2.2: 5 to 30 seconds).
    pub duplicate_window: Duration,
    /// A client's repetitions go upstream at most once in this time.
    pub retransmit_window: Duration,
    /// Upstream ports at most, per family: 256 requests outstanding on each, toward each home server.
    pub max_ports: u16,
    /// Accounting-Requests that wait until they are recorded, at most.
    pub max_records: u32,
    /// Hashes of passwords that are being checked elsewhere, at most: [`crate::Engine::poll_lookup`]. One contract alone may have half
    /// of them.
    pub max_lookups: u32,
    /// Challenges in one conversation at most: a home server must not keep a client busy for ever.
    pub max_challenges: u8,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_requests: 262_144,
            max_delayed_rejects: 16_384,
            duplicate_window: Duration::from_secs(10),
            retransmit_window: Duration::from_secs(1),
            max_ports: 128,
            max_records: 65_536,
            max_lookups: 64,
            max_challenges: 64,
        }
    }
}
