//! Thousands of home servers of which many are dead, and all of a network's devices at once (CONFORMANCE tables 5a and 6).

use std::{
    collections::{HashSet, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{Limits, health::Health, packet::Socket, snapshot::*};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const REALMS: usize = 1_000;

/// A thousand realms, each with two servers of its own: those of realm `n` have the numbers `2n + 1` and `2n + 2`.
fn thousand_realms() -> World {
    let extra = |n: usize| Extra::new(n + 1, &format!("198.18.{}.{}:1812", n / 250, 1 + n % 250), HomeKind::Auth);
    let servers: Vec<Extra> = (0..2 * REALMS).map(extra).collect();
    let shape = move |snapshot: &mut RoutingSnapshot| {
        for (n, pair) in servers.chunks(2).enumerate() {
            pair.iter().for_each(|server| server.join(snapshot, 0));
            let auth = pair.iter().map(|server| Member::new(server.id(), &server.at, 1)).collect();
            let tier = Tier { kind: PoolKind::FailOver, seed: 1, auth, acct: Vec::new() };
            snapshot.pools.push(Pool { tiers: vec![tier], ..acct_pool(&format!("pool-{n}"), 0, &[]) });
            let pool = PoolId(snapshot.pools.len() as u32 - 1);
            let name = format!("r{n}.example");
            let id = realm(snapshot, 0, &name, Some(RealmService::Proxy(pool)));
            customer(snapshot, 0).suffixes.insert(name.into_bytes().into(), id);
        }
    };
    let plan = Plan { auth: vec![HOME_1], acct: Vec::new(), shape: Arc::new(shape), ..Plan::default() };
    World::with(plan, Limits::default())
}

/// A login that no other is like.
fn login(n: u32, realm: &str) -> (Socket, SocketAddr, Vec<u8>) {
    let mut authenticator = [3; 16];
    authenticator[..4].copy_from_slice(&n.to_be_bytes());
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, n as u8, authenticator)
        .attribute(attr::USER_NAME, format!("device-{n}@{realm}"))
        .build(&nas_secret());
    (Socket::Service(AUTH), address(&format!("192.0.2.10:{}", 10_000 + n / 256 % 50_000)), request.unwrap())
}

#[test]
fn two_hundred_dead_servers_of_two_thousand_cost_few_ports_and_the_others_realms_nothing() {
    let mut world = thousand_realms();
    // Of the first fifty realms both servers are dead, of the next hundred the first.
    let is_dead = |number: usize| number <= 100 || (number <= 300 && number % 2 == 1);
    assert_eq!((1..=2 * REALMS).filter(|number| is_dead(*number)).count(), 200);
    let number_of = |world: &World, home: SocketAddr| world.snapshot.home_by_address[&home].index();
    let (mut n, mut served, mut most_ports) = (0u32, vec![0u32; REALMS], 0);
    let mut late = vec![0u32; REALMS];
    for step in 0..120 {
        // A login every four seconds for each realm, and twenty a second for one that has no server left.
        let realms = (0..REALMS).filter(|realm| realm % 4 == step % 4).chain([7; 20]);
        let requests: Vec<_> = realms
            .map(|realm| {
                n += 1;
                login(n, &format!("r{realm}.example"))
            })
            .collect();
        let outcomes = world.receive_all(&requests);
        let mut sent: Vec<_> = outcomes.into_iter().filter_map(|(_, sent)| sent).collect();
        let at_once = sent.len();
        sent.extend(world.pass(Duration::from_secs(1)).into_iter().map(|(_, sent)| sent));
        for (place, sent) in sent.iter().enumerate() {
            let number = number_of(&world, sent.path.peer);
            if !is_dead(number) {
                let reply = home_reply(sent, number, Code::ACCESS_ACCEPT, &[]);
                world.answer(sent, &reply).1.expect("answered");
                served[(number - 1) / 2] += 1;
                late[(number - 1) / 2] += u32::from(place >= at_once);
            }
        }
        most_ports = most_ports.max(world.ports.len());
        if step == 60 {
            // A minute has gone: everybody knows who is dead.
            for (number, home) in world.snapshot.homes.iter().enumerate().skip(1) {
                let health = home.as_ref().unwrap().state.health();
                assert_eq!(health == Health::Dead, is_dead(number), "{number} is {}", health.name());
            }
        }
    }
    for (realm, (served, late)) in served.iter().zip(&late).enumerate() {
        match realm {
            ..50 => assert_eq!(*served, 0),
            // One login met the dead server before that was known; when it is tried again after `revive_interval`, another does.
            50..150 => assert!(*served == 30 && *late <= 2, "{realm}: {served} served, {late} of them late"),
            _ => assert_eq!((*served, *late), (30, 0), "{realm}"),
        }
    }
    assert!(most_ports <= 8, "{most_ports}");
    assert_eq!(world.dropped(Reason::NoIdentifier), 0);
    // When the storm is over, so is what it took.
    world.pass(Duration::from_secs(200));
    assert_eq!((world.ports.len(), world.engine.in_flight()), (1, 0));
}

/// A server that takes so many requests a second and so many into its queue; what comes beyond is lost.
struct Limited {
    per_step: usize,
    room: usize,
    queue: VecDeque<Sent>,
}

#[test]
fn a_hundred_thousand_devices_at_once_do_not_make_a_slow_server_dead() {
    const DEVICES: u32 = 100_000;
    const STEP: Duration = Duration::from_millis(20);
    let plan = Plan { auth: vec![HOME_1], acct: Vec::new(), answer_within: Duration::from_secs(5), ..Plan::default() };
    let mut world = World::with(plan, Limits::default());
    // A thousand a second, and 1,667 ask: each up to three times, two seconds apart.
    let mut server = Limited { per_step: 20, room: 400, queue: VecDeque::new() };
    let mut waiting = HashSet::new();
    let mut agenda: VecDeque<(u32, u32, u32)> = VecDeque::new();
    let (mut next, mut answered, mut step) = (0, 0u32, 0u32);
    while next < DEVICES || !agenda.is_empty() {
        while next < DEVICES && next * 3 < (step + 1) * 100 {
            agenda.push_front((step, next, 1));
            waiting.insert(next);
            next += 1;
        }
        let mut packets = Vec::new();
        while let Some((at, device, tries)) = agenda.pop_front() {
            if at > step {
                agenda.push_front((at, device, tries));
                break;
            }
            if waiting.contains(&device) {
                packets.push(login(device, "a.example"));
                agenda.extend((tries < 3).then_some((step + 100, device, tries + 1)));
            }
        }
        let outcomes = world.receive_all(&packets);
        let mut sent: Vec<_> = outcomes.into_iter().filter_map(|(_, sent)| sent).collect();
        sent.extend(world.pass(STEP).into_iter().map(|(_, sent)| sent));
        server.queue.extend(sent.into_iter().filter(|sent| !sent.to_client()));
        server.queue.truncate(server.room);
        let replies: Vec<_> = (0..server.per_step)
            .filter_map(|_| server.queue.pop_front())
            .map(|sent| (sent.path.socket, sent.path.peer, home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[])))
            .collect();
        for (_, back) in world.receive_all(&replies) {
            if let Some(back) = back {
                // Its port and identifier are its number.
                let device = u32::from(back.path.peer.port() - 10_000) * 256 + u32::from(back.bytes[1]);
                answered += u32::from(waiting.remove(&device));
            }
        }
        step += 1;
        let home = world.snapshot.homes[0].as_ref().unwrap();
        assert_eq!(home.state.health(), Health::Alive, "after {step} steps");
    }
    let capacity = step * server.per_step as u32;
    assert!(answered * 100 > capacity * 90, "{answered} answered in {step} steps of {}", server.per_step);
    assert_eq!(world.dropped(Reason::NoServer), 0);
}
