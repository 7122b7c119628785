//! Sessions of `vpdn` contracts and the LNSs that they end at: what is shared by the workers, and what is done beside them.
//!
//! Workers count sessions and choose LNSs by themselves. Beside them, sessions of which nothing is heard are ended ([`sweep`]), LNSs
//! are asked whether they live ([`prober`]), sessions are brought to where they belong (`rebalance`), and the operator is listened to ([`words`]). What is known is kept over restarts
//! ([`tables`](crate::tables)), by name (`naming`), since numbers are a process's own. [`notes`] logs and counts what becomes of LNSs. What
//! an operator asks for is found by [`asked`](crate::asked).

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
    sessions::{Restored, Sessions, Settings},
};

use self::{naming::Names, notes::Notes, rebalance::Rebalancing, sweep::Ended, words::Words};
use crate::{clock::wall_seconds, tables::Keeper};

/// The sessions' file below `node.state`.
const FILE: &str = "sessions";

/// Who is where, and how much each LNS has.
#[derive(Clone)]
pub struct Vpdn {
    /// The numbers behind LNSs, contracts and customers; the same for the life of the process.
    pub loads: Arc<Loads>,
    /// The sessions.
    pub sessions: Arc<Sessions>,
    /// Keeps the sessions.
    pub keeper: Arc<Keeper>,
    /// What the start has found of them.
    pub restored: Restored,
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
        let (keeper, left) = Keeper::open(&node.state, FILE, |file| {
            let (loads, names) = (Arc::clone(&loads), Names::of(snapshot));
            Sessions::restore(settings(node), loads, file, now, wall_seconds(), &names)
        });
        if let Some((_, restored)) = &left {
            tell(restored);
        }
        let (sessions, restored) = left.unwrap_or_else(|| {
            (Sessions::new(settings(node), rand::random(), Arc::clone(&loads)), Restored::default())
        });
        let vpdn = Vpdn {
            loads,
            sessions: Arc::new(sessions),
            keeper: Arc::new(keeper),
            restored,
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
            let customer = snapshot.customer_name(plan.customer);
            let changed = self.words.put_in_force(customer, &plan.lns.name, health, now);
            self.notes.tell(snapshot, plan, changed);
        }
    }

    /// Saves the sessions.
    pub fn save(&self, snapshot: &RoutingSnapshot, now: Time) {
        let counts = self.sessions.counts();
        let is_empty = counts.sessions + counts.reservations + counts.memories + counts.ended == 0;
        self.keeper
            .save(is_empty, |out| Ok(self.sessions.write_to(now, wall_seconds(), &Names::of(snapshot), out)?.sessions));
    }
}

fn tell(restored: &Restored) {
    let Restored { sessions, reservations, expired, dropped, without_lns, no_room, .. } = *restored;
    tracing::info!(sessions, reservations, expired, "the sessions of the last run are restored");
    if dropped > 0 || without_lns > 0 {
        tracing::warn!(
            dropped,
            without_lns,
            "sessions of customers, contracts or access networks that no document has are not restored; those of LNSs that none has \
             count for their contracts alone"
        );
    }
    if no_room > 0 {
        tracing::warn!(no_room, "sessions are not restored: raise sessions.max_tracked");
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
