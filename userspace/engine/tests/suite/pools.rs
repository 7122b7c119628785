//! Which server of a pool gets a request: by order, by load, by key; over tiers, and as servers come and go.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    health::Health,
    packet::{Action, Socket},
    snapshot::{HomeService, PoolKind},
};
use sekisho_wire::{
    attr,
    attribute::attributes,
    build::RequestBuilder,
    code::Code,
    policy::{Policy, Rule},
    select::AttributeId,
};

const HOME_3: &str = "198.51.100.3:1812";
const HOME_4: &str = "198.51.100.4:1812";
const BY_NUMBER: PoolKind = PoolKind::KeyedBalance(AttributeId::Plain(attr::CALLING_STATION_ID));

fn world(auth: &[&'static str], change: impl FnOnce(&mut Plan)) -> World {
    let mut plan = Plan { auth: auth.to_vec(), acct: Vec::new(), ..Plan::default() };
    change(&mut plan);
    World::with(plan, Default::default())
}

fn health(world: &World, at: &str) -> Health {
    let index = world.plan.auth.iter().position(|home| *home == at).unwrap();
    world.snapshot.homes[index].as_ref().unwrap().state.health()
}

/// A login with these further attributes.
fn login(n: u32, attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let mut authenticator = [7; 16];
    authenticator[..4].copy_from_slice(&n.to_be_bytes());
    let mut builder = RequestBuilder::new(Code::ACCESS_REQUEST, n as u8, authenticator);
    builder = builder.attribute(attr::USER_NAME, format!("user-{n}@a.example"));
    for (number, value) in attributes {
        builder = builder.attribute(*number, value);
    }
    builder.message_authenticator().build(&nas_secret()).unwrap()
}

/// The NAS's port for the n-th login, so that no two have the same identifier.
fn port(n: u32) -> SocketAddr {
    address(&format!("192.0.2.10:{}", 10_000 + n / 256))
}

/// Sends the n-th login; which server got it.
fn ask(world: &mut World, n: u32, attributes: &[(u8, &[u8])]) -> Option<Sent> {
    world.receive(Socket::Service(AUTH), port(n), &login(n, attributes)).1
}

/// Sends the n-th login and lets its server answer; which that was.
fn serve(world: &mut World, n: u32, attributes: &[(u8, &[u8])]) -> SocketAddr {
    let sent = ask(world, n, attributes).expect("forwarded");
    let index = world.plan.auth.iter().position(|home| address(home) == sent.path.peer).unwrap();
    world.answer(&sent, &home_reply(&sent, index, Code::ACCESS_ACCEPT, &[])).1.expect("answered");
    world.now = world.now + Duration::from_millis(2);
    sent.path.peer
}

fn number(n: u32) -> String {
    format!("8190{n:08}")
}

/// Serves one login of each of these subscribers.
fn serve_numbers(world: &mut World, round: u32, count: u32) -> Vec<SocketAddr> {
    let first = round * count;
    (0..count).map(|n| serve(world, first + n, &[(attr::CALLING_STATION_ID, number(n).as_bytes())])).collect()
}

fn shares(homes: &[SocketAddr]) -> BTreeMap<SocketAddr, usize> {
    homes.iter().fold(BTreeMap::new(), |mut shares, home| {
        *shares.entry(*home).or_default() += 1;
        shares
    })
}

#[test]
fn a_keyed_pool_moves_only_the_keys_of_a_server_that_dies_and_gives_them_back() {
    let mut world = world(&[HOME_1, HOME_2, HOME_3], |plan| plan.kind = BY_NUMBER);
    let before = serve_numbers(&mut world, 0, 300);
    assert!(serve_numbers(&mut world, 1, 300) == before, "a key keeps its server");
    assert!(shares(&before).values().all(|share| (70..130).contains(share)), "{:?}", shares(&before));

    let dying = address(HOME_2);
    let of_the_dying = before.iter().position(|home| *home == dying).unwrap() as u32;
    ask(&mut world, 5_000, &[(attr::CALLING_STATION_ID, number(of_the_dying).as_bytes())]).unwrap();
    let moved = world.pass(Duration::from_millis(3_200)).remove(0).1;
    let index = world.plan.auth.iter().position(|home| address(home) == moved.path.peer).unwrap();
    world.answer(&moved, &home_reply(&moved, index, Code::ACCESS_ACCEPT, &[])).1.unwrap();
    assert_eq!(health(&world, HOME_2), Health::Zombie);
    let meanwhile = serve_numbers(&mut world, 2, 300);
    for (before, meanwhile) in before.iter().zip(&meanwhile) {
        assert!(*meanwhile != dying && (before == meanwhile || *before == dying));
    }
    let moved: Vec<_> = before.iter().zip(&meanwhile).filter(|(b, _)| **b == dying).map(|(_, m)| *m).collect();
    assert!(shares(&moved).values().all(|share| *share > moved.len() / 3), "to both others: {:?}", shares(&moved));
    world.pass(Duration::from_secs(20));
    assert_eq!(health(&world, HOME_2), Health::Dead);
    assert!(serve_numbers(&mut world, 3, 300) == meanwhile, "dead as it was when a zombie");

    world.pass(Duration::from_secs(61));
    assert_eq!(health(&world, HOME_2), Health::Alive);
    assert!(serve_numbers(&mut world, 4, 300) == before, "and back");
}

#[test]
fn a_number_chooses_alike_however_it_is_written() {
    let mut world = world(&[HOME_1, HOME_2, HOME_3, HOME_4], |plan| plan.kind = BY_NUMBER);
    let mut n = 0;
    for subscriber in 0..40u32 {
        let rest = format!("90{:08}", subscriber * 7_919);
        let written = ["81", "+81", "0", "0081", "+81 ", "+81-"].map(|prefix| format!("{prefix}{rest}"));
        let homes: Vec<_> = written
            .iter()
            .map(|written| {
                n += 1;
                serve(&mut world, n, &[(attr::CALLING_STATION_ID, written.as_bytes())])
            })
            .collect();
        assert!(homes.iter().all(|home| *home == homes[0]), "{written:?}: {homes:?}");
    }
}

#[test]
fn a_keyed_pool_shares_keys_by_weight() {
    let mut world = world(&[HOME_1, HOME_2, HOME_3], |plan| {
        plan.kind = PoolKind::KeyedBalance(AttributeId::Plain(attr::USER_NAME));
        plan.weights = HashMap::from([(HOME_1, 5), (HOME_2, 3), (HOME_3, 2)]);
    });
    let homes: Vec<_> = (0..4_000).map(|n| serve(&mut world, n, &[])).collect();
    let shares = shares(&homes);
    for (home, expected) in [(HOME_1, 2_000), (HOME_2, 1_200), (HOME_3, 800)] {
        assert!(shares[&address(home)].abs_diff(expected) < 120, "{shares:?}");
    }
}

#[test]
fn every_node_and_every_release_chooses_alike_whatever_the_order_of_the_servers() {
    let mut chosen = [[HOME_1, HOME_2, HOME_3], [HOME_3, HOME_1, HOME_2]].map(|order| {
        let mut world = world(&order, |plan| plan.kind = BY_NUMBER);
        serve_numbers(&mut world, 0, 12).into_iter().map(|home| home.ip().to_string()).collect::<Vec<_>>()
    });
    assert_eq!(chosen[0], chosen[1]);
    let last_octets: String = chosen[0].iter_mut().filter_map(|home| home.pop()).collect();
    assert_eq!(last_octets, "231232332122");
}

#[test]
fn without_the_attribute_a_keyed_pool_goes_by_the_clients_address() {
    let peers: Vec<&'static str> = (1..=60).map(|i| &*format!("192.0.2.{i}:4000").leak()).collect();
    let mut world = world(&[HOME_1, HOME_2], |plan| {
        plan.kind = BY_NUMBER;
        plan.clients = peers.iter().map(|peer| Some((*peer, 0, b"the secret of the NAS".to_vec()))).collect();
    });
    let mut homes = Vec::new();
    for peer in peers {
        let mut of_this = (0..5u32).map(|n| {
            // An empty value is none either.
            let attributes: &[(u8, &[u8])] = if n % 2 == 0 { &[] } else { &[(attr::CALLING_STATION_ID, b"")] };
            world.receive(Socket::Service(AUTH), address(peer), &login(n, attributes)).1.unwrap().path.peer
        });
        let home = of_this.next().unwrap();
        assert!(of_this.all(|other| other == home));
        homes.push(home);
    }
    assert!(shares(&homes).values().all(|share| (15..=45).contains(share)), "{:?}", shares(&homes));
}

#[test]
fn a_policy_that_takes_the_key_out_does_not_take_it_from_the_choice() {
    let mut plain = world(&[HOME_1, HOME_2, HOME_3, HOME_4], |plan| plan.kind = BY_NUMBER);
    let mut private = world(&[HOME_1, HOME_2, HOME_3, HOME_4], |plan| {
        plan.kind = BY_NUMBER;
        plan.reshape(|snapshot| {
            let key = Rule::Remove(AttributeId::Plain(attr::CALLING_STATION_ID), None);
            client(snapshot, 0).request_policies = vec![Arc::new(Policy::new(vec![key]))];
        });
    });
    let sent = ask(&mut private, 1_000, &[(attr::CALLING_STATION_ID, number(1_000).as_bytes())]).unwrap();
    assert!(attributes(&sent.bytes).all(|it| it.number != attr::CALLING_STATION_ID));
    let chosen = serve_numbers(&mut private, 0, 200);
    assert_eq!(shares(&chosen).len(), 4);
    assert_eq!(chosen, serve_numbers(&mut plain, 0, 200));
}

#[test]
fn a_tier_below_spreads_the_keys_of_one_server_above_over_all_its_servers() {
    let mut world = world(&[HOME_1, HOME_2, HOME_3, HOME_4], |plan| {
        plan.kind = BY_NUMBER;
        plan.lower_tiers = vec![(BY_NUMBER, vec![HOME_3, HOME_4])];
    });
    let above = serve_numbers(&mut world, 0, 400);
    assert!(
        above.iter().all(|home| [HOME_1, HOME_2].map(address).contains(home)),
        "the first tier serves while it can"
    );
    world.reload(|plan| plan.services = HashMap::from([(HOME_1, HomeService::Down), (HOME_2, HomeService::Down)]));
    let below = serve_numbers(&mut world, 1, 400);
    for home in [HOME_1, HOME_2].map(address) {
        let of_one: Vec<_> = above.iter().zip(&below).filter(|(a, _)| **a == home).map(|(_, b)| *b).collect();
        let fair = of_one.len() / 2;
        assert!(shares(&of_one).values().all(|share| share.abs_diff(fair) < 40), "{:?}", shares(&of_one));
    }
}

#[test]
fn an_alive_server_below_comes_before_a_zombie_above_and_that_before_a_dead_one() {
    let mut world =
        world(&[HOME_1, HOME_2, HOME_3], |plan| plan.lower_tiers = vec![(PoolKind::FailOver, vec![HOME_3])]);
    // The first two fall silent, one after the other.
    ask(&mut world, 0, &[]).unwrap();
    let moved = world.pass(Duration::from_millis(6_500));
    let asked: Vec<_> = moved.iter().map(|(_, sent)| sent.path.peer).collect();
    assert_eq!(asked, [HOME_2, HOME_3].map(address), "the tier below is asked when the one above is silent");
    assert_eq!((health(&world, HOME_1), health(&world, HOME_2)), (Health::Zombie, Health::Zombie));
    assert_eq!(serve(&mut world, 1, &[]), address(HOME_3));
    // The third one too.
    ask(&mut world, 2, &[]).unwrap();
    world.pass(Duration::from_millis(3_200));
    assert_eq!(health(&world, HOME_3), Health::Zombie);
    assert_eq!(serve(&mut world, 3, &[]), address(HOME_1), "all are zombies: in their order; and this one answers");
    world.pass(Duration::from_millis(200));
    assert_eq!(health(&world, HOME_1), Health::Alive);
    assert_eq!(serve(&mut world, 4, &[]), address(HOME_1));
    world.pass(Duration::from_secs(25));
    assert_eq!((health(&world, HOME_2), health(&world, HOME_3)), (Health::Dead, Health::Dead));
    ask(&mut world, 5, &[]).unwrap();
    world.pass(Duration::from_secs(4));
    assert_eq!(ask(&mut world, 6, &[]).unwrap().path.peer, address(HOME_1), "a zombie before a dead one");
}

#[test]
fn the_server_with_the_fewest_requests_outstanding_by_weight_gets_the_next_over_all_workers() {
    let mut first = world(&[HOME_1, HOME_2], |plan| {
        plan.kind = PoolKind::LoadBalance;
        plan.workers = 2;
        plan.weights = HashMap::from([(HOME_1, 1), (HOME_2, 3)]);
    });
    let mut second = first.beside(1);
    let mut homes = Vec::new();
    for n in 0..400u32 {
        let world = if n % 3 == 0 { &mut first } else { &mut second };
        homes.push(ask(world, n, &[]).unwrap().path.peer);
    }
    assert_eq!(shares(&homes), BTreeMap::from([(address(HOME_1), 100), (address(HOME_2), 300)]));
    let outstanding = |index: usize| first.snapshot.homes[index].as_ref().unwrap().stats.sum(|it| &it.outstanding);
    assert_eq!((outstanding(0), outstanding(1)), (100, 300));
}

#[test]
fn with_nothing_outstanding_a_load_balanced_pool_shares_by_weight() {
    let mut world = world(&[HOME_1, HOME_2], |plan| {
        plan.kind = PoolKind::LoadBalance;
        plan.weights = HashMap::from([(HOME_1, 1), (HOME_2, 3)]);
    });
    let homes: Vec<_> = (0..2_000).map(|n| serve(&mut world, n, &[])).collect();
    assert!(shares(&homes)[&address(HOME_1)].abs_diff(500) < 60, "{:?}", shares(&homes));
}

#[test]
fn a_server_that_is_down_or_draining_gets_nothing_new_even_where_no_other_is_left() {
    for service in [HomeService::Down, HomeService::Draining] {
        for kind in [PoolKind::FailOver, PoolKind::LoadBalance, PoolKind::ClientBalance, BY_NUMBER] {
            let mut world = world(&[HOME_1, HOME_2], |plan| plan.kind = kind);
            world.reload(|plan| plan.services = HashMap::from([(HOME_1, service)]));
            assert!((0..20).all(|n| serve(&mut world, n, &[]) == address(HOME_2)), "{kind:?}");
            world.reload(|plan| plan.services = HashMap::from([(HOME_1, service), (HOME_2, service)]));
            let outcome = world.receive(Socket::Service(AUTH), port(100), &login(100, &[]));
            assert_eq!(outcome, (Action::Drop(Reason::NoServer), None));
            world.reload(|plan| plan.services.clear());
            world.pass(Duration::from_millis(10));
            serve(&mut world, 101, &[]);
        }
    }
}

#[test]
fn an_answer_from_a_server_taken_down_while_it_worked_still_counts() {
    let mut world = world(&[HOME_1, HOME_2], |_| ());
    let request = login(1, &[]);
    let sent = world.ask(&request).unwrap();
    world.reload(|plan| plan.services = HashMap::from([(HOME_1, HomeService::Down)]));
    world.pass(Duration::from_secs(1));
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.unwrap(), &request);
}
