//! Rules 6 and 7: every attribute's header is checked, however many there are, and what is found is what userspace finds.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sekisho_abi::{BucketParams, Identity, Limits, Outcome, Reason, Roles, Source, identity};
use sekisho_kernel::{
    Gate, GateOptions, GateTable, Mode,
    testing::{Action, Frame},
};

use crate::world::*;

const FLOWS: [(&str, &str); 2] = [(CLIENT, AUTH), (CLIENT_V6, AUTH_V6)];
const BAD: Outcome = Outcome::Dropped(Reason::BadAttribute);
const OWNER: u64 = 0x0b0e;

/// Where the gate lets a request with these octets of attributes end, by both families.
fn ends(gate: &Gate, attributes: &[u8]) -> Outcome {
    packet_ends(gate, &radius_with(1, attributes))
}

fn packet_ends(gate: &Gate, packet: &[u8]) -> Outcome {
    let ends = FLOWS.map(|(from, to)| outcome(gate, &Frame::udp(at(from), at(to), packet).build()));
    assert_eq!(ends[0], ends[1], "{packet:02x?}");
    ends[0]
}

/// So many attributes of these octets.
fn attributes(count: usize, octets: usize) -> Vec<u8> {
    let one = attribute(79, vec![0xee; octets - 2]);
    one.into_iter().cycle().take(count * octets).collect()
}

#[test]
fn attributes_of_every_length_pass_and_shorter_ones_than_their_header_do_not() {
    let gate = gate(&table());
    assert_eq!(ends(&gate, &[]), Outcome::Passed, "none at all");
    for length in 0..=255_u8 {
        let mut octets = attributes(1, usize::from(length.max(2)));
        octets[1] = length;
        let expected = if length < 2 { BAD } else { Outcome::Passed };
        assert_eq!(ends(&gate, &octets), expected, "{length} alone");
        let middle = [&attribute(1, "alice")[..], &octets, &attribute(4, [192, 0, 2, 1])].concat();
        assert_eq!(ends(&gate, &middle), expected, "{length} among others");
    }
}

#[test]
fn an_attribute_that_reaches_beyond_length_is_bad_whatever_lies_there() {
    let gate = gate(&table());
    for length in 2..=255_usize {
        let whole = attribute(79, vec![2; length - 2]);
        for missing in [1, length - 1] {
            assert_eq!(ends(&gate, &whole[..length - missing]), BAD, "{length} without {missing}");
            // The octets are there, but they are padding.
            let mut packet = radius_with(1, &whole);
            let [high, low] = ((packet.len() - missing) as u16).to_be_bytes();
            (packet[2], packet[3]) = (high, low);
            assert_eq!(packet_ends(&gate, &packet), BAD, "{length} and {missing} behind Length");
        }
    }
}

#[test]
fn one_octet_that_is_left_over_is_bad() {
    let gate = gate(&table());
    for octet in [0, 1, 2, 255] {
        assert_eq!(ends(&gate, &[octet]), BAD);
        assert_eq!(ends(&gate, &[&attributes(3, 7)[..], &[octet]].concat()), BAD);
    }
}

#[test]
fn padding_behind_length_is_not_looked_at() {
    let gate = gate(&table());
    for padding in [&[0][..], &[1, 0], &[79, 255, 0], &[0; 40]] {
        let packet = [&radius_with(1, &attributes(2, 9))[..], padding].concat();
        assert_eq!(packet_ends(&gate, &packet), Outcome::Passed, "{padding:?}");
    }
}

#[test]
fn up_to_255_attributes_are_checked_and_a_packet_with_more_goes_up() {
    let gate = gate(&table());
    for octets in [2, 3, 7] {
        for count in [254, 255, 256, 300] {
            assert_eq!(ends(&gate, &attributes(count, octets)), Outcome::Passed, "{count} of {octets}");
        }
        assert_eq!(ends(&gate, &[attributes(254, octets), vec![1, 1]].concat()), BAD, "the 255th");
        let beyond = [attributes(255, octets), vec![1, 1]].concat();
        assert_eq!(ends(&gate, &beyond), Outcome::Passed, "the 256th is userspace's to see");
    }
}

#[test]
fn a_packet_of_4096_octets_goes_up_or_is_bad_where_it_can_be_seen() {
    let gate = gate(&table());
    // 15 of 255 and one of 251.
    let longest = [attributes(15, 255), attributes(1, 251)].concat();
    assert_eq!(radius_with(1, &longest).len(), 4096);
    assert_eq!(ends(&gate, &longest), Outcome::Passed);
    let mut bad = longest;
    bad[255 + 1] = 1;
    assert_eq!(ends(&gate, &bad), BAD);
    assert_eq!(ends(&gate, &[attributes(16, 255), attributes(1, 2)].concat()), dropped(Reason::BadLength), "4102");
}

#[test]
fn replies_to_our_own_ports_are_userspaces_to_check() {
    let gate = gate(&table());
    let reply = Frame::udp(at(HOME_SERVER), at(UPSTREAM), radius_with(2, &[1, 1])).build();
    assert_eq!(outcome(&gate, &reply), Outcome::Passed);
}

/// How a plain walk ends (RFC 2865 §5), and over how many attributes.
fn walked(attributes: &[u8]) -> (Outcome, usize) {
    let (mut at, mut count) = (0, 0);
    while at < attributes.len() {
        match attributes.get(at + 1).map(|length| usize::from(*length)) {
            Some(length) if length >= 2 && at + length <= attributes.len() => at += length,
            _ => return (BAD, count),
        }
        count += 1;
    }
    (Outcome::Passed, count)
}

/// Attributes, many of which name a session; then some octets may be changed, and the end cut off.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![Just(1_u8), Just(26), Just(31), Just(40), Just(44), any::<u8>()];
    let value = prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..24),
        2 => proptest::collection::vec(any::<u8>(), 0..=253),
        3 => proptest::collection::vec(any::<u8>(), 0..20).prop_map(|digits| [&[0, 0, 0x28, 0xaf, 1][..], &digits].concat()),
    ];
    let several = proptest::collection::vec((kind, value), 0..9);
    let octets = several.prop_map(|several| several.iter().flat_map(|(kind, value)| attribute(*kind, value)).collect());
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    let damage = (octets, changes, prop::option::weighted(0.3, any::<prop::sample::Index>()));
    let damaged = damage.prop_map(|(mut octets, changes, end): (Vec<u8>, _, _)| {
        for (place, value) in changes {
            if !octets.is_empty() {
                let place = place.index(octets.len());
                octets[place] = value;
            }
        }
        if let Some(end) = end {
            octets.truncate(end.index(octets.len() + 1));
        }
        octets
    });
    prop_oneof![9 => damaged, 1 => proptest::collection::vec(any::<u8>(), 0..300)]
}

/// One source alone, the sessions of which share one set of places, and a client's bucket that has no end.
fn one_source(identity: Identity) -> Gate {
    let mut table = GateTable { sources: Default::default(), ..table() };
    let limits = Limits { session: BucketParams::per_second(1000, 1000), ..Limits::NONE };
    let source = Source { limits, identity, owner: OWNER, ..Source::unlimited(Roles::CLIENT, 1) };
    for (from, _) in FLOWS {
        table.sources.insert(source_key(DOMAIN, from), source);
    }
    let options = GateOptions {
        mode: Mode::Generic,
        max_sources: 100,
        max_sessions: 1,
        injected_clock: true,
        ..GateOptions::default()
    };
    opened(Gate::open(&options, &table))
}

#[test]
fn walk_and_session_are_those_of_userspace() {
    let identities = [
        Identity::CLIENT,
        Identity::ACCESS_NETWORK,
        Identity([26, 1, 44, 31]),
        Identity([200, 0, 26, 44]),
        Identity::NONE,
    ];
    for identity in identities {
        let gate = one_source(identity);
        let (seed, slot) = (gate.seed().unwrap(), gate.slot(OWNER).unwrap());
        let (now, bad, named) = (AtomicU64::new(START), AtomicU64::new(0), AtomicU64::new(0));
        let mut runner = TestRunner::new(Config { cases: 4000, failure_persistence: None, ..Config::default() });
        let result = runner.run(&(mutated(), any::<bool>()), |(octets, is_v6)| {
            // All buckets are full again, and whichever is charged now is told by its time.
            let now = now.fetch_add(10 * SECOND, Relaxed);
            gate.set_clock(now);
            let (from, to) = FLOWS[usize::from(is_v6)];
            let action = gate.run(LO, &Frame::udp(at(from), at(to), radius_with(1, &octets)).build()).unwrap().action;
            let (end, count) = walked(&octets);
            // More than 255 go up unchecked, if the first 255 are right.
            let expected = if end == BAD && count < 255 { Action::Drop } else { Action::Pass };
            prop_assert_eq!(action, expected);
            let charged = gate.session_set(0).unwrap().into_iter().find(|(_, tat)| *tat > now * 16);
            let session = if end == BAD || count > 255 { None } else { identity::find(identity, &octets).session };
            let session = session.map(|(kind, value)| identity::session(seed, slot, kind, value));
            prop_assert_eq!(charged.map(|(tag, _)| tag), session);
            bad.fetch_add(u64::from(end == BAD), Relaxed);
            named.fetch_add(u64::from(session.is_some()), Relaxed);
            Ok(())
        });
        result.unwrap();
        assert!(bad.into_inner() > 500, "{identity:?}");
        assert_eq!(named.into_inner() > 500, identity != Identity::NONE, "{identity:?}");
    }
}
