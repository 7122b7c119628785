//! Servers and pools beside those of a plan.

use std::{sync::Arc, time::Duration};

use sekisho_abi::{Roles, Source, SourceKey, address_bytes};
use sekisho_engine::{
    health::HomeState,
    snapshot::*,
    stats::{Counter, HomeStats, PerWorker},
};

use super::{address, home_secret};

/// A server beside those of a [`Plan`]: its health and counters outlive reloads. Its secret is `home_secret(number)`.
#[derive(Clone)]
pub struct Extra {
    pub number: usize,
    pub at: String,
    pub kind: HomeKind,
    pub state: Arc<HomeState>,
    pub stats: Arc<PerWorker<HomeStats>>,
}

impl Extra {
    pub fn new(number: usize, at: &str, kind: HomeKind) -> Extra {
        let stats = Arc::new(PerWorker::new(1));
        Extra { number, at: at.to_owned(), kind, state: Arc::default(), stats }
    }

    pub fn id(&self) -> HomeId {
        HomeId(self.number as u32)
    }

    pub fn count(&self, counter: impl Fn(&HomeStats) -> &Counter) -> u64 {
        self.stats.sum(counter)
    }

    /// Makes it a server of this customer, in the gate as well.
    pub fn join(&self, snapshot: &mut RoutingSnapshot, customer: u32) {
        let (id, at) = (self.id(), address(&self.at));
        let key = SourceKey { domain: 0, address: address_bytes(at.ip()) };
        let source = snapshot.gate.sources.entry(key).or_insert(Source::unlimited(Roles::NONE, Source::NO_ID));
        source.roles = source.roles.with(Roles::HOME_SERVER);
        snapshot.home_by_address.insert(at, id);
        if snapshot.homes.len() <= self.number {
            snapshot.homes.resize(self.number + 1, None);
        }
        snapshot.homes[self.number] = Some(Arc::new(HomeServer {
            id,
            name: format!("extra-{}", self.number),
            customer: CustomerId(customer),
            kind: self.kind,
            address: at,
            secret: home_secret(self.number),
            previous_secret: None,
            require_message_authenticator: Require::No,
            response_window: Duration::from_secs(3),
            response_timeouts: 1,
            zombie_period: Duration::from_secs(20),
            revive_interval: Duration::from_secs(60),
            status_check: None,
            max_outstanding: 65_536,
            service: HomeService::Up,
            state: Arc::clone(&self.state),
            stats: Arc::clone(&self.stats),
        }));
    }
}

/// A pool of these servers for accounting, of this customer.
pub fn acct_pool(contract: &str, customer: u32, homes: &[&Extra]) -> Pool {
    let member = |home: &&Extra| Member::new(home.id(), &home.at, 1);
    let acct = homes.iter().map(member).collect();
    Pool {
        contract: contract.to_owned(),
        customer: CustomerId(customer),
        tiers: vec![Tier { kind: PoolKind::FailOver, seed: 1, auth: Vec::new(), acct }],
        copies: Vec::new(),
        strip: Strip::Nothing,
        when_down: Verdict::Silence,
        framed_networks: Vec::new(),
        auth_awaited: false,
        acct_awaited: false,
    }
}
