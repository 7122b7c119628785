//! Stop: what takes a session out of the table.

use super::{
    Effect, Outcome, Report, Sessions,
    devices::Link,
    record::{Flags, Session, seconds, unix, whole_seconds},
    shelf::Shelf,
};
use crate::Time;

/// What the shelf made of a Stop.
enum Found {
    Ended(Box<Session>),
    /// It ended nothing.
    Nothing(Outcome),
    /// There was no such session.
    Unknown,
}

impl Sessions {
    /// Stop, or Tunnel-Link-Stop where that replaces it.
    pub fn stop(&self, now: Time, report: &Report<'_>) -> Outcome {
        let now = seconds(now);
        let found =
            self.sessions.change(self.sessions.of(report.session.half()), |shelf| self.take_out(now, shelf, report));
        match found {
            Found::Nothing(outcome) => outcome,
            Found::Unknown => self.end_unknown(now, report),
            Found::Ended(session) => {
                if let Some(device) = session.device {
                    let shelf = self.devices.of(device.half());
                    self.devices.change(shelf, |shelf| shelf.unlink(&self.books, now, device, Link::to(report)));
                }
                let lived_before = session.flags.has(Flags::LIVED);
                let lasted = report.session_time.unwrap_or_else(|| unix(report.event).saturating_sub(session.started));
                let short = !lived_before && self.is_short(lasted);
                Outcome {
                    lns: session.place.lns.id().or(report.lns),
                    access: session.access,
                    short,
                    lived: !short && !lived_before,
                    ..Outcome::nothing(Effect::Ended, report)
                }
            }
        }
    }

    fn take_out(&self, now: u32, shelf: &mut Shelf, report: &Report<'_>) -> Found {
        let (event, bit) = (unix(report.event), report.bearer_bit());
        let Some(session) = shelf.session_mut(report.source, report.session) else {
            return self.stop_ended(now, shelf, report);
        };
        let nothing = |effect, session: &Session| {
            let lns = session.place.lns.id();
            Found::Nothing(Outcome { lns, access: session.access, ..Outcome::nothing(effect, report) })
        };
        if session.flags.has(Flags::REUSED) && event < session.started {
            return nothing(Effect::Late, session);
        }
        let others = session.bearers & !bit;
        if bit != 0 && others != 0 && !report.last {
            if others == session.bearers {
                return nothing(Effect::Duplicate, session);
            }
            (session.bearers, session.event) = (others, session.event.max(event));
            return nothing(Effect::Bearer, session);
        }
        let end = event.max(session.event);
        let taken =
            shelf.take(&self.books, report.session.half(), |it| it.key == report.session && it.source == report.source);
        let Some(session) = taken else { return Found::Unknown };
        shelf.bury(&self.books, now, &session, end);
        Found::Ended(Box::new(session))
    }

    /// A Stop of a session that is not in the table: repeated, or before its Start, or of one that was never known.
    fn stop_ended(&self, now: u32, shelf: &mut Shelf, report: &Report<'_>) -> Found {
        let (event, bit) = (unix(report.event), report.bearer_bit());
        let bearers = if report.last { 0 } else { bit };
        match shelf.ended(now, report.source, report.session) {
            Some(ended) => {
                ended.event = ended.event.max(event);
                ended.bearers = if ended.bearers == 0 || bearers == 0 { 0 } else { ended.bearers | bearers };
                Found::Nothing(Outcome::nothing(Effect::Duplicate, report))
            }
            None => {
                shelf.remember_end(&self.books, now, report.source, report.session, event, bearers);
                Found::Unknown
            }
        }
    }

    /// Its Start is late, or was lost: what it reserved is given back all the same.
    fn end_unknown(&self, now: u32, report: &Report<'_>) -> Outcome {
        let reservation = report.device.and_then(|device| {
            self.devices.change(self.devices.of(device.half()), |shelf| {
                let its = shelf.reservation(device).is_some_and(|it| it.may_be_of(now, report));
                if its { shelf.take_reservation(&self.books, device) } else { None }
            })
        });
        let mut outcome = Outcome::nothing(Effect::Unknown, report);
        if let Some(reservation) = reservation {
            outcome.access = reservation.source;
            outcome.lns = outcome.lns.or(reservation.place.lns.id());
        }
        outcome.short = report.session_time.is_some_and(|time| self.is_short(time));
        outcome.lived = report.session_time.is_some_and(|time| !self.is_short(time));
        outcome
    }

    fn is_short(&self, seconds: u32) -> bool {
        let short = whole_seconds(self.settings.short);
        short > 0 && seconds <= short
    }
}
