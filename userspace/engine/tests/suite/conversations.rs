//! Conversations of many rounds stay where they are held (RFC 5080 §2.1.1, RFC 6613 §2.6.6).

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use crate::common::*;
use sekisho_engine::{
    health::Health,
    packet::Socket,
    snapshot::{HomeId, HomeService, PoolKind},
    sticky::Conversation,
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const BALANCED: [PoolKind; 3] = [PoolKind::FailOver, PoolKind::LoadBalance, PoolKind::ClientBalance];

/// A round of a device's EAP conversation, with the State that its server gave it.
fn eap(device: u32, round: u32, state: Option<&[u8]>) -> Vec<u8> {
    let mut authenticator = [9; 16];
    authenticator[..4].copy_from_slice(&device.to_be_bytes());
    authenticator[4..8].copy_from_slice(&round.to_be_bytes());
    let mut builder = RequestBuilder::new(Code::ACCESS_REQUEST, round as u8, authenticator)
        .attribute(attr::USER_NAME, format!("device-{device}@a.example"))
        .attribute(attr::CALLING_STATION_ID, format!("02-00-00-00-{:02x}-{:02x}", device >> 8, device & 0xff))
        .attribute(attr::EAP_MESSAGE, [2, round as u8, 0, 5, 1]);
    if let Some(state) = state {
        builder = builder.attribute(attr::STATE, state);
    }
    builder.message_authenticator().build(&nas_secret()).unwrap()
}

fn index_of(world: &World, home: SocketAddr) -> usize {
    world.plan.auth.iter().position(|at| address(at) == home).unwrap()
}

fn health(world: &World, index: usize) -> Health {
    world.snapshot.homes[index].as_ref().unwrap().state.health()
}

/// The server answers with a challenge and this State.
fn challenge(world: &mut World, sent: &Sent, state: &[u8]) {
    let index = index_of(world, sent.path.peer);
    let attrs: &[(u8, &[u8])] = &[(attr::STATE, state), (attr::EAP_MESSAGE, &[1, 2, 0, 5, 13])];
    let reply = home_reply(sent, index, Code::ACCESS_CHALLENGE, attrs);
    assert!(world.answer(sent, &reply).1.is_some());
}

fn ask(world: &mut World, device: u32, round: u32, state: Option<&[u8]>) -> Option<Sent> {
    let port = address(&format!("192.0.2.10:{}", 10_000 + device));
    world.receive(Socket::Service(AUTH), port, &eap(device, round, state)).1
}

struct Device {
    home: Option<SocketAddr>,
    state: Option<Vec<u8>>,
    rounds: u32,
    tries: u32,
}

/// Every device takes ten rounds, each by whichever worker the NAS's flow happens to meet. While `silent`, the first server
/// answers nothing, and the device tries the round again, as a NAS does.
#[test]
fn a_thousand_conversations_of_ten_rounds_over_three_workers_never_change_their_server() {
    for kind in BALANCED {
        let plan = Plan { kind, workers: 3, answer_within: Duration::from_secs(4), ..Plan::default() };
        let first = World::with(plan, Default::default());
        let (second, third) = (first.beside(1), first.beside(2));
        let mut workers = [first, second, third];
        let new = || Device { home: None, state: None, rounds: 0, tries: 0 };
        let mut devices: Vec<_> = (0..1_000).map(|_| new()).collect();
        let (mut wrong, mut zombie, mut revived, mut step) = (0, false, false, 0);
        while devices.iter().any(|device| device.rounds < 10) {
            let silent = (4..10).contains(&step);
            for (number, device) in (0u32..).zip(&mut devices).filter(|(_, device)| device.rounds < 10) {
                // Some are ahead of others.
                if step < number % 4 {
                    continue;
                }
                let world = &mut workers[(number + device.rounds + device.tries) as usize % 3];
                device.tries += 1;
                let Some(sent) = ask(world, number, device.tries, device.state.as_deref()) else { continue };
                wrong += u32::from(device.home.is_some_and(|home| home != sent.path.peer));
                if silent && sent.path.peer == address(HOME_1) {
                    continue;
                }
                let state = format!("{}-{number}-{}", sent.path.peer, device.rounds).into_bytes();
                challenge(world, &sent, &state);
                (device.home, device.state) = (Some(sent.path.peer), Some(state));
                device.rounds += 1;
            }
            for world in &mut workers {
                // What fails over by itself is a conversation's first round, or goes nowhere else.
                for (_, sent) in world.pass(Duration::from_secs(1)) {
                    wrong += u32::from(attribute(&sent.bytes, attr::STATE).is_some());
                }
            }
            let now = health(&workers[0], 0);
            zombie |= now == Health::Zombie;
            revived |= zombie && now == Health::Alive;
            step += 1;
            assert!(step < 60, "{kind:?}: {} are not through", devices.iter().filter(|it| it.rounds < 10).count());
        }
        assert!(zombie && revived, "{kind:?}: the first server was away for a while");
        assert_eq!(wrong, 0, "{kind:?}");
        let at_first = devices.iter().filter(|device| device.home == Some(address(HOME_1))).count();
        assert!(at_first > 0, "{kind:?}");
    }
}

fn attribute(packet: &[u8], number: u8) -> Option<&[u8]> {
    sekisho_wire::attribute::attributes(packet).find(|it| it.number == number).map(|it| it.value)
}

#[test]
fn a_draining_server_keeps_the_conversations_that_it_holds_and_gets_no_others() {
    let mut world = World::new();
    let sent = ask(&mut world, 1, 1, None).unwrap();
    assert_eq!(sent.path.peer, address(HOME_1));
    challenge(&mut world, &sent, b"held by the first");
    world.reload(|plan| plan.services = HashMap::from([(HOME_1, HomeService::Draining)]));
    world.pass(Duration::from_secs(1));
    assert_eq!(ask(&mut world, 2, 1, None).unwrap().path.peer, address(HOME_2));
    assert_eq!(ask(&mut world, 1, 2, Some(b"held by the first")).unwrap().path.peer, address(HOME_1));
    world.reload(|plan| plan.services = HashMap::from([(HOME_1, HomeService::Down)]));
    assert_eq!(ask(&mut world, 1, 3, Some(b"held by the first")).unwrap().path.peer, address(HOME_2), "down is down");
}

#[test]
fn when_the_server_that_holds_it_is_dead_a_conversation_goes_where_it_can() {
    let mut world = World::with(Plan { answer_within: Duration::from_secs(3), ..Plan::default() }, Default::default());
    let sent = ask(&mut world, 1, 1, None).unwrap();
    challenge(&mut world, &sent, b"held by the first");
    world.pass(Duration::from_millis(100));
    for round in 2..=5 {
        let sent = ask(&mut world, 1, round, Some(b"held by the first")).unwrap();
        assert_eq!(sent.path.peer, address(HOME_1), "a zombie may still answer; nobody else can");
        assert_eq!(world.pass(Duration::from_secs(5)), [], "and none is asked");
    }
    world.pass(Duration::from_secs(5));
    assert_eq!(health(&world, 0), Health::Dead);
    assert_eq!(ask(&mut world, 1, 6, Some(b"held by the first")).unwrap().path.peer, address(HOME_2));
}

#[test]
fn another_customers_device_with_the_same_state_is_not_led_there() {
    let mut world = World::with(Plan { kind: PoolKind::FailOver, ..Plan::default() }, Default::default());
    let sticky = world.settings.sticky.clone();
    let held = Conversation { home: HomeId(1), rounds: 1 };
    sticky.insert(world.now, sticky.key(1, b"the same"), held);
    assert_eq!(ask(&mut world, 1, 1, Some(b"the same")).unwrap().path.peer, address(HOME_1));
    sticky.insert(world.now, sticky.key(0, b"the same"), held);
    assert_eq!(ask(&mut world, 1, 2, Some(b"the same")).unwrap().path.peer, address(HOME_2));
}

#[test]
fn a_server_that_a_reload_took_out_of_the_pool_is_not_asked_for_old_conversations() {
    let mut world = World::new();
    let sent = ask(&mut world, 1, 1, None).unwrap();
    challenge(&mut world, &sent, b"held by the first");
    world.reload(|plan| plan.auth = vec![HOME_2]);
    assert_eq!(ask(&mut world, 1, 2, Some(b"held by the first")).unwrap().path.peer, address(HOME_2));
}

#[test]
fn the_challenges_of_a_conversation_are_counted() {
    let mut world = World::with(Plan { auth: vec![HOME_1], ..Plan::default() }, Default::default());
    let mut state: Option<Vec<u8>> = None;
    for round in 1..=20u8 {
        let sent = ask(&mut world, 1, u32::from(round), state.as_deref()).unwrap();
        let next = format!("state {round}").into_bytes();
        challenge(&mut world, &sent, &next);
        let sticky = &world.settings.sticky;
        let found = sticky.find(world.now, sticky.key(0, &next));
        assert_eq!(found, Some(Conversation { home: HomeId(0), rounds: round }));
        state = Some(next);
    }
}

#[test]
fn a_device_that_begins_again_meets_the_same_server_of_a_load_balanced_pool() {
    let plan = Plan { kind: PoolKind::LoadBalance, ..Plan::default() };
    let mut world = World::with(plan, Default::default());
    let mut at_first = 0;
    for device in 0..100 {
        let home = ask(&mut world, device, 1, None).unwrap().path.peer;
        for round in 2..5 {
            // Also with a State that nobody remembers: this node has been restarted, say.
            let state = (round == 4).then_some(&b"forgotten"[..]);
            assert_eq!(ask(&mut world, device, round, state).unwrap().path.peer, home);
        }
        at_first += usize::from(home == address(HOME_1));
    }
    assert!((30..=70).contains(&at_first), "{at_first} of 100 at the first");
}
