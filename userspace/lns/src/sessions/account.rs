//! Start and Interim: what puts a session into the table, and keeps it there.
//!
//! First the session's shelf: known, or put in, or late. Then, for a new one, its device's shelf: the reservation that it was, and
//! the session that it supersedes. Only where the report does not say what the reservation knows is the session's shelf visited
//! again.

use super::{
    Effect, FailedOver, Outcome, Report, Sessions,
    attach::AGAIN,
    devices::Link,
    expiry,
    record::{At, Ended, Flags, Names, Place, Reservation, Session, seconds, unix, whole_seconds},
    shelf::Shelf,
};
use crate::Time;

/// What shows a session to be alive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Start,
    Interim,
}

/// What the shelf made of a report.
enum Found {
    /// Nothing more is to be done.
    Known(Outcome),
    /// The session, known before, is on another LNS than was thought.
    Moved(Outcome),
    /// It was put in, or there is no room for it.
    New(Effect),
}

impl Sessions {
    /// Start, or Tunnel-Link-Start where that replaces it.
    pub fn start(&self, now: Time, report: &Report<'_>) -> Outcome {
        self.show(seconds(now), report, Sign::Start)
    }

    /// Interim-Update.
    pub fn interim(&self, now: Time, report: &Report<'_>) -> Outcome {
        self.show(seconds(now), report, Sign::Interim)
    }

    fn show(&self, now: u32, report: &Report<'_>, sign: Sign) -> Outcome {
        let shelf = self.sessions.of(report.session.half());
        let (found, replaced) = self.sessions.change(shelf, |shelf| self.find(now, shelf, report, sign));
        if let Some(session) = replaced {
            self.unlink(now, &session);
        }
        match found {
            Found::Known(outcome) => outcome,
            Found::Moved(outcome) => {
                if let Some(device) = report.device {
                    let shelf = self.devices.of(device.half());
                    self.devices.change(shelf, |shelf| shelf.relocate(device, Link::to(report), outcome.lns.into()));
                }
                outcome
            }
            Found::New(effect) => self.claim(now, report, sign, effect),
        }
    }

    /// Whether the session is known. With it, the one that had its identity before, if that is over now.
    fn find(&self, now: u32, shelf: &mut Shelf, report: &Report<'_>, sign: Sign) -> (Found, Option<Session>) {
        match shelf.session_mut(report.source, report.session) {
            None => (self.show_new(now, shelf, report, sign, false), None),
            Some(session) if !session.is_of_another(report) => (self.show_known(now, session, report, sign), None),
            Some(session) if unix(report.event) <= session.event => {
                (Found::Known(Outcome::nothing(Effect::Late, report)), None)
            }
            Some(_) => {
                // The NAS counts its sessions anew, and a Stop was lost.
                let replaced = shelf.take(&self.books, report.session.half(), |it| {
                    it.key == report.session && it.source == report.source
                });
                (self.show_new(now, shelf, report, sign, true), replaced)
            }
        }
    }

    fn show_known(&self, now: u32, session: &mut Session, report: &Report<'_>, sign: Sign) -> Found {
        let effect = match sign {
            Sign::Interim => Effect::Updated,
            Sign::Start if report.bearer_bit() & !session.bearers != 0 => Effect::Bearer,
            Sign::Start => Effect::Duplicate,
        };
        let mut flags = session.flags;
        let event = unix(report.event);
        if effect == Effect::Duplicate {
            // Later: the device's next session under the same identity. Earlier: an Interim had to stand in for it.
            flags.set(Flags::REUSED, flags.has(Flags::REUSED) || event > session.started);
            if event > session.started || !flags.has(Flags::REUSED) {
                session.started = event;
            }
        } else {
            let otherwise = whole_seconds(self.settings.without_interims);
            session.expires = expiry::renewed(now, session, &mut flags, report, sign == Sign::Interim, otherwise);
        }
        let lived = sign == Sign::Interim && !flags.has(Flags::LIVED);
        flags.set(Flags::LIVED, lived || flags.has(Flags::LIVED));
        session.bearers |= report.bearer_bit();
        session.event = session.event.max(event);
        session.framed_ip = report.framed_ip.or(session.framed_ip);
        let moved = report.lns.is_some_and(|lns| session.place.lns != Some(lns).into());
        if moved || flags.has(Flags::ESTIMATE) != session.flags.has(Flags::ESTIMATE) {
            self.books.recount(session, |session| {
                session.flags = flags;
                session.place.lns = if moved { report.lns.into() } else { session.place.lns };
            });
        }
        session.flags = flags;
        let (lns, access) = (session.place.lns.id(), session.access);
        let outcome = Outcome { lns, access, lived, ..Outcome::nothing(effect, report) };
        if moved { Found::Moved(outcome) } else { Found::Known(outcome) }
    }

    fn show_new(&self, now: u32, shelf: &mut Shelf, report: &Report<'_>, sign: Sign, mut reused: bool) -> Found {
        if let Some(ended) = shelf.ended(now, report.source, report.session) {
            if ended.covers(report, sign) {
                return Found::Known(Outcome::nothing(Effect::Late, report));
            }
            reused = true;
            shelf.revive(&self.books, report.source, report.session);
        }
        if !self.books.admit(report.customer) {
            return Found::New(Effect::Untracked);
        }
        let mut session = Session::new(now, report);
        session.flags.set(Flags::REUSED, reused);
        session.flags.set(Flags::LIVED, sign == Sign::Interim);
        let mut flags = session.flags;
        let otherwise = whole_seconds(self.settings.without_interims);
        session.expires = expiry::renewed(now, &mut session, &mut flags, report, sign == Sign::Interim, otherwise);
        session.flags = flags;
        shelf.insert(&self.books, session);
        Found::New(if sign == Sign::Start { Effect::Started } else { Effect::Healed })
    }

    /// What the device knows of its new session.
    fn claim(&self, now: u32, report: &Report<'_>, sign: Sign, effect: Effect) -> Outcome {
        let mut outcome = Outcome::nothing(effect, report);
        outcome.lived = sign == Sign::Interim && effect != Effect::Untracked;
        if let Some(device) = report.device {
            let (reservation, before) = self.devices.change(self.devices.of(device.half()), |shelf| {
                let reservation = shelf.reservation(device).is_some_and(|it| it.may_be_of(now, report));
                let reservation = if reservation { shelf.take_reservation(&self.books, device) } else { None };
                let linked = shelf.device(device).is_some_and(|it| it.session.is_some());
                // An Interim does not say which of two sessions of a device is the later one.
                let before = if effect == Effect::Untracked || (linked && sign == Sign::Interim) {
                    None
                } else {
                    let lns = report.lns.or(reservation.as_ref().and_then(|it| it.place.lns.id()));
                    let sticky = report.sticky.map_or(0, whole_seconds);
                    shelf.link(&self.books, now, device, Link::to(report), lns.into(), sticky)
                };
                (reservation, before)
            });
            outcome.superseded = before.is_some_and(|before| self.supersede(now, device, before));
            if let Some(reservation) = reservation {
                self.fulfil(report, reservation, &mut outcome);
            }
        }
        // What an Interim shows may have started long ago.
        if let Some(lns) = outcome.lns.filter(|_| effect == Effect::Started) {
            self.books.loads.lns(lns).load.count_started();
        }
        outcome
    }

    /// The session is the one that a place was kept for.
    fn fulfil(&self, report: &Report<'_>, reservation: Reservation, outcome: &mut Outcome) {
        outcome.access = reservation.source;
        let (chosen, names) = (reservation.place.lns, reservation.names);
        if let (Some(from), Some(to)) = (chosen.id(), report.lns)
            && from != to
        {
            outcome.failed_over = Some(FailedOver { from, to });
            self.books.loads.lns(from).load.count_failed_over_from();
            self.books.loads.lns(to).load.count_failed_over_to();
        }
        outcome.lns = outcome.lns.or(chosen.id());
        let nameless = report.user.is_empty() && report.number.is_empty() && !names.is_nameless();
        if outcome.effect == Effect::Untracked
            || (report.lns.is_some() && report.source == reservation.source && !nameless)
        {
            return;
        }
        self.sessions.change(self.sessions.of(report.session.half()), |shelf| {
            let Some(session) = shelf.session_mut(report.source, report.session) else { return };
            session.access = reservation.source;
            if nameless {
                session.names = Names::new(names.number(), names.user(), session.names.handle());
            }
            if session.place.lns == At::NOWHERE && chosen != At::NOWHERE {
                self.books.recount(session, |session| session.place.lns = chosen);
            }
        });
    }
}

impl Session {
    fn new(now: u32, report: &Report<'_>) -> Session {
        let event = unix(report.event);
        Session {
            key: report.session,
            source: report.source,
            access: report.source,
            device: report.device,
            nas: report.nas.map(|nas| nas.half()),
            place: Place { contract: report.contract, customer: report.customer, lns: report.lns.into() },
            names: Names::new(report.number, report.user, &report.handle.map(|it| it.octets()).unwrap_or_default()),
            framed_ip: report.framed_ip,
            started: event.saturating_sub(report.session_time.unwrap_or(0)),
            event,
            heard: now,
            interim: 0,
            expires: 0,
            bearers: report.bearer_bit(),
            flags: Flags::default(),
        }
    }

    /// Whether a report is of another device's session, that has the same identity.
    fn is_of_another(&self, report: &Report<'_>) -> bool {
        self.device.zip(report.device).is_some_and(|(its, reported)| its != reported)
    }
}

impl Ended {
    /// Whether a report is about what has ended.
    fn covers(&self, report: &Report<'_>, sign: Sign) -> bool {
        let bit = report.bearer_bit();
        let other_bearer = self.bearers != 0 && bit & !self.bearers != 0;
        let later = sign == Sign::Start && unix(report.event) > self.event;
        !(other_bearer || later)
    }
}

impl Reservation {
    /// Whether the session of a report can have begun with it. One that is older than the reservation can not; both ages are lengths of
    /// time, so that no two clocks are compared.
    pub(super) fn may_be_of(&self, now: u32, report: &Report<'_>) -> bool {
        let age = now.saturating_sub(self.made).saturating_add(AGAIN);
        self.of_device && report.session_time.is_none_or(|time| time <= age)
    }
}
