//! The members of a tier in the order in which its strategy wants them.

use std::sync::Arc;

use arrayvec::ArrayVec;

use super::{ALTERNATIVES_MAX, Lns, Strategy, Tier};
use crate::rendezvous::Draw;

/// A whole share, and the parts that it grows by in a slow start.
pub(super) const WHOLE: u32 = 1024;

/// The best so far, best first; less is better.
struct Best<'b> {
    ranked: ArrayVec<((u64, u64), &'b Arc<Lns>), ALTERNATIVES_MAX>,
    room: usize,
}

impl<'b> Best<'b> {
    fn offer(&mut self, rank: (u64, u64), member: &'b Arc<Lns>) {
        if self.ranked.len() == self.room && self.ranked.last().is_none_or(|(worst, _)| *worst <= rank) {
            return;
        }
        let place = self.ranked.iter().take_while(|(other, _)| *other <= rank).count();
        if self.ranked.len() == self.room {
            self.ranked.pop();
        }
        self.ranked.insert(place, (rank, member));
    }
}

impl Tier {
    /// Adds to `picks` the members that `share` admits, which says how much of their share they are to have (of [`WHOLE`]), until there
    /// are `most`. If the first of them is the choice itself, it has had its turn.
    pub(super) fn rank<'b>(
        &'b self,
        key: &[u8],
        picks: &mut ArrayVec<&'b Arc<Lns>, ALTERNATIVES_MAX>,
        most: usize,
        mut share: impl FnMut(&'b Arc<Lns>) -> Option<u32>,
    ) {
        let (is_choice, room) = (picks.is_empty(), most.saturating_sub(picks.len()));
        let mut best = Best { ranked: ArrayVec::new(), room };
        let draw = Draw::new(self.seed(), key);
        match self.strategy() {
            Strategy::RoundRobin => self.rank_by_turn(&mut best, is_choice, &mut share),
            Strategy::Hash => {
                for member in self.members() {
                    if let Some(share) = share(member) {
                        best.offer((draw.cost(member.hash, member.weight * share).to_bits(), 0), member);
                    }
                }
            }
            Strategy::LeastSessions => {
                let mut shares = 0;
                let mut growing = false;
                for member in self.members() {
                    if let Some(share) = share(member) {
                        shares += u64::from(self.capacity(member)) * u64::from(share);
                        growing |= share < WHOLE;
                        best.offer(self.rank_by_sessions(member, draw), member);
                    }
                }
                if growing {
                    best.ranked.clear();
                    for member in self.members() {
                        if let Some(share) = share(member) {
                            let rank = self.rank_by_sessions(member, draw);
                            let late = share < WHOLE && !self.has_its_share(member, draw, share, shares);
                            // The bits of a fraction of two 32-bit numbers leave the uppermost for this.
                            best.offer((rank.0 | u64::from(late) << 63, rank.1), member);
                        }
                    }
                }
            }
        }
        picks.extend(best.ranked.into_iter().map(|(_, member)| member));
    }

    /// Smooth weighted round robin: everybody gets its weight, and the one that has most pays the sum of all weights.
    fn rank_by_turn<'b>(
        &'b self,
        best: &mut Best<'b>,
        is_choice: bool,
        mut share: impl FnMut(&'b Arc<Lns>) -> Option<u32>,
    ) {
        let mut turns = self.turns();
        let mut sum = 0;
        for (member, turn) in self.members().iter().zip(&mut *turns) {
            if let Some(share) = share(member) {
                let weight = i64::from(member.weight) * i64::from(share);
                sum += weight;
                let owed = *turn + weight;
                if is_choice {
                    *turn = owed;
                }
                best.offer((i64::MAX.wrapping_sub(owed) as u64, 0), member);
            }
        }
        if let Some((_, first)) = best.ranked.first().filter(|_| is_choice)
            && let Some(place) = self.members().iter().position(|member| Arc::ptr_eq(member, first))
            && let Some(turn) = turns.get_mut(place)
        {
            *turn -= sum;
        }
    }

    fn rank_by_sessions(&self, member: &Lns, draw: Draw) -> (u64, u64) {
        let filled = (u64::from(member.state.load.total()) << 31) / u64::from(self.capacity(member).max(1));
        (filled, draw.cost(member.hash, member.weight).to_bits())
    }

    /// Whether a member in its slow start, which has the fewest sessions, may have this one: as often as its share of all is.
    fn has_its_share(&self, member: &Lns, draw: Draw, share: u32, shares: u64) -> bool {
        let drawn = u128::from(draw.number(!member.hash));
        drawn * u128::from(shares) < (u128::from(self.capacity(member)) * u128::from(share)) << 64
    }
}
