//! BlastRADIUS (CVE-2024-3596): who has to prove what, toward us and toward home servers, and what is learned by `auto`.

use std::time::Duration;

use sekisho_tests::documents::{Documents, Server};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, auth};
use sekisho_tests::packet::{self, Proof};
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::PATIENCE;
use sekisho_wire::code::Code;

use crate::scene::{Scene, acme, home1_secret, nas_secret};

const USER: &str = "alice@acme.example";
/// Long after an answer would have come.
const SILENCE: Duration = Duration::from_millis(120);

fn login(id: u8, proof: Proof, more: &[(u8, Vec<u8>)]) -> Vec<u8> {
    packet::login(id, &nas_secret(Family::V4), proof, USER, "wonderland", more)
}

/// Sends a login by a NAS and holds that it is answered, or is not.
#[track_caller]
fn served(expected: bool, nas: &Nas, request: &[u8], what: &str) {
    nas.send(auth(Family::V4), request);
    let answered = nas.answer(request, if expected { PATIENCE } else { SILENCE }).is_some();
    assert_eq!(answered, expected, "{what}");
}

#[test]
fn clients_have_to_prove_what_their_policy_asks_for() {
    let state = [(33, b"theirs".to_vec())];
    for policy in ["yes", "no", "auto"] {
        let scene = Scene::new();
        let home = ScriptedHome::willing(&scene.home, &home1_secret());
        let client = format!("require_message_authenticator = \"{policy}\"");
        let _sekisho = Sekisho::start(&scene.network, &scene.documents_with(Family::V4, &client, ""));
        let nas = scene.scripted_nas(Family::V4);
        let mut id = 0;
        let mut try_it = |expected, proof, more: &[(u8, Vec<u8>)]| {
            id += 1;
            served(expected, &nas, &login(id, proof, more), &format!("{policy} {proof:?} {more:?}"));
        };
        // What proves nothing: served by policy, and never with somebody's Proxy-State.
        try_it(policy != "yes", Proof::Absent, &[]);
        try_it(false, Proof::Absent, &state);
        // EAP has to prove itself whatever the policy says (RFC 3579 §3.2).
        try_it(false, Proof::Absent, &[(79, vec![2, 1, 0, 4])]);
        for more in [&[][..], &state] {
            // What is wrong is never served, nor is what is there twice; what is right is, wherever it stands.
            try_it(false, Proof::Bad, more);
            try_it(false, Proof::Twice, more);
            try_it(true, Proof::First, more);
            try_it(true, Proof::Last, more);
        }
        // Accounting is not concerned by any of it.
        let record = nas.accounting(200, USER, 1, "session");
        assert_eq!(nas.ask(sekisho_tests::network::acct(Family::V4), &record).code().0, 5);
        for asked in home.seen().iter().filter(|asked| asked.code() == Code::ACCESS_REQUEST) {
            assert_eq!(asked.bytes[20], 80, "ours is first, whatever came");
            assert_eq!(asked.values(80).len(), 1);
        }
    }
}

#[test]
fn a_client_that_has_proved_itself_once_has_to_for_ever_and_a_restart_forgets_nothing() {
    let scene = Scene::new();
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let documents = scene.documents(Family::V4);
    let nas = scene.scripted_nas(Family::V4);
    let learned = |sekisho: &Sekisho<'_>| {
        let labels = [("client", "acme-nas-4")];
        sekisho.metrics().sum("sekisho_client_message_authenticator_learned", &labels)
    };
    let sekisho = Sekisho::start(&scene.network, &documents);
    served(true, &nas, &login(1, Proof::Absent, &[]), "nothing is known of it yet");
    served(false, &nas, &login(2, Proof::Bad, &[]), "wrong");
    assert_eq!(learned(&sekisho), 0, "what is wrong teaches nothing");
    served(true, &nas, &login(3, Proof::First, &[]), "right");
    served(false, &nas, &login(4, Proof::Absent, &[]), "a downgrade");
    assert_eq!(learned(&sekisho), 1);
    assert_eq!(sekisho.metrics().dropped("userspace", "message_authenticator_downgrade"), 1);
    let log = sekisho.log();
    assert!(log.contains("WARN") && log.contains("acme-nas-4"), "an alarm that names the contract: {log}");
    sekisho.stop();

    let sekisho = Sekisho::start(&scene.network, &documents);
    assert_eq!(learned(&sekisho), 1);
    served(false, &nas, &login(5, Proof::Absent, &[]), "known over a restart");
    served(true, &nas, &login(6, Proof::Last, &[]), "right");
    assert_eq!(home.seen().len(), 3);
    // The other contract, the NAS by IPv6, has shown nothing yet.
    let other = packet::login(7, &nas_secret(Family::V6), Proof::Absent, USER, "wonderland", &[]);
    let nas = scene.scripted_nas(Family::V6);
    assert_eq!(nas.ask(auth(Family::V6), &other).code().0, 2);
}

/// Asks once through a home server that proves itself in this way, and holds that it is believed, or is not.
#[track_caller]
fn believed(expected: bool, policy: &str, proof: Proof, eap: bool) {
    let scene = Scene::new();
    let _home = ScriptedHome::start(&scene.home, &home1_secret(), move |asked| {
        let attributes = if eap { vec![(79, vec![3, 1, 0, 4])] } else { Vec::new() };
        vec![asked.reply(Code::ACCESS_ACCEPT, proof, &attributes)]
    });
    let server = format!("require_message_authenticator = \"{policy}\"");
    let client = "when_unanswered = \"silence\"";
    let _sekisho = Sekisho::start(&scene.network, &scene.documents_with(Family::V4, client, &server));
    let nas = scene.scripted_nas(Family::V4);
    served(expected, &nas, &login(1, Proof::First, &[]), &format!("{policy} {proof:?} {eap}"));
}

#[test]
fn home_servers_have_to_prove_what_their_policy_asks_for() {
    for policy in ["yes", "no", "auto"] {
        for proof in [Proof::First, Proof::Last] {
            believed(true, policy, proof, false);
        }
        believed(false, policy, Proof::Bad, false);
        believed(policy != "yes", policy, Proof::Absent, false);
        believed(false, policy, Proof::Absent, true);
        believed(true, policy, Proof::First, true);
    }
}

#[test]
fn a_home_server_that_has_proved_itself_once_is_not_believed_without() {
    let scene = Scene::new();
    let _home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        let proof = if asked.user().starts_with("bare") { Proof::Absent } else { Proof::First };
        // The forgery first, as BlastRADIUS has it; then the truth.
        let truth = asked.reply(Code::ACCESS_REJECT, Proof::First, &[]).after(Duration::from_millis(400));
        vec![asked.reply(Code::ACCESS_ACCEPT, proof, &[]), truth]
    });
    let documents = scene.documents(Family::V4);
    let nas = scene.scripted_nas(Family::V4);
    let ask = |id, user: &str| {
        let request = packet::login(id, &nas_secret(Family::V4), Proof::First, user, "wonderland", &[]);
        nas.ask(auth(Family::V4), &request).code()
    };
    let sekisho = Sekisho::start(&scene.network, &documents);
    assert_eq!(ask(1, "bare@acme.example"), Code::ACCESS_ACCEPT, "an old home server is believed");
    assert_eq!(ask(2, USER), Code::ACCESS_ACCEPT);
    assert_eq!(ask(3, "bare@acme.example"), Code::ACCESS_REJECT, "the true answer, which came later");
    let metrics = sekisho.metrics();
    assert_eq!(metrics.dropped("userspace", "reply_downgrade"), 1, "{}", metrics.drops());
    assert_eq!(metrics.sum("sekisho_server_timeouts_total", &[]), 0);
    assert_eq!(sekisho.server_state("home1", "auth"), "alive", "a forger harms nobody's health");
    sekisho.stop();
    let _sekisho = Sekisho::start(&scene.network, &documents);
    assert_eq!(ask(4, "bare@acme.example"), Code::ACCESS_REJECT, "known over a restart");
}

#[test]
fn radclient_sees_the_message_authenticator_first_in_every_kind_of_reply() {
    let scene = Scene::new();
    let _home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        vec![match asked.user().split('@').next().unwrap_or_default() {
            "accept" => asked.reply(Code::ACCESS_ACCEPT, Proof::Last, &[(18, b"yes".to_vec())]),
            "challenge" => asked.reply(Code::ACCESS_CHALLENGE, Proof::Last, &[(18, b"more".to_vec()), (24, vec![1])]),
            _ => asked.reply(Code::ACCESS_REJECT, Proof::Last, &[(18, b"no".to_vec())]),
        }]
    });
    let server = Server::new("home1", scene.home.v4, "");
    let documents = Documents::new(&[&scene.nas, &scene.home]).customer(acme(&scene.nas, "").proxy(&[server]));
    let _sekisho = Sekisho::start(&scene.network, &documents);
    for family in Family::BOTH {
        for (user, code) in
            [("accept", "Access-Accept"), ("challenge", "Access-Challenge"), ("reject", "Access-Reject")]
        {
            let pairs = format!("User-Name = {user}@acme.example, User-Password = wonderland");
            let answer = Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), &pairs).expect(code);
            assert_eq!(answer.first_attribute(), Some("Message-Authenticator"), "{}", answer.output());
        }
    }
}
