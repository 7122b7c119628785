//! One probe, with LNSs of many kinds.

use std::{net::SocketAddr, time::Duration};

use sekisho_lns::l2tp::{
    Outcome, PORT, Refusal, TEARDOWN, Target,
    packet::{Kind, Message},
};

use crate::l2tp::{
    lns::Manners,
    world::{HERE, World, address, deep, target},
};

const SECRET: &str = "s3cr3t";

fn with_secret() -> Manners {
    Manners { secret: Some(SECRET), challenges: true, ..Manners::default() }
}

fn refused(result: u16, error: u16) -> Outcome {
    Outcome::Refused(Refusal { result, error })
}

/// When the prober sent messages of this kind, in milliseconds after the first of them.
fn times(world: &World, kind: Kind) -> Vec<u64> {
    let those = world.sent.iter().filter(|(_, sent)| Message::parse(&sent.bytes).unwrap().kind == kind);
    let times: Vec<_> = those.map(|(time, _)| *time).collect();
    times.iter().map(|time| time.since(times[0]) / 1_000_000).collect()
}

#[test]
fn a_shallow_probe_is_four_datagrams_and_leaves_nothing() {
    let mut world = World::with(target(1), Manners::default());
    let probed = world.next_probed();
    assert_eq!((probed.outcome, probed.requests), (Outcome::Up, 1));
    assert_eq!(probed.latency, Some(Duration::from_millis(2)));
    world.run(Duration::from_secs(1));
    assert_eq!(world.lns().heard, [Kind::Sccrq, Kind::StopCcn]);
    assert_eq!((world.lns().open(), world.prober.in_flight()), (0, 0));
}

#[test]
fn a_deep_probe_proves_both_sides_and_greets() {
    let mut world = World::with(deep(1, SECRET), with_secret());
    assert_eq!(world.next_outcome(), Outcome::Up);
    world.run(Duration::from_secs(1));
    assert_eq!(world.lns().heard, [Kind::Sccrq, Kind::Scccn, Kind::Hello, Kind::StopCcn]);
    assert_eq!((world.lns().proofs, world.lns().open()), (1, 0));
}

#[test]
fn a_deep_probe_of_an_lns_that_asks_for_no_proof_proves_it_all_the_same() {
    let mut world = World::with(deep(1, SECRET), Manners { challenges: false, ..with_secret() });
    assert_eq!(world.next_outcome(), Outcome::Up);
}

#[test]
fn a_shallow_probe_of_an_lns_that_asks_for_a_proof_finds_it_alive() {
    let mut world = World::with(target(1), with_secret());
    assert_eq!(world.next_outcome(), Outcome::Up);
    world.run(Duration::from_secs(1));
    assert_eq!(world.lns().open(), 0);
}

#[test]
fn another_secret_and_no_secret_are_told_apart_from_being_dead() {
    let manners = [Manners { secret: Some("other"), challenges: false, ..with_secret() }, Manners::default()];
    for manners in manners {
        let mut world = World::with(deep(1, SECRET), manners);
        assert_eq!(world.next_outcome(), Outcome::WrongSecret);
        world.run(Duration::from_secs(1));
        assert_eq!(world.lns().heard, [Kind::Sccrq, Kind::StopCcn], "no session is tried");
        assert_eq!(world.lns().open(), 0);
    }
}

#[test]
fn a_refusal_comes_after_its_acknowledgement_and_is_acknowledged() {
    let cases = [
        ((2, 4), Outcome::Full),
        ((2, 7), Outcome::Full),
        ((6, 0), Outcome::Draining),
        ((4, 0), refused(4, 0)),
        ((2, 6), refused(2, 6)),
        ((1, 0), refused(1, 0)),
    ];
    for (codes, outcome) in cases {
        for target in [target(1), deep(1, SECRET)] {
            let mut world = World::with(target, Manners { refuses: Some(codes), ..with_secret() });
            assert_eq!(world.next_outcome(), outcome);
            world.run(Duration::from_secs(1));
            assert_eq!(world.lns().heard, [Kind::Sccrq, Kind::Zlb]);
            assert_eq!((world.lns().open(), world.prober.in_flight()), (0, 0));
        }
    }
}

#[test]
fn an_acknowledgement_alone_is_no_answer_and_ends_the_repeating() {
    let mut world = World::with(target(1), Manners { loses_replies: 99, ..Manners::default() });
    // The second request is acknowledged, as a second one is.
    assert_eq!(world.next_outcome(), Outcome::Silent);
    assert_eq!(times(&world, Kind::Sccrq), [0, 1000]);
}

#[test]
fn an_answer_that_the_lns_repeats_is_an_answer() {
    let mut world = World::with(target(1), Manners { loses_replies: 1, ..Manners::default() });
    let probed = world.next_probed();
    assert_eq!((probed.outcome, probed.requests), (Outcome::Up, 2));
    world.run(Duration::from_secs(1));
    assert_eq!((world.lns().open(), world.lns().opened.len()), (0, 1));
}

#[test]
fn silence_is_known_at_the_timeout_and_the_request_is_repeated_until_then() {
    for (timeout, expected) in
        [(1, vec![0]), (2, vec![0, 1000]), (4, vec![0, 1000, 3000]), (8, vec![0, 1000, 3000, 7000])]
    {
        let timeout = Duration::from_secs(timeout);
        let mut world = World::with(Target { timeout, ..target(1) }, Manners { silent: true, ..Manners::default() });
        let probed = world.next_probed();
        assert_eq!((probed.outcome, probed.latency), (Outcome::Silent, None));
        assert_eq!(times(&world, Kind::Sccrq), expected);
        assert_eq!(probed.requests as usize, expected.len());
        assert_eq!(world.now - world.sent[0].0, timeout);
        assert_eq!(world.prober.in_flight(), 0);
        let requests = &world.lns().requests;
        assert!(requests.iter().all(|request| *request == requests[0]), "the same octets");
    }
}

#[test]
fn times_outside_their_bounds_are_brought_inside() {
    let none = Duration::ZERO;
    let quick = Target { timeout: none, interval: none, ..target(1) };
    let mut world = World::with(quick, Manners { silent: true, ..Manners::default() });
    assert_eq!(world.next_outcome(), Outcome::Silent);
    assert_eq!(world.now - world.sent[0].0, Duration::from_secs(1));
    world.next_outcome();
    let apart = times(&world, Kind::Sccrq)[1];
    assert!((9_000..=11_000).contains(&apart), "{apart} ms");
}

#[test]
fn each_probe_has_a_tunnel_of_its_own() {
    let mut world = World::with(target(1), Manners::default());
    for _ in 0..50 {
        assert_eq!(world.next_outcome(), Outcome::Up);
    }
    let opened = &world.lns().opened;
    assert_eq!(opened.len(), 50);
    assert!(opened.values().all(|count| *count == 1));
    let numbers: Vec<u16> = opened.keys().copied().collect();
    assert!(numbers.windows(2).any(|pair| pair[1] - pair[0] > 100), "not counted on");
}

#[test]
fn an_lns_that_answers_from_another_port_is_talked_to_there() {
    for manners in
        [Manners { port: 31_701, ..with_secret() }, Manners { port: 31_701, refuses: Some((4, 0)), ..with_secret() }]
    {
        let expected = if manners.refuses.is_some() { refused(4, 0) } else { Outcome::Up };
        let mut world = World::with(deep(1, SECRET), manners);
        assert_eq!(world.next_outcome(), expected);
        world.run(Duration::from_secs(1));
        assert_eq!(world.lns().open(), 0);
        let ports: Vec<u16> = world.sent.iter().map(|(_, sent)| sent.to.port()).collect();
        assert_eq!(ports[0], PORT);
        assert!(ports[1..].iter().all(|port| *port == 31_701));
    }
}

#[test]
fn the_end_of_a_tunnel_is_repeated_until_it_is_acknowledged_or_given_up() {
    let slow = Target { interval: Duration::from_secs(60), ..target(1) };
    let mut world = World::with(slow, Manners { acknowledges_stop: false, ..Manners::default() });
    assert_eq!(world.next_outcome(), Outcome::Up);
    let told = world.now;
    assert_eq!(world.prober.in_flight(), 1);
    world.run(TEARDOWN - Duration::from_millis(1));
    assert_eq!(world.prober.in_flight(), 1);
    world.run(Duration::from_millis(1));
    assert_eq!((world.prober.in_flight(), world.now - told), (0, TEARDOWN));
    assert_eq!(times(&world, Kind::StopCcn), [0, 1000, 3000, 7000]);
}

#[test]
fn the_next_probe_waits_for_the_end_of_the_last() {
    let mut world = World::with(target(1), Manners { acknowledges_stop: false, ..Manners::default() });
    world.run(Duration::from_secs(120));
    assert_eq!(world.most_in_flight, 1);
    assert!(times(&world, Kind::Sccrq).windows(2).all(|pair| pair[1] - pair[0] >= 15_000));
}

#[test]
fn garbage_says_nothing() {
    let garbage = [&b""[..], b"\xc8", b"hello, who is this?", &[0xff; 100], &[0xc8, 2, 0, 12]];
    for octets in garbage {
        let mut world = World::with(target(1), Manners { garbage: Some(octets.to_vec()), ..Manners::default() });
        assert_eq!(world.next_outcome(), Outcome::Silent);
        assert_eq!(world.prober.counts().malformed, 3, "{octets:?}");
    }
}

#[test]
fn an_lns_that_was_silent_and_is_back_is_up_at_once() {
    let mut world = World::with(target(1), Manners { silent: true, ..Manners::default() });
    assert_eq!([world.next_outcome(), world.next_outcome()], [Outcome::Silent; 2]);
    world.lns().manners.silent = false;
    assert_eq!(world.next_outcome(), Outcome::Up);
}

#[test]
fn a_tunnel_that_carries_no_hello_is_not_up_and_is_closed() {
    let mut world = World::with(deep(1, SECRET), Manners { misses_hellos: 3, ..with_secret() });
    assert_eq!(world.next_outcome(), Outcome::Silent);
    assert_eq!((times(&world, Kind::Hello), world.lns().open()), (vec![0, 1000, 3000, 3996], 1));
    // An LNS that has not had the Hello takes nothing after it: it gets both.
    world.run(Duration::from_secs(1));
    assert_eq!(world.lns().heard, [Kind::Sccrq, Kind::Scccn, Kind::Hello, Kind::StopCcn]);
    assert_eq!((world.lns().open(), world.prober.in_flight()), (0, 0));
}

#[test]
fn what_comes_twice_is_acknowledged_by_the_message_under_way_alone() {
    let mut world = World::with(target(1), Manners { silent: true, ..Manners::default() });
    let reply = world.reply();
    let before = world.sent.len();
    let lns = SocketAddr::new(address(1), PORT);
    for _ in 0..3 {
        world.arrives(lns, &reply);
    }
    // A ZLB with the number after that of a StopCCN which it has not had is out of order to xl2tpd.
    assert_eq!(world.sent[before..].len(), 1);
    assert_eq!(Message::parse(&world.sent[before].1.bytes).unwrap().kind, Kind::StopCcn);
}

#[test]
fn answers_of_others_and_to_other_tunnels_change_nothing() {
    let mut world = World::with(target(1), Manners { silent: true, ..Manners::default() });
    let right = world.reply();
    let to = |tunnel: u16| [&right[..4], &tunnel.to_be_bytes(), &right[6..]].concat();
    let own = Message::parse(&right).unwrap().header.tunnel;
    let lns = SocketAddr::new(address(1), PORT);
    world.arrives(SocketAddr::new(address(2), PORT), &right);
    world.arrives(lns, &to(own ^ 1));
    world.arrives(lns, &to(0));
    assert_eq!(world.prober.counts().strays, 3);
    assert!(world.probed.is_empty());
    world.arrives(SocketAddr::new(address(1), 9), &right);
    assert_eq!(world.probed[0].1.outcome, Outcome::Up);
}

#[test]
fn with_a_source_address_probes_leave_from_it_and_answers_come_to_it() {
    let source = Some("192.0.2.7".parse().unwrap());
    let mut world = World::with(Target { source, ..target(1) }, Manners::default());
    // Everything arrives at another address of ours.
    assert_eq!(world.next_outcome(), Outcome::Silent);
    assert!(world.sent.iter().all(|(_, sent)| sent.source == source));
    let mut world = World::with(Target { source: Some(HERE.ip()), ..target(1) }, Manners::default());
    assert_eq!(world.next_outcome(), Outcome::Up);
}

#[test]
fn an_lns_with_an_ipv6_address_is_probed_alike() {
    let v6 = Target { address: "2001:db8::1".parse().unwrap(), ..target(1) };
    let mut world = World::with(v6, Manners::default());
    assert_eq!(world.next_outcome(), Outcome::Up);
}
