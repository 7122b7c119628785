//! How an access network's request says which realm it is for.

use crate::common::{vpdn::*, *};
use sekisho_engine::{Limits, snapshot::*};
use sekisho_lns::balance::Strategy;
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

/// A world whose network looks realms up as `shape` says; realm 0 is `a.example` by every selector.
fn world(shape: impl Fn(&mut Client) + 'static) -> World {
    let mut plan = vpdn_plan(Strategy::RoundRobin, three());
    plan.reshape(move |snapshot| {
        let realms = &mut snapshot.access_realms;
        realms.prefixes.insert(b"a.example"[..].into(), RealmId(0));
        realms.apns.insert(b"internet.a"[..].into(), RealmId(0));
        realms.apns.insert(b"81312345678"[..].into(), RealmId(0));
        shape(client(snapshot, CARRIER as usize));
    });
    World::with(plan, Limits::default())
}

fn lookup(mode: NameLookup, places: &'static [RealmPlace]) -> World {
    world(move |client| {
        let access = client.access.as_mut().unwrap();
        (access.lookup, access.places) = (mode, places.iter().copied().collect());
    })
}

/// Whether this name, and this Called-Station-Id, are served.
fn is_served(world: &mut World, user: &str, called: &str) -> bool {
    let mut request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, rand_authenticator(user, called));
    if !user.is_empty() {
        request = request.attribute(attr::USER_NAME, user);
    }
    if !called.is_empty() {
        request = request.attribute(attr::CALLED_STATION_ID, called);
    }
    let request = request.message_authenticator().build(&nas_secret()).unwrap();
    match world.dial(&request) {
        Some(accept) => tunnels(&accept, &request).len() == 3,
        None => false,
    }
}

/// Another one for each request.
fn rand_authenticator(user: &str, called: &str) -> [u8; 16] {
    sekisho_wire::md5::Md5::digest(format!("{user} {called}").as_bytes())
}

#[test]
fn a_realm_is_looked_for_where_the_network_says_and_nowhere_else() {
    use RealmPlace::{Apn, Prefix, Suffix};
    let forms =
        [("x@a.example", ""), ("x@A.example.", ""), ("a.example/x", ""), ("x", "internet.a"), ("", "INTERNET.A")];
    let cases: [(&[RealmPlace], [bool; 5]); 4] = [
        (&[Suffix], [true, true, false, false, false]),
        (&[Prefix], [false, false, true, false, false]),
        (&[Apn], [false, false, false, true, true]),
        (&[Suffix, Prefix, Apn], [true; 5]),
    ];
    for (places, expected) in cases {
        let mut world = lookup(NameLookup::User, places);
        for ((user, called), served) in forms.iter().zip(expected) {
            assert_eq!(is_served(&mut world, user, called), served, "{places:?} {user:?} {called:?}");
        }
    }
}

#[test]
fn the_first_place_that_names_a_known_realm_decides() {
    let mut world = lookup(NameLookup::User, &[RealmPlace::Suffix, RealmPlace::Apn]);
    assert!(!is_served(&mut world, "x@b.example", "internet.a"), "b.example is another customer's");
    assert!(is_served(&mut world, "x@unknown.example", "internet.a"));
}

#[test]
fn a_bare_name_may_be_the_domain() {
    let mut world = lookup(NameLookup::Domain, &[RealmPlace::Suffix]);
    assert!(is_served(&mut world, "a.example", ""));
    assert!(is_served(&mut world, "x@a.example", ""), "a name with a delimiter goes by the places");
    assert!(!is_served(&mut world, "nowhere.example", ""));
    let mut other = lookup(NameLookup::User, &[RealmPlace::Suffix]);
    assert!(!is_served(&mut other, "a.example", ""));
}

#[test]
fn a_called_number_is_one_number_however_it_is_written() {
    let mut world = lookup(NameLookup::Dnis, &[RealmPlace::Suffix]);
    for number in ["0312345678", "+81312345678", "81312345678", "03-1234-5678"] {
        assert!(is_served(&mut world, "", number), "{number}");
        assert!(is_served(&mut world, &format!("dnis:{number}"), ""), "{number}");
    }
    assert!(!is_served(&mut world, "dnis:0399999999", ""));
    assert!(is_served(&mut world, "x@a.example", "0399999999"), "where no realm has the number, the places follow");
}

#[test]
fn a_name_without_a_realm_has_its_apns_default_before_the_networks() {
    let mut world = world(|client| {
        client.default_realm = Some(RealmId(1));
        client.access.as_mut().unwrap().default_realms.insert(b"apn.one"[..].into(), RealmId(0));
    });
    assert!(is_served(&mut world, "x", "apn.one"));
    assert!(!is_served(&mut world, "x", "apn.two"), "b.example has no contract");
    assert!(!is_served(&mut world, "x@nowhere.example", "apn.one"), "who names a realm gets no default");
}

#[test]
fn the_carriers_suffix_comes_off_first() {
    let mut world = world(|client| client.outer_suffix = Some(b"carrier.example"[..].into()));
    assert!(is_served(&mut world, "x@a.example@carrier.example", ""));
    assert!(is_served(&mut world, "x@a.example", ""));
    assert!(!is_served(&mut world, "x@carrier.example", ""));
}
