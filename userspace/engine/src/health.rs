//! Whether a home server is alive: what the workers report, and what the control engine decides.
//!
//! Names and meanings are FreeRADIUS's. Workers write two facts ([`HomeState::replied`], [`HomeState::unanswered`]) and read
//! one word ([`HomeState::health`]); only [`crate::control`] changes that word. Only a verified reply counts as life.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use crate::time::Time;

/// A home server's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Health {
    /// Used.
    Alive = 0,
    /// A request went unanswered for `response_window`, and nothing has come since: used only where nothing better is.
    Zombie = 1,
    /// Silent for `zombie_period`: not used until `revive_interval` has passed.
    Dead = 2,
}

impl Health {
    /// The name in metrics and status.
    pub const fn name(self) -> &'static str {
        match self {
            Health::Alive => "alive",
            Health::Zombie => "zombie",
            Health::Dead => "dead",
        }
    }

    /// Every state.
    pub const ALL: [Health; 3] = [Health::Alive, Health::Zombie, Health::Dead];

    const fn from_u8(value: u8) -> Health {
        match value {
            1 => Health::Zombie,
            2 => Health::Dead,
            _ => Health::Alive,
        }
    }
}

/// What all workers share about one home server. Times are [`Time`] in nanoseconds; zero means never.
#[derive(Debug, Default)]
pub struct HomeState {
    health: AtomicU8,
    since: AtomicU64,
    last_reply: AtomicU64,
    unanswered: AtomicU64,
}

impl HomeState {
    /// The state that the control engine decided on.
    #[inline]
    pub fn health(&self) -> Health {
        Health::from_u8(self.health.load(Relaxed))
    }

    /// When it entered that state.
    pub fn since(&self) -> Time {
        Time(self.since.load(Relaxed))
    }

    /// When the last verified reply came.
    pub fn last_reply(&self) -> Time {
        Time(self.last_reply.load(Relaxed))
    }

    /// The latest time at which a request was sent that then went unanswered for `response_window`.
    pub fn last_unanswered(&self) -> Time {
        Time(self.unanswered.load(Relaxed))
    }

    /// A worker reports a verified reply.
    #[inline]
    pub fn replied(&self, now: Time) {
        // A millisecond's grain keeps workers from fighting over the cache line.
        if now.since(self.last_reply()) > 1_000_000 {
            self.last_reply.store(now.0, Relaxed);
        }
    }

    /// A worker reports that a request sent at `sent` went unanswered for `response_window`.
    pub fn unanswered(&self, sent: Time) {
        self.unanswered.fetch_max(sent.0, Relaxed);
    }

    /// The control engine changes the state.
    pub(crate) fn enter(&self, health: Health, now: Time) {
        self.health.store(health as u8, Relaxed);
        self.since.store(now.0, Relaxed);
    }
}
