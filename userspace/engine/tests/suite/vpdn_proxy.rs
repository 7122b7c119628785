//! `verify = "proxy"`: the customer's home server lets the subscriber in, tunnels join its Accept, and what it has no business to say
//! to the operator's equipment stays out (CONFORMANCE §5a).

use std::{collections::BTreeSet, time::Duration};

use crate::common::{vpdn::*, *};
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_lns::balance::Strategy;
use sekisho_wire::{
    attr,
    attribute::attributes,
    build::{salted_field, vendor_value},
    code::Code,
    policy::{Policy, Rule},
    salted::decrypt,
    select::AttributeId,
};

fn plan() -> Plan {
    let mut plan = vpdn_plan(Strategy::RoundRobin, three());
    plan.reshape(|snapshot| {
        let allowed = [attr::CLASS, attr::SESSION_TIMEOUT, attr::FRAMED_IP_ADDRESS].map(AttributeId::Plain);
        vpdn(snapshot).verify = Verify::Proxy {
            pools: vec![PoolId(0)],
            allowed: Policy::new(vec![Rule::Allow(allowed.to_vec())]),
            framed_networks: vec![("10.1.0.0".parse().unwrap(), 16)],
        };
    });
    plan
}

fn world() -> World {
    World::with(plan(), Limits::default())
}

/// A login on its way to the home server.
fn forwarded(world: &mut World, request: &[u8]) -> Sent {
    let sent = world.dial(request).unwrap();
    assert_eq!(sent.path.peer, address(HOME_1));
    let at_home = verified_at_home(&sent, 0);
    assert!(at_home.iter().any(|(number, value)| *number == attr::USER_NAME && value == b"x@a.example"));
    sent
}

fn login(n: u32) -> Vec<u8> {
    dial(n, "x@a.example").user_password(b"opensesame", &nas_secret()).build(&nas_secret()).unwrap()
}

fn sub(vendor: u32, kind: u8, value: &[u8]) -> Vec<u8> {
    vendor_value(vendor, kind, value)
}

#[test]
fn tunnels_join_the_accept_and_no_salt_is_used_twice() {
    let mut world = world();
    let request = login(1);
    let sent = forwarded(&mut world, &request);
    let asked: [u8; 16] = sent.bytes[4..20].try_into().unwrap();
    let key = |salt| salted_field(&[7; 32], salt, &home_secret(0), &asked).unwrap();
    let keys = [sub(311, 16, &key(0x8001)), sub(311, 17, &key(0x8002))];
    let reply = home_reply(
        &sent,
        0,
        Code::ACCESS_ACCEPT,
        &[(26, &keys[0]), (26, &keys[1]), (attr::CLASS, b"gold"), (attr::FRAMED_IP_ADDRESS, &[10, 1, 2, 3])],
    );
    let accept = world.answer(&sent, &reply).1.unwrap();
    let sets = tunnels(&accept, &request);
    assert_eq!(sets.len(), 3);
    let attrs = verified_at_nas(&accept, &request);
    assert!(attrs.contains(&(attr::CLASS, b"gold".to_vec())));
    let authenticator = request[4..20].try_into().unwrap();
    let mut salts: BTreeSet<u16> = sets.iter().map(|set| set.salt).collect();
    for (_, value) in attrs.iter().filter(|(number, value)| *number == 26 && value[..4] == [0, 0, 1, 55]) {
        let mut field = value[6..].to_vec();
        salts.insert(u16::from_be_bytes([field[0], field[1]]));
        assert_eq!(decrypt(&mut field, &nas_secret(), &authenticator).unwrap(), [7; 32]);
    }
    assert_eq!(salts.len(), 5);
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).pending(), 1);
}

#[test]
fn a_hostile_home_server_says_nothing_to_the_operators_equipment_that_it_must_not() {
    let mut world = world();
    let request = login(1);
    let sent = forwarded(&mut world, &request);
    let hostile: Vec<(u8, Vec<u8>)> = vec![
        (26, sub(9, 1, b"vpdn:ip-addresses=192.0.2.66")),
        (26, sub(9, 1, b"ip:route=0.0.0.0 0.0.0.0")),
        (26, sub(9, 1, b"lcp:interface-config=no ip access-group")),
        (26, sub(10415, 5, b"qos")),
        (attr::TUNNEL_TYPE, vec![1, 0, 0, 3]),
        (attr::TUNNEL_SERVER_ENDPOINT, b"\x01192.0.2.66".to_vec()),
        (attr::TUNNEL_PREFERENCE, vec![1, 0, 0, 0]),
        (attr::FRAMED_ROUTE, b"0.0.0.0/0".to_vec()),
        (attr::FRAMED_POOL, b"all".to_vec()),
        (attr::FILTER_ID, b"open".to_vec()),
    ];
    let attrs: Vec<(u8, &[u8])> = hostile.iter().map(|(number, value)| (*number, &value[..])).collect();
    let accept = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &attrs)).1.unwrap();
    assert_eq!(tunnels(&accept, &request).len(), 3, "ours, and no other");
    let numbers: BTreeSet<u8> = attributes(&accept.bytes).map(|it| it.number).collect();
    for number in [26, attr::FRAMED_ROUTE, attr::FRAMED_POOL, attr::FILTER_ID] {
        assert!(!numbers.contains(&number), "{number}");
    }
    assert!(!accept.bytes.windows(10).any(|it| it == b"192.0.2.66"));
}

#[test]
fn an_address_that_is_not_the_contracts_becomes_a_reject() {
    let mut world = world();
    let request = login(1);
    let sent = forwarded(&mut world, &request);
    let reply = home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[(attr::FRAMED_IP_ADDRESS, &[10, 2, 0, 1])]);
    assert_eq!(world.answer(&sent, &reply), (Action::Hold, None));
    let back = world.pass(Duration::from_millis(550)).remove(0).1;
    assert_eq!(back.bytes[0], Code::ACCESS_REJECT.0);
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).pending(), 0);
}

#[test]
fn a_reject_of_the_home_server_goes_on_as_it_is_and_at_once() {
    let mut world = world();
    let request = login(1);
    let sent = forwarded(&mut world, &request);
    let reply = home_reply(&sent, 0, Code::ACCESS_REJECT, &[(attr::REPLY_MESSAGE, b"no")]);
    let back = world.answer(&sent, &reply).1.unwrap();
    assert_eq!(back.bytes[0], Code::ACCESS_REJECT.0);
    assert!(verified_at_nas(&back, &request).contains(&(attr::REPLY_MESSAGE, b"no".to_vec())));
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).pending(), 0);
}

#[test]
fn where_every_lns_is_full_an_accept_becomes_a_reject_with_the_contracts_words() {
    let mut plan = plan();
    plan.reshape(|snapshot| {
        let contract = vpdn(snapshot);
        (contract.balance.max_sessions, contract.full_message) = (1, Some("busy".into()));
    });
    let mut world = World::with(plan, Limits::default());
    for (n, code) in [(1, Code::ACCESS_ACCEPT), (2, Code::ACCESS_REJECT)] {
        let request = login(n);
        let sent = forwarded(&mut world, &request);
        let outcome = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
        let back = outcome.1.unwrap_or_else(|| world.pass(Duration::from_millis(550)).remove(0).1);
        assert_eq!(back.bytes[0], code.0, "{n}");
        let told = verified_at_nas(&back, &request).contains(&(attr::REPLY_MESSAGE, b"busy".to_vec()));
        assert_eq!(told, n == 2);
    }
}

#[test]
fn where_no_server_can_be_asked_a_login_gets_a_reject_and_never_silence() {
    let mut down = plan();
    down.services.insert(HOME_1, HomeService::Down);
    down.services.insert(HOME_2, HomeService::Down);
    let mut world = World::with(down, Limits::default());
    assert_eq!(world.dial(&login(1)), None);
    assert_eq!(world.pass(Duration::from_millis(550)).remove(0).1.bytes[0], Code::ACCESS_REJECT.0);
    // And one that nobody answers, before the network's patience ends.
    let mut world = World::with(plan(), Limits::default());
    forwarded(&mut world, &login(1));
    let back: Vec<_> = world.pass(Duration::from_secs(11)).into_iter().filter(|(_, sent)| sent.to_client()).collect();
    assert_eq!((back.len(), back[0].1.bytes[0]), (1, Code::ACCESS_REJECT.0));
}

#[test]
fn its_accounting_is_recorded_and_acknowledged_then_and_the_home_server_is_told() {
    let mut world = world();
    let start = report(1, 1, "x@a.example").build(&nas_secret()).unwrap();
    assert_eq!(world.account(&start), (Action::Hold, None));
    let sent = world.pass(Duration::from_millis(10)).remove(0).1;
    assert_eq!(sent.path.peer, address(ACCT_1));
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).active(), 1);
    let back = world.keep_records(true).remove(0);
    assert_eq!((back.path.socket, back.bytes[0]), (Socket::Service(ACCT), Code::ACCOUNTING_RESPONSE.0));
    let answer = world.answer(&sent, &home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[]));
    assert_eq!(answer, (Action::Hold, None), "the network has its answer");
    // Of a home server that is silent the network notices nothing.
    let stop = report(1, 2, "x@a.example").build(&nas_secret()).unwrap();
    world.account(&stop);
    assert_eq!(world.keep_records(true).len(), 1);
    assert!(world.pass(Duration::from_secs(30)).iter().all(|(_, sent)| !sent.to_client()));
    assert_eq!(world.engine.in_flight(), 0);
    // Nor is it counted as one that has no answer, but as a record that the home server lacks.
    assert_eq!((world.stats.expired.read(), world.stats.untold.read(), world.stats.recorded.read()), (0, 1, 2));
}

#[test]
fn where_its_servers_take_no_accounting_it_is_recorded_and_that_is_all() {
    let mut plan = plan();
    plan.reshape(|snapshot| {
        let Verify::Proxy { pools, .. } = &mut vpdn(snapshot).verify else { panic!() };
        pools.clear();
    });
    let mut world = World::with(plan, Limits::default());
    world.account(&report(1, 1, "x@a.example").build(&nas_secret()).unwrap());
    assert_eq!(world.keep_records(true).len(), 1);
}

#[test]
fn an_answer_that_is_too_long_for_the_network_becomes_a_reject_and_never_silence() {
    let mut world = world();
    let request = login(1);
    let sent = forwarded(&mut world, &request);
    let long = [b'x'; 253];
    let mut attrs: Vec<(u8, &[u8])> = vec![(attr::EAP_MESSAGE, &long); 15];
    attrs.push((attr::EAP_MESSAGE, &long[..200]));
    let reply = home_reply(&sent, 0, Code::ACCESS_ACCEPT, &attrs);
    assert!(reply.len() > 3_800, "{}", reply.len());
    let outcome = world.answer(&sent, &reply);
    let back = outcome.1.unwrap_or_else(|| world.pass(Duration::from_millis(550)).remove(0).1);
    assert_eq!(verified_at_nas(&back, &request).len(), 2);
    assert_eq!((back.bytes[0], world.stats.withheld.unusable.read()), (Code::ACCESS_REJECT.0, 1));
    assert_eq!(world.plan.loads.contract(ContractId(CONTRACT)).pending(), 0);
}

#[test]
fn a_nas_that_restarts_is_told_to_home_servers_with_sessions_and_acknowledged_when_it_is_recorded() {
    let on = |id| {
        let request = sekisho_wire::build::RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
            .attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, 7])
            .attribute(attr::ACCT_SESSION_ID, format!("on-{id}"))
            .attribute(attr::NAS_IDENTIFIER, "pgw-1");
        request.build(&nas_secret()).unwrap()
    };
    // Nobody's sessions: it is recorded, and that is all.
    let mut world = world();
    world.account(&on(1));
    assert_eq!(world.keep_records(true).len(), 1);
    // Recorded, and acknowledged then: a home server that is silent keeps nobody waiting.
    for home_first in [false, true] {
        let id = 2 + u8::from(home_first);
        world.account(&report(9, 1, "x@a.example").build(&nas_secret()).unwrap());
        world.keep_records(true);
        let request = on(id);
        assert_eq!(world.account(&request), (Action::Hold, None));
        let sent = world.pass(Duration::from_millis(50)).remove(0).1;
        assert_eq!(sent.path.peer, address(ACCT_1));
        let reply = home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[]);
        if home_first {
            assert_eq!(world.answer(&sent, &reply), (Action::Hold, None), "it is not recorded");
        }
        let back = world.keep_records(true).remove(0);
        verified_at_nas(&back, &request);
        assert_eq!(back.bytes[0], Code::ACCOUNTING_RESPONSE.0);
        assert_eq!(world.account(&request).1, Some(back.clone()), "and its repetition gets the same");
        if !home_first {
            assert_eq!(world.answer(&sent, &reply), (Action::Hold, None), "the NAS has its answer");
        }
        assert_eq!(world.account(&request).1, Some(back));
        assert!(world.engine.is_consistent());
    }
    // A home server that never answers.
    world.account(&report(9, 1, "x@a.example").build(&nas_secret()).unwrap());
    world.keep_records(true);
    world.account(&on(6));
    assert_eq!(world.keep_records(true).len(), 1);
    assert!(world.pass(Duration::from_secs(30)).iter().all(|(_, sent)| !sent.to_client()));
    // What cannot be recorded is not acknowledged, whatever the home server says.
    world.account(&report(9, 1, "x@a.example").build(&nas_secret()).unwrap());
    world.keep_records(true);
    world.account(&on(7));
    let sent = world.pass(Duration::from_millis(50)).remove(0).1;
    assert_eq!(world.keep_records(false), []);
    assert_eq!(world.answer(&sent, &home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[])).1, None);
    assert!(world.engine.is_consistent());
}
