//! Choosing a home server.

use crate::{
    health::Health,
    random::rendezvous,
    snapshot::{HomeKind, HomeServer, Pool, PoolKind, RoutingSnapshot},
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
    for (place, id) in pool.members(kind).iter().take(64).enumerate() {
        let bit = 1 << place;
        let Some(home) = snapshot.home(*id).filter(|_| tried & bit == 0) else { continue };
        let health = home.state.health();
        let rank = (health, rank(pool, place, home, key));
        let better = best.as_ref().is_none_or(|(best, _)| (rank.0 as u8, rank.1) < (best.0 as u8, best.1));
        if better && may_take(home, health) {
            best = Some((rank, Choice { home, bit }));
        }
        let settled = best.as_ref().is_some_and(|((health, _), _)| *health == Health::Alive);
        if pool.kind == PoolKind::FailOver && settled {
            break;
        }
    }
    best.map(|(_, choice)| choice)
}

/// Smaller is better.
fn rank(pool: &Pool, place: usize, home: &HomeServer, key: &[u8]) -> u64 {
    match pool.kind {
        PoolKind::FailOver => place as u64,
        // By name, not by id or place: every node and every order of the document chooses alike.
        PoolKind::ClientBalance => !rendezvous(pool.seed, name_hash(&home.name), key),
    }
}

fn name_hash(name: &str) -> u64 {
    rendezvous(0, 0, name.as_bytes())
}
