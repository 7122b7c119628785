//! Which realm a request is taken to ask for: every selector, in its order, and the defaults behind them (rules 51 to 55).

use std::time::Duration;

use crate::common::*;
use regex::bytes::Regex;
use sekisho_engine::{
    Limits,
    snapshot::{PoolId, RealmService, RoutingSnapshot},
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code, nai::CanonicalRealm};

const PROXY: Option<RealmService> = Some(RealmService::Proxy(PoolId(0)));

fn canonical(realm: &str) -> Box<[u8]> {
    CanonicalRealm::new(realm).unwrap().as_str().as_bytes().into()
}

/// Customer 0 has a realm for every selector beside `a.example`; customer 1 has some of the same names, and nobody serves them.
fn every_selector(snapshot: &mut RoutingSnapshot) {
    let idn = realm(snapshot, 0, "idn", PROXY);
    let prefix = realm(snapshot, 0, "prefix:pre", PROXY);
    let domain = realm(snapshot, 0, "nt:corp", PROXY);
    let apn = realm(snapshot, 0, "apn:internet", PROXY);
    let pattern = realm(snapshot, 0, "pattern:sub", PROXY);
    let later = realm(snapshot, 0, "pattern:later", None);
    let ours = customer(snapshot, 0);
    ours.suffixes.insert(canonical("bücher.example"), idn);
    ours.prefixes.insert(canonical("pre"), prefix);
    ours.nt_domains.insert(canonical("corp"), domain);
    ours.apns.insert(canonical("internet"), apn);
    ours.patterns =
        vec![(Regex::new(r"^[a-z]+\.sub\.example$").unwrap(), pattern), (Regex::new(r"sub\.example$").unwrap(), later)];
}

fn login(user: &str, called: &str) -> Vec<u8> {
    let mut builder = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16]);
    if !user.is_empty() {
        builder = builder.attribute(attr::USER_NAME, user);
    }
    if !called.is_empty() {
        builder = builder.attribute(attr::CALLED_STATION_ID, called);
    }
    builder.message_authenticator().build(&nas_secret()).unwrap()
}

/// The realm that a login was counted for; `None` for a Reject without one.
fn asked_for(world: &mut World, user: &str, called: &str) -> Option<String> {
    let before: Vec<_> = requests(world);
    let request = login(user, called);
    let sent = world.ask(&request);
    if let Some(sent) = &sent
        && !user.is_empty()
    {
        let attrs = verified_at_home(sent, 0);
        assert!(attrs.contains(&(attr::USER_NAME, user.as_bytes().to_vec())), "{user} is forwarded as it came");
    }
    let after = requests(world);
    world.pass(Duration::from_secs(30));
    let counted = before.iter().zip(&after).position(|(before, after)| before != after);
    assert_eq!(counted.is_some(), sent.is_some(), "{user}");
    counted.map(|index| world.snapshot.realms[index].as_ref().unwrap().name.clone())
}

fn requests(world: &World) -> Vec<u64> {
    let realms = world.snapshot.realms.iter().flatten();
    realms.map(|realm| realm.stats.sum(|stats| &stats.requests)).collect()
}

fn expect(world: &mut World, cases: &[(&str, &str, Option<&str>)]) {
    for (user, called, realm) in cases {
        assert_eq!(asked_for(world, user, called).as_deref(), *realm, "{user:?} by {called:?}");
    }
}

#[test]
fn suffix_comes_before_prefix_before_windows_domain_before_apn_before_patterns() {
    let mut world = World::with(Plan::shaped(every_selector), Limits::default());
    expect(
        &mut world,
        &[
            ("alice@a.example", "", Some("a.example")),
            ("pre/alice@a.example", "internet", Some("a.example")),
            (r"CORP\alice@a.example", "", Some("a.example")),
            ("pre/alice", "internet", Some("prefix:pre")),
            ("PRE/alice@nowhere.example", "internet", Some("prefix:pre")),
            (r"pre/corp\alice", "", Some("prefix:pre")),
            (r"corp\alice", "internet", Some("nt:corp")),
            (r"CORP\alice@x.sub.example", "", Some("nt:corp")),
            ("alice", "Internet", Some("apn:internet")),
            ("alice@x.sub.example", "internet", Some("apn:internet")),
            ("", "internet", Some("apn:internet")),
            ("alice@X.Sub.Example.", "", Some("pattern:sub")),
            ("alice@nowhere.example", "elsewhere", None),
            (r"nowhere\alice", "", None),
            ("nowhere/alice", "", None),
            ("alice", "", None),
            ("", "", None),
        ],
    );
}

#[test]
fn the_first_pattern_that_matches_a_canonical_suffix_decides_and_a_name_without_suffix_matches_none() {
    let mut world = World::with(Plan::shaped(every_selector), Limits::default());
    expect(
        &mut world,
        &[
            ("a@x.sub.example", "", Some("pattern:sub")),
            ("x.sub.example", "", None),
            ("x.sub.example/alice", "", None),
            ("alice@ x.sub.example", "", None),
        ],
    );
    // The second pattern's realm is served by nobody: a Reject, though the first would have matched elsewhere.
    expect(&mut world, &[("a@x1.sub.example", "", None)]);
    assert_eq!(world.stats.replies.reject.read(), 4);
}

#[test]
fn realms_that_look_alike_are_one_realm_or_none() {
    let mut world = World::with(Plan::shaped(every_selector), Limits::default());
    let idn = Some("idn");
    expect(
        &mut world,
        &[
            ("x@A.EXAMPLE.", "", Some("a.example")),
            ("x@ａ.example", "", Some("a.example")),
            ("x@bücher.example", "", idn),
            ("x@BÜCHER.example", "", idn),
            ("x@bu\u{308}cher.example", "", idn),
            ("x@xn--bcher-kva.example", "", idn),
            ("x@а.example", "", None),
            ("x@a.example..", "", None),
            ("x@.*", "", None),
            ("x@*", "", None),
            ("x@[a-z]+.sub.example", "", None),
            ("x@a.example\0", "", None),
            ("x@a.example ", "", None),
            ("x@a.example@", "", None),
        ],
    );
}

#[test]
fn a_name_without_a_realm_goes_to_the_clients_default_and_one_with_an_unknown_realm_to_the_customers() {
    let shape = |snapshot: &mut RoutingSnapshot| {
        every_selector(snapshot);
        let of_client = realm(snapshot, 0, "default:client", PROXY);
        let of_customer = realm(snapshot, 0, "default:customer", PROXY);
        client(snapshot, 0).default_realm = Some(of_client);
        customer(snapshot, 0).default_realm = Some(of_customer);
    };
    let mut world = World::with(Plan::shaped(shape), Limits::default());
    expect(
        &mut world,
        &[
            ("alice", "", Some("default:client")),
            ("", "", Some("default:client")),
            ("alice@", "", Some("default:client")),
            ("alice", "elsewhere", Some("default:client")),
            ("alice@nowhere.example", "", Some("default:customer")),
            ("alice@.*", "", Some("default:customer")),
            ("nowhere/alice", "", Some("default:customer")),
            (r"nowhere\alice", "", Some("default:customer")),
            ("alice@a.example", "", Some("a.example")),
            ("alice", "internet", Some("apn:internet")),
        ],
    );
    let shape = |snapshot: &mut RoutingSnapshot| {
        let of_customer = realm(snapshot, 0, "default:customer", PROXY);
        customer(snapshot, 0).default_realm = Some(of_customer);
    };
    let mut world = World::with(Plan::shaped(shape), Limits::default());
    let customers = Some("default:customer");
    expect(&mut world, &[("alice", "", customers), ("a/b", "", customers), (r"a\b", "", customers)]);
}

#[test]
fn slash_and_backslash_are_letters_for_a_customer_that_has_no_realm_found_by_them() {
    let shape = |snapshot: &mut RoutingSnapshot| {
        let of_client = realm(snapshot, 0, "default:client", PROXY);
        client(snapshot, 0).default_realm = Some(of_client);
    };
    let mut world = World::with(Plan::shaped(shape), Limits::default());
    let clients = Some("default:client");
    expect(&mut world, &[("host/laptop", "", clients), (r"CORP\alice", "", clients), ("x@nowhere.example", "", None)]);
}

#[test]
fn a_whole_name_is_a_realm_only_for_a_client_with_bare_domain() {
    let mut world = World::with(Plan::shaped(every_selector), Limits::default());
    expect(&mut world, &[("a.example", "", None)]);
    let shape = |snapshot: &mut RoutingSnapshot| {
        every_selector(snapshot);
        client(snapshot, 0).bare_domain = true;
    };
    let mut world = World::with(Plan::shaped(shape), Limits::default());
    let cases = [
        ("A.Example.", "internet", Some("a.example")),
        ("b.example", "internet", Some("apn:internet")),
        ("x.sub.example", "", None),
        ("/a.example", "", None),
        ("pre", "", None),
    ];
    expect(&mut world, &cases);
}

#[test]
fn a_carriers_suffix_is_looked_past_and_forwarded() {
    let shape = |snapshot: &mut RoutingSnapshot| {
        every_selector(snapshot);
        client(snapshot, 0).outer_suffix = Some(canonical("carrier.example"));
        client(snapshot, 0).bare_domain = true;
    };
    let mut world = World::with(Plan::shaped(shape), Limits::default());
    expect(
        &mut world,
        &[
            ("alice@a.example@carrier.example", "", Some("a.example")),
            ("alice@a.example@Carrier.Example.", "", Some("a.example")),
            ("alice@a.example", "", Some("a.example")),
            ("pre/alice@carrier.example", "", Some("prefix:pre")),
            ("a.example@carrier.example", "", Some("a.example")),
            ("alice@x.sub.example@carrier.example", "", Some("pattern:sub")),
            ("alice@carrier.example", "", None),
            ("alice@a.example@carrier.example@carrier.example", "", None),
            ("alice@carrier.example@a.example", "", Some("a.example")),
        ],
    );
}

#[test]
fn another_customers_realms_are_not_found_by_any_selector() {
    let shape = |snapshot: &mut RoutingSnapshot| {
        every_selector(snapshot);
        client(snapshot, 1).bare_domain = true;
    };
    let mut world = World::with(Plan::shaped(shape), Limits::default());
    for (id, (user, called)) in [
        ("alice@a.example", ""),
        ("a.example", ""),
        ("pre/alice", ""),
        (r"corp\alice", ""),
        ("alice", "internet"),
        ("alice@x.sub.example", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let mut request = RequestBuilder::new(Code::ACCESS_REQUEST, id as u8, [1; 16]).attribute(attr::USER_NAME, user);
        if !called.is_empty() {
            request = request.attribute(attr::CALLED_STATION_ID, called);
        }
        let request = request.message_authenticator().build(&nas_secret()).unwrap();
        let socket = sekisho_engine::packet::Socket::Service(AUTH);
        assert_eq!(world.receive(socket, address(NAS_B), &request).1, None, "{user}");
    }
    let back = world.pass(Duration::from_secs(2));
    assert_eq!(back.iter().filter(|(_, sent)| sent.bytes[0] == Code::ACCESS_REJECT.0).count(), 6);
    assert_eq!(world.stats.forwarded.read(), 0);
}

#[test]
fn names_of_every_length_are_routed_and_forwarded() {
    let mut world = World::new();
    for length in [11, 72, 253] {
        let user = format!("{}@a.example", "x".repeat(length - 10));
        assert_eq!(asked_for(&mut world, &user, "").as_deref(), Some("a.example"));
    }
}

#[test]
fn a_nas_that_comes_up_asks_for_no_realm_and_gets_no_default() {
    let shape = |snapshot: &mut RoutingSnapshot| {
        let default = realm(snapshot, 0, "default:default", PROXY);
        client(snapshot, 0).default_realm = Some(default);
        customer(snapshot, 0).default_realm = Some(default);
    };
    let mut world = World::with(Plan::shaped(shape), Limits::default());
    world.ask_acct(&accounting(1, "", 7)).expect("forwarded for the whole NAS");
    assert_eq!(requests(&world)[2], 0);
    world.ask_acct(&accounting(2, "", 1)).expect("a Start without a name goes to the default");
    assert_eq!(requests(&world)[2], 1);
}
