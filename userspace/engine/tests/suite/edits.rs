//! What contracts change on the way: User-Name without its realm, and whole again in replies; attributes by policy.

use std::{sync::Arc, time::Duration};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::{HomeService, PoolId, RealmService, RoutingSnapshot, Strip, Verdict},
};
use sekisho_wire::{
    attr,
    build::RequestBuilder,
    code::Code,
    nai::CanonicalRealm,
    policy::{Policy, Rule, Value},
    select::AttributeId,
};

const PROXY: Option<RealmService> = Some(RealmService::Proxy(PoolId(0)));

fn canonical(realm: &str) -> Box<[u8]> {
    CanonicalRealm::new(realm).unwrap().as_str().as_bytes().into()
}

fn stripping(strip: Strip) -> World {
    let shape = move |snapshot: &mut RoutingSnapshot| {
        let prefix = realm(snapshot, 0, "prefix:pre", PROXY);
        let domain = realm(snapshot, 0, "nt:corp", PROXY);
        let default = realm(snapshot, 0, "default:default", PROXY);
        let ours = customer(snapshot, 0);
        ours.prefixes.insert(canonical("pre"), prefix);
        ours.nt_domains.insert(canonical("corp"), domain);
        ours.default_realm = Some(default);
        client(snapshot, 0).outer_suffix = Some(canonical("carrier.example"));
        client(snapshot, 0).bare_domain = true;
        snapshot.pools[0].strip = strip;
    };
    World::with(Plan::shaped(shape), Limits::default())
}

fn user_name(attrs: &[(u8, Vec<u8>)]) -> Option<String> {
    let value = attrs.iter().find(|(number, _)| *number == attr::USER_NAME)?.1.clone();
    Some(String::from_utf8(value).unwrap())
}

#[test]
fn a_pool_gets_names_without_what_it_does_not_want_of_them() {
    // As written, without the carrier's suffix, without the realm.
    let cases = [
        ("alice@a.example", "alice@a.example", "alice"),
        ("Alice@A.Example.", "Alice@A.Example.", "Alice"),
        ("alice@a.example@carrier.example", "alice@a.example", "alice"),
        ("odd@name@a.example@Carrier.Example", "odd@name@a.example", "odd@name"),
        ("PRE/alice", "PRE/alice", "alice"),
        ("pre/alice@carrier.example", "pre/alice", "alice"),
        (r"CORP\alice", r"CORP\alice", "alice"),
        ("a.example@carrier.example", "a.example", "a.example"),
        ("alice@other.example", "alice@other.example", "alice@other.example"),
        ("alice", "alice", "alice"),
        ("@a.example", "@a.example", "@a.example"),
    ];
    for (name, outer, realm) in cases {
        for (strip, expected) in [(Strip::Nothing, name), (Strip::Outer, outer), (Strip::Realm, realm)] {
            let mut world = stripping(strip);
            let request = pap(1, name, 1);
            let sent = world.ask(&request).unwrap();
            assert_eq!(user_name(&verified_at_home(&sent, 0)).as_deref(), Some(expected), "{strip:?}");
            // The server answers with the name as it knows it, or as the NAS does, or with none.
            let answer = |world: &mut World, said: &str| {
                let attrs = [(attr::USER_NAME, said.as_bytes()), (attr::REPLY_MESSAGE, b"hello")];
                let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &attrs));
                let back = back.unwrap();
                assert_eq!(world.ask(&request).unwrap(), back, "a repetition gets the same");
                let attrs = verified_at_nas(&back, &request);
                assert!(attrs.contains(&(attr::REPLY_MESSAGE, b"hello".to_vec())));
                user_name(&attrs)
            };
            assert_eq!(answer(&mut world, expected).as_deref(), Some(name), "{strip:?}: the name as it was written");
        }
    }
}

#[test]
fn a_name_in_a_reply_gets_back_what_it_lacks() {
    let long = "x".repeat(250);
    let cases = [
        ("alice@a.example", "alice@a.example", Some("alice@a.example")),
        ("alice@a.example", "alice@A.EXAMPLE", Some("alice@A.EXAMPLE")),
        ("alice@a.example", "the-real-alice", Some("the-real-alice@a.example")),
        ("alice@a.example", "alice@inside", Some("alice@inside@a.example")),
        ("alice@a.example", &long, Some(&*long)),
        (r"CORP\alice", "alice", Some(r"CORP\alice")),
        (r"CORP\alice", r"corp\alice", Some(r"corp\alice")),
        ("pre/alice@carrier.example", "alice", Some("pre/alice@carrier.example")),
    ];
    for (asked, said, expected) in cases {
        let mut world = stripping(Strip::Realm);
        let request = pap(1, asked, 1);
        let sent = world.ask(&request).unwrap();
        let reply = home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[(attr::USER_NAME, said.as_bytes())]);
        let back = world.answer(&sent, &reply).1.unwrap();
        assert_eq!(user_name(&verified_at_nas(&back, &request)).as_deref(), expected, "{asked} {said}");
    }
    let mut world = stripping(Strip::Realm);
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let back = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[])).1.unwrap();
    assert_eq!(user_name(&verified_at_nas(&back, &request)), None, "none is invented");
}

#[test]
fn the_next_server_gets_the_same_part_of_the_name_and_its_answer_has_all_of_it() {
    let mut world = stripping(Strip::Realm);
    let request = pap(1, "alice@a.example", 1);
    let first = world.ask(&request).unwrap();
    let moved = world.pass(Duration::from_secs(4));
    let second = &moved[0].1;
    assert_eq!((first.path.peer, second.path.peer), (address(HOME_1), address(HOME_2)));
    assert_eq!(user_name(&verified_at_home(second, 1)).as_deref(), Some("alice"));
    let reply = home_reply(second, 1, Code::ACCESS_ACCEPT, &[(attr::USER_NAME, b"alice")]);
    let back = world.answer(second, &reply).1.unwrap();
    assert_eq!(user_name(&verified_at_nas(&back, &request)).as_deref(), Some("alice@a.example"));
    world.pass(Duration::from_secs(60));
    assert!(world.engine.is_consistent());
}

#[test]
fn while_every_server_is_down_a_name_is_stripped_for_nobody_and_its_client_gets_its_reject() {
    let shape = |snapshot: &mut RoutingSnapshot| {
        snapshot.pools[0].strip = Strip::Realm;
        snapshot.pools[0].when_down = Verdict::Reject;
        (0..2).for_each(|index| home(snapshot, index).service = HomeService::Down);
    };
    let mut world = World::with(Plan::shaped(shape), Limits::default());
    let request = pap(1, "alice@a.example", 1);
    assert_eq!(world.ask(&request), None);
    let back = world.pass(Duration::from_secs(2));
    verified_at_nas(&back[0].1, &request);
    assert_eq!(back[0].1.bytes[0], Code::ACCESS_REJECT.0);
    world.pass(Duration::from_secs(60));
    assert!(world.engine.is_consistent());
}

#[test]
fn accounting_goes_to_the_same_name_and_what_is_refused_held_or_superseded_leaves_nothing() {
    let mut world = stripping(Strip::Realm);
    let sent = world.ask_acct(&accounting(1, "alice@a.example", 1)).unwrap();
    assert_eq!(user_name(&verified_at_home(&sent, 2)).as_deref(), Some("alice"));
    assert!(world.answer(&sent, &home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[])).1.is_some());
    for authenticator in 1..20 {
        world.ask(&pap(1, "alice@a.example", authenticator)).unwrap();
    }
    world.reload(|plan| plan.shape = Arc::new(|_| {}));
    world.pass(Duration::from_secs(60));
    assert!(world.engine.is_consistent());
    assert_eq!((world.engine.in_flight(), world.stats.remembered.read()), (0, 0));
}

fn plain(number: u8) -> AttributeId {
    AttributeId::Plain(number)
}

fn literal(octets: &[u8]) -> Value {
    Value::Literal(octets.into())
}

fn with_policies(request: Vec<Vec<Rule>>, reply: Vec<Vec<Rule>>) -> Plan {
    let compile = |all: &[Vec<Rule>]| all.iter().map(|rules| Arc::new(Policy::new(rules.clone()))).collect::<Vec<_>>();
    Plan::shaped(move |snapshot: &mut RoutingSnapshot| {
        let client = client(snapshot, 0);
        (client.request_policies, client.reply_policies) = (compile(&request), compile(&reply));
    })
}

#[test]
fn requests_are_changed_by_policy_one_after_the_other_and_those_of_others_are_not() {
    let own = vec![
        Rule::Default(plain(attr::OPERATOR_NAME), literal(b"1a.example")),
        Rule::Remove(plain(attr::NAS_IP_ADDRESS), None),
    ];
    let customers = vec![Rule::Replace(plain(attr::NAS_IDENTIFIER), Value::Of(plain(attr::OPERATOR_NAME)))];
    let mut world = World::with(with_policies(vec![own, customers], vec![]), Limits::default());
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let attrs = verified_at_home(&sent, 0);
    assert!(attrs.contains(&(attr::OPERATOR_NAME, b"1a.example".to_vec())));
    assert!(attrs.contains(&(attr::NAS_IDENTIFIER, b"1a.example".to_vec())), "the second sees what the first did");
    assert!(!attrs.iter().any(|(number, _)| *number == attr::NAS_IP_ADDRESS));
    assert_eq!(attrs.last().unwrap(), &(attr::PROXY_STATE, b"this one".to_vec()), "ours is still the last");
    let back = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[])).1.unwrap();
    verified_at_nas(&back, &request);

    let record = accounting(2, "alice@a.example", 1);
    let sent = world.ask_acct(&record).unwrap();
    assert!(verified_at_home(&sent, 2).contains(&(attr::OPERATOR_NAME, b"1a.example".to_vec())));
    // Rule 56: what is there already stays.
    let named = RequestBuilder::new(Code::ACCESS_REQUEST, 3, [3; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::OPERATOR_NAME, "1elsewhere.example")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    let sent = world.ask(&named).unwrap();
    let names = verified_at_home(&sent, 0);
    let names: Vec<_> = names.iter().filter(|(number, _)| *number == attr::OPERATOR_NAME).collect();
    assert_eq!(names, [&(attr::OPERATOR_NAME, b"1elsewhere.example".to_vec())]);
}

#[test]
fn a_policy_on_user_name_changes_what_the_server_gets_and_not_where_it_goes() {
    let rules = vec![Rule::Replace(plain(attr::USER_NAME), literal(b"guest@a.example"))];
    let plan = with_policies(vec![rules], vec![]);
    let shape = Arc::clone(&plan.shape);
    let plan = Plan::shaped(move |snapshot| {
        shape(snapshot);
        snapshot.pools[0].strip = Strip::Realm;
    });
    let mut world = World::with(plan, Limits::default());
    let sent = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    assert_eq!(user_name(&verified_at_home(&sent, 0)).as_deref(), Some("guest"));
    assert_eq!(world.ask(&pap(2, "alice@nowhere.example", 1)), None);
}

#[test]
fn replies_are_changed_by_policy_before_they_are_judged() {
    let rules = vec![
        Rule::Remove(plain(attr::SERVICE_TYPE), None),
        Rule::Add(plain(attr::SESSION_TIMEOUT), literal(&[0, 0, 14, 16])),
    ];
    let mut world = World::with(with_policies(vec![], vec![rules]), Limits::default());
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let granted: &[(u8, &[u8])] = &[(attr::SERVICE_TYPE, &[0, 0, 0, 6]), (attr::CLASS, b"c")];
    let back = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, granted)).1.unwrap();
    let attrs = verified_at_nas(&back, &request);
    let expected = [(attr::CLASS, b"c".to_vec()), (attr::SESSION_TIMEOUT, vec![0, 0, 14, 16])];
    assert_eq!((back.bytes[0], &attrs[1..]), (Code::ACCESS_ACCEPT.0, &expected[..]));
    assert_eq!(world.ask(&request).unwrap(), back, "a repetition gets the same");
}

#[test]
fn what_a_policy_makes_too_long_is_dropped_and_leaves_nothing() {
    let add = |number| Rule::Add(plain(number), literal(&[b'x'; 253]));
    let mut world = World::with(with_policies(vec![vec![add(attr::NAS_IDENTIFIER); 16]], vec![]), Limits::default());
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &pap(1, "alice@a.example", 1));
    assert_eq!((action, world.engine.in_flight()), (Action::Drop(Reason::TooLong), 0));

    let mut world = World::with(with_policies(vec![], vec![vec![add(attr::REPLY_MESSAGE); 17]]), Limits::default());
    let sent = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    let (action, _) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    assert_eq!((action, world.engine.in_flight()), (Action::Drop(Reason::TooLong), 0));
    assert!(world.engine.is_consistent());
}
