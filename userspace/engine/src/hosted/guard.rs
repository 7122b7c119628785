//! Against guessing: who has failed too often is locked out for a while.
//!
//! Wrong passwords are counted by account *and* number, so that one SIM cannot lock another's account; and by client, where unknown
//! users count too. Of one caller (a number, at a client) a client's count takes no more than what locks an account: after that
//! the caller has been dealt with, and the client's other subscribers need not suffer for it.
//!
//! A table of atomics of a fixed size, as [`crate::sticky::Sticky`] is: nothing is allocated and nobody waits. Where it is full,
//! whoever has failed longest ago is forgotten.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::{
    random::{HashKeys, Random},
    snapshot::{ClientId, GroupId, Lockout, RealmId},
    time::Time,
};

/// Places that one key may have.
const WAYS: usize = 4;
/// Sets of places: 131,072 entries, in one MiB.
const SETS: usize = 1 << 15;
/// The most failures that are told apart.
const MAX_FAILURES: u64 = 0xffff;

/// One entry: 24 bits of the key's hash, seconds (24 bits: 194 days), failures (16). Zero: free.
///
/// The seconds are those of the first failure of its window; of the one that locked it, once it is locked.
#[derive(Debug, Default)]
struct Entry(AtomicU64);

/// Failures, shared by all workers.
pub struct Guard {
    keys: HashKeys,
    sets: Box<[[Entry; WAYS]]>,
}

/// A login, as failures are counted by.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) now: Time,
    pub(crate) policy: &'a Lockout,
    pub(crate) group: GroupId,
    /// `None`: an access network's, which is all subscribers'.
    pub(crate) client: Option<ClientId>,
    pub(crate) realm: RealmId,
    pub(crate) user: &'a [u8],
    /// In canonical form; empty where the login has none.
    pub(crate) calling: &'a [u8],
}

impl Guard {
    /// Nobody has failed. The seed must be random and secret.
    pub fn new(seed: [u8; 32]) -> Guard {
        let keys = Random::new(seed).hash_keys();
        Guard { keys, sets: (0..SETS).map(|_| Default::default()).collect() }
    }

    /// Whether a login is locked out.
    pub(crate) fn is_locked(&self, attempt: &Attempt<'_>) -> bool {
        let Lockout { failures, client_failures, .. } = *attempt.policy;
        failures > 0 && self.is_over(attempt, self.pair(attempt), failures)
            || client_failures > 0
                && self.client(attempt).is_some_and(|key| self.is_over(attempt, key, client_failures))
    }

    /// Counts a failure; that of an unknown user toward the client only.
    pub(crate) fn failed(&self, attempt: &Attempt<'_>, is_known: bool) {
        let Lockout { failures, client_failures, .. } = *attempt.policy;
        if is_known && failures > 0 {
            self.count(attempt, self.pair(attempt), failures);
        }
        if client_failures == 0 {
            return;
        }
        let Some(client) = self.client(attempt) else { return };
        let is_dealt_with = match self.caller(attempt) {
            Some(caller) if failures > 0 => self.count(attempt, caller, failures) > u64::from(failures),
            _ => false,
        };
        if !is_dealt_with {
            self.count(attempt, client, client_failures);
        }
    }

    /// A right password: this account and number have not failed.
    pub(crate) fn succeeded(&self, attempt: &Attempt<'_>) {
        if attempt.policy.failures == 0 {
            return;
        }
        if let Some((entry, found)) = self.find(self.pair(attempt)) {
            // Where it has changed meanwhile there was a failure at the same moment.
            let _ = entry.0.compare_exchange(found, 0, Relaxed, Relaxed);
        }
    }

    fn pair(&self, attempt: &Attempt<'_>) -> u64 {
        self.keys.parts(&[b"pair", &attempt.realm.0.to_be_bytes(), attempt.user, attempt.calling])
    }

    fn client(&self, attempt: &Attempt<'_>) -> Option<u64> {
        let client = attempt.client?.0.to_be_bytes();
        Some(self.keys.parts(&[b"client", &client, &attempt.group.0.to_be_bytes()]))
    }

    fn caller(&self, attempt: &Attempt<'_>) -> Option<u64> {
        let client = attempt.client?.0.to_be_bytes();
        let parts = [b"caller", &client[..], &attempt.group.0.to_be_bytes(), attempt.calling];
        (!attempt.calling.is_empty()).then(|| self.keys.parts(&parts))
    }

    fn is_over(&self, attempt: &Attempt<'_>, key: u64, limit: u16) -> bool {
        let Some((_, found)) = self.find(key) else { return false };
        failures(found) >= u64::from(limit) && elapsed(seconds(attempt.now), found) < whole(attempt.policy.hold)
    }

    /// Counts one more, and says how many there are in this window.
    fn count(&self, attempt: &Attempt<'_>, key: u64, limit: u16) -> u64 {
        let (now, limit) = (seconds(attempt.now), u64::from(limit));
        let (entry, mut found) = self.find(key).unwrap_or_else(|| self.oldest(key, now));
        // Somebody else may count at the same moment: then again, a few times.
        for _ in 0..8 {
            let before = if found & TAG == key & TAG { failures(found) } else { 0 };
            let lasts = if before >= limit { whole(attempt.policy.hold) } else { whole(attempt.policy.window) };
            let goes_on = before > 0 && elapsed(now, found) < lasts;
            let count = if goes_on { (before + 1).min(MAX_FAILURES) } else { 1 };
            // The hold begins with the failure that locks, and those after it do not make it longer.
            let since = if goes_on && count != limit { found >> 16 & SECONDS } else { now };
            match entry.0.compare_exchange_weak(found, key & TAG | since << 16 | count, Relaxed, Relaxed) {
                Ok(_) => return count,
                Err(other) => found = other,
            }
        }
        failures(found)
    }

    fn find(&self, key: u64) -> Option<(&Entry, u64)> {
        let entries = self.set(key).iter().map(|entry| (entry, entry.0.load(Relaxed)));
        entries.into_iter().find(|(_, found)| *found != 0 && *found & TAG == key & TAG)
    }

    /// The place that a new key gets.
    fn oldest(&self, key: u64, now: u64) -> (&Entry, u64) {
        let set = self.set(key);
        let age = |found: u64| if found == 0 { u64::MAX } else { elapsed(now, found) };
        let all = set.iter().map(|entry| (entry, entry.0.load(Relaxed)));
        all.max_by_key(|(_, found)| age(*found)).unwrap_or((&set[0], 0))
    }

    fn set(&self, key: u64) -> &[Entry; WAYS] {
        &self.sets[key as usize % SETS]
    }
}

const TAG: u64 = 0xffff_ff00_0000_0000;
const SECONDS: u64 = 0xff_ffff;

fn failures(entry: u64) -> u64 {
    entry & MAX_FAILURES
}

fn whole(duration: Duration) -> u64 {
    duration.as_secs().min(SECONDS / 2)
}

fn seconds(now: Time) -> u64 {
    (now.0 / 1_000_000_000) & SECONDS
}

fn elapsed(now: u64, entry: u64) -> u64 {
    now.wrapping_sub(entry >> 16 & SECONDS) & SECONDS
}

/// Without anybody's failures.
impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}
