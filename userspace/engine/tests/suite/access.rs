//! What an access network gets: a Reject for every login, whatever stands against it, and never silence (SERVICE verdicts).

use std::{net::SocketAddr, time::Duration};

use crate::common::*;
use sekisho_abi::{BucketParams, Limits as Rates, Reason, shed};
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

/// A gateway with an address of its own, and one of many in a prefix.
const PGW: &str = "203.0.113.5:3000";
const LAC: &str = "100.64.7.9:3000";
/// Another network's.
const OTHER: &str = "203.0.113.6:3000";
const NETWORK: u32 = 2;
const NOT_ROUTABLE: u32 = 502;
const NO_RESOURCES: u32 = 506;

fn network(rates: Rates, realm_limit: BucketParams) -> Plan {
    Plan::shaped(move |snapshot| {
        access_network(snapshot, NETWORK, [PGW, LAC], rates);
        client(snapshot, NETWORK as usize).realm_limit = realm_limit;
        let realms = [("a.example", 0), ("b.example", 1)];
        snapshot.access_realms.suffixes = realms.map(|(name, id)| (name.as_bytes().into(), RealmId(id))).into();
    })
}

fn world(realm_limit: BucketParams) -> World {
    World::with(network(Rates::NONE, realm_limit), Limits::default())
}

fn login(n: u32, user: &str) -> Vec<u8> {
    let mut authenticator = [0; 16];
    authenticator[..4].copy_from_slice(&n.to_be_bytes());
    RequestBuilder::new(Code::ACCESS_REQUEST, n as u8, authenticator)
        .attribute(attr::USER_NAME, user)
        .attribute(attr::CALLING_STATION_ID, format!("8190{n:08}"))
        .message_authenticator()
        .build(&nas_secret())
        .unwrap()
}

fn ask(world: &mut World, from: &str, request: &[u8]) -> (Action, Option<Sent>) {
    world.receive(Socket::Service(AUTH), address(from), request)
}

/// The Error-Cause of a Reject to this request.
fn cause(reply: &Sent, request: &[u8]) -> u32 {
    assert_eq!(reply.bytes[0], Code::ACCESS_REJECT.0);
    let attrs = verified_at_nas(reply, request);
    let (_, value) = attrs.iter().find(|(number, _)| *number == attr::ERROR_CAUSE).unwrap();
    u32::from_be_bytes(value[..].try_into().unwrap())
}

#[test]
fn every_login_gets_a_reject_after_the_delay_whatever_realm_it_is_for() {
    let mut world = world(BucketParams::NONE);
    let users = ["x@a.example", "x@b.example", "x@nowhere.example", "x", ""];
    for (n, (user, from)) in (0..).zip(users.iter().flat_map(|user| [(user, PGW), (user, LAC)])) {
        let request = login(n, user);
        assert_eq!(ask(&mut world, from, &request), (Action::Hold, None), "{user}");
        assert!(world.pass(Duration::from_millis(490)).is_empty());
        let back = world.pass(Duration::from_millis(50));
        assert_eq!((back.len(), back[0].1.path.peer), (1, address(from)));
        assert_eq!(cause(&back[0].1, &request), NOT_ROUTABLE);
        assert_eq!(ask(&mut world, from, &request).1, Some(back[0].1.clone()), "and its repetition the same");
    }
    // Customer a's proxy is for customer a's terminals.
    assert_eq!(world.stats.forwarded.read(), 0);
    assert_eq!(world.stats.replies.reject.read(), 10);
}

#[test]
fn its_accounting_of_no_contract_gets_silence_where_its_operator_wants_that() {
    let mut plan = network(Rates::NONE, BucketParams::NONE);
    plan.reshape(|snapshot| {
        client(snapshot, NETWORK as usize).access.as_mut().unwrap().records_unclaimed = false;
    });
    let mut world = World::with(plan, Limits::default());
    for (user, status) in [("x@a.example", 1), ("x@nowhere.example", 2)] {
        let (action, _) = world.receive(Socket::Service(ACCT), address(PGW), &accounting(1, user, status));
        assert_eq!(action, Action::Drop(Reason::Unrouted));
    }
}

#[test]
fn a_realm_with_too_many_logins_gets_rejects_and_the_other_realms_do_not() {
    let mut world = world(BucketParams::per_second(10, 3));
    let mut n = 0;
    let mut causes = |world: &mut World, count: u32, user: &str| -> Vec<u32> {
        let requests: Vec<_> = (n..n + count).map(|n| login(n, user)).collect();
        n += count;
        for request in &requests {
            assert_eq!(ask(world, PGW, request), (Action::Hold, None), "delayed like any other");
        }
        let back = world.pass(Duration::from_millis(550));
        assert_eq!(back.len(), requests.len(), "none is met with silence");
        requests
            .iter()
            .map(|it| back.iter().find(|(_, sent)| sent.bytes[1] == it[1]).map(|(_, sent)| cause(sent, it)).unwrap())
            .collect()
    };
    let (fine, over) = (NOT_ROUTABLE, NO_RESOURCES);
    assert_eq!(causes(&mut world, 5, "x@a.example"), [fine, fine, fine, over, over]);
    assert_eq!(world.stats.rejected_limited.read(), 2);
    assert_eq!(causes(&mut world, 3, "x@B.example."), [fine, fine, fine]);
    // Invented realms have one bucket together, so that they are no way around it, and take no room.
    let invented: Vec<u32> = (0..5).flat_map(|n| causes(&mut world, 1, &format!("x@{n}.invented.example"))).collect();
    assert_eq!(invented, [fine; 5], "one every half second");
    assert_eq!(causes(&mut world, 4, "x@another.invented.example")[3], over);
    assert_eq!(causes(&mut world, 3, "x@a.example"), [fine, fine, fine], "its rate has come again");
    assert!(Reason::ALL.iter().all(|reason| world.dropped(*reason) == 0));
}

#[test]
fn each_access_network_has_its_own_buckets_for_a_realm() {
    let mut plan = network(Rates::NONE, BucketParams::per_second(1, 1));
    plan.reshape(|snapshot| {
        access_network(snapshot, NETWORK + 1, [OTHER, "100.127.0.0:1"], Rates::NONE);
        client(snapshot, NETWORK as usize + 1).realm_limit = BucketParams::per_second(1, 1);
    });
    let mut world = World::with(plan, Limits::default());
    for (n, from) in (0..).zip([PGW, LAC, OTHER, OTHER]) {
        ask(&mut world, from, &login(n, "x@a.example"));
    }
    assert_eq!(world.stats.rejected_limited.read(), 2, "two addresses of one network share, two networks do not");
}

#[test]
fn the_limit_of_a_realm_is_kept_here_even_where_the_kernel_keeps_the_others() {
    let mut world = world(BucketParams::per_second(1, 1));
    world.settings.limiter.set_gated(u64::MAX);
    ask(&mut world, PGW, &login(1, "x@a.example"));
    ask(&mut world, PGW, &login(2, "x@a.example"));
    assert_eq!(world.stats.rejected_limited.read(), 1);
}

#[test]
fn where_there_is_no_room_a_login_gets_its_reject_at_once() {
    let limits = Limits { max_requests: 32, ..Limits::default() };
    let mut world = World::with(network(Rates::NONE, BucketParams::NONE), limits);
    for id in 0..31 {
        assert!(world.ask(&pap(id, "alice@a.example", 1)).is_some());
    }
    assert_eq!(
        world.receive(Socket::Service(AUTH), address(NAS), &pap(31, "alice@a.example", 1)).0,
        Action::Drop(Reason::Overload)
    );
    let request = login(1, "x@a.example");
    for _ in 0..2 {
        let (_, back) = ask(&mut world, PGW, &request);
        assert_eq!(cause(&back.unwrap(), &request), NO_RESOURCES);
    }
    // Not one place is left.
    world.receive(Socket::Service(ACCT), address(NAS), &accounting(1, "alice@a.example", 1));
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 9, [9; 16]).attribute(attr::STATE, "s");
    let request = request.message_authenticator().build(&nas_secret()).unwrap();
    let (_, back) = ask(&mut world, PGW, &request);
    assert_eq!(cause(&back.unwrap(), &request), NO_RESOURCES);
    assert_eq!((world.stats.rejected_full.read(), world.dropped(Reason::TableFull)), (3, 0));
    assert_eq!(world.stats.replies.reject.read(), 3);
}

#[test]
fn where_too_many_rejects_are_held_back_one_more_leaves_at_once() {
    let limits = Limits { max_delayed_rejects: 2, ..Limits::default() };
    let mut world = World::with(network(Rates::NONE, BucketParams::NONE), limits);
    let actions = [1, 2, 3].map(|n| ask(&mut world, PGW, &login(n, "x@a.example")));
    assert_eq!([&actions[0].0, &actions[1].0], [&Action::Hold; 2]);
    assert_eq!(cause(actions[2].1.as_ref().unwrap(), &login(3, "x@a.example")), NOT_ROUTABLE);
}

#[test]
fn what_does_not_verify_gets_silence_even_so() {
    let mut world = world(BucketParams::NONE);
    let mut forged = login(1, "x@a.example");
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(ask(&mut world, PGW, &forged).0, Action::Drop(Reason::MessageAuthenticatorBad));
    assert_eq!(ask(&mut world, "100.65.0.1:3000", &login(1, "x@a.example")).0, Action::Drop(Reason::Unregistered));
}

#[test]
fn all_its_addresses_draw_on_one_bucket() {
    let rates = Rates { client: BucketParams::per_second(1, 3), ..Rates::NONE };
    let mut world = World::with(network(rates, BucketParams::NONE), Limits::default());
    let from: [SocketAddr; 4] = [PGW, LAC, "100.64.0.1:9", PGW].map(address);
    let actions: Vec<_> = (0..)
        .zip(from)
        .map(|(n, from)| world.receive(Socket::Service(AUTH), from, &login(n, "x@a.example")).0)
        .collect();
    assert_eq!(actions, [Action::Hold, Action::Hold, Action::Hold, Action::Drop(Reason::ClientRate)]);
}

#[test]
fn its_logins_are_not_shed_and_its_keepalives_are_answered() {
    let mut world = world(BucketParams::NONE);
    world.settings.limiter.set_shed(shed::STARTS);
    assert_eq!(ask(&mut world, PGW, &login(1, "x@a.example")).0, Action::Hold);
    let status = RequestBuilder::new(Code::STATUS_SERVER, 2, [2; 16]).message_authenticator();
    let (_, back) = ask(&mut world, PGW, &status.build(&nas_secret()).unwrap());
    assert_eq!(back.unwrap().bytes[0], Code::ACCESS_ACCEPT.0);
}

#[test]
fn an_eap_conversation_ends_with_the_reject() {
    let mut world = world(BucketParams::NONE);
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16])
        .attribute(attr::USER_NAME, "x@a.example")
        .attribute(attr::EAP_MESSAGE, [2, 7, 0, 6, 1, b'x'])
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    ask(&mut world, PGW, &request);
    let back = world.pass(Duration::from_secs(1)).remove(0).1;
    let eap = verified_at_nas(&back, &request).into_iter().find(|(number, _)| *number == attr::EAP_MESSAGE);
    assert_eq!(eap.unwrap().1, [4, 7, 0, 4]);
}
