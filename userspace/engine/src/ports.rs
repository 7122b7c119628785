//! The worker's ports toward home servers: opened one after another while identifiers run short, closed again when for a minute
//! fewer would have done.
//!
//! The highest go first. A retired port gives no new identifiers, and is closed once nothing waits or rests on it, so that its
//! number never meets a late reply; when the need is back before that, it is simply used again.

use std::{collections::VecDeque, time::Duration};

use crate::{engine::Event, packet::UpstreamPort, time::Time};

/// After a port could not be opened, how long until the next attempt.
const RETRY: u64 = 1_000_000_000;
/// So long has fewer ports to be enough before one is given up.
const WINDOW: Duration = Duration::from_secs(60);
/// How often retired ports are looked after.
const LOOK: Duration = Duration::from_secs(1);
/// Identifiers of a port, toward each home server.
const IDENTIFIERS: usize = 256;

#[derive(Debug, Default)]
struct Family {
    opened: u16,
    /// The first of them, which give identifiers; the others are retired.
    usable: u16,
    pending: bool,
    not_before: Time,
    /// Identifiers that one server needed at most since the beginning of the window.
    peak: usize,
    window: Time,
}

/// Ports of both families.
#[derive(Debug)]
pub struct Ports {
    families: [Family; 2],
    events: VecDeque<Event>,
    limit: u16,
    next_look: Time,
}

impl Ports {
    /// None open, at most `limit` for each family.
    pub fn new(limit: u16) -> Ports {
        Ports { families: Default::default(), events: VecDeque::new(), limit, next_look: Time(0) }
    }

    /// Changes the limit; ports beyond it are given up like those that are not needed.
    pub fn set_limit(&mut self, limit: u16) {
        self.limit = limit;
    }

    /// Ports open, of both families, retired ones included.
    pub fn open(&self) -> u32 {
        self.families.iter().map(|family| u32::from(family.opened)).sum()
    }

    /// Ports of one family that give identifiers.
    pub fn usable_of(&self, v6: bool) -> u16 {
        self.families[usize::from(v6)].usable
    }

    /// One home server needs so many identifiers at this moment, with its reserve.
    #[inline]
    pub fn note_need(&mut self, v6: bool, identifiers: usize) {
        let family = &mut self.families[usize::from(v6)];
        family.peak = family.peak.max(identifiers);
    }

    /// Wants one more. If one is retired, that is used again, and its number returned: its identifiers have to be restored. Else a
    /// new one is asked for, unless one is being opened, the limit is reached, or an attempt failed a moment ago.
    pub fn want(&mut self, now: Time, v6: bool) -> Option<u16> {
        let family = &mut self.families[usize::from(v6)];
        if family.usable >= self.limit {
            return None;
        }
        if family.usable < family.opened {
            family.usable += 1;
            return Some(family.usable - 1);
        }
        if !family.pending && now >= family.not_before {
            family.pending = true;
            self.events.push_back(Event::OpenPort(UpstreamPort { v6, index: family.opened }));
        }
        None
    }

    /// The next port to open or to close.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// It is open.
    pub fn opened(&mut self, port: UpstreamPort) {
        let family = &mut self.families[usize::from(port.v6)];
        if port.index == family.opened {
            family.opened += 1;
            family.usable = family.opened;
        }
        family.pending = false;
    }

    /// It could not be opened.
    pub fn failed(&mut self, now: Time, port: UpstreamPort) {
        let family = &mut self.families[usize::from(port.v6)];
        family.pending = false;
        family.not_before = Time(now.0 + RETRY);
    }

    /// When to look after the ports again; `None` while there are no more than it takes to begin with.
    pub fn next_look(&self) -> Option<Time> {
        self.families.iter().any(|family| family.opened > 1).then_some(self.next_look)
    }

    /// Whether it is time to look after the ports.
    pub fn is_due(&mut self, now: Time) -> bool {
        let due = self.next_look().is_some_and(|next| now >= next);
        if due {
            self.next_look = now + LOOK;
        }
        due
    }

    /// At the end of a window: retires what was not needed in all of it, and says how many ports remain usable. `need` is what the
    /// server that needs most needs now: the next window begins with it.
    pub fn retire(&mut self, now: Time, v6: bool, need: usize) -> Option<u16> {
        let family = &mut self.families[usize::from(v6)];
        if now < family.window + WINDOW || family.pending {
            return None;
        }
        let full_window = family.window > Time(0);
        let peak = std::mem::replace(&mut family.peak, need).max(need);
        family.window = now;
        let enough = peak.div_ceil(IDENTIFIERS).clamp(1, usize::from(self.limit.max(1))) as u16;
        if !full_window || enough >= family.usable {
            return None;
        }
        family.usable = enough;
        Some(enough)
    }

    /// The port to close next, if nothing waits or rests on it.
    pub fn retired(&self, v6: bool) -> Option<u16> {
        let family = &self.families[usize::from(v6)];
        (family.opened > family.usable && !family.pending).then(|| family.opened - 1)
    }

    /// Closes the port that [`Ports::retired`] named.
    pub fn close_retired(&mut self, v6: bool) {
        let family = &mut self.families[usize::from(v6)];
        if family.opened > family.usable {
            family.opened -= 1;
            self.events.push_back(Event::ClosePort(UpstreamPort { v6, index: family.opened }));
        }
    }
}
