//! What is in the table, as numbers: for whom each record counts, and how many records there are at most.
//!
//! A record is counted where it is put in and where it is taken out, under the lock of its shelf. So numbers and table agree whenever
//! no call is under way, and each record is counted once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use super::{
    Settings,
    record::{Flags, Place, Reservation, Session},
};
use crate::{CustomerId, load::Load, loads::Loads};

/// Records of one kind.
#[derive(Debug)]
pub(super) struct Bounded {
    now: AtomicUsize,
    most: usize,
    /// Of one customer.
    share: usize,
}

impl Bounded {
    fn new(most: usize, hundredths: u8) -> Bounded {
        let share = most.saturating_mul(usize::from(hundredths.min(100))) / 100;
        Bounded { now: AtomicUsize::new(0), most, share: share.max(1) }
    }

    /// One more of a customer that has so many, if there is room.
    pub(super) fn add_of(&self, customers: u32) -> bool {
        (customers as usize) < self.share && self.add()
    }

    /// One more, if there is room.
    pub(super) fn add(&self) -> bool {
        self.now.fetch_update(Relaxed, Relaxed, |now| (now < self.most).then_some(now + 1)).is_ok()
    }

    /// One less.
    pub(super) fn remove(&self) {
        self.now.fetch_sub(1, Relaxed);
    }

    pub(super) fn now(&self) -> usize {
        self.now.load(Relaxed)
    }
}

#[derive(Debug)]
pub(super) struct Books {
    pub(super) loads: Arc<Loads>,
    pub(super) sessions: Bounded,
    pub(super) reservations: Bounded,
    /// Devices without a session.
    pub(super) memories: Bounded,
    pub(super) ended: Bounded,
    pub(super) untracked: AtomicU64,
    pub(super) refused: AtomicU64,
}

impl Books {
    pub(super) fn new(settings: &Settings, loads: Arc<Loads>) -> Books {
        Books {
            loads,
            sessions: Bounded::new(settings.max_sessions, settings.customer_share),
            reservations: Bounded::new(settings.max_reservations, settings.customer_share),
            memories: Bounded::new(settings.max_sessions, 100),
            ended: Bounded::new(settings.max_reservations, 100),
            untracked: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    pub(super) fn each(&self, place: Place, change: impl Fn(&Load)) {
        self.loads.each(place.lns.id(), place.contract, place.customer, change);
    }

    /// Room for a session; not if the table is full, or the customer's share of it.
    pub(super) fn admit(&self, customer: CustomerId) -> bool {
        let room = self.sessions.add_of(self.loads.customer(customer).active());
        if !room {
            self.untracked.fetch_add(1, Relaxed);
        }
        room
    }

    /// A session is in the table now.
    pub(super) fn enter(&self, session: &Session) {
        self.each(session.place, Load::enter);
        if session.flags.has(Flags::ESTIMATE) {
            self.each(session.place, Load::estimate);
        }
    }

    fn leave(&self, session: &Session) {
        self.each(session.place, Load::leave);
        if session.flags.has(Flags::ESTIMATE) {
            self.each(session.place, Load::know);
        }
    }

    /// A session has been taken out of the table.
    pub(super) fn take_away(&self, session: &Session) {
        self.leave(session);
        self.sessions.remove();
    }

    /// A session in the table counts for something else now.
    pub(super) fn recount(&self, session: &mut Session, change: impl FnOnce(&mut Session)) {
        self.leave(session);
        change(session);
        self.enter(session);
    }

    /// Counts a reservation, if there is room for it.
    pub(super) fn take_up(&self, reservation: &Reservation) -> bool {
        let room = self.reservations.add_of(self.loads.customer(reservation.place.customer).pending());
        match room {
            true => self.each(reservation.place, Load::reserve),
            false => _ = self.refused.fetch_add(1, Relaxed),
        }
        room
    }

    /// A reservation is gone.
    pub(super) fn give_back(&self, reservation: &Reservation) {
        self.reservations.remove();
        self.each(reservation.place, Load::release);
    }
}
