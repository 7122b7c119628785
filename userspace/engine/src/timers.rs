//! Every request's next moment, in one wheel; and the queue of remembered answers.
//!
//! A request is in at most one list at a time: a slot of the wheel while it is in flight or held back, or the queue while its
//! answer is remembered (those all wait equally long, so a queue in order of time is enough). Lists are doubly linked through
//! one vector beside the requests; moving between them costs a few words and no allocation.

use crate::time::Time;

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The home server's `response_window`, or the end of the client's budget: fail over, or give up.
    ResponseWindow,
    /// The next part of a fan-out is due, or the end of the client's budget.
    NextPart,
    /// The end of the client's budget, while its record is not kept.
    RecordOverdue,
    /// The end of the client's budget, while a hosted account's password is not checked.
    LookupOverdue,
    /// A Reject of our own is due: `reject_delay` after the request's arrival.
    RejectDue,
    /// The end of the `duplicate_window` (RFC 5080 §2.2.2): the answer is forgotten.
    Forget,
}

const NONE: u32 = u32::MAX;
const SLOTS: usize = 256;
/// One slot of the first level: 4.2 ms (a power of two, so that times divide by shifting).
const TICK_SHIFT: u32 = 22;
/// Slots of both levels, then the queue of remembered answers.
const LISTS: usize = 2 * SLOTS + 1;
const QUEUE: u16 = 2 * SLOTS as u16;
const UNLISTED: u16 = u16::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
    list: u16,
    due: u64,
}

const UNLINKED: Link = Link { previous: NONE, next: NONE, list: UNLISTED, due: 0 };

/// A wheel of two levels (4.2 ms and 1.07 s a slot; 275 s in all) and the queue of remembered answers.
#[derive(Debug)]
pub struct Timers {
    links: Vec<Link>,
    heads: [u32; LISTS],
    tails: [u32; LISTS],
    /// The tick up to which slots of the first level have been emptied.
    tick: u64,
    armed: usize,
    queued: usize,
}

impl Timers {
    /// Empty, at this time.
    pub fn new(now: Time) -> Timers {
        Timers {
            links: Vec::new(),
            heads: [NONE; LISTS],
            tails: [NONE; LISTS],
            tick: now.0 >> TICK_SHIFT,
            armed: 0,
            queued: 0,
        }
    }

    /// Puts `index` into the wheel; whatever list it was in, it leaves.
    pub fn arm(&mut self, index: u32, due: Time) {
        self.cancel(index);
        // At the end of its slot, never early.
        let due = (due.0 >> TICK_SHIFT) + 1;
        self.place(index, due);
        self.armed += 1;
    }

    /// Puts `index` at the end of the queue of remembered answers.
    pub fn remember(&mut self, index: u32, until: Time) {
        self.cancel(index);
        self.push(QUEUE, index, until.0);
        self.queued += 1;
    }

    /// Takes `index` out of whatever list it is in.
    pub fn cancel(&mut self, index: u32) {
        if self.links.len() <= index as usize {
            self.links.resize(index as usize + 1, UNLINKED);
        }
        let Link { previous, next, list, .. } = self.links[index as usize];
        if list == UNLISTED {
            return;
        }
        match previous {
            NONE => self.heads[list as usize] = next,
            _ => self.links[previous as usize].next = next,
        }
        match next {
            NONE => self.tails[list as usize] = previous,
            _ => self.links[next as usize].previous = previous,
        }
        self.links[index as usize] = UNLINKED;
        if list == QUEUE {
            self.queued -= 1;
        } else {
            self.armed -= 1;
        }
    }

    /// Says what time it is, so that an idle wheel need not be turned through all the time that passed.
    pub fn advance(&mut self, now: Time) {
        if self.armed == 0 {
            self.tick = self.tick.max(now.0 >> TICK_SHIFT);
        }
    }

    /// The next request of the wheel that is due, taken out.
    pub fn due(&mut self, now: Time) -> Option<u32> {
        let target = now.0 >> TICK_SHIFT;
        loop {
            let head = self.heads[self.tick as usize % SLOTS];
            if head != NONE && self.links[head as usize].due <= target {
                self.cancel(head);
                return Some(head);
            }
            if self.tick >= target {
                return None;
            }
            if self.armed == 0 {
                self.tick = target;
                return None;
            }
            self.tick += 1;
            if self.tick.is_multiple_of(SLOTS as u64) {
                self.cascade();
            }
        }
    }

    /// The oldest remembered answer whose time is over.
    pub fn forgotten(&mut self, now: Time) -> Option<u32> {
        let head = self.oldest()?;
        if self.links[head as usize].due > now.0 {
            return None;
        }
        self.cancel(head);
        Some(head)
    }

    /// The oldest remembered answer.
    pub fn oldest(&self) -> Option<u32> {
        let head = self.heads[QUEUE as usize];
        (head != NONE).then_some(head)
    }

    /// When a request's time comes: to the nanosecond for an answer that is remembered, to a slot of the wheel for all else.
    pub fn due_of(&self, index: u32) -> Option<Time> {
        let link = self.links.get(index as usize)?;
        match link.list {
            UNLISTED => None,
            QUEUE => Some(Time(link.due)),
            _ => Some(Time(link.due << TICK_SHIFT)),
        }
    }

    /// How many answers are remembered.
    pub fn remembered(&self) -> usize {
        self.queued
    }

    /// How many requests are in the wheel.
    pub fn armed(&self) -> usize {
        self.armed
    }

    /// When to look again, at the latest.
    pub fn next(&self) -> Option<Time> {
        // Forgetting is not urgent: a late look costs memory, not correctness, and saves wake-ups.
        const LAZY: u64 = 100_000_000;
        let forget = self.oldest().map(|head| self.links[head as usize].due + LAZY);
        let armed = (self.armed > 0).then(|| {
            let boundary = (self.tick / SLOTS as u64 + 1) * SLOTS as u64;
            let near = (self.tick..boundary).find(|tick| self.heads[*tick as usize % SLOTS] != NONE);
            near.unwrap_or(boundary) << TICK_SHIFT
        });
        match (forget, armed) {
            (Some(a), Some(b)) => Some(Time(a.min(b))),
            (a, b) => a.or(b).map(Time),
        }
    }

    fn place(&mut self, index: u32, due: u64) {
        let due = due.max(self.tick);
        let rounds = (due / SLOTS as u64).saturating_sub(self.tick / SLOTS as u64);
        let list = match rounds {
            0 => due as usize % SLOTS,
            // Beyond the second level: its last slot, and placed again from there.
            _ => SLOTS + (self.tick / SLOTS as u64 + rounds.min(SLOTS as u64 - 1)) as usize % SLOTS,
        };
        self.push(list as u16, index, due);
    }

    fn cascade(&mut self) {
        let list = SLOTS + (self.tick / SLOTS as u64) as usize % SLOTS;
        let mut index = std::mem::replace(&mut self.heads[list], NONE);
        self.tails[list] = NONE;
        while index != NONE {
            let Link { next, due, .. } = self.links[index as usize];
            self.links[index as usize] = UNLINKED;
            self.place(index, due);
            index = next;
        }
    }

    fn push(&mut self, list: u16, index: u32, due: u64) {
        let tail = self.tails[list as usize];
        self.links[index as usize] = Link { previous: tail, next: NONE, list, due };
        match tail {
            NONE => self.heads[list as usize] = index,
            _ => self.links[tail as usize].next = index,
        }
        self.tails[list as usize] = index;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fire_all(timers: &mut Timers, now: Time) -> Vec<u32> {
        std::iter::from_fn(|| timers.due(now)).collect()
    }

    #[test]
    fn nothing_fires_early_and_everything_fires_within_two_ticks() {
        let mut timers = Timers::new(Time(0));
        let dues: Vec<u64> = (0..2000).map(|i| (i * 7919) % 200_000).collect();
        for (i, ms) in dues.iter().enumerate() {
            timers.arm(i as u32, Time::from_millis(*ms));
        }
        let mut fired = 0;
        for ms in 0..=200_100 {
            for index in fire_all(&mut timers, Time::from_millis(ms)) {
                let due = dues[index as usize];
                assert!(ms >= due, "{index} fired at {ms}, due at {due}");
                assert!(ms <= due + 9, "{index} fired at {ms}, due at {due}");
                fired += 1;
            }
        }
        assert_eq!(fired, dues.len());
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_long_silence_is_caught_up_in_one_call() {
        let mut timers = Timers::new(Time(0));
        timers.arm(0, Time::from_millis(5));
        timers.arm(1, Time::from_millis(30_000));
        timers.arm(2, Time::from_millis(400_000));
        assert_eq!(fire_all(&mut timers, Time::from_millis(60_000)), [0, 1]);
        assert_eq!(fire_all(&mut timers, Time::from_millis(399_999)), []);
        assert_eq!(fire_all(&mut timers, Time::from_millis(400_010)), [2]);
    }

    #[test]
    fn the_next_look_is_never_after_what_is_due() {
        let mut timers = Timers::new(Time(0));
        for (i, ms) in [3u64, 900, 1_100, 70_000].into_iter().enumerate() {
            timers.arm(i as u32, Time::from_millis(ms));
        }
        let mut now = Time(0);
        let mut fired = Vec::new();
        for _ in 0..1000 {
            let Some(next) = timers.next() else { break };
            assert!(next >= now);
            now = Time(next.0.max(now.0 + 1));
            fired.extend(fire_all(&mut timers, now).into_iter().map(|i| (i, now.0 / 1_000_000)));
        }
        assert_eq!(fired.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(fired[3].1 <= 70_010);
    }

    #[test]
    fn a_cancelled_timer_does_not_fire_and_a_remembered_answer_is_forgotten_in_order() {
        let mut timers = Timers::new(Time(0));
        timers.arm(0, Time::from_millis(10));
        timers.arm(1, Time::from_millis(10));
        timers.cancel(0);
        timers.remember(2, Time::from_millis(20));
        timers.remember(3, Time::from_millis(30));
        timers.remember(1, Time::from_millis(40));
        assert_eq!(fire_all(&mut timers, Time::from_millis(100)), []);
        assert_eq!(timers.remembered(), 3);
        timers.cancel(2);
        assert_eq!(timers.forgotten(Time::from_millis(29)), None);
        assert_eq!(timers.forgotten(Time::from_millis(30)), Some(3));
        assert_eq!(timers.oldest(), Some(1));
    }
}
