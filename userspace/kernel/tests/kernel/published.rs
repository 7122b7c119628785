//! Rule 12: what the kernel makes of a request that userspace has published. A test tells the time.

use std::time::Duration;

use sekisho_abi::{
    BucketParams, ClientCounter, Ingress, IngressKey, Limits, Outcome, PortKind, Reason, Roles, Service, Source,
    cached::{Flow, MAX_REPLY, MAX_REQUEST},
};
use sekisho_kernel::{
    Gate, GateTable, Publisher, Ticket,
    testing::{Action, Frame},
};

use crate::{
    answers::{answer, reply, sound, sum},
    world::*,
};

const WINDOW: Duration = Duration::from_secs(2);
const FLOWS: [(&str, &str); 2] = [(CLIENT, AUTH), (CLIENT_V6, AUTH_V6)];
const OTHER_PORT: &str = "192.0.2.1:1645";
const OTHER_DOMAIN: u32 = DOMAIN + 1;

/// [`table`], with ways in by VLANs, the last of which leads to another domain.
fn world() -> GateTable {
    let mut table = table();
    for (outer_vlan, inner_vlan, domain) in [(5, 0, DOMAIN), (6, 7, DOMAIN), (9, 0, OTHER_DOMAIN)] {
        let key = IngressKey { ifindex: LO, outer_vlan, inner_vlan };
        table.ingresses.insert(key, Ingress { domain, index: 1 });
    }
    for (from, _) in FLOWS {
        let source = table.sources[&source_key(DOMAIN, from)];
        table.sources.insert(source_key(OTHER_DOMAIN, from), source);
    }
    table.services.insert(service_key(OTHER_PORT), Service::new(PortKind::Auth, 0));
    table
}

fn open(table: &GateTable) -> (Gate, Publisher) {
    let gate = timed(table);
    let publisher = gate.publisher().unwrap();
    (gate, publisher)
}

fn flow(from: &str, to: &str) -> Flow {
    Flow {
        source: octets(from),
        destination: octets(to),
        domain: DOMAIN,
        source_port: at(from).port(),
        destination_port: at(to).port(),
    }
}

fn publish(publisher: &Publisher, (from, to): (&str, &str), request: &[u8], reply: Option<&[u8]>) -> Ticket {
    publisher.publish(None, &flow(from, to), Some(request), reply, WINDOW).unwrap()
}

fn frame((from, to): (&str, &str), request: &[u8]) -> Frame {
    Frame::udp(at(from), at(to), request)
}

/// The frame that is sent back.
fn sent_back(gate: &Gate, frame: &[u8]) -> Vec<u8> {
    let (ran, output) = gate.run_with_output(LO, frame).unwrap();
    assert_eq!(ran.action, Action::Reply);
    output
}

#[test]
fn a_request_in_flight_is_dropped_until_its_window_ends() {
    let (gate, publisher) = open(&world());
    for flow in FLOWS {
        gate.set_clock(START);
        let request = sound(1, 7, 61);
        let octets = frame(flow, &request).build();
        assert_eq!(outcome(&gate, &octets), Outcome::Passed);
        publish(&publisher, flow, &request, None);
        assert_eq!(outcome(&gate, &octets), dropped(Reason::DuplicateInFlight));
        assert_eq!(outcome(&gate, &frame(flow, &request).trailer(9).build()), dropped(Reason::DuplicateInFlight));
        gate.set_clock(START + 2 * SECOND - 1);
        assert_eq!(outcome(&gate, &octets), dropped(Reason::DuplicateInFlight));
        gate.set_clock(START + 2 * SECOND);
        assert_eq!(outcome(&gate, &octets), Outcome::Passed);
    }
}

#[test]
fn an_answered_request_gets_the_reply_whatever_their_lengths_and_tags() {
    let (gate, publisher) = open(&world());
    for flow in FLOWS {
        let mut identifier = 0;
        for asked in [20, 22, 61, 62, 300, MAX_REQUEST - 1, MAX_REQUEST] {
            for answered in [20, 21, 22, 45, 46, 300, 1001, MAX_REPLY - 1, MAX_REPLY] {
                identifier += 1;
                let (request, reply) = (sound(1, identifier, asked), reply(answered));
                publish(&publisher, flow, &request, Some(&reply));
                let plain = frame(flow, &request);
                let tagged = plain.clone().vlan(0xe005);
                let twice = plain.clone().service_vlan(0x2006).vlan(0x0007);
                for octets in [plain, tagged, twice].map(|frame| frame.build()) {
                    assert_eq!(sent_back(&gate, &octets), answer(&octets, &reply), "{asked} {answered}");
                }
            }
        }
    }
}

#[test]
fn traffic_class_and_flow_label_are_those_of_the_request() {
    let (gate, publisher) = open(&world());
    for flow in FLOWS {
        let (request, reply) = (sound(1, 7, 61), reply(45));
        publish(&publisher, flow, &request, Some(&reply));
        let mut octets = frame(flow, &request).build();
        match at(flow.0).is_ipv4() {
            true => octets[15] = 0xb8,
            false => octets[14..18].copy_from_slice(&[0x6b, 0x81, 0x23, 0x45]),
        }
        assert_eq!(sent_back(&gate, &octets), answer(&octets, &reply));
    }
}

#[test]
fn what_lies_behind_the_request_is_not_behind_the_reply() {
    let (gate, publisher) = open(&world());
    for flow in FLOWS {
        for asked in [20, 22, 300] {
            for answered in [20, 29, 30, 31, 700] {
                let (request, reply) = (sound(1, asked as u8 ^ answered as u8, asked), reply(answered));
                publish(&publisher, flow, &request, Some(&reply));
                // Ethernet's padding, more than the reply needs, and a frame of several buffers.
                for trailer in [1, 6, 18, 900, 5000] {
                    let octets = frame(flow, &request).trailer(trailer).build();
                    assert_eq!(sent_back(&gate, &octets), answer(&octets, &reply), "{asked} {answered} {trailer}");
                }
                // Octets beyond Length (RFC 2865 §3).
                let octets = frame(flow, &[&request[..], &[1, 2, 3]].concat()).build();
                assert_eq!(sent_back(&gate, &octets), answer(&octets, &reply), "{asked} {answered}");
            }
        }
    }
}

#[test]
fn a_checksum_of_zero_is_sent_as_all_ones() {
    let (gate, publisher) = open(&world());
    for flow in FLOWS {
        let (request, mut reply) = (sound(1, 7, 61), reply(46));
        let octets = frame(flow, &request).build();
        // A word that makes up what is missing to a sum of all ones.
        reply[40..42].fill(0);
        let unfilled = answer(&octets, &reply);
        let at = unfilled.len() - reply.len() - 2;
        let (high, low) = (unfilled[at], unfilled[at + 1]);
        reply[40..42].copy_from_slice(&[high, low]);
        let expected = answer(&octets, &reply);
        assert_eq!(expected[at..at + 2], [0xff, 0xff], "the case that is meant");
        publish(&publisher, flow, &request, Some(&reply));
        assert_eq!(sent_back(&gate, &octets), expected);
    }
}

#[test]
fn the_checksums_of_a_reply_are_right_for_any_reader() {
    let (gate, publisher) = open(&world());
    for (flow, header, addresses) in [(FLOWS[0], 20, 12..20), (FLOWS[1], 40, 8..40)] {
        for length in 20..120 {
            let (request, reply) = (sound(1, length as u8, 40), reply(length));
            publish(&publisher, flow, &request, Some(&reply));
            let sent = sent_back(&gate, &frame(flow, &request).build());
            let (ip, udp) = sent[14..].split_at(header);
            if header == 20 {
                assert_eq!(sum(ip), 0xffff, "{length}");
            }
            let pseudo = [&ip[addresses.clone()], &[0, 17], &udp[4..6]].concat();
            assert_eq!(sum(&[&pseudo, udp].concat()), 0xffff, "{length}");
        }
    }
}

#[test]
fn nothing_but_the_same_request_gets_the_reply() {
    let (gate, publisher) = open(&world());
    for flow in FLOWS {
        let (request, reply) = (sound(1, 7, 90), reply(45));
        publish(&publisher, flow, &request, Some(&reply));
        for at in (1..2).chain(4..20).chain(22..90) {
            let mut other = request.clone();
            other[at] ^= 0x10;
            assert_eq!(outcome(&gate, &frame(flow, &other).build()), Outcome::Passed, "octet {at}");
        }
        let mut status_server = request.clone();
        status_server[0] = 12;
        assert_eq!(outcome(&gate, &frame(flow, &status_server).build()), Outcome::Passed);
        let longer = [&sound(1, 7, 92)[..4], &request[4..], &[1, 2]].concat();
        assert_eq!(outcome(&gate, &frame(flow, &longer).build()), Outcome::Passed);
        let elsewhere = frame(flow, &request).vlan(9);
        assert_eq!(outcome(&gate, &elsewhere.build()), Outcome::Passed, "another domain");
        assert_eq!(outcome(&gate, &frame(flow, &request).build()), Outcome::Replied);
    }
    let request = sound(1, 7, 90);
    for other in [("198.51.100.7:50001", AUTH), (CLIENT, OTHER_PORT), (CLIENT, DEDICATED), (STRANGER, AUTH)] {
        let passes = if other.0 == STRANGER { dropped(Reason::Unregistered) } else { Outcome::Passed };
        assert_eq!(outcome(&gate, &frame(other, &request).build()), passes, "{other:?}");
    }
}

#[test]
fn a_reply_is_given_until_its_time_is_over_or_it_is_withdrawn_or_flushed() {
    let (gate, publisher) = open(&world());
    for flow in FLOWS {
        gate.set_clock(START);
        let (request, reply) = (sound(1, 7, 61), reply(45));
        let octets = frame(flow, &request).build();
        publish(&publisher, flow, &request, Some(&reply));
        gate.set_clock(START + 2 * SECOND - 1);
        assert_eq!(outcome(&gate, &octets), Outcome::Replied);
        gate.set_clock(START + 2 * SECOND);
        assert_eq!(outcome(&gate, &octets), Outcome::Passed, "its time is over");

        let ticket = publish(&publisher, flow, &request, Some(&reply));
        assert_eq!(outcome(&gate, &octets), Outcome::Replied);
        publisher.withdraw(ticket);
        assert_eq!(outcome(&gate, &octets), Outcome::Passed, "withdrawn");

        publish(&publisher, flow, &request, Some(&reply));
        assert_eq!(outcome(&gate, &octets), Outcome::Replied);
        publisher.flush();
        assert_eq!(outcome(&gate, &octets), Outcome::Passed, "flushed");
    }
}

#[test]
fn from_in_flight_to_answered_by_the_same_ticket() {
    let (gate, publisher) = open(&world());
    for (to, code) in [(FLOWS[0], 1), (FLOWS[1], 1), ((CLIENT, ACCT), 4)] {
        let (request, reply) = (sound(code, 7, 61), reply(20));
        let octets = frame(to, &request).build();
        let ticket = publish(&publisher, to, &request, None);
        assert_eq!(outcome(&gate, &octets), dropped(Reason::DuplicateInFlight));
        publisher.publish(Some(ticket), &flow(to.0, to.1), None, Some(&reply), WINDOW).unwrap();
        for _ in 0..8 {
            assert_eq!(sent_back(&gate, &octets), answer(&octets, &reply), "identical octets each time");
        }
    }
}

#[test]
fn repetitions_are_charged_to_their_buckets() {
    for flow in FLOWS {
        for reply in [None, Some(&reply(45)[..])] {
            let hit = if reply.is_some() { Outcome::Replied } else { dropped(Reason::DuplicateInFlight) };
            let request = radius_with(1, &attribute(44, "0001"));
            let per_second = BucketParams::per_second;
            for (limits, refused) in [
                (Limits { client: per_second(1, 3), ..Limits::NONE }, Reason::ClientRate),
                (Limits { session: per_second(1, 3), ..Limits::NONE }, Reason::SessionRate),
            ] {
                let mut table = world();
                let source = Source { limits, ..Source::unlimited(Roles::CLIENT, 70) };
                table.sources.insert(source_key(DOMAIN, flow.0), source);
                let (gate, publisher) = open(&table);
                publish(&publisher, flow, &request, reply);
                for expected in [hit, hit, hit, dropped(refused), dropped(refused)] {
                    assert_eq!(outcome(&gate, &frame(flow, &request).build()), expected);
                }
            }
        }
    }
}

#[test]
fn what_is_answered_or_absorbed_is_counted_for_its_client() {
    let (gate, publisher) = open(&world());
    let owner = table().sources[&source_key(DOMAIN, CLIENT)].owner;
    let (answered, in_flight) = (sound(1, 7, 61), sound(1, 8, 61));
    publish(&publisher, FLOWS[0], &answered, Some(&reply(45)));
    publish(&publisher, FLOWS[0], &in_flight, None);
    for request in [&answered, &in_flight, &answered, &in_flight, &answered] {
        gate.run(LO, &frame(FLOWS[0], request).build()).unwrap();
    }
    let counters = gate.counters().unwrap();
    assert_eq!(counters.get(Outcome::Replied), 3);
    assert_eq!(counters.get(dropped(Reason::DuplicateInFlight)), 2);
    let clients = gate.clients();
    let (_, counts) = clients.iter().find(|(other, _)| *other == owner).unwrap();
    assert_eq!(counts[ClientCounter::Replied as usize], 3);
    assert_eq!(counts[ClientCounter::DuplicateInFlight as usize], 2);
}

#[test]
fn a_request_that_is_too_long_to_publish_goes_up() {
    let (gate, publisher) = open(&world());
    for (from, to) in FLOWS {
        let request = sound(1, 7, MAX_REQUEST + 1);
        assert_eq!(publisher.publish(None, &flow(from, to), Some(&request), None, WINDOW), None);
        assert_eq!(outcome(&gate, &frame((from, to), &request).build()), Outcome::Passed);
    }
}

#[test]
fn what_is_being_written_goes_up_and_is_answered_when_it_is_whole() {
    let (gate, publisher) = open(&world());
    for flow in FLOWS {
        for reply in [None, Some(&reply(45)[..])] {
            let request = sound(1, 7 + u8::from(reply.is_some()), 61);
            let octets = frame(flow, &request).build();
            publish(&publisher, flow, &request, reply);
            let hit = outcome(&gate, &octets);
            assert_ne!(hit, Outcome::Passed);
            gate.count_sequences_on();
            assert_eq!(outcome(&gate, &octets), Outcome::Passed);
            gate.count_sequences_on();
            assert_eq!(outcome(&gate, &octets), hit);
        }
    }
}
