//! Choosing a home server.

use crate::{
    health::Health,
    random::rendezvous,
    snapshot::{HomeKind, HomeServer, Member, Pool, PoolKind, RoutingSnapshot, Tier},
};

/// A chosen server and its place in the pool's list.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'s> {
    /// The server.
    pub home: &'s HomeServer,
    /// Bit of its place.
    pub bit: u64,
}

/// The best server of a pool that was not tried and that `may_take` another request; `key` is what a balanced pool goes by.
///
/// Alive before zombie before dead; within these, by the pool's kind. A dead server is tried where nothing better is left:
/// its answer revives it, and `may_take` bounds what that costs.
pub fn choose<'s>(
    snapshot: &'s RoutingSnapshot,
    pool: &Pool,
    kind: HomeKind,
    tried: u64,
    key: &[u8],
    mut may_take: impl FnMut(&HomeServer, Health) -> bool,
) -> Option<Choice<'s>> {
    let mut best: Option<((Health, u64), Choice<'s>)> = None;
    for (place, (tier, member)) in pool.members(kind).take(64).enumerate() {
        let bit = 1 << place;
        let Some(home) = snapshot.home(member.home).filter(|_| tried & bit == 0) else { continue };
        let health = home.state.health();
        let rank = (health, rank(tier, place, member, key));
        let better = best.as_ref().is_none_or(|(best, _)| (rank.0 as u8, rank.1) < (best.0 as u8, best.1));
        if better && may_take(home, health) {
            best = Some((rank, Choice { home, bit }));
        }
        let settled = best.as_ref().is_some_and(|((health, _), _)| *health == Health::Alive);
        if tier.kind == PoolKind::FailOver && settled {
            break;
        }
    }
    best.map(|(_, choice)| choice)
}

/// Smaller is better.
fn rank(tier: &Tier, place: usize, member: &Member, key: &[u8]) -> u64 {
    match tier.kind {
        PoolKind::FailOver => place as u64,
        // By name, not by id or place: every node and every order of the document chooses alike.
        _ => !rendezvous(tier.seed, member.hash, key),
    }
}

impl Pool {
    /// The servers of one kind with their tiers, in order of preference.
    pub(crate) fn members(&self, kind: HomeKind) -> impl Iterator<Item = (&Tier, &Member)> {
        self.tiers.iter().flat_map(move |tier| tier.members(kind).iter().map(move |member| (tier, member)))
    }
}

impl Tier {
    fn members(&self, kind: HomeKind) -> &[Member] {
        match kind {
            HomeKind::Auth => &self.auth,
            HomeKind::Acct => &self.acct,
            HomeKind::DynAuth => &[],
        }
    }
}

pub(crate) fn name_hash(name: &str) -> u64 {
    rendezvous(0, 0, name.as_bytes())
}
