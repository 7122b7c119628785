//! Many requests at once, and every request twice. Numbers that take minutes are in `make soak`.

use std::time::{Duration, Instant};

use sekisho_tests::load::{Load, LoadHome, count};
use sekisho_tests::network::Family;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::eventually;
use serde_json::{Value, json};

use crate::scene::{Scene, home1_secret, nas_secret};

/// Keeps `window` requests outstanding at one home server that takes so long for each that a slow machine fills the window too,
/// and holds that none is lost, none sent twice, and that so many were really out at once.
fn keeps_outstanding(window: usize, requests: usize) -> Value {
    let scene = Scene::new();
    let delay = if window > 4096 { "4s" } else { "1s" };
    let home = LoadHome::start(&scene.home, scene.home.v4, &home1_secret(), &["--delay", delay]);
    let server = format!("response_window = \"20s\"\nmax_outstanding = {}", 2 * window);
    let documents = scene.documents_with(Family::V4, "answer_within = \"30s\"", &server);
    let sekisho = Sekisho::start(&scene.network, &documents);
    let before = scene.network.proxy.udp_counters();
    let load = Load::logins(&scene.nas, Family::V4, &nas_secret(Family::V4), window);
    let mut load = load.with(&["--requests", &requests.to_string()]).start(&scene.nas);
    let outstanding = || sekisho.metrics().sum("sekisho_server_outstanding", &[("kind", "auth")]) as usize;
    let mut most = 0;
    let begin = Instant::now();
    eventually("nearly the whole window is outstanding", || {
        most = most.max(outstanding());
        (most >= window * 9 / 10).then_some(())
    });
    let filled = begin.elapsed();
    assert!(load.exits_within(Duration::from_secs(120)).success(), "{}", load.log());
    let summary = sekisho_tests::load::summary(&load);
    assert_eq!(count(&summary, "completed") as usize, requests, "{summary}");
    for none in ["lost", "bad", "retransmitted", "unsent"] {
        assert_eq!(count(&summary, none), 0, "{none}: {summary}");
    }
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_dropped_total", &[]), 0, "none dropped by us, in the kernel or above");
    assert_eq!(metrics.sum("sekisho_retransmitted_total", &[]), 0);
    assert_eq!(scene.network.proxy.udp_counters().buffer_full, before.buffer_full);
    let counts = home.counts();
    assert_eq!((count(&counts, "distinct") as usize, count(&counts, "retransmits")), (requests, 0), "{counts}");
    let ports = metrics.sum("sekisho_upstream_ports", &[]);
    json!({"window": window, "requests": requests, "most_outstanding_seen": most,
           "seconds_to_fill": filled.as_secs_f64(), "upstream_ports": ports, "load": summary})
}

/// Sends every request twice back to back, and holds that each is answered rightly and reaches the home server once.
fn survives_doubles(window: usize, end: &[&str], limit: Duration) -> Value {
    let scene = Scene::new();
    let home = LoadHome::start(&scene.home, scene.home.v4, &home1_secret(), &[]);
    let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let load = Load::logins(&scene.nas, Family::V4, &nas_secret(Family::V4), window);
    let summary = load.with(&["--double"]).with(end).within(limit).run(&scene.nas);
    assert!(sekisho.process().runs());
    assert_eq!(count(&summary, "completed"), count(&summary, "sent"), "{summary}");
    assert!(count(&summary, "completed") > 1000, "{summary}");
    assert_eq!((count(&summary, "lost"), count(&summary, "bad")), (0, 0), "{summary}");
    let counts = home.counts();
    assert_eq!(count(&counts, "distinct"), count(&summary, "sent"), "each once: {counts}");
    let metrics = sekisho.metrics();
    let doubles = metrics.dropped("userspace", "absorbed") + metrics.sum("sekisho_repeated_replies_total", &[]);
    let doubles = doubles + metrics.dropped("kernel", "duplicate_in_flight") + metrics.gate("replied");
    json!({"window": window, "load": summary, "home": counts, "doubles_seen": doubles})
}

#[test]
fn a_thousand_requests_outstanding_at_one_home_server_lose_none() {
    keeps_outstanding(1024, 4096);
}

#[test]
fn sixteen_thousand_requests_outstanding_at_one_home_server_lose_none() {
    keeps_outstanding(16_384, 40_000);
}

#[test]
fn every_request_twice_at_full_speed_gets_right_answers() {
    survives_doubles(256, &["--duration", "3s"], Duration::from_secs(60));
}

#[test]
#[ignore = "takes minutes: make soak"]
fn soak_of_windows() {
    let results: Vec<Value> =
        [(1024, 60_000), (16_384, 600_000)].map(|(window, requests)| keeps_outstanding(window, requests)).into();
    crate::soak::keep("outstanding", &json!(results));
}

#[test]
#[ignore = "takes minutes: make soak"]
fn soak_of_doubles() {
    let minute = ["--duration", "60s"];
    let results: Vec<Value> =
        [64, 1024].map(|window| survives_doubles(window, &minute, Duration::from_secs(180))).into();
    crate::soak::keep("doubles", &json!(results));
}
