//! Sessions that would get another LNS if they came now.
//!
//! Nothing that is in progress is ever touched by a choice. Where an operator wants sessions moved all the same, somebody ends them
//! at their NAS, few at a time, and they come again; which ones these may be is said here.

use std::sync::Arc;

use super::{Balance, Lns, Strategy, Tier};
use crate::{
    Time,
    health::{State, Wanted},
    rendezvous::Draw,
};

/// So much more than its share, in sessions, an LNS may have before any is to move: less evens out by itself.
const SLACK: u64 = 2;

/// An LNS with sessions that belong elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Misplaced<'b> {
    /// The LNS.
    pub lns: &'b Arc<Lns>,
    /// By what its sessions are told apart: by hash only those move whose key is another one's.
    by_hash: Option<(&'b Tier, Time)>,
}

impl Misplaced<'_> {
    /// Whether [`Misplaced::is`] needs the key that the contract finds LNSs by.
    pub fn goes_by_key(&self) -> bool {
        self.by_hash.is_some()
    }

    /// Whether a session of this LNS's with this key belongs elsewhere.
    pub fn is(&self, key: &[u8]) -> bool {
        let Some((tier, now)) = self.by_hash else { return true };
        let draw = Draw::new(tier.seed(), key);
        let cost = |lns: &Lns| draw.cost(lns.hash, lns.weight).to_bits();
        let best = tier.members().iter().filter(|member| is_usable(member, now)).min_by_key(|member| cost(member));
        best.is_some_and(|best| best.id != self.lns.id)
    }
}

impl Balance {
    /// An LNS that has sessions which would get another one if they came now, if there is any: because it is to drain; because its tier is
    /// one for when a better one has nobody, which it has; or because it has more than its share.
    pub fn misplaced(&self, now: Time) -> Option<Misplaced<'_>> {
        let lead = self.tiers.iter().position(|tier| tier.members().iter().any(|lns| has_room(lns, now)))?;
        let all = || self.tiers.iter().chain(&self.overflow);
        let has_sessions = |lns: &&Arc<Lns>| lns.state.load.active() > 0;
        let drains = |lns: &&Arc<Lns>| lns.state.health.wanted() == Wanted::Draining;
        let mut drained = all().flat_map(Tier::members).filter(drains).filter(has_sessions);
        if let Some(lns) = drained.next() {
            return Some(Misplaced { lns, by_hash: None });
        }
        let in_lead = |lns: &Arc<Lns>| self.tiers.get(lead).is_some_and(|tier| tier.has(lns));
        let lower = all().skip(lead + 1).flat_map(Tier::members).filter(|lns| !in_lead(lns)).find(has_sessions);
        if let Some(lns) = lower {
            return Some(Misplaced { lns, by_hash: None });
        }
        let tier = self.tiers.get(lead)?;
        let by_hash = (tier.strategy() == Strategy::Hash).then_some((tier, now));
        Some(Misplaced { lns: tier.crowded(now)?, by_hash })
    }
}

impl Tier {
    fn has(&self, lns: &Arc<Lns>) -> bool {
        self.members().iter().any(|member| member.id == lns.id)
    }

    /// The usable member that is furthest above its share, if one is by more than a tenth.
    fn crowded(&self, now: Time) -> Option<&Arc<Lns>> {
        let usable = || self.members().iter().filter(|member| is_usable(member, now));
        let active = |lns: &Lns| u64::from(lns.state.load.active());
        let sessions: u64 = usable().map(|lns| active(lns)).sum();
        let capacity: u64 = usable().map(|lns| u64::from(self.capacity(lns))).sum();
        let excess = |lns: &Arc<Lns>| {
            let share = sessions * u64::from(self.capacity(lns)) / capacity.max(1);
            let more = active(lns).checked_sub(share)?;
            (more > SLACK.max(share / 10)).then_some(more)
        };
        usable().filter_map(|lns| Some((excess(lns)?, lns))).max_by_key(|(excess, _)| *excess).map(|(_, lns)| lns)
    }
}

fn is_usable(lns: &Lns, now: Time) -> bool {
    let health = &lns.state.health;
    health.wanted() == Wanted::Up && matches!(health.state(now), State::Unknown | State::Up | State::Refusing)
}

fn has_room(lns: &Lns, now: Time) -> bool {
    is_usable(lns, now) && (lns.max_sessions == 0 || lns.state.load.total() < lns.max_sessions)
}
