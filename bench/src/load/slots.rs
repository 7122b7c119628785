//! Which (port, id) waits for what: the memory of a load, without sockets or clock.
//!
//! Time is a number of nanoseconds since the start.

use std::collections::VecDeque;

/// A (port, id): `port * 256 + id`.
pub type Slot = u32;

/// All slots of a load.
pub struct Slots {
    slots: Vec<State>,
    /// Oldest first: an id rests as long as possible before it is used again.
    free: VecDeque<Slot>,
    /// Always in order, since all wait for the same time.
    deadlines: VecDeque<(u64, Slot, u32)>,
    timeout: u64,
    retries: u32,
}

/// One slot.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    waiting: bool,
    /// How often it was used: the request's variation is taken from this.
    uses: u32,
    tries: u32,
    due: u64,
}

/// What a timeout means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// Send it again.
    Retransmit(Slot),
    /// It is lost.
    Lost(Slot),
}

impl Slots {
    /// Slots for `ports` ports, and `variations` of the request of an id. Ids of different ports take turns, so that even a
    /// small window uses all ports.
    pub fn new(ports: usize, variations: u32, timeout: u64, retries: u32) -> Self {
        let ports = u32::try_from(ports).unwrap_or(u32::MAX / 256).min(u32::MAX / 256);
        let mut slots = vec![State::default(); ports as usize * 256];
        // Ports begin with different variations of an id, as far from one another as there are.
        let apart = (variations / ports.max(1)).max(1);
        for (index, slot) in slots.iter_mut().enumerate() {
            slot.uses = (index as u32 / 256).wrapping_mul(apart);
        }
        let free = (0..256).flat_map(|id| (0..ports).map(move |port| port * 256 + id)).collect();
        Self { slots, free, deadlines: VecDeque::new(), timeout, retries }
    }

    /// How many requests are waiting.
    pub fn outstanding(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Begins a request that was due at `due`, now; `None` when all ids are taken.
    pub fn begin(&mut self, now: u64, due: u64) -> Option<Slot> {
        let slot = self.free.pop_front()?;
        let state = self.slots.get_mut(slot as usize)?;
        let uses = state.uses.wrapping_add(1);
        *state = State { waiting: true, uses, tries: 0, due };
        self.deadlines.push_back((now + self.timeout, slot, uses));
        Some(slot)
    }

    /// The variation of the request that is waiting in `slot`, or waited last.
    pub fn variation(&self, slot: Slot) -> u32 {
        self.slots.get(slot as usize).map_or(0, |state| state.uses)
    }

    /// Whether a request is waiting in `slot`.
    pub fn is_waiting(&self, slot: Slot) -> bool {
        self.slots.get(slot as usize).is_some_and(|state| state.waiting)
    }

    /// Ends the request in `slot` with a reply; its latency from when it was due.
    pub fn complete(&mut self, now: u64, slot: Slot) -> Option<u64> {
        let state = self.slots.get_mut(slot as usize).filter(|state| state.waiting)?;
        state.waiting = false;
        self.free.push_back(slot);
        Some(now.saturating_sub(state.due))
    }

    /// The next slot whose time is up. To be asked until it has none.
    pub fn expire(&mut self, now: u64) -> Option<Expiry> {
        while let Some(&(due, slot, uses)) = self.deadlines.front() {
            let state = self.slots.get_mut(slot as usize)?;
            if !state.waiting || state.uses != uses {
                self.deadlines.pop_front();
                continue;
            }
            if due > now {
                return None;
            }
            self.deadlines.pop_front();
            if state.tries == self.retries {
                state.waiting = false;
                self.free.push_back(slot);
                return Some(Expiry::Lost(slot));
            }
            state.tries += 1;
            self.deadlines.push_back((now + self.timeout, slot, uses));
            return Some(Expiry::Retransmit(slot));
        }
        None
    }

    /// When the next slot's time is up, if no reply comes.
    pub fn next_deadline(&self) -> Option<u64> {
        self.deadlines.front().map(|(due, ..)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_window_uses_all_ports_and_ids_rest_as_long_as_possible() {
        let mut slots = Slots::new(4, 8, 100, 1);
        let first: Vec<Slot> = (0..4).filter_map(|_| slots.begin(0, 0)).collect();
        assert_eq!(first, [0, 256, 512, 768], "id 0 of each port");
        for slot in first {
            slots.complete(1, slot);
        }
        let next: Vec<Slot> = (0..1020).filter_map(|_| slots.begin(2, 2)).collect();
        assert!(next.iter().all(|slot| slot % 256 != 0), "all other ids come before");
        assert_eq!(slots.begin(2, 2), Some(0));
    }

    #[test]
    fn ports_begin_far_apart_in_the_variations() {
        let first = |ports, variations: u32| -> Vec<u32> {
            let slots = Slots::new(ports, variations, 100, 1);
            (0..ports as u32).map(|port| slots.variation(port * 256) % variations).collect()
        };
        assert_eq!(first(4, 40), [0, 10, 20, 30]);
        assert_eq!(first(4, 2), [0, 1, 0, 1], "more ports than variations");
    }

    #[test]
    fn an_unanswered_request_is_repeated_and_then_lost() {
        let mut slots = Slots::new(1, 8, 100, 2);
        let slot = slots.begin(0, 0).unwrap();
        assert_eq!(slots.expire(99), None);
        assert_eq!(slots.expire(100), Some(Expiry::Retransmit(slot)));
        assert_eq!(slots.expire(100), None);
        assert_eq!(slots.next_deadline(), Some(200));
        assert_eq!(slots.expire(200), Some(Expiry::Retransmit(slot)));
        assert_eq!(slots.expire(300), Some(Expiry::Lost(slot)));
        assert_eq!(slots.outstanding(), 0);
        assert_eq!(slots.complete(301, slot), None, "too late");
    }

    #[test]
    fn an_answered_request_never_expires_even_when_its_id_is_used_again() {
        let mut slots = Slots::new(1, 8, 1000, 0);
        let ids: Vec<Slot> = (0..256).filter_map(|_| slots.begin(0, 0)).collect();
        assert_eq!(slots.begin(0, 0), None, "256 ids a port");
        assert_eq!(slots.complete(10, ids[7]), Some(10));
        let again = slots.begin(500, 400).unwrap();
        assert_eq!(again, ids[7]);
        ids.iter().filter(|slot| **slot != again).for_each(|slot| {
            slots.complete(900, *slot);
        });
        assert_eq!(slots.expire(1000), None, "the deadline of its first use");
        assert_eq!(slots.complete(1400, again), Some(1000), "from when it was due");
    }
}
