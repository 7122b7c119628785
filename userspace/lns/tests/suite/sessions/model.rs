//! What the table of sessions is to do, written down plainly: lists that are searched, and numbers that are counted when they are
//! asked for.

use std::collections::BTreeMap;

pub const RESERVATION: u64 = 90;
pub const ENDED: u64 = 300;
pub const INTERIM: u64 = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    pub source: u32,
    pub session: u8,
}

#[derive(Clone, Copy, Debug)]
pub struct Said {
    pub name: Name,
    pub nas: Option<u8>,
    pub device: Option<u8>,
    pub lns: Option<u8>,
    pub bearer: Option<u8>,
    pub last: bool,
    pub event: u64,
    /// Seconds that it has lasted.
    pub time: Option<u32>,
    /// Its contract has Interims every [`INTERIM`] seconds.
    pub interims: bool,
}

#[derive(Clone, Debug)]
struct Session {
    said: Said,
    lns: Option<u8>,
    started: u64,
    event: u64,
    bearers: Vec<u8>,
    reused: bool,
    last_interim: Option<u64>,
    rhythm: u64,
    expires: u64,
}

#[derive(Clone, Debug)]
struct Ended {
    event: u64,
    until: u64,
    /// Which bearers have; none: all of it has.
    bearers: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Reservation {
    lns: u8,
    made: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub now: u64,
    sessions: BTreeMap<Name, Session>,
    ended: BTreeMap<Name, Ended>,
    reservations: BTreeMap<u8, Reservation>,
    /// Which session a device has.
    devices: BTreeMap<u8, Name>,
    restarts: Vec<(u32, u8, u64)>,
    lns_restarts: Vec<(u8, u64)>,
}

impl Model {
    /// Active and pending sessions, of one LNS or of all.
    pub fn count(&self, lns: Option<u8>) -> (u32, u32) {
        let active = self.sessions.values().filter(|it| lns.is_none() || it.lns == lns).count();
        let pending = self.reservations.values().filter(|it| lns.is_none() || Some(it.lns) == lns).count();
        (active as u32, pending as u32)
    }

    pub fn attach(&mut self, device: u8, lns: u8) {
        if let Some(name) = self.devices.remove(&device) {
            self.end(name, |session| session.event);
        }
        self.reservations.insert(device, Reservation { lns, made: self.now });
    }

    pub fn start(&mut self, said: Said) {
        self.show(said, true);
    }

    pub fn interim(&mut self, said: Said) {
        self.show(said, false);
    }

    fn show(&mut self, said: Said, is_start: bool) {
        let Some(session) = self.sessions.get_mut(&said.name) else { return self.begin(said, is_start, false) };
        if session.said.device.is_some() && said.device.is_some() && session.said.device != said.device {
            // Another device's session has the same identity now; or what is said is about one before.
            if said.event > session.event {
                self.sessions.remove(&said.name);
                self.devices.retain(|_, of| *of != said.name);
                self.begin(said, is_start, true);
            }
            return;
        }
        let new_bearer = said.bearer.filter(|bearer| !session.bearers.contains(bearer));
        if !is_start || new_bearer.is_some() {
            session.heard(self.now, said, !is_start);
        } else if said.event > session.started {
            (session.started, session.reused) = (said.event, true);
        } else if !session.reused {
            session.started = said.event;
        }
        session.bearers.extend(new_bearer);
        session.event = session.event.max(said.event);
        session.lns = said.lns.or(session.lns);
    }

    fn begin(&mut self, said: Said, is_start: bool, mut reused: bool) {
        if let Some(ended) = self.ended.get(&said.name).filter(|it| it.until > self.now) {
            let of_another_bearer =
                !ended.bearers.is_empty() && said.bearer.is_some_and(|bearer| !ended.bearers.contains(&bearer));
            let begins_later = is_start && said.event > ended.event;
            if !of_another_bearer && !begins_later {
                return;
            }
            self.ended.remove(&said.name);
            reused = true;
        }
        let reserved = said.device.and_then(|device| self.reserved(device, said));
        if let Some(device) = said.device {
            let before = self.devices.get(&device).copied();
            if is_start && let Some(before) = before {
                self.end(before, |session| session.event);
            }
            if is_start || before.is_none() {
                self.devices.insert(device, said.name);
            }
        }
        let mut session = Session {
            said,
            lns: said.lns.or(reserved),
            started: said.event - u64::from(said.time.unwrap_or(0)),
            event: said.event,
            bearers: said.bearer.into_iter().collect(),
            reused,
            last_interim: None,
            rhythm: 0,
            expires: 0,
        };
        session.heard(self.now, said, !is_start);
        self.sessions.insert(said.name, session);
    }

    pub fn stop(&mut self, said: Said) {
        let Some(session) = self.sessions.get_mut(&said.name) else {
            let bearers: Vec<u8> = if said.last { vec![] } else { said.bearer.into_iter().collect() };
            if let Some(ended) = self.ended.get_mut(&said.name).filter(|it| it.until > self.now) {
                ended.event = ended.event.max(said.event);
                if ended.bearers.is_empty() || bearers.is_empty() {
                    ended.bearers.clear();
                } else {
                    ended.bearers.extend(bearers);
                }
            } else {
                let ended = Ended { event: said.event, until: self.now + ENDED, bearers };
                self.ended.insert(said.name, ended);
                said.device.and_then(|device| self.reserved(device, said));
            }
            return;
        };
        if session.reused && said.event < session.started {
            return;
        }
        if let Some(bearer) = said.bearer.filter(|_| !said.last) {
            let others = session.bearers.iter().filter(|other| **other != bearer).count();
            if others > 0 {
                if others < session.bearers.len() {
                    session.event = session.event.max(said.event);
                }
                session.bearers.retain(|other| *other != bearer);
                return;
            }
        }
        self.end(said.name, |session| session.event.max(said.event));
    }

    pub fn nas_restarted(&mut self, source: u32, nas: u8, event: u64) {
        self.restarts.push((source, nas, event));
    }

    pub fn lns_restarted(&mut self, lns: u8, event: u64) {
        self.lns_restarts.push((lns, event));
    }

    pub fn sweep(&mut self) {
        let now = self.now;
        self.reservations.retain(|_, it| it.made + RESERVATION > now);
        self.ended.retain(|_, it| it.until > now);
        let over = |it: &Session| {
            let (source, nas) = (it.said.name.source, it.said.nas);
            it.expires <= now
                || self.restarts.iter().any(|of| (of.0, Some(of.1)) == (source, nas) && it.started < of.2)
                || self.lns_restarts.iter().any(|of| Some(of.0) == it.lns && it.started < of.1)
        };
        let over: Vec<Name> = self.sessions.iter().filter(|(_, it)| over(it)).map(|(name, _)| *name).collect();
        for name in over {
            self.sessions.remove(&name);
            self.devices.retain(|_, of| *of != name);
        }
        // What was noted before a round is carried out for that and the next.
        self.restarts.clear();
        self.lns_restarts.clear();
    }

    /// A device's reservation, if the session can have begun with it.
    fn reserved(&mut self, device: u8, said: Said) -> Option<u8> {
        let reservation = self.reservations.get(&device)?;
        if said.time.is_some_and(|time| u64::from(time) > self.now - reservation.made + 5) {
            return None;
        }
        self.reservations.remove(&device).map(|it| it.lns)
    }

    fn end(&mut self, name: Name, event: impl Fn(&Session) -> u64) {
        if let Some(session) = self.sessions.remove(&name) {
            self.devices.retain(|_, of| *of != name);
            self.ended.insert(name, Ended { event: event(&session), until: self.now + ENDED, bearers: vec![] });
        }
    }
}

impl Session {
    fn heard(&mut self, now: u64, said: Said, interim: bool) {
        if interim {
            let pause = self.last_interim.map_or(0, |last| now - last);
            self.rhythm = self.rhythm.max(pause.min(28_800));
            self.last_interim = Some(now);
        }
        let given = if said.interims { INTERIM } else { 0 };
        let interval = given.max(if self.rhythm < 60 { 0 } else { self.rhythm });
        self.expires = now + if interval > 0 { 3 * interval } else { 86_400 };
    }
}
