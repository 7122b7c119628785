//! What a NAS is told when nobody answers, or when an answer may not be passed on.

use std::time::{Duration, Instant};

use sekisho_tests::documents::{Documents, Pool, Server};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::network::{Family, acct, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::eventually;

use crate::scene::{Scene, acme, home1_secret};

const USER: &str = "alice@acme.example";
const REJECT: u8 = 3;
const ERROR_CAUSE: u8 = 101;

#[test]
fn a_login_that_nobody_answers_is_rejected_when_the_nas_would_give_up() {
    let scene = Scene::new();
    let home = ScriptedHome::silent(&scene.home, &home1_secret());
    let documents = scene.documents_with(
        Family::V4,
        "answer_within = \"1s\"\nreject_delay = \"900ms\"",
        "response_window = \"300ms\"",
    );
    let _sekisho = Sekisho::start(&scene.network, &documents);
    for family in Family::BOTH {
        let nas = scene.scripted_nas(family);
        let request = nas.login(1, USER, "wonderland");
        let begin = Instant::now();
        let answer = nas.ask(auth(family), &request);
        assert_eq!(answer.code().0, REJECT);
        assert_eq!(answer.values(ERROR_CAUSE), [505u32.to_be_bytes()]);
        let took = begin.elapsed();
        assert!(took >= Duration::from_millis(950) && took < Duration::from_millis(1700), "{took:?}");
        assert_eq!(nas.ask(auth(family), &request), answer, "its repetition gets the same");
        // An accounting record that nobody has must not be acknowledged (RFC 2866 §4.1).
        nas.send(acct(family), &nas.accounting(2, USER, 1, "session"));
        nas.expect_silence(Duration::from_millis(1300));
    }
    assert_eq!(home.seen().len(), 4);
}

#[test]
fn or_there_is_silence_where_that_is_wanted() {
    let scene = Scene::new();
    let home = ScriptedHome::silent(&scene.home, &home1_secret());
    let client = "answer_within = \"1s\"\nreject_delay = \"500ms\"\nwhen_unanswered = \"silence\"";
    let documents = scene.documents_with(Family::V4, client, "response_window = \"300ms\"");
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    nas.send(auth(Family::V4), &nas.login(1, USER, "wonderland"));
    nas.expect_silence(Duration::from_millis(1500));
    assert_eq!(home.seen().len(), 1);
    assert_eq!(sekisho.metrics().sum("sekisho_expired_total", &[]), 1);
}

#[test]
fn while_every_server_is_out_of_service_logins_are_rejected_or_unanswered_as_the_contract_says() {
    for (when_down, rejected) in [("", true), ("when_down = \"silence\"", false)] {
        let scene = Scene::new();
        let home = ScriptedHome::willing(&scene.home, &home1_secret());
        let server = Server::new("home1", scene.home.v4, "state = \"down\"");
        let pool = Pool::new("fail-over", &[server]).key(when_down);
        let client = "reject_delay = \"400ms\"\nanswer_within = \"2s\"";
        let customer = acme(&scene.nas, client).pool(pool);
        let _sekisho = Sekisho::start(&scene.network, &Documents::new(&[&scene.nas, &scene.home]).customer(customer));
        let nas = scene.scripted_nas(Family::V4);
        let (request, begin) = (nas.login(1, USER, "wonderland"), Instant::now());
        nas.send(auth(Family::V4), &request);
        match nas.answer(&request, Duration::from_millis(2500)) {
            Some(answer) => {
                assert!(rejected);
                assert_eq!(answer.code().0, REJECT);
                assert!(begin.elapsed() >= Duration::from_millis(390), "a Reject of our own is delayed");
            }
            None => assert!(!rejected),
        }
        nas.send(acct(Family::V4), &nas.accounting(2, USER, 1, "session"));
        nas.expect_silence(Duration::from_millis(300));
        assert!(home.seen().is_empty());
    }
}

#[test]
fn a_home_servers_reject_is_passed_on_at_once_and_with_nothing_but_its_reasons() {
    let scene = Scene::new();
    let _home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        let attributes = [(18, b"no".to_vec()), (6, vec![0, 0, 0, 2]), (25, b"class".to_vec())];
        vec![asked.reply(sekisho_wire::code::Code::ACCESS_REJECT, sekisho_tests::packet::Proof::First, &attributes)]
    });
    let documents = scene.documents_with(Family::V4, "reject_delay = \"3s\"", "");
    let _sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let begin = Instant::now();
    let answer = nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland"));
    assert!(begin.elapsed() < Duration::from_secs(2), "proxied Rejects are not delayed");
    assert_eq!(answer.code().0, REJECT);
    assert_eq!(answer.values(18), [b"no"]);
    assert!(answer.values(6).is_empty() && answer.values(25).is_empty(), "RFC 5080 §2.6.1");
}

#[test]
fn what_a_home_server_may_not_grant_becomes_a_reject() {
    let scene = Scene::new();
    let _home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        let service = |number: u32| asked.accept_with(&[(6, &number.to_be_bytes())]);
        let framed = |address: [u8; 4]| asked.accept_with(&[(6, &2u32.to_be_bytes()), (8, &address)]);
        vec![match asked.user().split('@').next().unwrap_or_default() {
            "administrator" => service(6),
            "prompt" => service(7),
            "framed" => service(2),
            "inside" => framed([10, 1, 2, 3]),
            "outside" => framed([10, 2, 0, 1]),
            "by-the-nas" => framed([255, 255, 255, 254]),
            _ => asked.reject("who?"),
        }]
    });
    let pool =
        Pool::new("fail-over", &[Server::new("home1", scene.home.v4, "")]).key("framed_networks = [\"10.1.0.0/16\"]");
    let customer = acme(&scene.nas, "").pool(pool);
    let _sekisho = Sekisho::start(&scene.network, &Documents::new(&[&scene.nas, &scene.home]).customer(customer));
    let nas = scene.scripted_nas(Family::V4);
    let cases = [("administrator", 3), ("prompt", 3), ("framed", 2), ("inside", 2), ("outside", 3), ("by-the-nas", 2)];
    for (id, (user, code)) in cases.into_iter().enumerate() {
        let request = nas.login(id as u8, &format!("{user}@acme.example"), "wonderland");
        let answer = nas.ask(auth(Family::V4), &request);
        assert_eq!(answer.code().0, code, "{user}");
        if code == REJECT {
            assert!(answer.values(6).is_empty() && answer.values(8).is_empty(), "nothing of it comes through");
        }
    }
}

#[test]
fn a_terminal_that_may_be_administered_is_granted_it() {
    let scene = Scene::new();
    let _home =
        ScriptedHome::start(&scene.home, &home1_secret(), |asked| vec![asked.accept_with(&[(6, &6u32.to_be_bytes())])]);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents_with(Family::V4, "administrative = true", ""));
    let nas = scene.scripted_nas(Family::V4);
    let answer = nas.ask(auth(Family::V4), &nas.login(1, "root@acme.example", "wonderland"));
    assert_eq!((answer.code().0, answer.values(6)), (2, vec![vec![0, 0, 0, 6]]));
}

#[test]
fn challenges_without_end_come_to_an_end() {
    let scene = Scene::new();
    let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        let state = format!("round {}", asked.before);
        vec![asked.challenge(&[(24, state.as_bytes())])]
    });
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let mut state: Vec<Vec<u8>> = Vec::new();
    let end = (0..200).find(|round: &u8| {
        let more: Vec<(u8, &[u8])> = state.iter().map(|value| (24, value.as_slice())).collect();
        let answer = nas.ask(auth(Family::V4), &nas.login_with(*round, USER, "wonderland", &more));
        state = answer.values(24);
        answer.code().0 == REJECT
    });
    let rounds = usize::from(end.expect("a Reject"));
    assert!((20..=100).contains(&rounds), "long enough for every EAP method, and no longer: {rounds}");
    assert!(home.seen().len() >= rounds);
}

#[test]
fn class_and_state_have_a_measure() {
    let scene = Scene::new();
    let _home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        let (number, count) = if asked.user().starts_with("state") { (24, 4) } else { (25, 12) };
        let large: Vec<(u8, Vec<u8>)> = (0..count).map(|n| (number, vec![n; 253])).collect();
        let attributes: Vec<(u8, &[u8])> = large.iter().map(|(number, value)| (*number, value.as_slice())).collect();
        match asked.user().split('@').next().unwrap_or_default() {
            "modest" => vec![asked.accept_with(&attributes[..3])],
            _ => vec![asked.accept_with(&attributes)],
        }
    });
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    for (id, (user, code)) in [("modest", 2), ("class", 3)].into_iter().enumerate() {
        let request = nas.login(id as u8, &format!("{user}@acme.example"), "wonderland");
        let answer = nas.ask(auth(Family::V4), &request);
        assert_eq!(answer.code().0, code, "{user}");
        assert_eq!(answer.values(25).len(), if code == REJECT { 0 } else { 3 });
    }
}

#[test]
fn what_a_nas_says_of_itself_is_checked_where_that_is_wanted() {
    let scene = Scene::new();
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let client = "check_nas = true\nnas_addresses = [\"192.0.2.7\"]\nnas_identifiers = [\"bras-1\"]";
    let sekisho = Sekisho::start(&scene.network, &scene.documents_with(Family::V4, client, ""));
    let nas = scene.scripted_nas(Family::V4);
    let std::net::IpAddr::V4(own) = scene.nas.v4 else { unreachable!("an IPv4 address") };
    let good: [&[(u8, &[u8])]; 4] = [&[], &[(4, &own.octets())], &[(4, &[192, 0, 2, 7])], &[(32, b"bras-1")]];
    for (id, more) in good.into_iter().enumerate() {
        let request = nas.login_with(id as u8, USER, "wonderland", more);
        assert_eq!(nas.ask(auth(Family::V4), &request).code().0, 2, "{more:?}");
    }
    let bad: [&[(u8, &[u8])]; 3] = [&[(4, &[192, 0, 2, 8])], &[(32, b"bras-2")], &[(4, &own.octets()), (32, b"")]];
    for more in bad {
        nas.send(auth(Family::V4), &nas.login_with(9, USER, "wonderland", more));
    }
    nas.expect_silence(Duration::from_millis(300));
    eventually("each is counted", || (sekisho.metrics().dropped("userspace", "nas_mismatch") == 3).then_some(()));
    assert_eq!(home.seen().len(), good.len());
}
