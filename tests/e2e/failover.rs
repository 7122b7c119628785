//! Home servers that die, lie, or answer at the wrong time.

use std::time::{Duration, Instant};

use sekisho_tests::documents::{Documents, Server, home_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::network::{Family, Host, acct, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_wire::code::Code;

use crate::scene::{Scene, acme, home1_secret};

const USER: &str = "alice@acme.example";
const WINDOW: &str = "response_window = \"400ms\"";

/// A second home server after the first, both with a `response_window` of 400 ms.
fn with_second() -> (Scene, Host, Documents) {
    let mut scene = Scene::new();
    let second = scene.network.host("home2");
    let servers = [Server::new("home1", scene.home.v4, WINDOW), Server::new("home2", second.v4, WINDOW)];
    let documents = Documents::new(&[&scene.nas, &scene.home, &second]).customer(acme(&scene.nas, "").proxy(&servers));
    (scene, second, documents)
}

/// Waits until the control engine has drawn its conclusion from home1's silence, which takes it part of a second.
fn no_longer_alive(sekisho: &Sekisho<'_>, kind: &str) {
    sekisho.metrics_when("home1 is not alive", |metrics| {
        metrics.sum("sekisho_server_state", &[("server", "home1"), ("kind", kind), ("state", "alive")]) == 0
    });
}

#[test]
fn a_dead_first_server_costs_one_login_one_failover_and_the_next_none() {
    let (scene, second, documents) = with_second();
    let first = ScriptedHome::silent(&scene.home, &home1_secret());
    let second = ScriptedHome::willing(&second, &home_secret("home2"));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);

    let begin = Instant::now();
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland")).code().0, 2);
    assert!(begin.elapsed() < Duration::from_secs(2), "one response_window, not two: {:?}", begin.elapsed());
    assert_eq!((first.seen().len(), second.seen().len()), (1, 1));
    assert_eq!(second.seen()[0].password(), b"wonderland");
    assert_ne!(first.seen()[0].authenticator(), second.seen()[0].authenticator());

    no_longer_alive(&sekisho, "auth");
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(2, USER, "wonderland")).code().0, 2);
    assert_eq!((first.seen().len(), second.seen().len()), (1, 2), "straight to the second");
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_failovers_total", &[]), 1);
    let state =
        |server, kind| metrics.sum("sekisho_server_state", &[("server", server), ("kind", kind), ("state", "alive")]);
    assert_eq!((state("home1", "auth"), state("home2", "auth")), (0, 1));
}

#[test]
fn accounting_fails_over_as_well() {
    let (scene, second, documents) = with_second();
    let first = ScriptedHome::silent(&scene.home, &home1_secret());
    let second = ScriptedHome::willing(&second, &home_secret("home2"));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    assert_eq!(nas.ask(acct(Family::V4), &nas.accounting(1, USER, 1, "session")).code().0, 5);
    no_longer_alive(&sekisho, "acct");
    assert_eq!(nas.ask(acct(Family::V4), &nas.accounting(2, USER, 1, "session")).code().0, 5);
    assert_eq!((first.seen().len(), second.seen().len()), (1, 2));
}

#[test]
fn a_server_whose_host_is_gone_is_failed_over_from() {
    let (scene, second, documents) = with_second();
    // Nothing listens on home1: its system answers with ICMP port unreachable.
    let second = ScriptedHome::willing(&second, &home_secret("home2"));
    let _sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland")).code().0, 2);
    scene.home.namespace.ip("link set eth0 down");
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(2, USER, "wonderland")).code().0, 2);
    assert_eq!(second.seen().len(), 2);
}

#[test]
fn a_forged_reply_is_ignored_and_the_true_one_still_accepted() {
    let scene = Scene::new();
    let _home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        let access = asked.code() == Code::ACCESS_REQUEST;
        let truth = if access { asked.reject("the true answer") } else { asked.accept() };
        vec![asked.forged(), truth.after(Duration::from_millis(200))]
    });
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    for (id, family) in Family::BOTH.into_iter().enumerate() {
        let nas = scene.scripted_nas(family);
        let answer = nas.ask(auth(family), &nas.login(id as u8, USER, "wonderland"));
        assert_eq!(answer.code().0, 3, "the forged Accept does not count");
        assert_eq!(answer.values(18), [b"the true answer"]);
    }
    let nas = scene.scripted_nas(Family::V4);
    let begin = Instant::now();
    assert_eq!(nas.ask(acct(Family::V4), &nas.accounting(1, USER, 1, "session")).code().0, 5);
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert_eq!(sekisho.metrics().sum("sekisho_server_forged_total", &[("server", "home1")]), 3);
}

#[test]
fn forged_replies_are_no_sign_of_life() {
    let (scene, second, documents) = with_second();
    let _first = ScriptedHome::start(&scene.home, &home1_secret(), |asked| vec![asked.forged()]);
    let second = ScriptedHome::willing(&second, &home_secret("home2"));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland")).code().0, 2);
    assert_eq!(second.seen().len(), 1, "the request failed over although a forger answered");
    no_longer_alive(&sekisho, "auth");
}

#[test]
fn late_and_doubled_replies_reach_nobody_and_harm_nothing() {
    let scene = Scene::new();
    let _home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        let delay = Duration::from_millis(if asked.user().starts_with("late") { 1600 } else { 0 });
        vec![asked.accept().after(delay), asked.accept().after(delay)]
    });
    let client = "answer_within = \"1s\"\nreject_delay = \"500ms\"\nwhen_unanswered = \"silence\"";
    let documents = scene.documents_with(Family::V4, client, WINDOW);
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland")).code().0, 2);
    nas.expect_silence(Duration::from_millis(100));
    nas.send(auth(Family::V4), &nas.login(2, "late@acme.example", "wonderland"));
    nas.expect_silence(Duration::from_millis(2000));
    let metrics = sekisho.metrics_when("one doubled, two late", |metrics| {
        metrics.sum("sekisho_server_unmatched_total", &[("server", "home1")]) == 3
    });
    assert_eq!(metrics.sum("sekisho_expired_total", &[]), 1);
    assert_eq!(metrics.sum("sekisho_in_flight", &[]), 0);
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(3, USER, "wonderland")).code().0, 2);
}

#[test]
fn a_server_that_comes_back_is_used_again() {
    let (scene, second, documents) = with_second();
    let _second = ScriptedHome::willing(&second, &home_secret("home2"));
    let silent = ScriptedHome::silent(&scene.home, &home1_secret());
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland")).code().0, 2);
    drop(silent);
    let back = ScriptedHome::willing(&scene.home, &home1_secret());
    // With the second gone, the first is all there is: zombie or not, it is asked, and its answer is a sign of life.
    second.namespace.ip("link set eth0 down");
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(2, USER, "wonderland")).code().0, 2);
    assert_eq!(back.seen().len(), 1);
    sekisho.metrics_when("home1 is alive", |metrics| {
        metrics.sum("sekisho_server_state", &[("server", "home1"), ("kind", "auth"), ("state", "alive")]) == 1
    });
}
