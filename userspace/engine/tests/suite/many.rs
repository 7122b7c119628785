//! Many requests at once: identifiers over many ports, and bounds that hold.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    time::Duration,
};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::PoolKind,
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

/// A request that nobody else sends: the n-th of 256 for each port of the NAS.
fn nth(n: u32) -> (Socket, SocketAddr, Vec<u8>) {
    let peer = address(&format!("192.0.2.10:{}", 10_000 + n / 256));
    (Socket::Service(AUTH), peer, pap(n as u8, "alice@a.example", (n / 256) as u8))
}

#[test]
fn ports_grow_under_a_burst_shrink_a_minute_after_it_and_grow_again() {
    let mut world = World::with(Plan { auth: vec![HOME_1], ..Plan::default() }, Limits::default());
    assert_eq!(world.ports.len(), 1);
    for round in 0..2 {
        let requests: Vec<_> = (0..4_000).map(|n| nth(round * 4_000 + n)).collect();
        let sent: Vec<_> =
            world.receive_all(&requests).into_iter().map(|(_, sent)| sent.expect("not dropped")).collect();
        assert!((16..=18).contains(&world.ports.len()), "{}", world.ports.len());
        for sent in &sent {
            assert!(world.answer(sent, &home_reply(sent, 0, Code::ACCESS_ACCEPT, &[])).1.is_some());
        }
        world.pass(Duration::from_secs(55));
        assert!(world.ports.len() >= 16, "not yet");
        world.pass(Duration::from_secs(75));
        assert_eq!((world.ports.len(), world.stats.ports.read()), (1, 1));
    }
    assert_eq!(world.dropped(Reason::NoIdentifier), 0);
}

#[test]
fn a_port_is_not_closed_while_a_late_answer_may_come_to_it_and_is_used_again_if_needed() {
    let plan = Plan { auth: vec![HOME_1], answer_within: Duration::from_secs(300), ..Plan::default() };
    let mut world = World::with(plan, Limits::default());
    let sent: Vec<_> = world.receive_all(&(0..600).map(nth).collect::<Vec<_>>());
    let mut sent: Vec<_> = sent.into_iter().map(|(_, sent)| sent.unwrap()).collect();
    // One request on the highest port is never answered; all others are.
    let highest = sent.iter().map(|sent| sent.upstream_port()).max().unwrap();
    let kept = sent.remove(sent.iter().position(|sent| sent.upstream_port() == highest).unwrap());
    for sent in &sent {
        world.answer(sent, &home_reply(sent, 0, Code::ACCESS_ACCEPT, &[])).1.unwrap();
    }
    world.pass(Duration::from_secs(200));
    assert!(world.ports.contains(&highest), "something waits on it");
    let again: Vec<_> = world.receive_all(&(1_000..1_050).map(nth).collect::<Vec<_>>());
    let on_it = again.iter().filter(|(_, sent)| sent.as_ref().unwrap().upstream_port() == highest);
    assert_eq!(on_it.count(), 0, "retired: no new ones by it");
    // A burst needs it: it is used again, but not the identifier that waits.
    let burst: Vec<_> = world.receive_all(&(2_000..2_900).map(nth).collect::<Vec<_>>());
    let burst: Vec<_> = burst.into_iter().map(|(_, sent)| sent.expect("not dropped")).collect();
    assert!(burst.iter().any(|sent| sent.upstream_port() == highest));
    let same = |sent: &&Sent| (sent.upstream_port(), sent.bytes[1]) == (highest, kept.bytes[1]);
    assert_eq!(burst.iter().filter(same).count(), 0);
    // And the one that waited gets its answer.
    let (_, back) = world.answer(&kept, &home_reply(&kept, 0, Code::ACCESS_ACCEPT, &[]));
    assert!(back.is_some());
}

#[test]
fn no_identifier_is_used_again_before_its_answer_or_half_a_minute_of_rest() {
    let plan = Plan { auth: vec![HOME_1, HOME_2], kind: PoolKind::LoadBalance, ..Plan::default() };
    let mut world = World::with(plan, Limits { max_ports: 6, ..Limits::default() });
    // What is under way, by (server, port, identifier); what was given up, with the time.
    let (mut waiting, mut resting) = (HashMap::new(), HashMap::new());
    let (mut n, mut random, mut used) = (0u32, 12_345u32, 0);
    let begin = world.now;
    while world.now < begin + Duration::from_secs(400) {
        // Busy for a while, then quiet, so that ports come and go.
        let busy = (world.now - begin).as_secs() % 150 < 30;
        let mut out = Vec::new();
        for _ in 0..if busy { 60 } else { 2 } {
            n += 1;
            let (socket, peer, bytes) = nth(n % 40_000);
            out.extend(world.receive(socket, peer, &bytes).1);
        }
        out.extend(world.pass(Duration::from_millis(500)).into_iter().map(|(_, sent)| sent));
        for sent in out.into_iter().filter(|sent| !sent.to_client()) {
            let key = (sent.path.peer, sent.upstream_port(), sent.bytes[1]);
            if let Some((since, _)) = waiting.remove(&key) {
                // Given up meanwhile: at the response_window, or at the end of the budget.
                resting.insert(key, since);
            }
            if let Some(since) = resting.remove(&key) {
                let rested = world.now - since;
                assert!(rested >= Duration::from_secs(33), "{key:?} was used again after {rested:?}");
            }
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            used += 1;
            if random >> 30 != 0 {
                let index = usize::from(sent.path.peer == address(HOME_2));
                world.answer(&sent, &home_reply(&sent, index, Code::ACCESS_ACCEPT, &[])).1.expect("answered");
            } else {
                waiting.insert(key, (world.now, sent));
            }
        }
    }
    assert!(used > 4_000, "{used}");
}

#[test]
fn when_all_identifiers_toward_a_server_are_taken_the_next_one_is_asked_and_then_nobody() {
    let mut world = World::with(Plan::default(), Limits { max_ports: 2, ..Limits::default() });
    let outcomes = world.receive_all(&(0..1_100).map(nth).collect::<Vec<_>>());
    let is_to = |home, sent: &Option<Sent>| sent.as_ref().is_some_and(|it| it.path.peer == address(home));
    let to = |home| outcomes.iter().filter(|(_, sent)| is_to(home, sent)).count();
    assert_eq!((to(HOME_1), to(HOME_2)), (512, 512));
    assert_eq!(world.dropped(Reason::NoIdentifier), 76);
    let first = outcomes[0].1.as_ref().unwrap();
    assert!(world.answer(first, &home_reply(first, 0, Code::ACCESS_ACCEPT, &[])).1.is_some());
    let (_, sent) = world.receive_all(&[nth(2_000)]).remove(0);
    assert_eq!(sent.unwrap().bytes[1], first.bytes[1], "the only one that is free");
}
