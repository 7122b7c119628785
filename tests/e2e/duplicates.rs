//! A NAS that asks more than once (RFC 5080 §2.2.2).

use std::collections::HashSet;
use std::time::Duration;

use sekisho_tests::home::{Asked, ScriptedHome};
use sekisho_tests::network::{Family, acct, auth};
use sekisho_tests::sekisho::Sekisho;

use crate::scene::{Scene, home1_secret};

const USER: &str = "alice@acme.example";

/// Requests as a home server tells them apart: by port, identifier and authenticator.
fn distinct(seen: &[Asked]) -> usize {
    seen.iter().map(|asked| (asked.from, asked.bytes[1], asked.authenticator())).collect::<HashSet<_>>().len()
}

fn slow(scene: &Scene, delay: u64) -> ScriptedHome {
    ScriptedHome::start(&scene.home, &home1_secret(), move |asked| {
        vec![asked.accept().after(Duration::from_millis(delay))]
    })
}

#[test]
fn a_login_asked_three_times_happens_once_and_gets_the_same_reply_each_time() {
    let scene = Scene::new();
    let home = slow(&scene, 0);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    for family in Family::BOTH {
        let nas = scene.scripted_nas(family);
        let before = home.seen().len();
        let request = nas.login(1, USER, "wonderland");
        let answers: Vec<_> = (0..3).map(|_| nas.ask(auth(family), &request)).collect();
        assert_eq!(answers[0].code().0, 2);
        assert!(answers.iter().all(|answer| answer == &answers[0]), "identical octets");
        assert_eq!(home.seen().len() - before, 1);
    }
}

#[test]
fn an_accounting_record_sent_three_times_is_recorded_once() {
    let scene = Scene::new();
    let home = slow(&scene, 0);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.accounting(1, USER, 1, "session-1");
    let answers: Vec<_> = (0..3).map(|_| nas.ask(acct(Family::V4), &request)).collect();
    assert_eq!(answers[0].code().0, 5);
    assert!(answers.iter().all(|answer| answer == &answers[0]), "identical octets");
    assert_eq!(home.seen().len(), 1);
}

#[test]
fn repetitions_of_a_login_in_flight_are_absorbed_and_answered_once() {
    let scene = Scene::new();
    let home = slow(&scene, 500);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.login(1, USER, "wonderland");
    for _ in 0..3 {
        nas.send(auth(Family::V4), &request);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(nas.answer(&request, Duration::from_secs(5)).expect("an answer").code().0, 2);
    nas.expect_silence(Duration::from_millis(200));
    assert_eq!(home.seen().len(), 1);
    let metrics = sekisho.metrics();
    assert_eq!(metrics.dropped("userspace", "absorbed"), 1, "the first repetition");
    assert_eq!(metrics.dropped("kernel", "duplicate_in_flight"), 1, "the second");
}

#[test]
fn a_repetition_after_the_retransmit_window_goes_to_the_home_server_again_octet_for_octet() {
    let scene = Scene::new();
    // The first packet is lost on its way.
    let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        if asked.before == 0 { Vec::new() } else { vec![asked.accept()] }
    });
    let documents = scene.documents(Family::V4).limit("retransmit_window", "\"250ms\"");
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.login(1, USER, "wonderland");
    nas.send(auth(Family::V4), &request);
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(nas.ask(auth(Family::V4), &request).code().0, 2);
    let seen = home.seen();
    assert_eq!((seen.len(), distinct(&seen)), (2, 1), "one login, sent twice");
    assert_eq!(seen[0].bytes, seen[1].bytes);
    assert_eq!(sekisho.metrics().sum("sekisho_retransmitted_total", &[]), 1);
}

#[test]
fn the_same_identifier_with_another_authenticator_is_another_request() {
    let scene = Scene::new();
    let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        let delay = if asked.user().starts_with("slow") { 400 } else { 0 };
        vec![asked.accept_with(&[(18, asked.user().as_bytes())]).after(Duration::from_millis(delay))]
    });
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    // After an answer.
    for user in ["one@acme.example", "two@acme.example"] {
        let answer = nas.ask(auth(Family::V4), &nas.login(1, user, "wonderland"));
        assert_eq!(answer.values(18), [user.as_bytes()]);
    }
    // In flight: the older one has been given up by its NAS, and its late answer is for nobody.
    let old = nas.login(2, "slow@acme.example", "wonderland");
    nas.send(auth(Family::V4), &old);
    sekisho_tests::wait::eventually("the slow login is under way", || (home.seen().len() == 3).then_some(()));
    let answer = nas.ask(auth(Family::V4), &nas.login(2, "three@acme.example", "wonderland"));
    assert_eq!(answer.values(18), [b"three@acme.example"]);
    nas.expect_silence(Duration::from_millis(600));
    assert_eq!(home.seen().len(), 4);
    assert_eq!(sekisho.metrics().sum("sekisho_superseded_total", &[]), 2);
}

#[test]
fn two_logins_with_one_identifier_from_two_ports_are_two_logins() {
    let scene = Scene::new();
    let home = slow(&scene, 50);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let (one, two) = (scene.scripted_nas(Family::V4), scene.scripted_nas(Family::V4));
    let (first, second) = (one.login(9, USER, "wonderland"), two.login(9, USER, "wonderland"));
    one.send(auth(Family::V4), &first);
    assert_eq!(two.ask(auth(Family::V4), &second).code().0, 2);
    assert_eq!(one.answer(&first, Duration::from_secs(5)).expect("an answer").code().0, 2);
    assert_eq!(distinct(&home.seen()), 2);
}
