//! A choice.

use std::sync::Arc;

use arrayvec::ArrayVec;

use super::{ALTERNATIVES_MAX, AllDown, Balance, Failback, Lns, Tier, rank::WHOLE};
use crate::{
    SourceId, Time,
    health::{Standing, Wanted},
    load::Load,
    sessions::Remembered,
};

/// What a choice goes by, beside the balance.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The access network that asks.
    pub source: SourceId,
    /// What its LNS is found by where it is found by hash: the canonical number, or else the IMSI.
    pub key: &'a [u8],
    /// What is known of the device ([`crate::sessions::Sessions::remembered`]).
    pub known: Remembered,
}

/// LNSs for a session.
#[derive(Clone, Debug)]
pub struct Chosen<'b> {
    /// The LNS, and after it those to fail over to, the best first; no two are the same.
    pub picks: ArrayVec<&'b Arc<Lns>, ALTERNATIVES_MAX>,
    /// Why the first one.
    pub why: Why,
}

/// Why an LNS was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no other.
    Lone,
    /// The device asked a moment ago, and was given it.
    Again,
    /// The device had it before.
    Sticky,
    /// By the first tier's strategy.
    Strategy,
    /// By that of a later tier, the first being the zeroth: those before it had none.
    Tier(usize),
    /// Others are full.
    Overflow,
    /// None is up.
    FailOpen,
}

impl Why {
    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Why::Lone => "lone",
            Why::Again => "again",
            Why::Sticky => "sticky",
            Why::Strategy => "strategy",
            Why::Tier(_) => "lower_tier",
            Why::Overflow => "overflow",
            Why::FailOpen => "fail_open",
        }
    }
}

/// Why none was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Every LNS in service is down, or fails for this access network.
    AllDown,
    /// Every LNS that is alive is full.
    AllFull,
    /// The contract has as many sessions as it may have.
    ContractFull,
    /// The customer has.
    CustomerFull,
    /// No LNS is in service.
    NoLns,
}

impl Refused {
    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Refused::AllDown => "all_down",
            Refused::AllFull => "all_full",
            Refused::ContractFull => "contract_full",
            Refused::CustomerFull => "customer_full",
            Refused::NoLns => "no_lns",
        }
    }
}

type Picks<'b> = ArrayVec<&'b Arc<Lns>, ALTERNATIVES_MAX>;

/// Who may be picked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admit {
    /// Those that are up for this access network.
    Usable,
    /// Also those that fail for it.
    Alive,
    /// Also those that are down, if nobody has taken them out of service.
    InService,
}

/// What was met among the LNSs that were looked at.
#[derive(Clone, Copy, Default)]
struct Met {
    usable: bool,
    full: bool,
    /// Fails for this access network.
    avoided: bool,
    /// Down, and nobody's wish.
    down: bool,
}

impl Balance {
    /// Chooses an LNS. Call [`crate::sessions::Sessions::attach`] for it, before the next choice.
    ///
    /// # Errors
    ///
    /// Why the session must be refused.
    pub fn choose(&self, now: Time, ask: &Ask<'_>) -> Result<Chosen<'_>, Refused> {
        // What the device holds is given back when it attaches.
        let held = u32::from(ask.known.holds);
        if is_full(self.customer_max, &self.customer_load, held) {
            return Err(Refused::CustomerFull);
        }
        if is_full(self.max_sessions, &self.load, held) {
            return Err(Refused::ContractFull);
        }
        let mut picks = Picks::new();
        let choice = Choice { balance: self, now, ask };
        let why = match self.lone() {
            Some(lone) => choice.take_lone(lone, &mut picks)?,
            None => choice.take(&mut picks)?,
        };
        Ok(Chosen { picks, why })
    }
}

/// A choice that is being made.
struct Choice<'b, 'a> {
    balance: &'b Balance,
    now: Time,
    ask: &'a Ask<'a>,
}

impl<'b> Choice<'b, '_> {
    fn take_lone(&self, lone: &'b Arc<Lns>, picks: &mut Picks<'b>) -> Result<Why, Refused> {
        if lone.state.health.wanted() != Wanted::Up {
            return Err(Refused::NoLns);
        }
        if !self.has_room(lone) {
            return Err(Refused::AllFull);
        }
        picks.push(lone);
        Ok(Why::Lone)
    }

    fn take(&self, picks: &mut Picks<'b>) -> Result<Why, Refused> {
        let mut met = Met::default();
        let remembered = self.take_remembered(picks);
        let tiers = &self.balance.tiers;
        if let Some(lead) = self.find_tier(true, picks, &mut met).or_else(|| self.find_tier(false, picks, &mut met)) {
            for tier in tiers.iter().skip(lead + 1).chain(tiers.iter().take(lead)) {
                self.add(tier, Admit::Usable, picks, &mut met);
            }
            return Ok(remembered.unwrap_or(if lead == 0 { Why::Strategy } else { Why::Tier(lead) }));
        }
        if let Some(why) = remembered {
            return Ok(why);
        }
        if let Some(overflow) = self.balance.overflow.as_ref().filter(|_| met.full) {
            self.add(overflow, Admit::Usable, picks, &mut met);
            if !picks.is_empty() {
                return Ok(Why::Overflow);
            }
        }
        if self.balance.all_down == AllDown::FailOpen {
            // One that only fails here is still better than one that is down for all.
            for admit in [Admit::Alive, Admit::InService] {
                tiers.iter().for_each(|tier| self.add(tier, admit, picks, &mut met));
            }
            if !picks.is_empty() {
                return Ok(Why::FailOpen);
            }
        }
        Err(match met {
            Met { full: true, .. } => Refused::AllFull,
            Met { avoided: true, .. } | Met { down: true, .. } => Refused::AllDown,
            Met { .. } => Refused::NoLns,
        })
    }

    /// The LNS that the device had, if it may have it again.
    fn take_remembered(&self, picks: &mut Picks<'b>) -> Option<Why> {
        let known = self.ask.known;
        let why = match (known.again, self.balance.sticky) {
            (true, _) => Why::Again,
            (false, Some(_)) => Why::Sticky,
            (false, None) => return None,
        };
        let last = known.last?;
        let tiers = self.balance.tiers.iter().chain(&self.balance.overflow);
        let lns = tiers.flat_map(Tier::members).find(|member| member.id == last)?;
        self.share(lns, Admit::Usable, &mut Met::default())?;
        picks.push(lns);
        Some(why)
    }

    /// Takes from the first tier that has somebody; which that is. Those that wait for their failback come in only if no other has.
    fn find_tier(&self, only_ready: bool, picks: &mut Picks<'b>, met: &mut Met) -> Option<usize> {
        for (place, tier) in self.balance.tiers.iter().enumerate() {
            if only_ready && !self.is_ready(tier) {
                continue;
            }
            let mut here = Met::default();
            self.add(tier, Admit::Usable, picks, &mut here);
            if here.usable {
                return Some(place);
            }
            if !here.full && !here.avoided {
                tier.go_away();
            }
            met.full |= here.full;
            met.avoided |= here.avoided;
            met.down |= here.down;
        }
        None
    }

    fn is_ready(&self, tier: &Tier) -> bool {
        match tier.failback() {
            Failback::Now => true,
            Failback::Manual => !tier.is_away(),
            Failback::Delayed(delay) => {
                tier.members().iter().any(|member| match member.state.health.standing(self.now, self.ask.source) {
                    Standing::Usable { since } => since.is_none_or(|since| self.now >= since + delay),
                    _ => false,
                })
            }
        }
    }

    /// Adds a tier's members, as far as there is room for more picks.
    fn add(&self, tier: &'b Tier, admit: Admit, picks: &mut Picks<'b>, met: &mut Met) {
        let taken = picks.clone();
        let most = self.balance.alternatives.clamp(1, ALTERNATIVES_MAX);
        tier.rank(self.ask.key, picks, most, |member| {
            let share = self.share(member, admit, met)?;
            (!taken.iter().any(|taken| taken.id == member.id)).then_some(share)
        });
    }

    /// How much of its share an LNS is to have, of [`WHOLE`], if it may be picked.
    fn share(&self, lns: &Lns, admit: Admit, met: &mut Met) -> Option<u32> {
        let standing = lns.state.health.standing(self.now, self.ask.source);
        match standing {
            Standing::Full => met.full = true,
            Standing::Draining | Standing::Down if lns.state.health.wanted() != Wanted::Up => {}
            _ if !self.has_room(lns) => met.full = true,
            Standing::Usable { since } => {
                met.usable = true;
                return Some(self.grown(since));
            }
            Standing::Avoided => {
                met.avoided = true;
                return (admit != Admit::Usable).then_some(WHOLE);
            }
            Standing::Draining | Standing::Down => {
                met.down = true;
                return (admit == Admit::InService).then_some(WHOLE);
            }
        }
        None
    }

    /// What an LNS has grown to in its slow start; never nothing.
    fn grown(&self, since: Option<Time>) -> u32 {
        let Some(since) = since else { return WHOLE };
        let slow_start = u64::try_from(self.balance.slow_start.as_nanos()).unwrap_or(u64::MAX);
        let part = (slow_start / u64::from(WHOLE)).max(1);
        (self.now.since(since) / part).clamp(1, u64::from(WHOLE)) as u32
    }

    fn has_room(&self, lns: &Lns) -> bool {
        let holds = self.ask.known.holds && self.ask.known.last == Some(lns.id);
        !is_full(lns.max_sessions, &lns.state.load, u32::from(holds))
    }
}

/// Whether there are as many sessions as there may be, not counting those that are about to be given back.
fn is_full(max: u32, load: &Load, held: u32) -> bool {
    max > 0 && load.total().saturating_sub(held) >= max
}
