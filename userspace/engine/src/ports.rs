//! The worker's ports toward home servers: opened one after another while identifiers run short.

use std::collections::VecDeque;

use crate::{packet::UpstreamPort, time::Time};

/// After a port could not be opened, how long until the next attempt.
const RETRY: u64 = 1_000_000_000;

#[derive(Debug, Default)]
struct Family {
    opened: u16,
    pending: bool,
    not_before: Time,
}

/// Ports of both families.
#[derive(Debug)]
pub struct Ports {
    families: [Family; 2],
    wanted: VecDeque<UpstreamPort>,
    limit: u16,
}

impl Ports {
    /// None open, at most `limit` for each family.
    pub fn new(limit: u16) -> Ports {
        Ports { families: Default::default(), wanted: VecDeque::new(), limit }
    }

    /// Changes the limit; ports that are open stay.
    pub fn set_limit(&mut self, limit: u16) {
        self.limit = limit;
    }

    /// Ports open, of both families.
    pub fn open(&self) -> u32 {
        self.families.iter().map(|family| u32::from(family.opened)).sum()
    }

    /// Ports open of one family.
    pub fn opened_of(&self, v6: bool) -> u16 {
        self.families[usize::from(v6)].opened
    }

    /// Asks for one more, unless one is being opened, the limit is reached, or an attempt failed a moment ago.
    pub fn want(&mut self, now: Time, v6: bool) {
        let family = &mut self.families[usize::from(v6)];
        if !family.pending && family.opened < self.limit && now >= family.not_before {
            family.pending = true;
            self.wanted.push_back(UpstreamPort { v6, index: family.opened });
        }
    }

    /// The next port to open.
    pub fn poll_wanted(&mut self) -> Option<UpstreamPort> {
        self.wanted.pop_front()
    }

    /// It is open.
    pub fn opened(&mut self, port: UpstreamPort) {
        let family = &mut self.families[usize::from(port.v6)];
        if port.index == family.opened {
            family.opened += 1;
        }
        family.pending = false;
    }

    /// It could not be opened.
    pub fn failed(&mut self, now: Time, port: UpstreamPort) {
        let family = &mut self.families[usize::from(port.v6)];
        family.pending = false;
        family.not_before = Time(now.0 + RETRY);
    }
}
