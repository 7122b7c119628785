//! Identifiers toward one home server: 256 on each of the worker's ports, least recently used first (RFC 5080 §2.1.1).
//!
//! An answered identifier goes to the end of the queue; one that timed out or was given up rests for [`REST`] before
//! that, so that a late reply meets nobody. Ports are added while they are needed and the limit allows, and retired from the
//! highest down.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
};

use crate::{snapshot::HomeId, time::Time};

/// How long an unanswered identifier rests: MRD of RFC 5080 §2.2.1, 30 seconds.
const REST: u64 = 30_000_000_000;
const NONE: u32 = u32::MAX;

/// A (port, identifier) pair toward one home server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Index of the worker's upstream port.
    pub port: u16,
    /// The RADIUS identifier.
    pub id: u8,
}

impl Slot {
    fn index(self) -> usize {
        self.port as usize * 256 + self.id as usize
    }

    fn from_index(index: u32) -> Slot {
        Slot { port: (index >> 8) as u16, id: index as u8 }
    }
}

/// The identifiers of one worker toward one home server.
#[derive(Debug, Default)]
pub struct Identifiers {
    /// Toward an IPv6 address.
    v6: bool,
    /// Request by slot.
    holders: Vec<u32>,
    free: VecDeque<u32>,
    resting: VecDeque<(u64, u32)>,
    outstanding: u32,
    /// Slots from this index on are on retired ports: they do not become free.
    limit: u32,
    /// When the last one was taken.
    last_taken: Time,
}

/// The identifiers toward every home server. What counts is the address: servers that a reload renames, or gives to another
/// contract, go on with the identifiers that they have, since the other end and the replies know nothing but the address.
#[derive(Debug, Default)]
pub struct AllIdentifiers {
    sets: Vec<Identifiers>,
    by_address: HashMap<SocketAddr, usize>,
    /// Place among the sets.
    by_home: Vec<Option<usize>>,
}

impl AllIdentifiers {
    /// Makes a server known, before the first look-up.
    pub fn prepare(&mut self, home: HomeId, address: SocketAddr) {
        let AllIdentifiers { sets, by_address, by_home } = self;
        if by_home.len() <= home.index() {
            by_home.resize(home.index() + 1, None);
        }
        let place = *by_address.entry(address).or_insert_with(|| {
            sets.push(Identifiers { v6: address.is_ipv6(), ..Identifiers::default() });
            sets.len() - 1
        });
        if let Some(known) = by_home.get_mut(home.index()) {
            *known = Some(place);
        }
    }

    /// Those toward one server.
    pub fn of(&self, home: HomeId) -> Option<&Identifiers> {
        self.sets.get((*self.by_home.get(home.index())?)?)
    }

    /// Those toward one server.
    pub fn of_mut(&mut self, home: HomeId) -> Option<&mut Identifiers> {
        self.sets.get_mut((*self.by_home.get(home.index())?)?)
    }

    /// Those toward all servers of one family.
    pub fn of_family(&mut self, v6: bool) -> impl Iterator<Item = &mut Identifiers> {
        self.sets.iter_mut().filter(move |identifiers| identifiers.v6 == v6)
    }

    /// Requests waiting for a reply of any server.
    pub fn outstanding(&self) -> usize {
        self.sets.iter().map(|identifiers| identifiers.outstanding as usize).sum()
    }
}

impl Identifiers {
    /// How many ports' identifiers it has.
    pub fn ports(&self) -> u16 {
        (self.holders.len() / 256) as u16
    }

    /// Identifiers that can be taken now.
    pub fn free(&self) -> usize {
        self.free.len()
    }

    /// Whether one can be taken now, rested ones included.
    pub fn can_take(&self, now: Time) -> bool {
        let rested = |(until, _): &&(u64, u32)| *until <= now.0;
        !self.free.is_empty() || self.resting.iter().take_while(rested).any(|(_, index)| *index < self.limit)
    }

    /// Those that wait for a reply, and those that rest after none came, or have rested since the last [`Identifiers::wake`].
    pub fn in_use(&self) -> usize {
        self.outstanding as usize + self.resting.len()
    }

    /// When the last one was taken.
    pub fn last_taken(&self) -> Time {
        self.last_taken
    }

    /// Requests waiting for a reply.
    pub fn outstanding(&self) -> u32 {
        self.outstanding
    }

    /// Adds the next port's 256 identifiers.
    pub fn add_port(&mut self) {
        let first = self.holders.len() as u32;
        self.holders.resize(self.holders.len() + 256, NONE);
        self.free.extend(first..first + 256);
        let all = self.holders.len();
        self.limit = all as u32;
        self.free.reserve(all - self.free.len());
        self.resting.reserve(all - self.resting.len());
    }

    /// Takes the identifier that has been unused for longest.
    pub fn take(&mut self, now: Time, request: u32) -> Option<Slot> {
        self.wake(now);
        let index = self.free.pop_front()?;
        self.holders[index as usize] = request;
        self.outstanding += 1;
        self.last_taken = now;
        Some(Slot::from_index(index))
    }

    /// The request that waits on this slot.
    pub fn holder(&self, slot: Slot) -> Option<u32> {
        self.holders.get(slot.index()).copied().filter(|holder| *holder != NONE)
    }

    /// The requests that wait.
    pub fn holders(&self) -> impl Iterator<Item = u32> {
        self.holders.iter().copied().filter(|holder| *holder != NONE)
    }

    /// Gives back an answered identifier.
    pub fn answered(&mut self, slot: Slot) {
        if self.release(slot) {
            self.set_free(slot.index() as u32);
        }
    }

    /// Gives back an identifier whose reply may still come.
    pub fn gave_up(&mut self, now: Time, slot: Slot) {
        if self.release(slot) {
            self.resting.push_back((now.0 + REST, slot.index() as u32));
        }
    }

    /// Retires the ports from this one on.
    pub fn retire_from(&mut self, port: u16) {
        self.limit = self.limit.min(u32::from(port) * 256);
        let limit = self.limit;
        self.free.retain(|index| *index < limit);
    }

    /// Uses a retired port again; those below it are in use.
    pub fn restore(&mut self, port: u16) {
        let first = u32::from(port) * 256;
        if self.limit != first || self.holders.len() < first as usize + 256 {
            return;
        }
        self.limit = first + 256;
        let mut rests = [false; 256];
        for (_, index) in self.resting.iter().filter(|(_, index)| (first..first + 256).contains(index)) {
            rests[(index - first) as usize] = true;
        }
        let idle = |index: &u32| self.holders[*index as usize] == NONE && !rests[(index - first) as usize];
        self.free.extend((first..first + 256).filter(idle));
    }

    /// Whether nothing waits or rests on this port.
    pub fn is_idle(&mut self, now: Time, port: u16) -> bool {
        self.wake(now);
        let first = usize::from(port) * 256;
        let waits = |holders: &[u32]| holders.iter().any(|holder| *holder != NONE);
        let all = first..(first + 256);
        !self.holders.get(all.clone()).is_some_and(waits)
            && !self.resting.iter().any(|(_, index)| all.contains(&(*index as usize)))
    }

    /// Forgets the ports from this one on, which are idle.
    pub fn remove_from(&mut self, port: u16) {
        self.retire_from(port);
        self.holders.truncate(usize::from(port) * 256);
    }

    /// Makes free what has rested.
    pub fn wake(&mut self, now: Time) {
        while let Some((until, index)) = self.resting.front().copied()
            && until <= now.0
        {
            self.resting.pop_front();
            self.set_free(index);
        }
    }

    fn set_free(&mut self, index: u32) {
        if index < self.limit {
            self.free.push_back(index);
        }
    }

    fn release(&mut self, slot: Slot) -> bool {
        let Some(holder) = self.holders.get_mut(slot.index()).filter(|holder| **holder != NONE) else {
            return false;
        };
        *holder = NONE;
        self.outstanding -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_identifier_is_taken_first() {
        let mut ids = Identifiers::default();
        ids.add_port();
        let first = ids.take(Time(0), 1).unwrap();
        ids.answered(first);
        let all: Vec<_> = (0..256).map(|i| ids.take(Time(0), i).unwrap()).collect();
        assert_eq!(all[255], first, "the one just used comes last");
        assert_eq!(ids.take(Time(0), 9), None);
        assert_eq!(ids.holder(all[3]), Some(3));
    }

    #[test]
    fn an_unanswered_identifier_rests_for_thirty_seconds() {
        let mut ids = Identifiers::default();
        ids.add_port();
        for i in 0..256 {
            ids.take(Time(0), i);
        }
        ids.gave_up(Time::from_millis(1), Slot { port: 0, id: 7 });
        ids.gave_up(Time::from_millis(1), Slot { port: 0, id: 7 });
        assert_eq!(ids.outstanding(), 255);
        assert_eq!(ids.take(Time::from_millis(29_999), 1), None);
        assert_eq!(ids.take(Time::from_millis(30_001), 1), Some(Slot { port: 0, id: 7 }));
    }
}
