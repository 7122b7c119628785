//! Rule 1: over whole datagrams without options, kernel and userspace drop the same for the same reason.
//!
//! For what the gate checks the parity is exact in both directions: what userspace would drop, the kernel drops too, but for
//! attributes of packets that are not in one piece.

use std::{cell::RefCell, collections::HashMap, sync::atomic::AtomicU64};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sekisho_abi::{
    ClientCounter, IngressKey, Outcome, PortKind, Reason, ServiceKey, Source, address_bytes,
    gate::GateTable,
    gcra::{self, Verdict, ticks},
    identity,
    sessions::{self, SessionVerdict},
    shed,
};
use sekisho_kernel::{Gate, GateOptions, Mode};

use crate::{
    arrivals::{Arrival, arrival, world},
    world::*,
};

/// Octets of UDP payload that surely are in one piece in a BPF test run.
const ONE_PIECE: usize = 3000;
/// Few enough that sessions have to make room for each other.
const SESSIONS: u32 = 16;
const ACCOUNTING_REQUEST: u8 = 4;
const STATUS_SERVER: u8 = 12;

/// What userspace would say, as the socket hands a datagram to it: the tables of the configuration, and buckets of its own.
struct Userspace {
    table: GateTable,
    seed: [u64; 2],
    slots: HashMap<u64, u32>,
    buckets: HashMap<u64, [AtomicU64; 2]>,
    sessions: Vec<sessions::Set<AtomicU64>>,
    shed: u64,
    now: u64,
}

impl Userspace {
    fn new(table: GateTable, gate: &Gate) -> Userspace {
        let owners = table.sources.values().map(|source| source.owner);
        let owners = owners.chain(table.prefixes.iter().map(|(_, source)| source.owner));
        let slots = owners.filter_map(|owner| Some((owner, gate.slot(owner)?))).collect();
        let sessions = (0..sessions::sets(SESSIONS)).map(|_| Default::default()).collect();
        let seed = gate.seed().unwrap();
        Userspace { table, seed, slots, buckets: HashMap::new(), sessions, shed: shed::CALM, now: START }
    }

    fn judge(&mut self, arrival: &Arrival) -> Outcome {
        self.now += arrival.after;
        let tag = |index: usize| arrival.vlans.get(index).copied().unwrap_or(0);
        let key = IngressKey { ifindex: LO, outer_vlan: tag(0), inner_vlan: tag(1) };
        let (from, payload) = (address_bytes(arrival.from.ip()), &arrival.payload);
        let service = ServiceKey { address: address_bytes(arrival.to.ip()), port: u32::from(arrival.to.port()) };
        let Some(service) = self.table.services.get(&service).copied() else { return Outcome::NotOurs };
        let head = payload.first_chunk().copied().unwrap_or_default();
        match self.table.judge(self.table.ingresses.get(&key).copied(), from, service, head, payload.len()) {
            Err(reason) => Outcome::Dropped(reason),
            Ok(_) if service.kind == PortKind::Upstream as u32 => Outcome::Passed,
            Ok(admitted) => match self.request(&admitted.source, payload, admitted.length) {
                Ok(()) => Outcome::Passed,
                Err(reason) => Outcome::Dropped(reason),
            },
        }
    }

    fn request(&mut self, source: &Source, payload: &[u8], length: usize) -> Result<(), Reason> {
        let [client, new_sessions] = self.buckets.entry(source.owner).or_default();
        let now = ticks(self.now);
        match gcra::charge(client, source.limits.client, now) {
            Verdict::Admitted => {}
            _ => return Err(Reason::ClientRate),
        }
        if payload.len() > ONE_PIECE {
            return Ok(());
        }
        let attributes = payload.get(20..length).unwrap_or_default();
        if !are_whole(attributes) {
            return Err(Reason::BadAttribute);
        }
        let found = identity::find(source.identity, attributes);
        let code = payload.first().copied();
        let limits = source.limits;
        let is_limited = limits.session.limits() || limits.new_session.limits();
        if let Some((kind, value)) = found.session.filter(|_| is_limited && code != Some(STATUS_SERVER)) {
            let session = identity::session(self.seed, self.slots[&source.owner], kind, value);
            let set = &self.sessions[sessions::set_of(session, self.sessions.len() as u32) as usize];
            match sessions::charge(set, session, limits.session, now, (new_sessions, limits.new_session)) {
                SessionVerdict::Admitted => {}
                SessionVerdict::OverNew => return Err(Reason::NewSessionRate),
                _ => return Err(Reason::SessionRate),
            }
        }
        let status = found.status.filter(|_| code == Some(ACCOUNTING_REQUEST));
        status.and_then(|status| shed::shed(self.shed, status)).map_or(Ok(()), Err)
    }
}

/// Whether attributes fill their room exactly (RFC 2865 §5).
fn are_whole(mut attributes: &[u8]) -> bool {
    while let [_, length @ 2..=255, ..] = *attributes {
        match attributes.split_at_checked(length as usize) {
            Some((_, rest)) => attributes = rest,
            None => return false,
        }
    }
    attributes.is_empty()
}

fn open() -> Gate {
    let options = GateOptions {
        mode: Mode::Generic,
        max_sources: 100,
        max_sessions: SESSIONS,
        injected_clock: true,
        ..GateOptions::default()
    };
    opened(Gate::open(&options, &world()))
}

fn cases(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

#[test]
fn kernel_and_userspace_drop_the_same_datagrams_for_the_same_reasons() {
    let gate = open();
    let userspace = RefCell::new(Userspace::new(world(), &gate));
    let level = prop_oneof![4 => Just(None), 1 => (shed::CALM..=shed::STARTS).prop_map(Some)];
    let result = cases(20_000).run(&(arrival(), level), |(arrival, level)| {
        let mut userspace = userspace.borrow_mut();
        userspace.shed = level.unwrap_or(userspace.shed);
        gate.set_shed(userspace.shed);
        let judgement = userspace.judge(&arrival);
        gate.set_clock(userspace.now);
        prop_assert_eq!(outcome(&gate, &arrival.frame()), judgement);
        Ok(())
    });
    result.unwrap();
    let counters = gate.counters().unwrap();
    for reason in [
        Reason::Unregistered,
        Reason::WrongIngress,
        Reason::WrongService,
        Reason::WrongRole,
        Reason::TooShort,
        Reason::BadLength,
        Reason::BadCode,
        Reason::BadAttribute,
        Reason::ClientRate,
        Reason::SessionRate,
        Reason::NewSessionRate,
        Reason::ShedInterim,
        Reason::ShedStart,
    ] {
        let count = counters.get(dropped(reason));
        assert!(count > 10, "the property must have met {}: {count}", reason.name());
    }
}

#[test]
fn what_is_counted_for_each_contract_adds_up_to_what_the_gate_counts() {
    let gate = open();
    gate.set_shed(shed::STARTS);
    let now = RefCell::new(START);
    let result = cases(10_000).run(&arrival(), |arrival| {
        *now.borrow_mut() += arrival.after;
        gate.set_clock(*now.borrow());
        gate.run(LO, &arrival.frame()).unwrap();
        Ok(())
    });
    result.unwrap();
    let (counters, clients) = (gate.counters().unwrap(), gate.clients());
    let ends = Reason::ALL.iter().map(|reason| Outcome::Dropped(*reason));
    for end in ends.chain([Outcome::Passed, Outcome::Replied]) {
        match ClientCounter::of(end) {
            Some(counter) => {
                let sum: u64 = clients.iter().map(|(_, counts)| counts[counter as usize]).sum();
                assert_eq!(sum, counters.get(end), "{end:?}");
            }
            None => assert!(matches!(end, Outcome::Dropped(Reason::Unregistered)) || counters.get(end) == 0, "{end:?}"),
        }
    }
}

#[test]
fn every_frame_is_counted_once_however_broken() {
    let gate = open();
    let broken = (arrival(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), any::<bool>());
    let result = cases(20_000).run(&broken, |(arrival, end, place, value, cut)| {
        let mut frame = arrival.frame();
        // Mostly headers: that is where damage matters.
        let headers = frame.len().min(80);
        frame[place.index(headers)] = value;
        if cut {
            frame.truncate(14.max(end.index(frame.len())));
        }
        gate.run(LO, &frame).unwrap();
        Ok(())
    });
    result.unwrap();
    let counters = gate.counters().unwrap();
    assert_eq!(counters.get(Outcome::Seen), 20_000);
    assert_eq!(counters.ended(), 20_000);
}
