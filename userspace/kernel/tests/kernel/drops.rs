//! Rule 8: drops are told, but never one event a packet.

use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};
use sekisho_abi::{BucketParams, Identity, Limits, Outcome, Reason, Roles, Source, event::DropEvent, identity};
use sekisho_kernel::{DropReader, Gate, GateTable, testing::Frame};

use crate::world::*;

/// Longer than any tick of the kernel (100 to 1000 a second).
const A_TICK: Duration = Duration::from_millis(11);
/// Ticks in a second at most.
const TICKS: u64 = 1000;

/// Keeps this thread on one processor: what was dropped on another is told by another.
fn stay() {
    let mut one = CpuSet::new();
    one.set(0);
    sched_setaffinity(None, &one).unwrap();
}

fn open(table: &GateTable) -> (Gate, DropReader) {
    stay();
    let mut gate = timed(table);
    let drops = gate.drops().unwrap();
    (gate, drops)
}

/// Drops the frame in a tick in which no drop was told before, and gives what is told of it.
fn told(gate: &Gate, drops: &mut DropReader, frame: &[u8]) -> DropEvent {
    std::thread::sleep(A_TICK);
    assert!(matches!(outcome(gate, frame), Outcome::Dropped(_)));
    drops.next().expect("the first drop of a tick is told")
}

#[test]
fn a_drop_is_told_with_source_reason_and_place() {
    let (gate, mut drops) = open(&table());
    for (from, to) in [(STRANGER, AUTH), (STRANGER_V6, AUTH_V6)] {
        let event = told(&gate, &mut drops, &request(from, to).build());
        let expected = DropEvent {
            source: octets(from),
            weight: 1,
            domain: DOMAIN,
            reason: Reason::Unregistered as u32,
            ifindex: LO,
            port: 1812,
            ..DropEvent::default()
        };
        assert_eq!(event, expected);
    }
    let client = gate.slot(table().sources[&source_key(DOMAIN, CLIENT)].owner).unwrap();
    let wrong = Frame::udp(at(CLIENT), at(ACCT), radius(1)).build();
    let event = told(&gate, &mut drops, &wrong);
    let named = (event.source, event.client, event.port, event.code, event.session);
    assert_eq!(named, (octets(CLIENT), client, 1813, 1, 0));
    assert_eq!(event.reason, Reason::BadCode as u32);
    let unknown = request(CLIENT, AUTH).vlan(9).build();
    let event = told(&gate, &mut drops, &unknown);
    assert_eq!((event.domain, event.client, event.ifindex), (0, 0, LO), "a way in that has no domain");
    assert_eq!(event.source, octets(CLIENT));
}

#[test]
fn nothing_of_the_packet_before_is_told_of_the_next() {
    let (gate, mut drops) = open(&table());
    let first = Frame::udp(at(CLIENT), at(ACCT), radius_with(1, &attribute(44, "0001"))).build();
    assert_eq!(told(&gate, &mut drops, &first).code, 1);
    let event = told(&gate, &mut drops, &request(STRANGER, AUTH).vlan(9).build());
    assert_eq!((event.client, event.code, event.session, event.domain), (0, 0, 0, 0));
    let truncated = &request(CLIENT, AUTH).build()[..14 + 10];
    let event = told(&gate, &mut drops, truncated);
    let expected = DropEvent { weight: 1, reason: Reason::FrameTruncated as u32, ..DropEvent::default() };
    assert_eq!(DropEvent { ifindex: 0, ..event }, expected);
}

#[test]
fn a_session_is_told_by_its_keyed_hash() {
    let mut table = table();
    let limits = Limits { session: BucketParams::per_second(1, 1), ..Limits::NONE };
    let source = Source { limits, identity: Identity::CLIENT, owner: 12, ..Source::unlimited(Roles::CLIENT, 9) };
    table.sources.insert(source_key(DOMAIN, CLIENT), source);
    let (gate, mut drops) = open(&table);
    let frame = Frame::udp(at(CLIENT), at(AUTH), radius_with(1, &attribute(1, "alice@example.org"))).build();
    assert_eq!(outcome(&gate, &frame), Outcome::Passed);
    let event = told(&gate, &mut drops, &frame);
    let slot = gate.slot(12).unwrap();
    assert_eq!(event.session, identity::session(gate.seed().unwrap(), slot, 1, b"alice@example.org"));
    assert_eq!(event.reason, Reason::SessionRate as u32);
    // Where the client itself is over its limit, nobody has looked.
    table.sources.get_mut(&source_key(DOMAIN, CLIENT)).unwrap().limits.client = BucketParams::per_second(1, 1);
    let (gate, mut drops) = open(&table);
    assert_eq!(outcome(&gate, &frame), Outcome::Passed);
    assert_eq!(told(&gate, &mut drops, &frame).session, 0);
}

#[test]
fn a_flood_is_told_by_few_events_whose_weights_add_up() {
    const FLOOD: u64 = 10_000;
    let (gate, mut drops) = open(&table());
    let frame = request(STRANGER, AUTH).build();
    let begin = Instant::now();
    gate.run_repeatedly(LO, &frame, FLOOD as u32).unwrap();
    let ticks = begin.elapsed().as_millis() as u64 * TICKS / 1000 + 2;
    let events: Vec<DropEvent> = drops.by_ref().collect();
    assert!((1..=ticks).contains(&(events.len() as u64)), "{} events in at most {ticks} ticks", events.len());
    let last = told(&gate, &mut drops, &frame);
    let weights: u64 = events.iter().chain([&last]).map(|event| event.weight).sum();
    assert_eq!(weights, FLOOD + 1);
    assert_eq!(gate.counters().unwrap().get(dropped(Reason::Unregistered)), FLOOD + 1);
}

#[test]
fn what_passes_is_not_told() {
    let (gate, mut drops) = open(&table());
    for frame in [request(CLIENT, AUTH), request(STRANGER, "192.0.2.1:53"), request(CLIENT, AUTH).fragment(1, false)] {
        std::thread::sleep(A_TICK);
        gate.run(LO, &frame.build()).unwrap();
    }
    assert_eq!(drops.next(), None);
}
