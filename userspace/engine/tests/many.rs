//! Many requests at once: identifiers over many ports, and bounds that hold.

mod common;

use std::{collections::HashSet, time::Duration};

use common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
};
use sekisho_wire::code::Code;

#[test]
fn sixteen_thousand_requests_are_outstanding_at_one_server_and_every_one_is_answered() {
    let plan = Plan { auth: vec![HOME_1], ..Plan::default() };
    let mut world = World::with(plan, Limits::default());
    let request = |n: usize| {
        let peer = format!("192.0.2.10:{}", 10_000 + n / 256);
        (Socket::Service(AUTH), address(&peer), pap(n as u8, "alice@a.example", (n / 256) as u8))
    };
    let requests: Vec<_> = (0..16_384).map(request).collect();
    let sent: Vec<_> = world.receive_all(&requests).into_iter().map(|(_, sent)| sent.expect("not dropped")).collect();
    let distinct: HashSet<_> = sent.iter().map(|sent| (sent.upstream_port(), sent.bytes[1])).collect();
    assert_eq!(distinct.len(), 16_384, "each with a (port, identifier) of its own");
    assert_eq!(world.engine.in_flight(), 16_384);
    // Answered in another order than asked.
    for n in (0..16_384).map(|n| (n * 7919) % 16_384) {
        let (_, back) = world.answer(&sent[n], &home_reply(&sent[n], 0, Code::ACCESS_ACCEPT, &[]));
        let back = back.expect("answered");
        assert_eq!((back.path.peer, back.bytes[1]), (requests[n].1, requests[n].2[1]));
    }
    assert_eq!(world.engine.in_flight(), 0);
    assert_eq!(world.stats.replies.accept.read(), 16_384);
}

#[test]
fn every_request_twice_back_to_back_causes_one_effect_each() {
    let mut world = World::new();
    for round in 0..200u32 {
        let requests: Vec<_> = (0..32u8)
            .flat_map(|id| {
                let packet = pap(id, "alice@a.example", round as u8);
                let one = (Socket::Service(AUTH), address(NAS), packet);
                [one.clone(), one]
            })
            .collect();
        let outcomes = world.receive_all(&requests);
        let sent: Vec<_> = outcomes.iter().filter_map(|(_, sent)| sent.clone()).collect();
        assert_eq!(sent.len(), 32, "round {round}");
        for sent in &sent {
            let reply = home_reply(sent, 0, Code::ACCESS_ACCEPT, &[]);
            assert!(world.answer(sent, &reply).1.is_some());
            assert!(world.answer(sent, &reply).1.is_none());
        }
        world.pass(Duration::from_millis(10));
    }
    assert_eq!(world.stats.forwarded.read(), 6_400);
}

#[test]
fn a_full_table_forgets_the_oldest_answer_first_and_then_drops_new_requests() {
    let limits = Limits { max_requests: 4, ..Limits::default() };
    let mut world = World::with(Plan::default(), limits);
    let old = world.ask(&pap(0, "alice@a.example", 1)).unwrap();
    world.answer(&old, &home_reply(&old, 0, Code::ACCESS_ACCEPT, &[]));
    for id in 1..=4 {
        assert!(world.ask(&pap(id, "alice@a.example", 1)).is_some(), "{id}");
    }
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &pap(5, "alice@a.example", 1));
    assert_eq!(action, Action::Drop(Reason::Overload), "a new login");
    let (action, _) = world.receive(Socket::Service(ACCT), address(NAS), &accounting(6, "alice@a.example", 1));
    assert_eq!(action, Action::Drop(Reason::TableFull), "what goes on as long as there is room");
}

#[test]
fn without_a_free_identifier_a_request_is_dropped_and_counted() {
    let limits = Limits { max_ports: 1, ..Limits::default() };
    let mut world = World::with(Plan { auth: vec![HOME_1], ..Plan::default() }, limits);
    for n in 0..300u32 {
        let peer = format!("192.0.2.10:{}", 10_000 + n);
        world.receive(Socket::Service(AUTH), address(&peer), &pap(1, "alice@a.example", 1));
    }
    assert_eq!((world.engine.in_flight(), world.dropped(Reason::NoIdentifier)), (256, 44));
}

#[test]
fn a_port_that_could_not_be_opened_is_asked_for_again_as_long_as_requests_lack_identifiers() {
    let mut world = World::without_ports(Plan::default(), Limits::default());
    world.no_ports = true;
    world.open_ports();
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &pap(1, "alice@a.example", 1));
    assert_eq!(action, Action::Drop(Reason::NoIdentifier));
    world.no_ports = false;
    world.pass(Duration::from_secs(2));
    world.ask(&pap(1, "alice@a.example", 1));
    assert!(world.ask(&pap(1, "alice@a.example", 1)).is_some(), "the NAS's next try finds a port");
}
