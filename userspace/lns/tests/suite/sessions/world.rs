//! A table of sessions and what the tests say about it.

use std::{sync::Arc, time::Duration};

use sekisho_lns::{
    ContractId, CustomerId, LnsId, Loads, SourceId, Time,
    sessions::{Attach, Attached, Key, NoStart, Outcome, Report, Sessions, Settings, Swept, Who},
};

/// Two access networks, and an LNS that accounts.
pub const PGW: SourceId = SourceId(0);
pub const OTHER_PGW: SourceId = SourceId(1);
pub const LNS_AS_SOURCE: SourceId = SourceId(2);
pub const A: LnsId = LnsId(0);
pub const B: LnsId = LnsId(1);
pub const C: LnsId = LnsId(2);
pub const CONTRACT: ContractId = ContractId(0);
pub const CUSTOMER: CustomerId = CustomerId(0);
/// When the tests begin, in Unix seconds.
pub const WALL: u64 = 1_800_000_000;

pub struct World {
    pub loads: Arc<Loads>,
    pub sessions: Sessions,
    pub now: Time,
}

impl World {
    pub fn new() -> World {
        World::with(Settings {
            max_sessions: 10_000,
            max_reservations: 10_000,
            customer_share: 100,
            ..Settings::default()
        })
    }

    pub fn with(settings: Settings) -> World {
        let loads = Arc::new(Loads::new());
        World { sessions: Sessions::new(settings, [7; 16], loads.clone()), loads, now: Time(0) }
    }

    /// Unix seconds.
    pub fn wall(&self) -> u64 {
        WALL + self.now.0 / 1_000_000_000
    }

    pub fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    /// Time passes and the sweep goes over everything: who failed meanwhile.
    pub fn sweep_after(&mut self, seconds: u64) -> (Swept, Vec<NoStart>) {
        self.pass(seconds);
        let mut failed = Vec::new();
        let swept = self.sessions.sweep(self.now, usize::MAX, &mut |no_start| failed.push(no_start));
        (swept, failed)
    }

    pub fn key(&self, label: &str, name: &str) -> Key {
        self.sessions.key(&[label.as_bytes(), name.as_bytes()])
    }

    pub fn device(&self, name: &str) -> Key {
        self.key("device", name)
    }

    /// A report about a session of the device of the same name, now.
    pub fn report(&self, session: &str) -> Report<'static> {
        Report {
            source: PGW,
            nas: Some(self.key("nas", "nas-1")),
            session: self.key("session", session),
            bearer: None,
            last: false,
            device: Some(self.device(session)),
            contract: CONTRACT,
            customer: CUSTOMER,
            lns: Some(A),
            user: b"alice@a.example",
            number: b"819012345678",
            framed_ip: None,
            handle: None,
            event: self.wall(),
            session_time: None,
            session_timeout: None,
            interim: None,
            sticky: None,
        }
    }

    /// What an Accept for this device on this LNS keeps a place by.
    pub fn given(&self, device: &str, lns: LnsId) -> Attach<'static> {
        Attach {
            source: PGW,
            who: Who::Device(self.device(device)),
            contract: CONTRACT,
            customer: CUSTOMER,
            lns,
            number: b"819012345678",
            user: b"alice@a.example",
            sticky: None,
            accounted: true,
        }
    }

    pub fn attach(&self, device: &str, lns: LnsId) -> Attached {
        self.sessions.attach(self.now, &self.given(device, lns))
    }

    pub fn start(&self, session: &str) -> Outcome {
        self.sessions.start(self.now, &self.report(session))
    }

    pub fn interim(&self, session: &str) -> Outcome {
        self.sessions.interim(self.now, &self.report(session))
    }

    pub fn stop(&self, session: &str) -> Outcome {
        self.sessions.stop(self.now, &self.report(session))
    }

    /// Active and pending sessions of an LNS.
    pub fn on(&self, lns: LnsId) -> (u32, u32) {
        let load = &self.loads.lns(lns).load;
        (load.active(), load.pending())
    }

    /// Active and pending sessions of the contract; those of the customer are the same.
    pub fn all(&self) -> (u32, u32) {
        let of = |load: &sekisho_lns::load::Load| (load.active(), load.pending());
        assert_eq!(of(self.loads.contract(CONTRACT)), of(self.loads.customer(CUSTOMER)));
        of(self.loads.contract(CONTRACT))
    }

    /// The books agree with the table.
    pub fn agree(&self) {
        assert_eq!(self.sessions.check(), []);
    }
}
