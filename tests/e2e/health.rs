//! How sekisho knows that a home server lives, what the operator may want of one, and how it says itself that it drains.

use std::collections::HashSet;

use rustix::process::Signal;
use sekisho_tests::documents::{Customer, Documents, Pool, Server, home_secret};
use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::home::{Asked, Say, ScriptedHome};
use sekisho_tests::network::{Family, Host, acct, auth};
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::eventually;
use sekisho_wire::code::Code;

use crate::scene::{Scene, acme, home1_secret, nas_secret};

const USER: &str = "alice@acme.example";

/// Times as short as they can be.
const PROBED: &str = "response_window = \"300ms\"\nzombie_period = \"1s\"\nstatus_check = \"status-server\"\n\
                      check_interval = \"200ms\"\ncheck_timeout = \"150ms\"\nnum_answers_to_alive = 3";

fn with_second(first: &str, second: &str) -> (Scene, Host, Documents) {
    let mut scene = Scene::new();
    let host = scene.network.host("home2");
    let customer = two_servers(&scene, &host, first, second);
    let documents = Documents::new(&[&scene.nas, &scene.home, &host]).customer(customer);
    (scene, host, documents)
}

/// The customer with two servers, each with further lines.
fn two_servers(scene: &Scene, host: &Host, first: &str, second: &str) -> Customer {
    // One by IPv6, one by IPv4: nothing here may depend on the family.
    let servers = [Server::new("home1", scene.home.v6, first), Server::new("home2", host.v4, second)];
    acme(&scene.nas, "").proxy(&servers)
}

#[test]
fn freeradius_that_hung_is_revived_by_its_answers_to_status_server() {
    let (scene, second, documents) = with_second(PROBED, PROBED);
    let alice = [Account::new(USER, "wonderland")];
    let mut first = FreeRadius::start(&scene.home.namespace, &home1_secret(), &alice);
    let second = FreeRadius::start(&second.namespace, &home_secret("home2"), &alice);
    let sekisho = Sekisho::start(&scene.network, &documents);
    let login = || {
        let pairs = format!("User-Name = {USER}, User-Password = wonderland");
        let answer = Radclient::default().login(&scene.nas, auth(Family::V4), &nas_secret(Family::V4), &pairs);
        answer.expect("Access-Accept");
    };
    login();
    first.process().freeze();
    login();
    sekisho.becomes("home1", "auth", "dead");
    assert_eq!(sekisho.server_state("home1", "acct"), "alive", "each port is a server of its own");
    login();
    first.process().signal(Signal::CONT);
    // Nothing but probes tells it: no login is under way.
    sekisho.becomes("home1", "auth", "alive");
    let before = second.received("Access-Request");
    login();
    assert_eq!(second.received("Access-Request"), before, "the first is used again");
    assert!(first.received("Status-Server") >= 3);
    assert_eq!(second.received("Status-Server"), 0, "who answers is not asked");
}

/// Answers Status-Server as `answer` says, and nothing else.
fn only_probes(host: &Host, answer: impl Fn(&Asked) -> Vec<Say> + Send + 'static) -> ScriptedHome {
    let script = move |asked: &Asked| if asked.code() == Code::STATUS_SERVER { answer(asked) } else { Vec::new() };
    ScriptedHome::start(host, &home1_secret(), script)
}

#[test]
fn every_probe_is_a_new_one_and_proves_itself() {
    let (scene, second, documents) = with_second(PROBED, "");
    let home = only_probes(&scene.home, |_| Vec::new());
    let _second = ScriptedHome::willing(&second, &home_secret("home2"));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland")).code().0, 2);
    let probes = || home.seen().into_iter().filter(|it| it.code() == Code::STATUS_SERVER).collect::<Vec<_>>();
    eventually("probes come", || (probes().len() >= 6).then_some(()));
    let probes = probes();
    let distinct: HashSet<_> = probes.iter().map(|it| (it.bytes[1], it.authenticator())).collect();
    assert_eq!(distinct.len(), probes.len(), "RFC 5997 §4.1: none is a retransmission");
    for probe in &probes {
        assert_eq!(probe.bytes[20], 80, "Message-Authenticator first");
        assert!(probe.values(1).is_empty() && probe.values(2).is_empty(), "nobody logs in with it");
    }
    sekisho.becomes("home1", "auth", "dead");
    assert!(home.seen().iter().filter(|it| it.code() == Code::ACCESS_REQUEST).count() == 1, "only the first login");
}

#[test]
fn forged_answers_to_probes_revive_nobody_and_either_kind_of_true_one_does() {
    for kind in [Code::ACCESS_ACCEPT, Code::ACCOUNTING_RESPONSE] {
        let (scene, second, documents) = with_second(PROBED, "");
        let liar = only_probes(&scene.home, |asked| vec![asked.forged()]);
        let _second = ScriptedHome::willing(&second, &home_secret("home2"));
        let sekisho = Sekisho::start(&scene.network, &documents);
        let nas = scene.scripted_nas(Family::V4);
        assert_eq!(nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland")).code().0, 2);
        sekisho.becomes("home1", "auth", "dead");
        let told = liar.seen().len();
        eventually("it has lied a few times more", || (liar.seen().len() >= told + 4).then_some(()));
        assert_eq!(sekisho.server_state("home1", "auth"), "dead");
        drop(liar);
        // Code 2 and code 5 are answers on either port (RFC 5997 §4.1).
        let _honest =
            only_probes(&scene.home, move |asked| vec![asked.reply(kind, sekisho_tests::packet::Proof::First, &[])]);
        sekisho.becomes("home1", "auth", "alive");
    }
}

#[test]
fn a_server_that_drains_keeps_its_conversations_and_gets_no_new_ones() {
    let (scene, host, mut documents) = with_second("", "");
    // Whoever comes without State is asked for more; whoever has one is let in.
    let script = |name: &'static str| {
        move |asked: &Asked| {
            let known = !asked.values(24).is_empty();
            vec![if known {
                asked.accept_with(&[(18, name.as_bytes())])
            } else {
                asked.challenge(&[(24, name.as_bytes())])
            }]
        }
    };
    let _first = ScriptedHome::start(&scene.home, &home1_secret(), script("one"));
    let _second = ScriptedHome::start(&host, &home_secret("home2"), script("two"));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let begin = |id| nas.ask(auth(Family::V4), &nas.login(id, USER, "wonderland")).values(24);
    let go_on = |id, state: &[u8]| {
        let request = nas.login_with(id, USER, "wonderland", &[(24, state)]);
        nas.ask(auth(Family::V4), &request).values(18)
    };
    let state = begin(1);
    assert_eq!(state, [b"one"]);
    let mut enter = |state: &str, shown| {
        documents.replace(two_servers(&scene, &host, state, ""));
        let told = sekisho.reload(&documents);
        assert!(told.status.success(), "{}", told.output);
        sekisho.becomes("home1", "auth", shown);
    };
    enter("state = \"draining\"", "draining");
    assert_eq!(begin(2), [b"two"], "what begins goes elsewhere");
    assert_eq!(go_on(3, b"one"), [b"one"], "what had begun goes on");

    enter("state = \"down\"", "down");
    assert_eq!(go_on(4, b"one"), [b"two"], "nothing goes to it any more");
    assert_eq!(begin(5), [b"two"]);

    enter("", "alive");
    assert_eq!(begin(6), [b"one"]);
}

#[test]
fn a_node_that_drains_answers_everything_but_status_server() {
    let scene = Scene::new();
    let alice = [Account::new(USER, "wonderland")];
    let _freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &alice);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let status = |family: Family, port| {
        let radclient = Radclient::default().patience(0.5, 1);
        radclient.send(&scene.nas, port, "status", &nas_secret(family), "Message-Authenticator = 0x00")
    };
    let both = |family| [(auth(family), "Access-Accept"), (acct(family), "Accounting-Response")];
    for family in Family::BOTH {
        for (port, code) in both(family) {
            status(family, port).expect(code);
        }
    }
    assert!(sekisho.command(&["drain"]).status.success());
    for family in Family::BOTH {
        for (port, _) in both(family) {
            status(family, port).expect_silence();
        }
        let pairs = format!("User-Name = {USER}, User-Password = wonderland");
        let answer = Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), &pairs);
        answer.expect("Access-Accept");
    }
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_draining", &[]), 1);
    assert_eq!(metrics.dropped("userspace", "draining"), 4, "{}", metrics.drops());
    assert!(sekisho.command(&["drain", "--off"]).status.success());
    status(Family::V4, auth(Family::V4)).expect("Access-Accept");
    assert_eq!(sekisho.metrics().sum("sekisho_draining", &[]), 0);
}

#[test]
fn status_server_is_answered_whatever_the_home_servers_do_and_never_forwarded() {
    let scene = Scene::new();
    let home = ScriptedHome::silent(&scene.home, &home1_secret());
    let _sekisho = Sekisho::start(&scene.network, &scene.documents_with(Family::V4, "", PROBED));
    let nas = scene.scripted_nas(Family::V4);
    nas.send(auth(Family::V4), &nas.login(1, USER, "wonderland"));
    eventually("the login is under way", || home.seen().first().map(|_| ()));
    let probe = nas.request(12, 2, &[]);
    let answer = nas.ask(auth(Family::V4), &probe);
    assert_eq!(answer.code(), Code::ACCESS_ACCEPT);
    assert_eq!(nas.ask(acct(Family::V4), &nas.request(12, 3, &[])).code(), Code::ACCOUNTING_RESPONSE);
    let ours = |asked: &Asked| asked.code() == Code::STATUS_SERVER && asked.bytes[4..20] == probe[4..20];
    assert!(!home.seen().iter().any(ours), "the client's is not passed on");
}

#[test]
fn a_tier_is_asked_only_where_the_one_above_it_has_nobody() {
    let mut scene = Scene::new();
    let [second, third] = ["home2", "home3"].map(|name| scene.network.host(name));
    let server = |name, host: &Host| Server::new(name, host.v4, PROBED);
    let pool = Pool::new("load-balance", &[server("home1", &scene.home), server("home2", &second)])
        .fallback("fail-over", &[server("home3", &third)]);
    let documents =
        Documents::new(&[&scene.nas, &scene.home, &second, &third]).customer(acme(&scene.nas, "").pool(pool));
    let first_up = ScriptedHome::willing(&scene.home, &home1_secret());
    let second_up = ScriptedHome::willing(&second, &home_secret("home2"));
    let last = ScriptedHome::willing(&third, &home_secret("home3"));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let login = |id| assert_eq!(nas.ask(auth(Family::V4), &nas.login(id, USER, "wonderland")).code().0, 2);
    (0..20).for_each(login);
    assert!(last.seen().is_empty());
    drop(first_up);
    (20..40).for_each(login);
    sekisho.becomes("home1", "auth", "dead");
    assert!(last.seen().is_empty(), "one of two is enough");
    drop(second_up);
    (40..43).for_each(login);
    sekisho.becomes("home2", "auth", "dead");
    let before = last.seen().len();
    assert!(before >= 1);
    login(43);
    assert_eq!(last.seen().len(), before + 1, "at once: nobody waits for the dead");
    let _back = ScriptedHome::willing(&scene.home, &home1_secret());
    sekisho.becomes("home1", "auth", "alive");
    login(44);
    assert_eq!(last.seen().len(), before + 1, "back to the first tier");
}
