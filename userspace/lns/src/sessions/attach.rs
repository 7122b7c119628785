//! Reservations: a place is kept for a session from its Accept to its Start.

use std::time::Duration;

use super::{
    Key, Sessions,
    devices::Link,
    record::{Names, Place, Reservation, seconds, whole_seconds},
};
use crate::{ContractId, CustomerId, LnsId, SourceId, Time};

/// A device that asks again within so many seconds has repeated itself: it gets the same LNS, and that its first answer has led
/// to no session is nobody's failure.
pub(super) const AGAIN: u32 = 5;

/// Who attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A device: contract, canonical number (or IMSI) and APN; a User-Name where there is no number, if no two subscribers share it.
    /// A second attach of the device supersedes the first, and its Start finds its reservation.
    Device(Key),
    /// One that can not be told from others, by its request and its source: the reservation counts until it expires, and no Start
    /// finds it.
    Request(Key),
}

/// A session that is given to an LNS.
#[derive(Clone, Copy, Debug)]
pub struct Attach<'a> {
    /// The access network that asks.
    pub source: SourceId,
    /// For whom.
    pub who: Who,
    /// The contract of its realm.
    pub contract: ContractId,
    /// Whose that is.
    pub customer: CustomerId,
    /// The LNS that was chosen.
    pub lns: LnsId,
    /// The canonical number; may be empty.
    pub number: &'a [u8],
    /// User-Name; may be empty.
    pub user: &'a [u8],
    /// How long a device's LNS is remembered, where the contract wants that.
    pub sticky: Option<Duration>,
    /// Whether the contract's sessions are accounted for: that no Start comes is a failure then.
    pub accounted: bool,
}

/// What an attach changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attached {
    /// Whether a place was kept. If not, the table of reservations is full: the session is given, and counted from its Start.
    pub tracked: bool,
    /// A session of the same device ended: its Stop was lost.
    pub superseded: bool,
    /// The device had been given to an LNS before and has not started there.
    pub no_start: Option<NoStart>,
}

/// A session that was given to an LNS and of which no Start came: a soft failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoStart {
    /// The access network it was given to.
    pub source: SourceId,
    /// The LNS.
    pub lns: LnsId,
}

impl Sessions {
    /// Keeps a place for a session that is being accepted: it counts as pending for its LNS, contract and customer until its Start
    /// comes or its time is over. What the device had before is given back.
    pub fn attach(&self, now: Time, attach: &Attach<'_>) -> Attached {
        let now = seconds(now);
        let (key, of_device) = match attach.who {
            Who::Device(key) => (key, true),
            Who::Request(key) => (key, false),
        };
        let place = Place { contract: attach.contract, customer: attach.customer, lns: Some(attach.lns).into() };
        let reservation = Reservation {
            key,
            source: attach.source,
            place,
            made: now,
            expires: now.saturating_add(whole_seconds(self.settings.reservation)),
            names: Names::new(attach.number, attach.user, &[]),
            of_device,
            accounted: attach.accounted,
        };
        let sticky = attach.sticky.map_or(0, whole_seconds);
        let (tracked, before, link) = self.devices.change(self.devices.of(key.half()), |shelf| {
            let before = shelf.take_reservation(&self.books, key);
            let tracked = shelf.reserve(&self.books, reservation);
            let link = if of_device { shelf.give(&self.books, now, key, place.lns, sticky) } else { None };
            (tracked, before, link)
        });
        self.books.loads.lns(attach.lns).load.count_chosen();
        Attached {
            tracked,
            superseded: link.is_some_and(|link| self.supersede(now, key, link)),
            no_start: before
                .filter(|before| now.saturating_sub(before.made) >= AGAIN)
                .and_then(|before| before.no_start()),
        }
    }

    /// Ends the session of a device that has a new one, if it is still there.
    pub(super) fn supersede(&self, now: u32, device: Key, link: Link) -> bool {
        self.sessions.change(self.sessions.of(link.session), |shelf| {
            let found = shelf.take(&self.books, link.session, |session| {
                session.source == link.source && session.device == Some(device)
            });
            let superseded = found.is_some();
            if let Some(session) = found {
                shelf.bury(&self.books, now, &session, session.event);
            }
            superseded
        })
    }
}

impl Reservation {
    /// What it means that it ends without a Start.
    pub(super) fn no_start(&self) -> Option<NoStart> {
        let lns = self.place.lns.id().filter(|_| self.accounted && self.of_device)?;
        Some(NoStart { source: self.source, lns })
    }
}
