//! A secret is changed while both sides go on working: two are accepted, one is used.

use std::time::Duration;

use sekisho_tests::documents::{Customer, Documents, Server};
use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::metrics::Metrics;
use sekisho_tests::network::{Family, acct, auth};
use sekisho_tests::packet::Proof;
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;
use sekisho_wire::code::Code;

use crate::scene::{Scene, acme, home1_secret};

const USER: &str = "alice@acme.example";
const OLD: &str = "the secret of last year";
const NEW: &str = "the secret of this year";

const CLIENT_USED: &str = "sekisho_client_previous_secret_last_used_seconds";
const SERVER_USED: &str = "sekisho_server_previous_secret_last_used_seconds";

#[test]
fn radclient_is_answered_under_the_old_secret_and_the_new_and_the_metric_tells_when_the_old_has_gone_quiet() {
    let scene = Scene::new();
    let alice = Account::new(USER, "wonderland").reply("Tunnel-Password:1 = \"a tunnel's\"");
    let freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[alice]);
    let client = |more: &str| {
        // Some of its logins prove themselves by their password alone.
        let more = format!("require_message_authenticator = \"no\"\n{more}");
        Customer::new("acme").client_with_secret("acme-nas", scene.nas.v4, NEW, &more).proxy(&[Server::new(
            "home1",
            scene.home.v4,
            "",
        )])
    };
    let both = format!("previous_secret = \"{OLD}\"");
    let mut documents = Documents::new(&[&scene.nas, &scene.home]).customer(client(&both));
    let sekisho = Sekisho::start(&scene.network, &documents);
    let radclient = Radclient::default().patience(1.0, 1);
    let login = |secret: &str, more: &str| {
        let pairs = format!("User-Name = {USER}, {more}");
        radclient.login(&scene.nas, auth(Family::V4), secret, &pairs)
    };
    let ways = [
        "User-Password = wonderland",
        "CHAP-Password = wonderland",
        "User-Password = wonderland, Message-Authenticator = 0x00",
    ];
    assert!(!sekisho.metrics().has(CLIENT_USED, &[]), "nobody has used the old one yet");
    for secret in [NEW, OLD] {
        for way in ways {
            let answer = login(secret, way).expect("Access-Accept");
            assert_eq!(answer.values("Tunnel-Password:1"), ["a tunnel's"], "hidden under the secret that asked");
        }
        let wrong = login(secret, "User-Password = looking-glass, Message-Authenticator = 0x00");
        wrong.expect("Access-Reject");
        let record = format!("User-Name = {USER}, Acct-Status-Type = Start, Acct-Session-Id = {}", secret.len());
        let answer = radclient.accounting(&scene.nas, acct(Family::V4), secret, &record);
        answer.expect("Accounting-Response");
        let used = sekisho.metrics().has(CLIENT_USED, &[("client", "acme-nas")]);
        assert_eq!(used, secret == OLD);
    }
    let idle = |metrics: &Metrics| metrics.sum(CLIENT_USED, &[("client", "acme-nas")]);
    let metrics = sekisho.metrics_when("the old secret falls silent", |metrics| idle(metrics) >= 2);
    assert!(idle(&metrics) < 60);
    login("a third secret", "User-Password = wonderland, Message-Authenticator = 0x00").expect_silence();

    documents.replace(client(""));
    assert!(sekisho.reload(&documents).status.success());
    login(OLD, "User-Password = wonderland, Message-Authenticator = 0x00").expect_silence();
    login(NEW, "User-Password = wonderland").expect("Access-Accept");
    assert!(!sekisho.metrics().has(CLIENT_USED, &[]));
    assert!(freeradius.received("Access-Request") >= 9);
    for secret in [OLD, NEW] {
        assert!(!sekisho.log().contains(secret), "no secret is ever told");
    }
}

#[test]
fn a_home_server_is_asked_under_the_new_secret_and_may_still_answer_under_the_old() {
    let scene = Scene::new();
    let home = ScriptedHome::start(&scene.home, NEW, |asked| {
        let secret = if asked.user().starts_with("old") { OLD } else { NEW };
        let secret = if asked.user().starts_with("forged") { "a third" } else { secret };
        let access = asked.code() == Code::ACCESS_REQUEST;
        let code = if access { Code::ACCESS_ACCEPT } else { Code::ACCOUNTING_RESPONSE };
        let proof = if access { Proof::First } else { Proof::Absent };
        vec![asked.reply_under(secret, code, proof, &[])]
    });
    let ports = format!("auth = 1812\naccounting = 1813\nprevious_secret = \"{OLD}\"");
    let server = Server::with_secret("home1", &scene.home.v4.to_string(), NEW, &ports);
    let client = "answer_within = \"1s\"\nwhen_unanswered = \"silence\"\nreject_delay = \"0s\"";
    let customer = acme(&scene.nas, client).proxy(&[server]);
    let sekisho = Sekisho::start(&scene.network, &Documents::new(&[&scene.nas, &scene.home]).customer(customer));
    let nas = scene.scripted_nas(Family::V4);
    for (id, user) in ["new@acme.example", "old@acme.example"].into_iter().enumerate() {
        let id = id as u8;
        assert_eq!(nas.ask(auth(Family::V4), &nas.login(id, user, "wonderland")).code().0, 2, "{user}");
        assert_eq!(nas.ask(acct(Family::V4), &nas.accounting(10 + id, user, 1, "session")).code().0, 5, "{user}");
        let used = sekisho.metrics().has(SERVER_USED, &[("server", "home1"), ("kind", "auth")]);
        assert_eq!(used, id == 1);
    }
    nas.send(auth(Family::V4), &nas.login(9, "forged@acme.example", "wonderland"));
    nas.expect_silence(Duration::from_millis(300));
    for asked in home.seen() {
        if asked.code() == Code::ACCESS_REQUEST {
            assert_eq!(asked.password(), b"wonderland", "hidden under the new one");
        } else {
            assert!(asked.digest_is_right());
        }
    }
}
