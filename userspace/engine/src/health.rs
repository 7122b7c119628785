//! Whether a home server is alive: what the workers report, and what the control engine decides.
//!
//! Names and meanings are FreeRADIUS's. Workers write two facts ([`HomeState::replied`], [`HomeState::unanswered`]) and read
//! one word ([`HomeState::health`]); only [`crate::control`] changes that word. Only a verified reply, to a request or to a probe,
//! counts as life.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::{limiter::ClientBuckets, time::Time};

/// A home server's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Health {
    /// Used.
    Alive = 0,
    /// Requests went unanswered (`response_timeouts` of them in a row), and nothing has come since: used only where nothing better
    /// is.
    Zombie = 1,
    /// Silent for `zombie_period`: not used until it answers a probe or `revive_interval` has passed.
    Dead = 2,
    /// The operator takes it out of service: only conversations in progress go on there.
    Draining = 3,
    /// The operator has taken it out of service.
    Down = 4,
}

impl Health {
    /// The name in metrics and status.
    pub const fn name(self) -> &'static str {
        match self {
            Health::Alive => "alive",
            Health::Zombie => "zombie",
            Health::Dead => "dead",
            Health::Draining => "draining",
            Health::Down => "down",
        }
    }

    /// Every state.
    pub const ALL: [Health; 5] = [Health::Alive, Health::Zombie, Health::Dead, Health::Draining, Health::Down];

    const fn from_u8(value: u8) -> Health {
        match value {
            1 => Health::Zombie,
            2 => Health::Dead,
            3 => Health::Draining,
            4 => Health::Down,
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
    unanswered_in_a_row: AtomicU32,
    probes_sent: AtomicU64,
    probes_answered: AtomicU64,
    /// What its replies have shown.
    pub learned: Learned,
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
            self.unanswered_in_a_row.store(0, Relaxed);
        }
    }

    /// A worker reports that a request sent at `sent` went unanswered for `response_window`.
    pub fn unanswered(&self, sent: Time) {
        self.unanswered.fetch_max(sent.0, Relaxed);
        if sent > self.last_reply().max(self.since()) {
            self.unanswered_in_a_row.fetch_add(1, Relaxed);
        }
    }

    /// Requests that were sent since the last verified reply, and since the server has its state, and went unanswered.
    pub fn unanswered_in_a_row(&self) -> u32 {
        self.unanswered_in_a_row.load(Relaxed)
    }

    /// Status-Server probes sent.
    pub fn probes_sent(&self) -> u64 {
        self.probes_sent.load(Relaxed)
    }

    /// Status-Server probes answered in time, by a reply that verified.
    pub fn probes_answered(&self) -> u64 {
        self.probes_answered.load(Relaxed)
    }

    pub(crate) fn probe_sent(&self) {
        self.probes_sent.fetch_add(1, Relaxed);
    }

    pub(crate) fn probe_answered(&self) {
        self.probes_answered.fetch_add(1, Relaxed);
    }

    /// The control engine changes the state.
    pub(crate) fn enter(&self, health: Health, now: Time) {
        self.health.store(health as u8, Relaxed);
        self.since.store(now.0, Relaxed);
        self.unanswered_in_a_row.store(0, Relaxed);
    }
}

/// What has been learned of a sender: of its Message-Authenticators (`auto`, see [`crate::snapshot::Require`]), and by which of
/// two secrets it proves itself. Workers write, the program reads and keeps.
#[derive(Debug, Default)]
pub struct Learned {
    message_authenticator: AtomicBool,
    current_secret: AtomicU64,
    previous_secret: AtomicU64,
    warned: AtomicU64,
}

impl Learned {
    /// Whether it has sent a Message-Authenticator that EAP did not demand.
    pub fn message_authenticator(&self) -> bool {
        self.message_authenticator.load(Relaxed)
    }

    /// It has sent one, now or before a restart; or that is to be forgotten.
    pub fn set_message_authenticator(&self, seen: bool) {
        if self.message_authenticator() != seen {
            self.message_authenticator.store(seen, Relaxed);
        }
    }

    /// Whether it is time to warn of what it sends now: once a minute, whichever worker asks.
    pub(crate) fn may_warn(&self, now: Time) -> bool {
        let last = self.warned.load(Relaxed);
        (last == 0 || now.since(Time(last)) >= 60_000_000_000)
            && self.warned.compare_exchange(last, now.0.max(1), Relaxed, Relaxed).is_ok()
    }

    /// It has proved itself by the secret in force, or by the one before it. A second's grain keeps workers from fighting over
    /// the cache line.
    pub fn proved(&self, now: Time, by_previous: bool) {
        let when = if by_previous { &self.previous_secret } else { &self.current_secret };
        let last = when.load(Relaxed);
        if last == 0 || now.since(Time(last)) > 1_000_000_000 {
            when.store(now.0.max(1), Relaxed);
        }
    }

    /// Its secrets are others now: none of them has been used.
    pub fn forget_secrets(&self) {
        self.current_secret.store(0, Relaxed);
        self.previous_secret.store(0, Relaxed);
    }

    /// When it last proved itself by the secret in force; zero for never.
    pub fn current_secret_used(&self) -> Time {
        Time(self.current_secret.load(Relaxed))
    }

    /// When it last proved itself by the secret before; zero for never.
    pub fn previous_secret_used(&self) -> Time {
        Time(self.previous_secret.load(Relaxed))
    }
}

/// What all workers share about one client.
#[derive(Debug, Default)]
pub struct ClientState {
    /// What its requests have shown.
    pub learned: Learned,
    /// What it may still send, where the kernel does not say so.
    pub buckets: ClientBuckets,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_comes_once_a_minute_whoever_asks() {
        let learned = Learned::default();
        let due = |seconds: u64| learned.may_warn(Time::from_millis(seconds * 1_000));
        assert_eq!([1, 1, 2, 60, 61, 62, 120, 122].map(due), [true, false, false, false, true, false, false, true]);
    }

    #[test]
    fn which_secret_was_used_when_is_known_from_the_first_moment_on() {
        let learned = Learned::default();
        learned.proved(Time(0), true);
        assert!(learned.previous_secret_used() > Time(0) && learned.current_secret_used() == Time(0));
        learned.proved(Time::from_millis(5_000), false);
        assert_eq!(learned.current_secret_used(), Time::from_millis(5_000));
        learned.forget_secrets();
        assert_eq!((learned.previous_secret_used(), learned.current_secret_used()), (Time(0), Time(0)));
    }
}
