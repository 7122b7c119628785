//! What one party sends in masses costs the others nothing: a forger beside a NAS, a realm whose server is gone.

use std::time::Duration;

use sekisho_tests::documents::{Customer, Documents, Server, client_secret, home_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::load::{Load, LoadHome, count, summary};
use sekisho_tests::network::Family;
use sekisho_tests::sekisho::Sekisho;
use serde_json::Value;

use crate::scene::{Scene, home1_secret, nas_secret};

/// Holds that every login of a load was answered rightly, the first time that it was asked.
#[track_caller]
fn unharmed(load: &Value) {
    assert!(count(load, "completed") > 100, "{load}");
    assert_eq!(count(load, "completed"), count(load, "sent"), "{load}");
    for none in ["lost", "bad", "retransmitted"] {
        assert_eq!(count(load, none), 0, "{none}: {load}");
    }
}

/// Resident memory of a process, in megabytes.
fn memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[test]
fn a_flood_with_a_nass_own_address_is_dropped_and_the_nas_is_served() {
    let scene = Scene::new();
    let home = LoadHome::start(&scene.home, scene.home.v4, &home1_secret(), &[]);
    let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let before = memory(sekisho.process().pid());
    // The same address on the same link: only the secret tells the forger from the NAS.
    let flood = Load::logins(&scene.nas, Family::V4, "what the forger guessed", 1024);
    let mut flood = flood.patience("20ms", "0").with(&["--duration", "4s"]).start(&scene.nas);
    let real = Load::logins_at(&scene.nas, Family::V4, &nas_secret(Family::V4), 500);
    let real = real.with(&["--duration", "3s"]).run(&scene.nas);
    flood.exits_within(Duration::from_secs(30));
    unharmed(&real);
    let forged = count(&summary(&flood), "sent");
    assert!(forged >= 10 * count(&real, "sent"), "{forged} is no flood beside {real}");
    let metrics = sekisho.metrics();
    let refused = metrics.dropped("userspace", "message_authenticator_bad");
    assert!(refused >= 10 * count(&real, "sent"), "{}", metrics.drops());
    assert!(metrics.sum("sekisho_remembered", &[]) <= count(&real, "sent"), "no state for what proves nothing");
    let after = memory(sekisho.process().pid());
    assert!(after <= before + 64, "{before} MB before, {after} MB after");
    let counts = home.counts();
    assert_eq!((count(&counts, "distinct"), count(&counts, "forged")), (count(&real, "sent"), 0), "{counts}");
}

#[test]
fn a_storm_in_a_realm_whose_server_is_silent_costs_the_other_realms_no_login() {
    let mut network = sekisho_tests::network::Network::new();
    // One access network's equipment asks for both realms, as a PGW does.
    let [nas, home_a, home_b] = ["nas", "home-a", "home-b"].map(|name| network.host(name));
    let server = |name: &str, host: &sekisho_tests::network::Host| {
        sekisho_tests::documents::Pool::new("fail-over", &[Server::new(name, host.v4, "response_window = \"500ms\"")])
    };
    let customer = Customer::new("a")
        .realm("suffix = \"b.example\"")
        .client("nas", nas.v4, "answer_within = \"2s\"")
        .pool(server("home-a", &home_a).key("realms = [\"a.example\"]"))
        .pool(server("home-b", &home_b).key("realms = [\"b.example\"]"));
    let documents = Documents::new(&[&nas, &home_a, &home_b]).customer(customer);
    let _silent = ScriptedHome::silent(&home_a, &home_secret("home-a"));
    let _willing = LoadHome::start(&home_b, home_b.v4, &home_secret("home-b"), &[]);
    let sekisho = Sekisho::start(&network, &documents);
    let secret = client_secret("nas");
    let storm = Load::logins(&nas, Family::V4, &secret, 2048).with(&["--realm", "a.example", "--duration", "5s"]);
    let mut storm = storm.patience("300ms", "3").start(&nas);
    sekisho.metrics_when("the storm is on", |metrics| metrics.sum("sekisho_requests_total", &[]) > 2000);
    let real = Load::logins_at(&nas, Family::V4, &secret, 300).patience("1s", "1");
    let real = real.with(&["--realm", "b.example", "--duration", "3s"]).run(&nas);
    unharmed(&real);
    storm.exits_within(Duration::from_secs(30));
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_server_timeouts_total", &[("server", "home-b")]), 0);
    assert_eq!(sekisho.server_state("home-b", "auth"), "alive");
    assert_eq!(metrics.dropped("userspace", "no_identifier"), 0, "{}", metrics.drops());
}
