//! How many sessions an LNS, a contract or a customer has.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// One session, in the half of [`Load::places`] that counts sessions.
const ACTIVE: u64 = 1 << 32;

/// Counts of one LNS, one contract or one customer. Written by [`crate::sessions::Sessions`] alone, together with its table, so that
/// the two are never apart for longer than one call; read by whoever chooses or shows.
///
/// A cache line of its own: what is written for every session must not slow down those who only ask for health.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct Load {
    /// Sessions in the upper half, reservations in the lower: one load sees both as of one moment.
    places: AtomicU64,
    estimated: AtomicU32,
    chosen: AtomicU64,
    started: AtomicU64,
    failed_over_to: AtomicU64,
    failed_over_from: AtomicU64,
}

impl Load {
    /// Sessions that have started and not ended.
    pub fn active(&self) -> u32 {
        (self.places.load(Relaxed) >> 32) as u32
    }

    /// Reservations: sessions that were answered with an Accept, and have not started yet.
    pub fn pending(&self) -> u32 {
        self.places.load(Relaxed) as u32
    }

    /// Sessions and reservations.
    pub fn total(&self) -> u32 {
        let places = self.places.load(Relaxed);
        ((places >> 32) as u32).saturating_add(places as u32)
    }

    /// Of the active sessions those of which nothing says how long they may be silent: neither Interims nor Session-Timeout. A lost
    /// Stop of one of these is noticed after a day. Where this is not zero, [`Load::active`] is an estimate.
    pub fn estimated(&self) -> u32 {
        self.estimated.load(Relaxed)
    }

    /// How often it was chosen, since the process began.
    pub fn chosen(&self) -> u64 {
        self.chosen.load(Relaxed)
    }

    /// How many sessions started here, since the process began.
    pub fn started(&self) -> u64 {
        self.started.load(Relaxed)
    }

    /// Of those, how many had been given to another LNS.
    pub fn failed_over_to(&self) -> u64 {
        self.failed_over_to.load(Relaxed)
    }

    /// How many sessions were given to this LNS and started on another.
    pub fn failed_over_from(&self) -> u64 {
        self.failed_over_from.load(Relaxed)
    }

    pub(crate) fn reserve(&self) {
        self.places.fetch_add(1, Relaxed);
    }

    pub(crate) fn release(&self) {
        self.places.fetch_sub(1, Relaxed);
    }

    pub(crate) fn enter(&self) {
        self.places.fetch_add(ACTIVE, Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.places.fetch_sub(ACTIVE, Relaxed);
    }

    pub(crate) fn estimate(&self) {
        self.estimated.fetch_add(1, Relaxed);
    }

    pub(crate) fn know(&self) {
        self.estimated.fetch_sub(1, Relaxed);
    }

    pub(crate) fn count_chosen(&self) {
        self.chosen.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_started(&self) {
        self.started.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_failed_over_to(&self) {
        self.failed_over_to.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_failed_over_from(&self) {
        self.failed_over_from.fetch_add(1, Relaxed);
    }
}
