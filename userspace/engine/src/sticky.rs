//! Which home server has which conversation: by the State of its last Access-Challenge.
//!
//! A conversation of many rounds (EAP, or any other that challenges) has its server's memory behind it, so it stays where it
//! began (RFC 6613 §2.6.6), whatever its pool would choose now, and by whichever worker its next round comes. A table of atomics of
//! a fixed size, shared by all workers: nothing is allocated and nobody waits.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{random::HashKeys, snapshot::HomeId, time::Time};

/// Places that one key may have.
const WAYS: usize = 4;
/// Sets of places.
const SETS: usize = 1 << 15;
/// How long an entry counts, in seconds: longer than any client waits between two rounds.
const LIFE: u64 = 600;
/// The most rounds that are told apart.
const MAX_ROUNDS: u64 = 255;

/// One entry: 20 bits of the key's hash, seconds (12 bits, by the clock's remainder), rounds (8), the server's number and one (24).
#[derive(Debug, Default)]
struct Entry(AtomicU64);

/// A conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Where it is held.
    pub home: HomeId,
    /// Challenges in it so far.
    pub rounds: u8,
}

/// Conversations by State.
#[derive(Debug)]
pub struct Sticky {
    keys: HashKeys,
    sets: Box<[[Entry; WAYS]]>,
}

impl Sticky {
    /// Without conversations, hashing with keys from this seed.
    pub fn new(seed: [u8; 32]) -> Sticky {
        let keys = crate::random::Random::new(seed).hash_keys();
        Sticky { keys, sets: (0..SETS).map(|_| Default::default()).collect() }
    }

    /// The hash of a State that a client of this customer shows, or was shown.
    pub fn key(&self, customer: u32, state: &[u8]) -> u64 {
        self.keys.pair(customer, state)
    }

    /// Remembers a conversation; the oldest of those in its places makes room.
    pub fn insert(&self, now: Time, key: u64, conversation: Conversation) {
        let Some(home) = conversation.home.0.checked_add(1).filter(|home| *home < 1 << 24) else { return };
        let seconds = seconds(now);
        let value = tag(key) | seconds << 32 | u64::from(conversation.rounds).min(MAX_ROUNDS) << 24 | u64::from(home);
        let set = self.set(key);
        let age = |entry: &Entry| match entry.0.load(Relaxed) {
            0 => u64::MAX,
            found if found & TAG == tag(key) => u64::MAX,
            found => elapsed(seconds, found),
        };
        if let Some(entry) = set.iter().max_by_key(|entry| age(entry)) {
            entry.0.store(value, Relaxed);
        }
    }

    /// The conversation that this key stands for.
    pub fn find(&self, now: Time, key: u64) -> Option<Conversation> {
        let found = self
            .set(key)
            .iter()
            .map(|entry| entry.0.load(Relaxed))
            .find(|found| *found != 0 && *found & TAG == tag(key) && elapsed(seconds(now), *found) < LIFE)?;
        let home = HomeId((found & 0xff_ffff) as u32 - 1);
        Some(Conversation { home, rounds: (found >> 24) as u8 })
    }

    fn set(&self, key: u64) -> &[Entry; WAYS] {
        &self.sets[key as usize % SETS]
    }
}

const TAG: u64 = 0xffff_f000_0000_0000;

fn tag(key: u64) -> u64 {
    key & TAG
}

fn seconds(now: Time) -> u64 {
    (now.0 / 1_000_000_000) & 0xfff
}

fn elapsed(seconds: u64, entry: u64) -> u64 {
    seconds.wrapping_sub(entry >> 32 & 0xfff) & 0xfff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_found_again_until_it_is_old() {
        let sticky = Sticky::new([1; 32]);
        let key = sticky.key(7, b"state");
        let held = Conversation { home: HomeId(3), rounds: 9 };
        sticky.insert(Time::from_millis(5_000), key, held);
        assert_eq!(sticky.find(Time::from_millis(300_000), key), Some(held));
        assert_eq!(sticky.find(Time::from_millis(605_001), key), None);
        assert_eq!(sticky.find(Time::from_millis(6_000), sticky.key(8, b"state")), None, "another customer's");
        let later = Conversation { home: HomeId(0), rounds: 10 };
        sticky.insert(Time::from_millis(7_000), key, later);
        assert_eq!(sticky.find(Time::from_millis(8_000), key), Some(later));
    }

    #[test]
    fn a_hundred_thousand_conversations_are_kept_nearly_all() {
        let sticky = Sticky::new([2; 32]);
        let key = |i: u32| sticky.key(1, &i.to_be_bytes());
        let now = Time::from_millis(1_000);
        for i in 0..100_000 {
            sticky.insert(now, key(i), Conversation { home: HomeId(i % 50), rounds: 1 });
        }
        let found = |i: &u32| sticky.find(now, key(*i)).is_some_and(|it| it.home == HomeId(i % 50));
        let kept = (0..100_000).filter(found).count();
        assert!(kept > 85_000, "{kept}");
        // Twenty thousand at a time, which is a thousand logins a second for twenty seconds each: hardly any is lost.
        let sticky = Sticky::new([3; 32]);
        (0..20_000u32).for_each(|i| {
            sticky.insert(now, sticky.key(1, &i.to_be_bytes()), Conversation { home: HomeId(0), rounds: 1 });
        });
        let kept = (0..20_000u32).filter(|i| sticky.find(now, sticky.key(1, &i.to_be_bytes())).is_some()).count();
        assert!(kept >= 19_980, "{kept}");
    }
}
