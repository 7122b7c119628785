//! A shelf of devices and of reservations: which session a device has, where its last one was, and what is kept for its next.

use std::num::NonZeroU64;

use hashbrown::HashTable;

use super::{
    Key, Report,
    attach::AGAIN,
    books::Books,
    record::{At, Device, Reservation, put, take},
    shelves::hash,
};
use crate::{LnsId, SourceId};

/// A device's session. The session may end between the moment that it is put in and the moment that its device is told: so
/// the sweep looks once, this many seconds later, whether it is there.
pub(super) const SETTLED: u32 = 10;

/// Which session a device has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) session: NonZeroU64,
    pub(super) source: SourceId,
}

impl Link {
    pub(super) fn to(report: &Report<'_>) -> Link {
        Link { session: report.session.half(), source: report.source }
    }
}

/// What is known of a device when it attaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The LNS that its last session was given to.
    pub last: Option<LnsId>,
    /// It asked for a session a moment ago, which has not started: it repeats itself, and `last` is its answer.
    pub again: bool,
    /// It holds a place, by a reservation or by a session whose Stop was lost; an attach gives that back.
    pub holds: bool,
}

impl Device {
    /// Its session.
    pub(super) fn link(&self) -> Option<Link> {
        Some(Link { session: self.session?, source: self.source })
    }
}

#[derive(Default)]
pub(super) struct Devices {
    pub(super) devices: HashTable<Device>,
    pub(super) reservations: HashTable<Reservation>,
}

impl Devices {
    pub(super) fn device(&self, key: Key) -> Option<&Device> {
        self.devices.find(hash(key.half()), |it| it.key == key)
    }

    pub(super) fn reservation(&self, key: Key) -> Option<&Reservation> {
        self.reservations.find(hash(key.half()), |it| it.key == key)
    }

    pub(super) fn remembered(&self, now: u32, key: Key) -> Remembered {
        if let Some(reservation) = self.reservation(key) {
            let again = now.saturating_sub(reservation.made) < AGAIN;
            return Remembered { last: reservation.place.lns.id(), again, holds: true };
        }
        match self.device(key) {
            Some(device) if device.session.is_some() => {
                // Without a TTL the LNS is no reason to choose it again, but its place is.
                Remembered { last: device.lns.id(), again: false, holds: true }
            }
            Some(device) if device.until > now => Remembered { last: device.lns.id(), again: false, holds: false },
            _ => Remembered::default(),
        }
    }

    /// Gives a reservation back.
    pub(super) fn take_reservation(&mut self, books: &Books, key: Key) -> Option<Reservation> {
        let reservation = take(&mut self.reservations, key.half(), |it| it.key == key)?;
        books.give_back(&reservation);
        Some(reservation)
    }

    /// Puts in a reservation whose key has none, if there is room.
    pub(super) fn reserve(&mut self, books: &Books, reservation: Reservation) -> bool {
        let room = books.take_up(&reservation);
        if room {
            let half = reservation.key.half();
            self.reservations.insert_unique(hash(half), reservation, |other| hash(other.key.half()));
        }
        room
    }

    /// The device is given to this LNS for its next session; the one that it has is over.
    pub(super) fn give(&mut self, books: &Books, now: u32, key: Key, lns: At, sticky: u32) -> Option<Link> {
        let before = self.forget(books, key);
        self.remember(books, now, key, lns, sticky);
        before
    }

    /// The device has this session. Which one it had before, if another.
    pub(super) fn link(&mut self, books: &Books, now: u32, key: Key, link: Link, lns: At, sticky: u32) -> Option<Link> {
        let before = self.forget(books, key);
        let (session, source, until) = (Some(link.session), link.source, now.saturating_add(SETTLED));
        put(&mut self.devices, Device { key, session, source, lns, sticky, until });
        before.filter(|before| *before != link)
    }

    /// The device's session has ended, if this is it.
    pub(super) fn unlink(&mut self, books: &Books, now: u32, key: Key, link: Link) {
        let is = |it: &Device| it.key == key && it.session == Some(link.session) && it.source == link.source;
        if let Some(device) = take(&mut self.devices, key.half(), is) {
            self.remember(books, now, key, device.lns, device.sticky);
        }
    }

    /// The device's session, if this is it, is on another LNS.
    pub(super) fn relocate(&mut self, key: Key, link: Link, lns: At) {
        let is = |it: &Device| it.key == key && it.session == Some(link.session) && it.source == link.source;
        if let Some(device) = self.devices.find_mut(hash(key.half()), is) {
            device.lns = lns;
        }
    }

    /// Devices whose session has not been seen beside the link yet. Each is handed out once.
    pub(super) fn doubtful(&mut self, now: u32) -> Vec<(Key, Link)> {
        let linked = self.devices.iter_mut().filter(|it| it.session.is_some() && it.until <= now);
        let hand_out = |device: &mut Device| {
            device.until = u32::MAX;
            Some((device.key, device.link()?))
        };
        linked.filter_map(hand_out).collect()
    }

    /// Forgets a device. Which session it has.
    fn forget(&mut self, books: &Books, key: Key) -> Option<Link> {
        let device = take(&mut self.devices, key.half(), |it| it.key == key)?;
        if device.session.is_none() {
            books.memories.remove();
        }
        device.link()
    }

    /// Remembers where a device without a session was. If there is no room, the one of the shelf goes that would be forgotten next.
    fn remember(&mut self, books: &Books, now: u32, key: Key, lns: At, sticky: u32) {
        if sticky == 0 || lns == At::NOWHERE {
            return;
        }
        if !books.memories.add() {
            let memories = self.devices.iter().filter(|it| it.session.is_none());
            let Some((_, oldest)) = memories.map(|it| (it.until, it.key)).min() else { return };
            take(&mut self.devices, oldest.half(), |it| it.key == oldest);
        }
        let until = now.saturating_add(sticky);
        put(&mut self.devices, Device { key, session: None, source: SourceId(0), lns, sticky, until });
    }
}
