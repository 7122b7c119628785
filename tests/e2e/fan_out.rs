//! One accounting request, several servers: Accounting-On and -Off for a NAS's every realm, and copies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use sekisho_tests::documents::{Customer, Documents, Pool, Server, client_secret, home_secret};
use sekisho_tests::freeradius::FreeRadius;
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, acct};
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::eventually;

use crate::scene::{Scene, acme, home1_secret, nas_secret};

const USER: &str = "alice@acme.example";

/// The customer `acme` with a contract for each of two realms, and a customer `other` beside it.
struct Realms {
    scene: Scene,
    second: Host,
    other_nas: Host,
    other_home: Host,
}

impl Realms {
    fn new() -> Realms {
        let mut scene = Scene::new();
        let [second, other_nas, other_home] = ["home2", "other-nas", "other-home"].map(|name| scene.network.host(name));
        Realms { scene, second, other_nas, other_home }
    }

    fn documents(&self, client: &str) -> Documents {
        let Realms { scene, second, other_nas, other_home } = self;
        let pool = |realm: &str, name: &str, host: &Host| {
            Pool::new("fail-over", &[Server::new(name, host.v4, "")]).key(&format!("realms = [\"{realm}\"]"))
        };
        let customer = acme(&scene.nas, client)
            .realm("suffix = \"acme.test\"")
            .pool(pool("acme.example", "home1", &scene.home))
            .pool(pool("acme.test", "home2", second));
        let other = Customer::new("other").client("other-nas", other_nas.v4, "").proxy(&[Server::new(
            "other-home",
            other_home.v4,
            "",
        )]);
        Documents::new(&[&scene.nas, &scene.home, second, other_nas, other_home]).customer(customer).customer(other)
    }
}

#[test]
fn a_nas_that_restarts_is_reported_to_every_server_of_its_customer_and_to_no_other() {
    let realms = Realms::new();
    let scene = &realms.scene;
    let home = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[]);
    let second = FreeRadius::start(&realms.second.namespace, &home_secret("home2"), &[]);
    let other = ScriptedHome::willing(&realms.other_home, &home_secret("other-home"));
    let _sekisho = Sekisho::start(&scene.network, &realms.documents(""));
    for family in Family::BOTH {
        for status in ["Accounting-On", "Accounting-Off"] {
            let pairs = format!("Acct-Status-Type = {status}, Acct-Session-Id = 0, NAS-Identifier = {family:?}");
            let answer = Radclient::default().accounting(&scene.nas, acct(family), &nas_secret(family), &pairs);
            assert_eq!(answer.expect("Accounting-Response").count(), 1);
        }
    }
    for server in [&home, &second] {
        let records = server.records();
        assert_eq!(records.len(), 4, "{records:#?}");
        for status in ["Accounting-On", "Accounting-Off"] {
            assert_eq!(records.iter().filter(|it| it.contains(&format!("Acct-Status-Type = {status}"))).count(), 2);
        }
    }
    assert!(other.seen().is_empty(), "what a NAS says is true of its own customer only");
    // A record of a session still goes to its realm's server alone.
    let pairs = format!("User-Name = {USER}, Acct-Status-Type = Start, Acct-Session-Id = 1");
    let answer = Radclient::default().accounting(&scene.nas, acct(Family::V4), &nas_secret(Family::V4), &pairs);
    answer.expect("Accounting-Response");
    assert_eq!((home.records().len(), second.records().len()), (5, 4));
}

#[test]
fn the_nas_is_answered_when_the_last_server_has_it_and_a_repetition_asks_only_those_that_have_not() {
    let realms = Realms::new();
    let scene = &realms.scene;
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let awake = Arc::new(AtomicBool::new(false));
    let wakes = awake.clone();
    let second = ScriptedHome::start(&realms.second, &home_secret("home2"), move |asked| {
        if wakes.load(Relaxed) { vec![asked.accept()] } else { Vec::new() }
    });
    let documents = realms.documents("").limit("retransmit_window", "\"200ms\"");
    let _sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let request = on(&nas, 1);
    nas.send(acct(Family::V4), &request);
    eventually("both are asked", || (home.seen().len() == 1 && second.seen().len() == 1).then_some(()));
    nas.expect_silence(Duration::from_millis(400));
    awake.store(true, Relaxed);
    let answer = nas.ask(acct(Family::V4), &request);
    assert_eq!(answer.code().0, 5);
    assert_eq!((home.seen().len(), second.seen().len()), (1, 2), "the first has recorded it already");
    assert_eq!(nas.ask(acct(Family::V4), &request), answer, "and afterwards it is remembered");
    assert_eq!((home.seen().len(), second.seen().len()), (1, 2));
}

/// Accounting-On.
fn on(nas: &Nas, id: u8) -> Vec<u8> {
    nas.request(4, id, &[(40, &7u32.to_be_bytes()), (44, b"0")])
}

#[test]
fn an_accounting_on_says_nothing_about_another_customers_nas_whatever_it_claims() {
    let realms = Realms::new();
    let scene = &realms.scene;
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let second = ScriptedHome::willing(&realms.second, &home_secret("home2"));
    let other = ScriptedHome::willing(&realms.other_home, &home_secret("other-home"));
    let _sekisho = Sekisho::start(&scene.network, &realms.documents(""));
    let nas = Nas::new(&realms.other_nas, realms.other_nas.v4, &client_secret("other-nas"));
    let std::net::IpAddr::V4(victim) = scene.nas.v4 else { unreachable!("an IPv4 address") };
    // It claims the address, and then the realm, of acme's NAS.
    let claims: [&[(u8, &[u8])]; 2] = [&[(4, &victim.octets())], &[(4, &victim.octets()), (1, USER.as_bytes())]];
    for (id, claim) in claims.into_iter().enumerate() {
        let status = 7u32.to_be_bytes();
        let attributes = [&[(40, &status[..]), (44, b"0")], claim].concat();
        nas.send(acct(Family::V4), &nas.request(4, id as u8, &attributes));
    }
    while nas.receive(Duration::from_millis(400)).is_some() {}
    assert!(!other.seen().is_empty(), "its own customer's server hears of it");
    assert!(home.seen().is_empty() && second.seen().is_empty());
}

#[test]
fn tunnel_accounting_goes_where_its_realm_goes() {
    let scene = Scene::new();
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    // Tunnel-Start to Tunnel-Link-Reject (RFC 2867 §3), with attributes that have tags, and two that never have.
    let tunnel: [(u8, &[u8]); 5] =
        [(64, &[1, 0, 0, 3]), (67, b"\x0110.0.0.1"), (68, b"\x01not a tag"), (86, &[0, 0, 0, 7]), (89, b"\0")];
    for status in 9u8..=14 {
        let first: [(u8, &[u8]); 3] = [(1, USER.as_bytes()), (40, &[0, 0, 0, status]), (44, b"tunnel")];
        let request = nas.request(4, status, &[&first[..], &tunnel].concat());
        assert_eq!(nas.ask(acct(Family::V4), &request).code().0, 5);
    }
    let seen = home.seen();
    assert_eq!(seen.len(), 6);
    for asked in &seen {
        for (number, value) in tunnel {
            assert_eq!(asked.values(number), [value], "attribute {number}");
        }
    }
}

#[test]
fn accounting_is_copied_and_only_the_home_server_decides() {
    let mut scene = Scene::new();
    let [copy, dead] = ["copy", "dead"].map(|name| scene.network.host(name));
    let home = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[]);
    let archive = FreeRadius::start(&copy.namespace, &home_secret("copy"), &[]);
    let pool = Pool::new("fail-over", &[Server::new("home1", scene.home.v4, "")])
        .copy(Server::for_accounting("copy", copy.v4, ""))
        .copy(Server::for_accounting("dead", dead.v4, ""));
    let documents = Documents::new(&[&scene.nas, &scene.home, &copy, &dead]).customer(acme(&scene.nas, "").pool(pool));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let silent = ScriptedHome::silent(&dead, &home_secret("dead"));
    let nas = scene.scripted_nas(Family::V4);
    for (id, status) in [1, 3, 2].into_iter().enumerate() {
        let request = nas.accounting(id as u8, USER, status, "copied");
        let answer = nas.ask(acct(Family::V4), &request);
        assert_eq!(answer.code().0, 5, "answered although one destination is silent");
        assert_eq!(nas.ask(acct(Family::V4), &request), answer, "a repetition causes no second copy");
    }
    nas.expect_silence(Duration::from_millis(200));
    eventually("all copies have come", || (archive.records().len() == 3).then_some(()));
    for (record, status) in archive.records().iter().zip(["Start", "Interim-Update", "Stop"]) {
        for line in [&format!("Acct-Status-Type = {status}"), "User-Name = \"alice@acme.example\""] {
            assert!(record.contains(line), "{record}");
        }
    }
    assert_eq!(home.records().len(), 3);
    assert_eq!(silent.seen().len(), 3, "fire and forget: nothing is sent again");
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_server_requests_total", &[("server", "copy"), ("kind", "acct")]), 3);
    assert_eq!(metrics.sum("sekisho_server_replies_total", &[("server", "copy"), ("kind", "acct")]), 3);
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "accounting")]), 3);
}

#[test]
fn without_the_home_server_a_copy_acknowledges_nothing() {
    let mut scene = Scene::new();
    let copy = scene.network.host("copy");
    let _home = ScriptedHome::silent(&scene.home, &home1_secret());
    let archive = ScriptedHome::willing(&copy, &home_secret("copy"));
    let pool = Pool::new("fail-over", &[Server::new("home1", scene.home.v4, "")])
        .copy(Server::for_accounting("copy", copy.v4, ""));
    let documents = Documents::new(&[&scene.nas, &scene.home, &copy]).customer(acme(&scene.nas, "").pool(pool));
    let _sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    nas.send(acct(Family::V4), &nas.accounting(1, USER, 1, "copied"));
    eventually("the copy has come", || (archive.seen().len() == 1).then_some(()));
    nas.expect_silence(Duration::from_millis(500));
    assert!(archive.seen()[0].digest_is_right());
}
