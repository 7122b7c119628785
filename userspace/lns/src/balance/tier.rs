//! LNSs among which a strategy chooses.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use super::Lns;
use crate::rendezvous::{hash, name_hash};

/// How a tier chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// One after the other, each as often as its weight says.
    RoundRobin,
    /// The one that has the fewest sessions, active and pending, for its capacity: `max_sessions`, or the weight if there are LNSs in
    /// the tier that have no `max_sessions`. Among equals by rendezvous, so that workers which choose at once do not all choose
    /// the same.
    LeastSessions,
    /// By rendezvous of the device's number, by weight.
    Hash,
}

/// When a tier is used again that had no LNS left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Failback {
    /// At once.
    #[default]
    Now,
    /// When one of its LNSs has been usable that long.
    Delayed(Duration),
    /// When the operator says so ([`super::Balance::fail_back`]). That the tier was only full needs no word.
    Manual,
}

/// LNSs of the same preference.
#[derive(Debug)]
pub struct Tier {
    strategy: Strategy,
    seed: u64,
    failback: Failback,
    members: Vec<Arc<Lns>>,
    /// Whether every member has a `max_sessions`.
    by_sessions: bool,
    turns: Arc<Mutex<Vec<i64>>>,
    /// It had no LNS left, and its use waits for the operator.
    away: Arc<AtomicBool>,
}

/// The seed of a tier's rendezvous: from names, so that all nodes choose alike; and each tier's own, since of a second tier with the
/// first one's seed one LNS would get all the keys that the first tier's lost LNS had.
pub fn tier_seed(customer: &str, contract: &str, tier: usize) -> u64 {
    hash(name_hash(customer), tier as u64, [contract.as_bytes(), &[]])
}

impl Tier {
    /// LNSs among which `strategy` chooses, by rendezvous with `seed` ([`tier_seed`]).
    pub fn new(strategy: Strategy, seed: u64, failback: Failback, members: Vec<Arc<Lns>>) -> Tier {
        let by_sessions = members.iter().all(|member| member.max_sessions > 0);
        let turns = Arc::new(Mutex::new(vec![0; members.len()]));
        Tier { strategy, seed, failback, members, by_sessions, turns, away: Arc::default() }
    }

    /// The LNSs.
    pub fn members(&self) -> &[Arc<Lns>] {
        &self.members
    }

    /// How it chooses.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// When it is used again after it had no LNS left.
    pub fn failback(&self) -> Failback {
        self.failback
    }

    /// Whether it waits for the operator's word.
    pub fn is_away(&self) -> bool {
        self.away.load(Relaxed)
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// What a member's sessions are measured by.
    pub(super) fn capacity(&self, member: &Lns) -> u32 {
        if self.by_sessions { member.max_sessions } else { member.weight }
    }

    /// How much each member is owed in the round robin, by place.
    pub(super) fn turns(&self) -> MutexGuard<'_, Vec<i64>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// None of its LNSs is in service.
    pub(super) fn go_away(&self) {
        if self.failback == Failback::Manual && !self.is_away() {
            self.away.store(true, Relaxed);
        }
    }

    pub(super) fn fail_back(&self) {
        self.away.store(false, Relaxed);
    }

    pub(super) fn succeed(&mut self, before: &Tier) {
        self.away = before.away.clone();
        let ids = |tier: &Tier| tier.members.iter().map(|member| member.id).collect::<Vec<_>>();
        if ids(self) == ids(before) {
            self.turns = before.turns.clone();
        }
    }
}
