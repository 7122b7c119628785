//! A contract's LNSs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sekisho_lns::{
    ContractId, CustomerId, LnsId, Loads, SourceId, Time,
    balance::{AllDown, Ask, Balance, Chosen, Failback, Lns, Refused, Strategy, Tier, Why, tier_seed},
    health::{Policy, SoftFailure, Wanted},
    l2tp::Outcome,
    sessions::{Attach, Remembered, Sessions, Settings, Who},
};

pub const SOURCE: SourceId = SourceId(0);
pub const OTHER_SOURCE: SourceId = SourceId(1);
pub const CONTRACT: ContractId = ContractId(0);
pub const CUSTOMER: CustomerId = CustomerId(0);

/// Health wants one good probe before it believes a bad one.
fn policy() -> Policy {
    Policy { rise: 1, fall: 1, soft_limit: 1, ..Policy::default() }
}

/// A tier as the tests write it down: each LNS by its number, its weight and its `max_sessions`.
#[derive(Clone, Debug)]
pub struct Plan {
    pub strategy: Strategy,
    pub failback: Failback,
    pub lnss: Vec<(u32, u32, u32)>,
}

pub fn plan(strategy: Strategy, lnss: impl IntoIterator<Item = (u32, u32, u32)>) -> Plan {
    Plan { strategy, failback: Failback::Now, lnss: lnss.into_iter().collect() }
}

/// So many LNSs with the same weight, from this number on.
pub fn even(strategy: Strategy, numbers: std::ops::Range<u32>) -> Plan {
    plan(strategy, numbers.map(|number| (number, 1, 0)))
}

pub struct Fleet {
    pub loads: Arc<Loads>,
    pub balance: Balance,
    pub sessions: Sessions,
    pub now: Time,
}

pub fn tier(loads: &Loads, place: usize, plan: &Plan) -> Tier {
    let members = plan.lnss.iter().map(|&(number, weight, max)| {
        let id = LnsId(number);
        Arc::new(Lns::new(id, &format!("lns-{number}"), CUSTOMER, weight, max, loads.lns(id).clone()))
    });
    Tier::new(plan.strategy, tier_seed("acme", "vpdn-1", place), plan.failback, members.collect())
}

pub fn balance(loads: &Loads, tiers: &[Plan]) -> Balance {
    Balance {
        contract: CONTRACT,
        customer: CUSTOMER,
        tiers: tiers.iter().enumerate().map(|(place, plan)| tier(loads, place, plan)).collect(),
        overflow: None,
        sticky: None,
        slow_start: Duration::from_secs(100),
        all_down: AllDown::FailOpen,
        alternatives: 8,
        max_sessions: 0,
        load: loads.contract(CONTRACT).clone(),
        customer_max: 0,
        customer_load: loads.customer(CUSTOMER).clone(),
    }
}

impl Fleet {
    pub fn new(tiers: &[Plan]) -> Fleet {
        let loads = Arc::new(Loads::new());
        let settings = Settings {
            max_sessions: 1_000_000,
            max_reservations: 1_000_000,
            customer_share: 100,
            ..Settings::default()
        };
        let sessions = Sessions::new(settings, [1; 16], loads.clone());
        Fleet { balance: balance(&loads, tiers), sessions, loads, now: Time::from_millis(1_000_000) }
    }

    pub fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    pub fn choose(&self, key: &str) -> Result<Chosen<'_>, Refused> {
        self.choose_for(SOURCE, key, Remembered::default())
    }

    pub fn choose_for(&self, source: SourceId, key: &str, known: Remembered) -> Result<Chosen<'_>, Refused> {
        self.balance.choose(self.now, &Ask { source, key: key.as_bytes(), known })
    }

    /// The numbers of the LNSs in an answer, and why.
    pub fn picks(&self, key: &str) -> (Vec<u32>, Why) {
        let chosen = self.choose(key).unwrap();
        (chosen.picks.iter().map(|lns| lns.id.0).collect(), chosen.why)
    }

    /// The first of them.
    pub fn pick(&self, key: &str) -> u32 {
        self.picks(key).0[0]
    }

    /// What so many devices get, without taking a place.
    pub fn shares(&self, devices: std::ops::Range<u32>) -> BTreeMap<u32, u32> {
        let mut shares = BTreeMap::new();
        devices.for_each(|device| *shares.entry(self.pick(&number(device))).or_default() += 1);
        shares
    }

    /// A device attaches, with whatever is known of it.
    pub fn attach(&self, device: &str) -> Result<u32, Refused> {
        let key = self.sessions.key(&[b"device", device.as_bytes()]);
        let known = self.sessions.remembered(self.now, key);
        let lns = self.choose_for(SOURCE, device, known)?.picks[0].id;
        let attach = Attach {
            source: SOURCE,
            who: Who::Device(key),
            contract: CONTRACT,
            customer: CUSTOMER,
            lns,
            number: b"",
            user: b"",
            sticky: self.balance.sticky,
            accounted: true,
        };
        self.sessions.attach(self.now, &attach);
        Ok(lns.0)
    }

    /// Somebody else's session takes a place on an LNS.
    pub fn occupy(&self, lns: u32, n: u32) {
        let attach = Attach {
            source: OTHER_SOURCE,
            who: Who::Request(self.sessions.key(&[b"request", &lns.to_be_bytes(), &n.to_be_bytes()])),
            contract: ContractId(1),
            customer: CUSTOMER,
            lns: LnsId(lns),
            number: b"",
            user: b"",
            sticky: None,
            accounted: true,
        };
        assert!(self.sessions.attach(self.now, &attach).tracked);
    }

    pub fn operator(&self, lns: u32, wanted: Wanted) {
        self.loads.lns(LnsId(lns)).health.set_operator(self.now, Some(wanted));
    }

    /// A probe answers so.
    pub fn probe(&self, lns: u32, outcome: Outcome) {
        self.loads.lns(LnsId(lns)).health.probed(self.now, outcome, &policy());
    }

    pub fn down(&self, lns: u32) {
        self.probe(lns, Outcome::Up);
        self.probe(lns, Outcome::Silent);
    }

    /// A session of the first source fails on it, one is enough.
    pub fn fails(&self, lns: u32) {
        self.loads.lns(LnsId(lns)).health.soft_failure(self.now, SOURCE, SoftFailure::NoStart, &policy());
    }
}

/// A device's number.
pub fn number(device: u32) -> String {
    format!("8190{device:08}")
}
