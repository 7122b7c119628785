//! What userspace wants shed, and what is never shed.

use sekisho_abi::{
    BucketParams, ClientCounter, Limits, Outcome, Reason, Roles, Source,
    cached::Flow,
    shed::{CALM, INTERIMS, STARTS},
};
use sekisho_kernel::{Gate, testing::Frame};

use crate::world::*;

const ACCT_STATUS_TYPE: u8 = 40;
const START_RECORD: u32 = 1;
const STOP: u32 = 2;
const INTERIM_UPDATE: u32 = 3;

const ACCT_V6: &str = "[2001:db8::1]:1813";
const FLOWS: [(&str, &str); 2] = [(CLIENT, ACCT), (CLIENT_V6, ACCT_V6)];

fn open() -> Gate {
    let mut table = table();
    table.services.insert(service_key(ACCT_V6), sekisho_abi::Service::new(sekisho_abi::PortKind::Acct, 2));
    let source = Source::unlimited(Roles::CLIENT.with(Roles::DYNAUTH), 90);
    table.sources.insert(source_key(DOMAIN, CLIENT), source);
    gate(&table)
}

fn status(status: u32) -> Vec<u8> {
    attribute(ACCT_STATUS_TYPE, status.to_be_bytes())
}

/// An accounting request with these attributes, by both families.
fn account(gate: &Gate, attributes: &[Vec<u8>]) -> Outcome {
    let packet = radius_with(4, &attributes.concat());
    let ends = FLOWS.map(|(from, to)| outcome(gate, &Frame::udp(at(from), at(to), &packet[..]).build()));
    assert_eq!(ends[0], ends[1]);
    ends[0]
}

#[test]
fn interims_go_first_then_starts_and_stops_never() {
    let gate = open();
    let (interims, starts) = (dropped(Reason::ShedInterim), dropped(Reason::ShedStart));
    for (level, interim, start) in [
        (CALM, Outcome::Passed, Outcome::Passed),
        (INTERIMS, interims, Outcome::Passed),
        (STARTS, interims, starts),
        (INTERIMS, interims, Outcome::Passed),
        (CALM, Outcome::Passed, Outcome::Passed),
    ] {
        gate.set_shed(level);
        assert_eq!(account(&gate, &[status(INTERIM_UPDATE)]), interim, "{level}");
        assert_eq!(account(&gate, &[status(START_RECORD)]), start, "{level}");
        for other in [0, STOP, 7, 8, 9, 15, u32::MAX, INTERIM_UPDATE << 24] {
            assert_eq!(account(&gate, &[status(other)]), Outcome::Passed, "{level} {other}");
        }
        assert_eq!(account(&gate, &[]), Outcome::Passed, "{level}");
    }
}

#[test]
fn only_a_status_type_of_four_octets_counts_and_of_several_the_last() {
    let gate = open();
    gate.set_shed(STARTS);
    for value in [&[3][..], &[0, 3], &[0, 0, 3], &[0, 0, 0, 3, 0], &[]] {
        assert_eq!(account(&gate, &[attribute(ACCT_STATUS_TYPE, value)]), Outcome::Passed, "{value:?}");
    }
    let name = || attribute(1, "alice");
    assert_eq!(account(&gate, &[name(), status(INTERIM_UPDATE), name()]), dropped(Reason::ShedInterim));
    assert_eq!(account(&gate, &[status(INTERIM_UPDATE), name(), status(STOP)]), Outcome::Passed);
    assert_eq!(account(&gate, &[status(STOP), name(), status(START_RECORD)]), dropped(Reason::ShedStart));
}

#[test]
fn logins_probes_and_dynamic_authorization_are_not_shed_whatever_they_carry() {
    let gate = open();
    gate.set_shed(STARTS);
    for (to, code) in [(AUTH, 1), (AUTH, 12), (ACCT, 12), (DYNAUTH, 40), (DYNAUTH, 43)] {
        let frame = Frame::udp(at(CLIENT), at(to), radius_with(code, &status(INTERIM_UPDATE)));
        assert_eq!(outcome(&gate, &frame.build()), Outcome::Passed, "{to} {code}");
    }
    let reply = Frame::udp(at(HOME_SERVER), at(UPSTREAM), radius_with(5, &status(INTERIM_UPDATE)));
    assert_eq!(outcome(&gate, &reply.build()), Outcome::Passed);
}

#[test]
fn what_is_shed_is_paid_for_and_counted_for_its_client() {
    let mut table = table();
    let limits = Limits { client: BucketParams::per_second(1, 4), ..Limits::NONE };
    let source = Source { limits, owner: 99, ..Source::unlimited(Roles::CLIENT, 90) };
    table.sources.insert(source_key(DOMAIN, CLIENT), source);
    let gate = timed(&table);
    gate.set_shed(STARTS);
    let record = |kind| Frame::udp(at(CLIENT), at(ACCT), radius_with(4, &status(kind))).build();
    for _ in 0..2 {
        assert_eq!(outcome(&gate, &record(INTERIM_UPDATE)), dropped(Reason::ShedInterim));
    }
    assert_eq!(outcome(&gate, &record(START_RECORD)), dropped(Reason::ShedStart));
    assert_eq!(outcome(&gate, &record(STOP)), Outcome::Passed);
    assert_eq!(outcome(&gate, &record(START_RECORD)), dropped(Reason::ClientRate), "the limit comes first");
    let clients = gate.clients();
    let (_, counts) = clients.iter().find(|(owner, _)| *owner == 99).unwrap();
    assert_eq!(counts[ClientCounter::ShedInterim as usize], 2);
    assert_eq!(counts[ClientCounter::ShedStart as usize], 1);
    assert_eq!(counts[ClientCounter::ClientRate as usize], 1);
}

#[test]
fn a_record_that_has_been_answered_is_answered_again_before_anything_is_shed() {
    let gate = timed(&table());
    gate.set_shed(STARTS);
    let request = radius_with(4, &status(INTERIM_UPDATE));
    let frame = Frame::udp(at(CLIENT), at(ACCT), &request[..]).build();
    assert_eq!(outcome(&gate, &frame), dropped(Reason::ShedInterim));
    let flow = Flow {
        source: octets(CLIENT),
        destination: octets(ACCT),
        domain: DOMAIN,
        source_port: at(CLIENT).port(),
        destination_port: at(ACCT).port(),
    };
    let (publisher, lasts) = (gate.publisher().unwrap(), std::time::Duration::from_secs(2));
    publisher.publish(None, &flow, Some(&request), Some(&radius(5)), lasts).unwrap();
    assert_eq!(outcome(&gate, &frame), Outcome::Replied);
}
