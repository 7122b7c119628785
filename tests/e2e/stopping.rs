//! It stops when it is told to, always, and leaves no program on an interface.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::load::{Load, LoadHome};
use sekisho_tests::network::{Family, auth};
use sekisho_tests::process::Process;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::eventually;

use crate::scene::{Scene, home1_secret, nas_secret};

/// The time in which it promises to be gone.
const DEADLINE: Duration = Duration::from_secs(5);

fn has_xdp(scene: &Scene, interface: &str) -> bool {
    scene.network.proxy.tool("ip", &format!("-details link show dev {interface}")).contains("prog/xdp")
}

fn gone_within(process: &mut Process, limit: Duration) {
    let begin = Instant::now();
    let status = process.exits_within(Duration::from_secs(20));
    assert!(begin.elapsed() < limit, "{:?}", begin.elapsed());
    assert!(status.success(), "{status}");
}

#[test]
fn sigterm_and_sigint_stop_it_and_detach_the_gate() {
    for signal in [Signal::TERM, Signal::INT] {
        let scene = Scene::new();
        let _home = ScriptedHome::willing(&scene.home, &home1_secret());
        let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
        let nas = scene.scripted_nas(Family::V4);
        assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, "alice@acme.example", "wonderland")).code().0, 2);
        assert!(has_xdp(&scene, "nas") && has_xdp(&scene, "home1"));
        sekisho.process().signal(signal);
        gone_within(sekisho.process(), Duration::from_secs(2));
        assert!(!has_xdp(&scene, "nas") && !has_xdp(&scene, "home1"));
    }
}

#[test]
fn it_stops_within_its_deadline_under_load() {
    let scene = Scene::new();
    let _home = LoadHome::start(&scene.home, scene.home.v4, &home1_secret(), &[]);
    let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let load = Load::logins(&scene.nas, Family::V4, &nas_secret(Family::V4), 1024);
    let _load = load.with(&["--duration", "20s"]).patience("100ms", "100").start(&scene.nas);
    sekisho.metrics_when("the load is on", |metrics| metrics.sum("sekisho_requests_total", &[]) > 5000);
    sekisho.process().signal(Signal::TERM);
    gone_within(sekisho.process(), DEADLINE);
    assert!(!has_xdp(&scene, "nas"));
}

#[test]
fn what_is_in_flight_is_still_answered() {
    let scene = Scene::new();
    let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        vec![asked.accept().after(Duration::from_millis(800))]
    });
    let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.login(1, "alice@acme.example", "wonderland");
    nas.send(auth(Family::V4), &request);
    eventually("it is in flight", || (home.seen().len() == 1).then_some(()));
    sekisho.process().signal(Signal::TERM);
    assert_eq!(nas.answer(&request, Duration::from_secs(3)).expect("an answer").code().0, 2);
    gone_within(sekisho.process(), DEADLINE);
}

#[test]
fn a_home_server_that_never_answers_does_not_hold_it_and_a_second_signal_hurries_it() {
    for hurry in [false, true] {
        let scene = Scene::new();
        let home = ScriptedHome::silent(&scene.home, &home1_secret());
        let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
        let nas = scene.scripted_nas(Family::V4);
        nas.send(auth(Family::V4), &nas.login(1, "alice@acme.example", "wonderland"));
        eventually("it is in flight", || (home.seen().len() == 1).then_some(()));
        sekisho.process().signal(Signal::TERM);
        if hurry {
            sekisho.process().prints("stopping");
            sekisho.process().signal(Signal::TERM);
        }
        gone_within(sekisho.process(), if hurry { Duration::from_millis(1500) } else { DEADLINE });
    }
}

#[test]
fn killed_it_leaves_no_gate_that_nobody_feeds() {
    let scene = Scene::new();
    let _home = ScriptedHome::willing(&scene.home, &home1_secret());
    let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    sekisho.process().kill();
    eventually("the gate is gone", || (!has_xdp(&scene, "nas")).then_some(()));
    drop(sekisho);
    let _again = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, "alice@acme.example", "wonderland")).code().0, 2);
}
