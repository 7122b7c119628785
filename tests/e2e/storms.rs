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
    unharmed_but_by_links(load, 0);
}

/// The same where so many packets were dropped on links: a storm from one host may fill the 256 places of its own veth while the other
/// end's processor is elsewhere, and no proxy can answer what it never got.
#[track_caller]
fn unharmed_but_by_links(load: &Value, dropped: u64) {
    assert!(count(load, "completed") > 100, "{load}");
    assert_eq!(count(load, "completed"), count(load, "sent"), "{load}");
    for none in ["lost", "bad"] {
        assert_eq!(count(load, none), 0, "{none}: {load}");
    }
    assert!(count(load, "retransmitted") <= dropped, "{dropped} dropped on links: {load}");
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

/// Open descriptors of a process.
fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a running process").count()
}

#[test]
fn servers_that_die_come_back_and_answer_late_under_load_bring_nothing_down() {
    let mut scene = Scene::new();
    let second = scene.network.host("home2");
    let window = "response_window = \"300ms\"\nrevive_interval = \"1s\"\nzombie_period = \"1s\"";
    let servers = [Server::new("home1", scene.home.v4, window), Server::new("home2", second.v4, window)];
    let customer = crate::scene::acme(&scene.nas, "").proxy(&servers);
    let documents = Documents::new(&[&scene.nas, &scene.home, &second]).customer(customer);
    let mut sekisho = Sekisho::start(&scene.network, &documents);
    // The second answers always, the first late, doubled, falsely, or not at all, and goes away in between.
    let _second = LoadHome::start(&second, second.v4, &home_secret("home2"), &[]);
    let load = Load::logins(&scene.nas, Family::V4, &nas_secret(Family::V4), 128);
    let mut load = load.patience("1s", "8").with(&["--duration", "6s"]).start(&scene.nas);
    for round in 0..4 {
        let moody = ScriptedHome::start(&scene.home, &home1_secret(), move |asked| match (asked.before + round) % 4 {
            0 => vec![asked.accept(), asked.accept()],
            1 => vec![asked.forged(), asked.accept().after(Duration::from_millis(350))],
            2 => vec![asked.accept().after(Duration::from_millis(700))],
            _ => Vec::new(),
        });
        std::thread::sleep(Duration::from_millis(700));
        drop(moody);
        assert!(sekisho.reload(&documents).status.success());
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(load.exits_within(Duration::from_secs(60)).success());
    let load = summary(&load);
    assert_eq!(count(&load, "bad"), 0, "{load}");
    assert_eq!(count(&load, "lost"), 0, "the second could always be asked: {load}");
    assert!(sekisho.process().runs() && !sekisho.log().contains("panicked"));
    sekisho.metrics_when("nothing is left in flight", |metrics| metrics.sum("sekisho_in_flight", &[]) == 0);
}

#[test]
#[ignore = "takes minutes: make soak"]
fn soak_of_memory_and_descriptors() {
    let scene = Scene::new();
    let _home = LoadHome::start(&scene.home, scene.home.v4, &home1_secret(), &[]);
    let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let pid = sekisho.process().pid();
    let mut samples = Vec::new();
    for _ in 0..10 {
        let load = Load::logins(&scene.nas, Family::V4, &nas_secret(Family::V4), 1024);
        unharmed(&load.with(&["--duration", "12s"]).run(&scene.nas));
        // Ports toward home servers come and go with the need; what else is open does not.
        let ports = sekisho.metrics().sum("sekisho_upstream_ports", &[]);
        samples.push((memory(pid), descriptors(pid) as u64 - ports));
    }
    // The first rounds are warm-up: tables and buffers come to their size.
    let (warm, end) = (samples[2], samples[9]);
    assert!(end.0 <= warm.0 + 4, "megabytes: {samples:?}");
    assert!(end.1 <= warm.1, "descriptors: {samples:?}");
    let samples: Vec<Value> =
        samples.iter().map(|(memory, open)| serde_json::json!({"memory_mb": memory, "descriptors": open})).collect();
    crate::soak::keep("flat", &Value::from(samples));
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
    let ends =
        [(&network.proxy, "nas"), (&nas.namespace, "eth0"), (&network.proxy, "home-b"), (&home_b.namespace, "eth0")];
    let dropped_on_links = || ends.map(|(side, link)| side.dropped_on(link)).iter().sum::<u64>();
    let before = dropped_on_links();
    let secret = client_secret("nas");
    let storm = Load::logins(&nas, Family::V4, &secret, 2048).with(&["--realm", "a.example", "--duration", "5s"]);
    let mut storm = storm.patience("300ms", "3").start(&nas);
    sekisho.metrics_when("the storm is on", |metrics| metrics.sum("sekisho_requests_total", &[]) > 2000);
    let real = Load::logins_at(&nas, Family::V4, &secret, 300).patience("1s", "1");
    let real = real.with(&["--realm", "b.example", "--duration", "3s"]).run(&nas);
    let on_links = dropped_on_links() - before;
    // Shown where the test fails: what is counted here did arrive.
    eprintln!("dropped by the gate and the workers: {}; on links: {on_links}", sekisho.metrics().drops());
    unharmed_but_by_links(&real, on_links);
    storm.exits_within(Duration::from_secs(30));
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_server_timeouts_total", &[("server", "home-b")]), 0);
    assert_eq!(sekisho.server_state("home-b", "auth"), "alive");
    assert_eq!(metrics.dropped("userspace", "no_identifier"), 0, "{}", metrics.drops());
}
