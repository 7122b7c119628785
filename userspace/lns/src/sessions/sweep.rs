//! What time does to the table, a little in every call: reservations run out, sessions of which nothing is heard are over, those
//! of restarted NASes too, and what is remembered for a while is forgotten.

use std::{sync::TryLockError, time::Duration};

use super::{
    Key, NoStart, Sessions,
    devices::{Devices, Link},
    record::{Reservation, Session, seconds},
    shelf::Shelf,
};
use crate::Time;

/// Reservations are looked through so often at most.
const RESERVATIONS: Duration = Duration::from_millis(500);

/// Where the sweep is.
#[derive(Debug, Default)]
pub(super) struct Hand {
    /// The next shelf of reservations, and when its round began.
    reservations: u32,
    begun: Option<Time>,
    /// The next shelf of sessions.
    sessions: u32,
}

/// What one call of [`Sessions::sweep`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Reservations that ran out.
    pub ran_out: usize,
    /// Sessions of which nothing was heard for too long.
    pub expired: usize,
    /// Sessions that were over because their NAS or LNS had restarted.
    pub restarted: usize,
    /// Devices of which is not remembered any more where they were, and sessions whose end is not.
    pub forgotten: usize,
}

impl Sessions {
    /// Goes on sweeping, for about `budget` records: half of them reservations, as long as there are so many to look at, the rest
    /// sessions. Tells of each reservation that ran out and meant a failure. Holds a lock for the time of one shelf.
    ///
    /// Called ten times a second by one thread with 20,000, it sees every reservation twice a second and a million sessions in
    /// five; a budget of `usize::MAX` sees everything once. A call while another is under way does nothing.
    pub fn sweep(&self, now: Time, budget: usize, failed: &mut dyn FnMut(NoStart)) -> Swept {
        let mut hand = match self.hand.try_lock() {
            Ok(hand) => hand,
            Err(TryLockError::Poisoned(hand)) => hand.into_inner(),
            Err(TryLockError::WouldBlock) => return Swept::default(),
        };
        let mut swept = Swept::default();
        let spent = self.sweep_reservations(now, budget / 2, &mut hand, &mut swept, failed);
        self.sweep_sessions(seconds(now), budget.saturating_sub(spent), &mut hand, &mut swept);
        swept
    }

    fn sweep_reservations(
        &self,
        now: Time,
        budget: usize,
        hand: &mut Hand,
        swept: &mut Swept,
        failed: &mut dyn FnMut(NoStart),
    ) -> usize {
        if hand.reservations == 0 {
            if hand.begun.is_some_and(|begun| now < begun + RESERVATIONS) {
                return 0;
            }
            hand.begun = Some(now);
        }
        let mut spent = 0;
        while spent <= budget {
            let (looked, gone) = self.devices.change(hand.reservations, |shelf| {
                let looked = shelf.reservations.len() + 1;
                let due = |it: &mut Reservation| it.expires <= seconds(now);
                let gone: Vec<Reservation> = shelf.reservations.extract_if(due).collect();
                gone.iter().for_each(|reservation| self.books.give_back(reservation));
                (looked, gone)
            });
            spent += looked;
            swept.ran_out += gone.len();
            gone.iter().filter_map(Reservation::no_start).for_each(&mut *failed);
            hand.reservations = (hand.reservations + 1) % self.devices.count();
            if hand.reservations == 0 {
                break;
            }
        }
        spent
    }

    fn sweep_sessions(&self, now: u32, budget: usize, hand: &mut Hand, swept: &mut Swept) {
        let mut spent = 0;
        for _ in 0..self.sessions.count() {
            if spent > budget {
                break;
            }
            let (looked, gone) = self.restarts.with(|ending| {
                self.sessions.change(hand.sessions, |shelf| {
                    let looked = shelf.sessions.len() + shelf.ended.len() + 1;
                    let mut restarted = |session: &Session| {
                        let restarted = ending.ends(session);
                        swept.restarted += usize::from(restarted);
                        restarted
                    };
                    let over = |it: &mut Session| restarted(it) || it.expires <= now;
                    let gone: Vec<Session> = shelf.sessions.extract_if(over).collect();
                    gone.iter().for_each(|session| self.books.take_away(session));
                    swept.expired += gone.len();
                    swept.forgotten += self.forget_ends(now, shelf);
                    (looked, gone)
                })
            });
            for session in &gone {
                self.unlink(now, session);
            }
            let (devices, forgotten, doubtful) = self.devices.change(hand.sessions, |shelf| {
                (shelf.devices.len() + 1, self.forget_devices(now, shelf), shelf.doubtful(now))
            });
            swept.forgotten += forgotten;
            doubtful.into_iter().for_each(|(device, link)| self.confirm(now, device, link));
            spent += looked + devices;
            hand.sessions = (hand.sessions + 1) % self.sessions.count();
            if hand.sessions == 0 {
                self.restarts.round_is_over();
            }
        }
        swept.expired -= swept.restarted;
    }

    fn forget_ends(&self, now: u32, shelf: &mut Shelf) -> usize {
        let before = shelf.ended.len();
        shelf.ended.retain(|it| it.until > now);
        let forgotten = before - shelf.ended.len();
        (0..forgotten).for_each(|_| self.books.ended.remove());
        forgotten
    }

    fn forget_devices(&self, now: u32, shelf: &mut Devices) -> usize {
        let before = shelf.devices.len();
        shelf.devices.retain(|it| it.session.is_some() || it.until > now);
        let forgotten = before - shelf.devices.len();
        (0..forgotten).for_each(|_| self.books.memories.remove());
        forgotten
    }

    /// Looks whether a device's session is there; a device without one would be kept for ever.
    fn confirm(&self, now: u32, device: Key, link: Link) {
        let shelf = self.sessions.of(link.session);
        if !self.sessions.view(shelf, |shelf| shelf.linked(link, device).is_some()) {
            self.devices.change(self.devices.of(device.half()), |shelf| shelf.unlink(&self.books, now, device, link));
        }
    }

    /// The session is over: its device has none.
    pub(super) fn unlink(&self, now: u32, session: &Session) {
        let Some(device) = session.device else { return };
        let link = Link { session: session.key.half(), source: session.source };
        self.devices.change(self.devices.of(device.half()), |shelf| shelf.unlink(&self.books, now, device, link));
    }
}
