//! A NAS that repeats a request over and over: the kernel absorbs and answers what it can, and the NAS cannot tell (RFC 5080
//! §2.2.2).

use std::time::{Duration, Instant};

use sekisho_tests::home::{Asked, Say, ScriptedHome};
use sekisho_tests::nas::{Answer, Nas, fresh_authenticator};
use sekisho_tests::network::{Family, acct, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::{PATIENCE, eventually};

use crate::scene::{Scene, home1_secret};

const USER: &str = "alice@acme.example";
/// What a request is repeated after.
const APART: Duration = Duration::from_millis(20);

/// A home server that accepts, and says whom.
fn naming(scene: &Scene) -> ScriptedHome {
    ScriptedHome::start(&scene.home, &home1_secret(), accept)
}

fn accept(asked: &Asked) -> Vec<Say> {
    vec![asked.accept_with(&[(18, asked.user().as_bytes())])]
}

/// Sends a request eight times, each when the answer to the one before it has come, and gives all answers.
fn eight_answers(nas: &Nas, family: Family, request: &[u8]) -> Vec<Answer> {
    let to = if request[0] == 4 { acct(family) } else { auth(family) };
    let ask = |_| {
        let answer = nas.ask(to, request);
        std::thread::sleep(APART);
        answer
    };
    (0..8).map(ask).collect()
}

#[test]
fn of_eight_copies_of_an_answered_request_userspace_sees_two_and_the_kernel_answers_the_rest_alike() {
    let scene = Scene::new();
    let home = naming(&scene);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let mut asked = 0;
    for family in Family::BOTH {
        let nas = scene.scripted_nas(family);
        let requests = [nas.login(1, USER, "wonderland"), nas.accounting(2, USER, 1, "session-1")];
        for request in requests {
            let answers = eight_answers(&nas, family, &request);
            assert!(answers.iter().all(|answer| answer == &answers[0]), "identical octets");
            nas.expect_silence(APART);
            asked += 1;
            assert_eq!(home.seen().len(), asked, "one effect upstream");
            let metrics = sekisho.metrics();
            let [received, replied] = [metrics.received(), metrics.gate("replied")];
            assert!(received <= 2 * asked as u64, "{family:?}: {received} of {} reached userspace", 8 * asked);
            assert_eq!(received + replied, 8 * asked as u64);
        }
    }
    sekisho.assert_every_packet_is_counted_once();
}

#[test]
fn of_eight_copies_of_a_request_in_flight_userspace_sees_two_and_the_answer_comes_once() {
    let scene = Scene::new();
    let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        vec![asked.accept().after(Duration::from_millis(1500))]
    });
    // The window outlasts the home server: every copy is one too many.
    let documents = scene.documents(Family::V4).limit("retransmit_window", "\"5s\"");
    let sekisho = Sekisho::start(&scene.network, &documents);
    for (n, family) in Family::BOTH.into_iter().enumerate() {
        let nas = scene.scripted_nas(family);
        let request = nas.login(1, USER, "wonderland");
        let begun = Instant::now();
        for _ in 0..8 {
            nas.send(auth(family), &request);
            std::thread::sleep(APART);
        }
        assert!(begun.elapsed() < Duration::from_millis(1400), "the machine is too slow for this test");
        let metrics = sekisho.metrics();
        let absorbed = metrics.dropped("kernel", "duplicate_in_flight");
        assert!(metrics.received() <= 2 * (n as u64 + 1), "{} reached userspace", metrics.received());
        assert_eq!(metrics.received() + absorbed, 8 * (n as u64 + 1));
        let answer = nas.answer(&request, PATIENCE).expect("an answer");
        nas.expect_silence(Duration::from_millis(100));
        // From then on the kernel has the answer.
        assert_eq!(nas.ask(auth(family), &request), answer, "identical octets");
        let metrics = sekisho.metrics();
        assert_eq!(metrics.gate("replied"), n as u64 + 1, "answered by the kernel");
        assert_eq!(home.seen().len(), n + 1);
    }
    sekisho.assert_every_packet_is_counted_once();
}

#[test]
fn where_the_kernel_does_not_answer_userspace_does_and_the_nas_cannot_tell() {
    for (mode, key) in
        [("off", ""), ("generic", ""), ("native", "max_replies = 0"), ("native", "replies_on_veth = false")]
    {
        let scene = Scene::new();
        let home = naming(&scene);
        let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4).xdp(mode).xdp_key(key));
        for (n, family) in Family::BOTH.into_iter().enumerate() {
            let nas = scene.scripted_nas(family);
            let answers = eight_answers(&nas, family, &nas.login(1, USER, "wonderland"));
            assert!(answers.iter().all(|answer| answer == &answers[0]), "{mode}: identical octets");
            nas.expect_silence(APART);
            assert_eq!(home.seen().len(), n + 1, "{mode}");
        }
        let metrics = sekisho.metrics();
        assert_eq!((metrics.received(), metrics.gate("replied")), (16, 0), "{mode}");
    }
}

#[test]
fn any_number_of_copies_back_to_back_has_one_effect_and_identical_answers() {
    for mode in ["native", "off"] {
        let scene = Scene::new();
        let home = naming(&scene);
        let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4).xdp(mode));
        for (n, family) in Family::BOTH.into_iter().enumerate() {
            let nas = scene.scripted_nas(family);
            let request = nas.login(1, USER, "wonderland");
            for _ in 0..100 {
                nas.send(auth(family), &request);
            }
            let answer = nas.answer(&request, PATIENCE).expect("an answer");
            let more = std::iter::from_fn(|| nas.answer(&request, Duration::from_millis(200)));
            assert!(more.take(100).all(|other| other == answer), "{mode}: identical octets");
            assert_eq!(home.seen().len(), n + 1, "{mode}: one effect upstream");
            assert_eq!(nas.ask(auth(family), &request), answer);
        }
        if mode == "native" {
            sekisho.assert_every_packet_is_counted_once();
        }
    }
}

#[test]
fn another_body_under_the_same_identifier_and_authenticator_never_gets_the_answer_that_is_kept() {
    for mode in ["native", "off"] {
        let scene = Scene::new();
        let home = naming(&scene);
        let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4).xdp(mode));
        for family in Family::BOTH {
            let nas = scene.scripted_nas(family);
            let authenticator = fresh_authenticator();
            let login = |user, password| nas.login_under(authenticator, 1, user, password, &[]);
            let before = home.seen().len();
            // Of one length, so that nothing but the octets tells them apart.
            let users = ["alice@acme.example", "bobby@acme.example"];
            for user in [users[0], users[1], users[0]] {
                let request = login(user, "wonderland");
                for _ in 0..4 {
                    let answer = nas.ask(auth(family), &request);
                    assert_eq!(answer.values(18), [user.as_bytes()], "{mode}");
                    std::thread::sleep(APART);
                }
            }
            // The same user with another password is somebody else's attempt.
            let other = home.seen().len();
            nas.ask(auth(family), &login(users[0], "looking-glass"));
            assert_eq!(home.seen().len(), other + 1, "{mode}: the home server judges the other password");
            assert_eq!(home.seen()[other].password(), b"looking-glass");
            assert!(other - before >= 2, "{mode}");
        }
        let replied = sekisho.metrics().gate("replied");
        assert_eq!(replied > 0, mode == "native", "{mode}: {replied} answered by the kernel");
    }
}

#[test]
fn after_the_window_a_repetition_passes_the_kernel_and_goes_to_the_home_server_again() {
    let scene = Scene::new();
    // Everything but the third packet is lost on its way.
    let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        if asked.before < 2 { Vec::new() } else { vec![asked.accept()] }
    });
    let documents = scene.documents(Family::V4).limit("retransmit_window", "\"300ms\"");
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.login(1, USER, "wonderland");
    let answer = eventually("the third packet to the home server is answered", || {
        nas.send(auth(Family::V4), &request);
        nas.answer(&request, APART)
    });
    assert_eq!(answer.code().0, 2);
    let seen = home.seen();
    assert_eq!(seen.len(), 3, "relayed again as often as a window had passed");
    assert!(seen.iter().all(|asked| asked.bytes == seen[0].bytes), "octet for octet");
    for pair in seen.windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(280), "not before the window had passed");
    }
    assert!(sekisho.metrics().dropped("kernel", "duplicate_in_flight") > 0);
}

#[test]
fn a_reload_voids_what_the_kernel_keeps_and_the_answer_stays_the_same() {
    let scene = Scene::new();
    let home = naming(&scene);
    let documents = scene.documents(Family::V4);
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.login(1, USER, "wonderland");
    let answers = eight_answers(&nas, Family::V4, &request);
    let received = sekisho.metrics().received();
    assert!(sekisho.reload(&documents).status.success());
    assert_eq!(nas.ask(auth(Family::V4), &request), answers[0]);
    assert_eq!(sekisho.metrics().received(), received + 1, "the copy after the reload went up");
    assert_eq!(home.seen().len(), 1);
}
