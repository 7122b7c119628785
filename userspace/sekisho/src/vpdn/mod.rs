//! Sessions of `vpdn` contracts and the LNSs that they end at: what is shared by the workers, and what is done beside them.
//!
//! Workers count sessions and choose LNSs by themselves. Beside them, sessions of which nothing is heard are ended ([`sweep`]), LNSs
//! are asked whether they live ([`prober`]), sessions are brought to where they belong (`rebalance`), and the operator is listened to ([`words`]). What is known is kept over restarts
//! ([`keeper`]), by name (`naming`), since numbers are a process's own. [`notes`] logs and counts what becomes of LNSs. What
//! an operator asks for is found by [`asked`](crate::asked).

pub mod keeper;
pub(crate) mod naming;
pub mod notes;
mod ports;
pub mod prober;
mod rebalance;
pub mod sweep;
pub mod words;

use std::sync::Arc;

use sekisho_config::Node;
use sekisho_engine::{Time, snapshot::RoutingSnapshot};
use sekisho_lns::{
    Loads,
    sessions::{Sessions, Settings},
};

use self::{keeper::Keeper, notes::Notes, rebalance::Rebalancing, sweep::Ended, words::Words};

/// Who is where, and how much each LNS has.
#[derive(Clone)]
pub struct Vpdn {
    /// The numbers behind LNSs, contracts and customers; the same for the life of the process.
    pub loads: Arc<Loads>,
    /// The sessions.
    pub sessions: Arc<Sessions>,
    /// Keeps the sessions.
    pub keeper: Arc<Keeper>,
    /// What the operator has said of LNSs.
    pub words: Arc<Words>,
    /// What became of LNSs.
    pub notes: Arc<Notes>,
    /// Sessions that ended without a Stop.
    pub ended: Arc<Ended>,
    /// Which sessions have been brought to other LNSs.
    pub rebalancing: Arc<Rebalancing>,
}

impl Vpdn {
    /// With the sessions and the operator's words that an earlier run has left, as far as this routing has a name for them. What the
    /// documents and the operator want of the LNSs holds from here on.
    pub fn open(node: &Node, loads: Arc<Loads>, snapshot: &RoutingSnapshot, now: Time) -> Vpdn {
        let (keeper, sessions) = Keeper::open(&node.state, settings(node), Arc::clone(&loads), snapshot, now);
        let vpdn = Vpdn {
            loads,
            sessions: Arc::new(sessions),
            keeper: Arc::new(keeper),
            words: Arc::new(Words::open(&node.state)),
            notes: Arc::default(),
            ended: Arc::default(),
            rebalancing: Arc::default(),
        };
        vpdn.go_by(snapshot, now);
        vpdn
    }

    /// Has the LNSs go by what documents and operator want of them, from before this routing is in force.
    pub fn go_by(&self, snapshot: &RoutingSnapshot, now: Time) {
        for plan in snapshot.lnss.iter().flatten() {
            let health = &plan.lns.state.health;
            if plan.probe.is_none() {
                self.notes.tell(snapshot, plan, health.no_longer_probed(now));
            }
            self.notes.tell(snapshot, plan, health.set_document(now, plan.wanted));
            let customer = naming::customer(snapshot, plan.customer);
            let changed = self.words.put_in_force(&customer, &plan.lns.name, health, now);
            self.notes.tell(snapshot, plan, changed);
        }
    }
}

/// The bounds of the table of sessions, from the document.
pub fn settings(node: &Node) -> Settings {
    let from = &node.sessions;
    Settings {
        max_sessions: from.max_tracked as usize,
        reservation: from.reservation,
        short: from.short,
        without_interims: from.without_interims,
        customer_share: from.customer_share,
        ..Settings::default()
    }
}
