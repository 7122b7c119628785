//! Which LNS a session gets.
//!
//! A contract's [`Balance`] has tiers of LNSs, the most preferred first. A choice takes the first tier that has an LNS to be used, and
//! of that the LNS that its strategy names; after it come those that the access network may fail over to. An LNS that drains, is
//! down, is full, or fails for this access network gets nothing, whatever a hash or a device's last session say for it.
//!
//! | strategy | picks | an LNS goes | it comes back |
//! |---|---|---|---|
//! | [`Strategy::RoundRobin`] | in turn, by weight, spread evenly (as nginx does) | the others' weights are the whole | its weight grows over the slow start |
//! | [`Strategy::LeastSessions`] | the least (active + pending) / capacity | its share goes to the others | until the slow start is over, no more than its growing share of new sessions; then what it takes to level it |
//! | [`Strategy::Hash`] | by rendezvous: one key, one LNS, in proportion to weight | only its keys move | they come back, over the slow start |
//!
//! What is decided first, from the top: the customer's and the contract's limit; a device that repeats itself gets the same answer; a
//! device that is to be remembered gets its last LNS; the tiers; where LNSs are full, the overflow tier; where they are down, all as if
//! they were up, or nothing ([`AllDown`]). A balance with one LNS and nothing else is a contract without the load-balancing
//! option: that LNS is named as long as it is in service and has room, whatever its health.
//!
//! Workers share a balance. Choosing takes a lock for one thing only, the turns of a round robin, and allocates nothing. It counts
//! nothing either: [`crate::sessions::Sessions::attach`] does.

mod choose;
mod rank;
mod rebalance;
mod tier;

use std::{sync::Arc, time::Duration};

pub use choose::{Ask, Chosen, Refused, Why};
pub use rebalance::Misplaced;
pub use tier::{Failback, Strategy, Tier, tier_seed};

use crate::{ContractId, CustomerId, LnsId, LnsState, load::Load, rendezvous::name_hash};

/// LNSs in an answer at most.
pub const ALTERNATIVES_MAX: usize = 8;

/// An LNS as a contract sees it.
#[derive(Clone, Debug)]
pub struct Lns {
    /// Its number.
    pub id: LnsId,
    /// Its name, unique within the customer.
    pub name: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// Of its name: every node and every order of the document chooses alike.
    pub hash: u64,
    /// Its share: 1 to 1000.
    pub weight: u32,
    /// Sessions at most, pending ones included; zero: any number.
    pub max_sessions: u32,
    /// Its health and load, shared by all that know it.
    pub state: Arc<LnsState>,
}

impl Lns {
    /// An LNS by its name.
    pub fn new(
        id: LnsId,
        name: &str,
        customer: CustomerId,
        weight: u32,
        max_sessions: u32,
        state: Arc<LnsState>,
    ) -> Lns {
        let weight = weight.clamp(1, 1000);
        Lns { id, name: name.to_owned(), customer, hash: name_hash(name), weight, max_sessions, state }
    }
}

/// What is done where every LNS is down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AllDown {
    /// The answer is given as if all were up: that they are down may be our mistake. Those that the operator has taken out of service
    /// stay out.
    #[default]
    FailOpen,
    /// The session is refused.
    Reject,
}

/// How a contract's sessions are shared by its LNSs.
#[derive(Debug)]
pub struct Balance {
    /// Whose sessions.
    pub contract: ContractId,
    /// And whose contract.
    pub customer: CustomerId,
    /// The LNSs, the most preferred first.
    pub tiers: Vec<Tier>,
    /// LNSs for when those are full.
    pub overflow: Option<Tier>,
    /// How long a device keeps its LNS after its session; `None`: not at all.
    pub sticky: Option<Duration>,
    /// An LNS that comes back has its whole share after that time.
    pub slow_start: Duration,
    /// What is done where every LNS is down.
    pub all_down: AllDown,
    /// LNSs in an answer, the chosen one included: 1 to [`ALTERNATIVES_MAX`].
    pub alternatives: usize,
    /// Sessions of the contract at most, pending ones included; zero: any number.
    pub max_sessions: u32,
    /// The contract's sessions.
    pub load: Arc<Load>,
    /// Sessions of the customer at most, likewise.
    pub customer_max: u32,
    /// The customer's sessions.
    pub customer_load: Arc<Load>,
}

impl Balance {
    /// Goes on where the balance before it in a reload was: whose turn it is in a tier of the same LNSs, and which tiers wait for
    /// [`Balance::fail_back`].
    pub fn succeed(&mut self, before: &Balance) {
        let tiers = self.tiers.iter_mut().chain(&mut self.overflow);
        for (tier, before) in tiers.zip(before.tiers.iter().chain(&before.overflow)) {
            tier.succeed(before);
        }
    }

    /// The operator's word that the preferred tiers may be used again ([`Failback::Manual`]).
    pub fn fail_back(&self) {
        self.tiers.iter().for_each(Tier::fail_back);
    }

    /// The LNS of a contract without the load-balancing option.
    fn lone(&self) -> Option<&Arc<Lns>> {
        match (&*self.tiers, &self.overflow) {
            ([tier], None) => match tier.members() {
                [lone] => Some(lone),
                _ => None,
            },
            _ => None,
        }
    }
}
