//! Sessions brought to where they belong, a few at a time: each is ended at its NAS, and its device attaches anew.
//!
//! Only where a contract asks for it (`rebalance = "paced"`), and only sessions whose access network takes Disconnects. At most so
//! many a minute as the contract says; nothing while every LNS has its share.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sekisho_engine::{
    Time,
    snapshot::{ClientId, ContractId, HomeId, RoutingSnapshot, Vpdn},
};
use sekisho_lns::{
    balance::Misplaced,
    sessions::{Filter, Key, SessionView, Sessions},
};
use sekisho_wire::{attr, select::AttributeId};

use crate::{running::Running, worker::Message};

/// A session is asked for once in this time: its Stop, and the device's next Start, take a while.
const ONCE_IN: Duration = Duration::from_secs(60);
/// Sessions of one LNS that are looked at for one that may be ended.
const LOOKED_AT: usize = 256;

/// Where the rebalancing of each contract stands.
#[derive(Debug, Default)]
pub struct Rebalancing(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When a contract may have another session ended.
    due: HashMap<ContractId, Time>,
    /// When sessions were asked for.
    asked: HashMap<Key, Time>,
}

/// A session that is to be ended.
struct Move {
    contract: ContractId,
    session: Key,
    nas: HomeId,
    attributes: Vec<(u8, Box<[u8]>)>,
}

impl Running {
    /// Has a session of each contract ended whose time for that has come, if one is where it does not belong.
    pub(super) fn rebalance(&self, now: Time, snapshot: &RoutingSnapshot) {
        for step in self.vpdn.rebalancing.steps(now, snapshot, &self.vpdn.sessions) {
            // One worker has a contract's: identifiers toward a NAS are a worker's own.
            let Some(worker) = self.workers.get(step.contract.index() % self.workers.len().max(1)) else { continue };
            if let Some(contract) = snapshot.vpdn(step.contract)
                && worker.tell(Message::Disconnect(step.nas, step.attributes))
            {
                contract.stats.worker(0).rebalanced.increment();
                tracing::debug!(contract = contract.contract, "a session is ended, to get the LNS that is due to it");
            }
        }
    }
}

impl Rebalancing {
    fn steps(&self, now: Time, snapshot: &RoutingSnapshot, sessions: &Sessions) -> Vec<Move> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let contracts = snapshot.vpdn.iter().flatten();
        contracts.filter_map(|contract| state.step(now, snapshot, sessions, contract)).collect()
    }
}

impl State {
    fn step(&mut self, now: Time, snapshot: &RoutingSnapshot, sessions: &Sessions, contract: &Vpdn) -> Option<Move> {
        let pace = Duration::from_secs(60) / contract.rebalance.filter(|rate| *rate > 0)?;
        if self.due.get(&contract.id).is_some_and(|due| now < *due) {
            return None;
        }
        self.due.insert(contract.id, now + pace);
        let by_number = contract.key.first() == Some(&AttributeId::Plain(attr::CALLING_STATION_ID));
        // Of a session its number is known; where LNSs are found by something else it might come back to where it was.
        let misplaced = contract.balance.misplaced(now).filter(|found| by_number || !found.goes_by_key())?;
        self.asked.retain(|_, at| now < *at + ONCE_IN);
        let filter =
            Filter { contract: Some(contract.id), lns: Some(misplaced.lns.id), limit: LOOKED_AT, ..Filter::default() };
        let found = sessions.list(now, &filter);
        let step = found.iter().find_map(|session| self.movable(snapshot, &misplaced, session))?;
        self.asked.insert(step.session, now);
        Some(step)
    }

    /// Where a session is ended and how it is called there, if it is to be and can be.
    fn movable(&self, snapshot: &RoutingSnapshot, misplaced: &Misplaced<'_>, session: &SessionView) -> Option<Move> {
        let key = session.session.filter(|key| !self.asked.contains_key(key))?;
        let (nas, id) = session.handle.as_ref()?;
        let nas = snapshot.nas_by_source.get(&(ClientId(session.source.0), *nas))?;
        if !misplaced.is(&session.number) {
            return None;
        }
        let mut attributes = vec![(attr::ACCT_SESSION_ID, id.clone())];
        if !session.user.is_empty() {
            attributes.push((attr::USER_NAME, session.user.clone()));
        }
        Some(Move { contract: session.contract, session: key, nas: *nas, attributes })
    }
}
