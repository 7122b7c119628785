//! Clients that have lost patience: everyone repeats every request many times over, and it costs the home server nothing.

use std::time::Duration;

use sekisho_tests::load::{Load, LoadHome, count};
use sekisho_tests::network::Family;
use sekisho_tests::sekisho::Sekisho;
use serde_json::{Value, json};

use crate::scene::{Scene, home1_secret, nas_secret};

/// So many logins a second, each repeated every twenty milliseconds, at a home server that takes 150 for each. Holds that each is
/// answered rightly and reaches the home server once, and that few of the copies reach userspace.
fn survives_a_storm(mode: &str, rate: u32, duration: &str, limit: Duration) -> Value {
    let scene = Scene::new();
    let home = LoadHome::start(&scene.home, scene.home.v4, &home1_secret(), &["--delay", "150ms"]);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4).xdp(mode));
    let load = Load::logins_at(&scene.nas, Family::V4, &nas_secret(Family::V4), rate);
    let load = load.patience("20ms", "250").with(&["--duration", duration]).within(limit).run(&scene.nas);
    let (sent, copies) = (count(&load, "sent"), count(&load, "retransmitted"));
    assert!(copies >= 3 * sent, "this is no storm: {load}");
    assert_eq!(count(&load, "completed"), sent, "{load}");
    assert_eq!((count(&load, "lost"), count(&load, "bad")), (0, 0), "{load}");
    let metrics = sekisho.metrics();
    let received = metrics.received();
    if mode == "native" {
        // A copy more where the machine was away for a moment, and two of them came at once.
        assert!(received <= 2 * sent + sent / 4, "{received} datagrams of {sent} logins reached userspace");
        sekisho.assert_every_packet_is_counted_once();
    }
    let counts = home.counts();
    assert_eq!(count(&counts, "distinct"), sent, "each once: {counts}");
    json!({"xdp": mode, "load": load, "home": counts, "received_by_userspace": received,
           "absorbed_in_the_kernel": metrics.dropped("kernel", "duplicate_in_flight"),
           "answered_by_the_kernel": metrics.gate("replied"),
           "absorbed_in_userspace": metrics.dropped("userspace", "absorbed")})
}

#[test]
fn a_storm_of_retransmissions_ends_in_the_kernel_and_every_login_is_answered_once() {
    survives_a_storm("native", 200, "3s", Duration::from_secs(60));
}

#[test]
fn without_xdp_a_storm_of_retransmissions_ends_in_userspace_with_the_same_result() {
    survives_a_storm("off", 200, "3s", Duration::from_secs(60));
}

#[test]
#[ignore = "takes minutes: make soak"]
fn soak_of_retransmissions() {
    let results = ["native", "off"].map(|mode| survives_a_storm(mode, 1000, "60s", Duration::from_secs(180)));
    crate::soak::keep("retransmissions", &json!(results));
}
