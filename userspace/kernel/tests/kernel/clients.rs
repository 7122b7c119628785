//! Contracts' slots: limits that change in place, buckets and counters that stay with their contract.

use std::collections::HashSet;

use sekisho_abi::{BucketParams, ClientCounter, Identity, Limits, Outcome, Prefix, Reason, Roles, Source};
use sekisho_kernel::{Gate, GateError, GateOptions, GateTable, Mode};

use crate::world::*;

const SECOND: u64 = 1_000_000_000;
const OWNER: u64 = 0xacce55;

fn limited(rate: u32, burst: u32) -> Source {
    let limits = Limits { client: BucketParams::per_second(rate, burst), ..Limits::NONE };
    Source { limits, owner: OWNER, ..Source::unlimited(Roles::CLIENT, 1) }
}

fn with(source: Source) -> GateTable {
    let mut table = table();
    table.sources.insert(source_key(DOMAIN, CLIENT), source);
    table
}

/// A gate whose clock stands at five seconds.
fn timed(table: &GateTable, max_sources: u32) -> Gate {
    let options = GateOptions { mode: Mode::Generic, max_sources, injected_clock: true, ..GateOptions::default() };
    let gate = opened(Gate::open(&options, table));
    gate.set_clock(5 * SECOND);
    gate
}

/// How many of so many packets pass.
fn passing(gate: &Gate, from: &str, packets: usize) -> usize {
    let frame = request(from, AUTH).build();
    (0..packets).filter(|_| outcome(gate, &frame) == Outcome::Passed).count()
}

fn counted(gate: &Gate, owner: u64, counter: ClientCounter) -> u64 {
    let all = gate.clients();
    all.iter().find(|(other, _)| *other == owner).map_or(0, |(_, counts)| counts[counter as usize])
}

/// Takes the new table in both steps.
fn reload(gate: &mut Gate, table: &GateTable) {
    gate.add(table).unwrap();
    gate.remove(&HashSet::new()).unwrap();
}

#[test]
fn a_contract_has_its_own_bucket_and_counters() {
    let gate = timed(&with(limited(10, 4)), 100);
    assert_eq!(passing(&gate, CLIENT, 6), 4);
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).build()), dropped(Reason::ClientRate));
    assert_eq!(counted(&gate, OWNER, ClientCounter::Passed), 4);
    assert_eq!(counted(&gate, OWNER, ClientCounter::ClientRate), 3);
    assert_eq!(outcome(&gate, &request(CLIENT_V6, AUTH_V6).build()), Outcome::Passed, "a neighbour has his own");
}

#[test]
fn the_addresses_of_one_contract_share_its_bucket() {
    let mut table = with(limited(10, 4));
    table.sources.insert(source_key(DOMAIN, STRANGER), limited(10, 4));
    let gate = timed(&table, 100);
    assert_eq!(passing(&gate, CLIENT, 3), 3);
    assert_eq!(passing(&gate, STRANGER, 3), 1);
}

#[test]
fn limits_change_at_once_and_the_bucket_goes_on() {
    let mut gate = timed(&with(limited(10, 4)), 100);
    assert_eq!(passing(&gate, CLIENT, 4), 4);
    gate.add(&with(limited(10, 6))).unwrap();
    assert_eq!(passing(&gate, CLIENT, 6), 2, "two more, not six more");
    reload(&mut gate, &with(limited(0, 0)));
    assert_eq!(passing(&gate, CLIENT, 50), 50);
    assert_eq!(counted(&gate, OWNER, ClientCounter::Passed), 56);
}

#[test]
fn a_contract_keeps_its_bucket_when_its_address_changes() {
    let mut gate = timed(&with(limited(10, 4)), 100);
    assert_eq!(passing(&gate, CLIENT, 4), 4);
    let mut moved = table();
    moved.sources.remove(&source_key(DOMAIN, CLIENT));
    moved.sources.insert(source_key(DOMAIN, STRANGER), limited(10, 4));
    reload(&mut gate, &moved);
    assert_eq!(passing(&gate, STRANGER, 3), 0);
}

#[test]
fn a_slot_that_was_freed_is_as_new_for_the_next_contract_and_no_count_is_lost() {
    // Room for the sources of `table` and one more: the next contract gets the slot of the one before.
    let mut gate = timed(&with(limited(10, 4)), 7);
    for round in 0..20 {
        assert_eq!(passing(&gate, CLIENT, 6), 4, "round {round}");
        let mut next = with(limited(10, 4));
        next.sources.remove(&source_key(DOMAIN, CLIENT));
        reload(&mut gate, &next);
        let source = Source { owner: OWNER + 1 + round, ..limited(10, 4) };
        reload(&mut gate, &with(source));
    }
    let sum = |counter: ClientCounter| gate.clients().iter().map(|(_, counts)| counts[counter as usize]).sum::<u64>();
    let counters = gate.counters().unwrap();
    assert_eq!(sum(ClientCounter::Passed), counters.get(Outcome::Passed));
    assert_eq!(sum(ClientCounter::ClientRate), counters.get(Outcome::Dropped(Reason::ClientRate)));
    let owners: HashSet<u64> = gate.clients().iter().map(|(owner, _)| *owner).collect();
    assert!(!owners.contains(&OWNER) && owners.contains(&(OWNER + 20)));
}

#[test]
fn more_contracts_than_slots_are_refused_and_nothing_is_changed() {
    let mut gate = timed(&with(limited(10, 4)), 7);
    let mut crowded = with(limited(10, 4));
    for third in 0..10 {
        let address = octets(&format!("10.{third}.0.0:1"));
        let source = Source { owner: 1000 + u64::from(third as u8), ..limited(1, 1) };
        assert!(crowded.prefixes.insert(Prefix::new(DOMAIN, address, 16), source));
    }
    let error = gate.add(&crowded).unwrap_err();
    assert!(matches!(error, GateError::TableFull { table: "contracts", .. }), "{error:?}");
    assert_eq!(passing(&gate, "10.3.0.1:1", 1), 0);
}

#[test]
fn more_identities_than_there_is_room_for_are_refused_and_old_ones_make_room() {
    let identity = |number: usize| Identity([(number % 250 + 1) as u8, (number / 250 + 2) as u8, 0, 0]);
    let many = |numbers: std::ops::Range<usize>| {
        let mut table = GateTable::default();
        for number in numbers {
            let key = source_key(DOMAIN, &format!("10.0.{}.{}:1", number / 250, number % 250));
            let source = Source { identity: identity(number), owner: number as u64 + 1, ..limited(0, 0) };
            table.sources.insert(key, source);
        }
        table
    };
    let mut gate = timed(&many(0..200), 1000);
    reload(&mut gate, &many(200..250));
    reload(&mut gate, &many(250..400));
    let error = gate.add(&many(400..700)).unwrap_err();
    assert!(matches!(error, GateError::TableFull { table: "session identities", .. }), "{error:?}");
    assert!(error.to_string().contains("session_identity"), "{error}");
}

#[test]
fn a_prefix_admits_what_lies_in_it_and_an_address_of_its_own_goes_first() {
    let mut table = table();
    let network = Source { owner: 77, ..Source::unlimited(Roles::ACCESS_NETWORK, 7) };
    let elsewhere = Source { ingresses: 2, owner: 78, ..network };
    assert!(table.prefixes.insert(Prefix::new(DOMAIN, octets("10.1.0.0:1"), 16), network));
    table.sources.insert(source_key(DOMAIN, "10.1.2.3:1"), elsewhere);
    let mut gate = timed(&table, 100);
    assert_eq!(outcome(&gate, &request("10.1.9.9:1", AUTH).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &request("10.1.2.3:1", AUTH).build()), dropped(Reason::WrongIngress));
    assert_eq!(outcome(&gate, &request("10.2.0.1:1", AUTH).build()), dropped(Reason::Unregistered));
    assert_eq!(counted(&gate, 77, ClientCounter::Passed), 1);
    reload(&mut gate, &crate::world::table());
    assert_eq!(outcome(&gate, &request("10.1.9.9:1", AUTH).build()), dropped(Reason::Unregistered));
}

#[test]
fn between_the_steps_prefixes_of_old_and_new_hold_whichever_is_the_narrower() {
    let network = |ingresses, owner| Source { ingresses, owner, ..Source::unlimited(Roles::ACCESS_NETWORK, 7) };
    let with_prefix = |length, source| {
        let mut table = table();
        assert!(table.prefixes.insert(Prefix::new(DOMAIN, octets("10.1.0.0:1"), length), source));
        table
    };
    let here = || request("10.1.0.1:1", AUTH).build();
    for (old, new) in [(16, 24), (24, 16), (24, 24)] {
        // The old one admits by this ingress, the new one does not; and then the other way round.
        let mut gate = timed(&with_prefix(old, network(1, 70)), 100);
        assert_eq!(outcome(&gate, &here()), Outcome::Passed);
        gate.add(&with_prefix(new, network(2, 71))).unwrap();
        assert_eq!(outcome(&gate, &here()), Outcome::Passed, "{old} to {new}");
        gate.remove(&HashSet::new()).unwrap();
        assert_eq!(outcome(&gate, &here()), dropped(Reason::WrongIngress), "{old} to {new}");
        gate.add(&with_prefix(old, network(1, 70))).unwrap();
        assert_eq!(outcome(&gate, &here()), Outcome::Passed, "{new} to {old}");
        gate.remove(&HashSet::new()).unwrap();
        assert_eq!(outcome(&gate, &here()), Outcome::Passed, "{new} to {old}");
    }
}

#[test]
fn an_address_that_leaves_for_the_prefix_around_it_is_never_closed_out() {
    let source = Source { owner: 70, ..Source::unlimited(Roles::CLIENT, 7) };
    let mut alone = table();
    alone.sources.insert(source_key(DOMAIN, "10.1.0.1:1"), source);
    let mut around = table();
    assert!(around.prefixes.insert(Prefix::new(DOMAIN, octets("10.1.0.0:1"), 16), source));
    let frame = request("10.1.0.1:1", AUTH).build();
    let mut gate = timed(&alone, 100);
    for table in [&around, &alone, &around] {
        gate.add(table).unwrap();
        assert_eq!(outcome(&gate, &frame), Outcome::Passed);
        gate.remove(&HashSet::new()).unwrap();
        assert_eq!(outcome(&gate, &frame), Outcome::Passed);
    }
}
