//! EAP: a conversation of many rounds, State and fragments on the way, and keys at its end.

use sekisho_tests::documents::{Documents, Pool, Server, home_secret};
use sekisho_tests::eapol::{Device, Method, many};
use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::network::{Family, auth};
use sekisho_tests::pki::Pki;
use sekisho_tests::sekisho::Sekisho;
use serde_json::{Value, json};

use crate::scene::{Scene, acme, home1_secret, nas_secret};

const ALICE: &str = "alice@acme.example";
const PASSWORD: &str = "wonderland";

#[test]
fn every_method_logs_in_and_both_ends_have_the_same_keys() {
    let scene = Scene::new();
    let pki = Pki::new();
    let freeradius =
        FreeRadius::with_pki(&scene.home.namespace, &home1_secret(), &[Account::new(ALICE, PASSWORD)], &pki);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let login = |method, password: &str| {
        Device::new(method, ALICE, password).login(&scene.nas, auth(Family::V4), &nas_secret(Family::V4))
    };
    for method in [Method::PeapMsChapV2, Method::TtlsPap, Method::Md5] {
        login(method, PASSWORD).expect_success();
        login(method, "looking-glass").expect_refusal();
    }
    login(Method::Tls(&pki), PASSWORD).expect_success();
    // A certificate of another authority, in fragments as long, is refused by the home server.
    let device = &Pki::new();
    login(Method::TlsOfAnother { authority: &pki, device }, PASSWORD).expect_refusal();

    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "accept")]), 4);
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "reject")]), 4);
    let challenges = metrics.sum("sekisho_replies_total", &[("code", "challenge")]);
    assert!(challenges >= 30, "{challenges} rounds");
    assert_eq!(freeradius.received("Access-Request") as u64, challenges + 8, "no round twice");
}

#[test]
fn eap_goes_over_ipv6_as_over_ipv4() {
    let scene = Scene::new();
    let pki = Pki::new();
    let alice = Account::new(ALICE, PASSWORD);
    let _freeradius = FreeRadius::with_pki(&scene.home.namespace, &home1_secret(), &[alice], &pki);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V6));
    for method in [Method::Tls(&pki), Method::PeapMsChapV2] {
        let device = Device::new(method, ALICE, PASSWORD);
        device.login(&scene.nas, auth(Family::V6), &nas_secret(Family::V6)).expect_success();
    }
}

/// Logs `count` devices in by EAP-TLS and as many by PEAP, through two home servers in a pool of this kind, and holds that
/// all succeed, that both servers had their part, and that no round was seen by a server that knew nothing of it.
fn through_two_servers(pool: impl FnOnce(&[Server]) -> Pool, count: usize) -> Value {
    let mut scene = Scene::new();
    let second = scene.network.host("home2");
    let pki = Pki::new();
    let accounts = [Account::new(ALICE, PASSWORD)];
    let freeradius = [(&scene.home, home1_secret()), (&second, home_secret("home2"))]
        .map(|(host, secret)| FreeRadius::with_pki(&host.namespace, &secret, &accounts, &pki));
    let servers = [Server::new("home1", scene.home.v4, ""), Server::new("home2", second.v4, "")];
    let customer = acme(&scene.nas, "").pool(pool(&servers));
    let documents = Documents::new(&[&scene.nas, &scene.home, &second]).customer(customer);
    let sekisho = Sekisho::start(&scene.network, &documents);

    for method in [Method::Tls(&pki), Method::PeapMsChapV2] {
        let failed = many(count, |number| {
            let device = Device::new(method, ALICE, PASSWORD).numbered(number);
            device.login(&scene.nas, auth(Family::V4), &nas_secret(Family::V4))
        });
        assert!(failed.is_empty(), "{} of {count} by {method:?} failed; the first: {}", failed.len(), failed[0]);
    }
    let metrics = sekisho.metrics();
    let replies = |code| metrics.sum("sekisho_replies_total", &[("code", code)]);
    assert_eq!((replies("accept"), replies("reject")), (2 * count as u64, 0));
    assert_eq!(metrics.sum("sekisho_failovers_total", &[]), 0);
    let rounds = freeradius.each_ref().map(|server| server.received("Access-Request") as u64);
    assert!(rounds.iter().all(|rounds| *rounds > 0), "both have their part: {rounds:?}");
    assert_eq!(rounds.iter().sum::<u64>(), replies("challenge") + replies("accept"), "no round twice");
    json!({"logins_by_eap_tls": count, "logins_by_peap": count, "failed": 0, "rounds_at_each_server": rounds})
}

/// By the device's number, which is a different one for each login.
fn keyed(servers: &[Server]) -> Pool {
    Pool::keyed("Calling-Station-Id", servers)
}

#[test]
fn logins_through_two_servers_under_keyed_balance_all_succeed() {
    through_two_servers(keyed, 6);
}

#[test]
fn logins_through_two_servers_under_load_balance_stay_where_they_began() {
    through_two_servers(|servers| Pool::new("load-balance", servers), 6);
}

#[test]
#[ignore = "takes minutes: make soak"]
fn soak_of_eap_through_two_servers() {
    crate::soak::keep("eap", &through_two_servers(keyed, 1000));
}
