//! Customers do not reach each other.

use std::time::{Duration, Instant};

use sekisho_tests::documents::{Customer, Documents, Server, client_secret, home_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Network, acct, auth};
use sekisho_tests::sekisho::Sekisho;

#[test]
fn one_customers_client_cannot_reach_anothers_realm_however_it_is_written() {
    let mut network = Network::new();
    let [nas_a, nas_b, home_a, home_b] = ["nas-a", "nas-b", "home-a", "home-b"].map(|name| network.host(name));
    let customer =
        |name: &str, nas: &sekisho_tests::network::Host, home: &sekisho_tests::network::Host| {
            Customer::new(name)
                .client(&format!("{name}-nas"), nas.v4, "reject_delay = \"300ms\"")
                .proxy(&[Server::new(&format!("{name}-home"), home.v4, "")])
        };
    let documents = Documents::new(&[&nas_a, &nas_b, &home_a, &home_b])
        .customer(customer("a", &nas_a, &home_a))
        .customer(customer("b", &nas_b, &home_b).realm("suffix = \"bücher.example\"").realm("prefix = \"books\""));
    let at_a = ScriptedHome::willing(&home_a, &home_secret("a-home"));
    let at_b = ScriptedHome::willing(&home_b, &home_secret("b-home"));
    let sekisho = Sekisho::start(&network, &documents);
    let a = Nas::new(&nas_a, nas_a.v4, &client_secret("a-nas"));
    let b = Nas::new(&nas_b, nas_b.v4, &client_secret("b-nas"));

    let names = [
        "eve@b.example",
        "eve@B.EXAMPLE.",
        "eve@b.example.",
        "eve@a.example@b.example",
        "eve@bücher.example",
        "eve@BÜCHER.example",
        "eve@xn--bcher-kva.example",
        "eve@bu\u{308}cher.example",
        "books/eve",
        "eve@*.example",
        "eve@.*",
        "eve@",
        "eve",
        "@",
        "",
    ];
    for (id, name) in names.iter().enumerate() {
        let request = a.login(id as u8, name, "wonderland");
        let begin = Instant::now();
        let answer = a.ask(auth(Family::V4), &request);
        assert_eq!(answer.code().0, 3, "{name:?}");
        assert!(begin.elapsed() >= Duration::from_millis(290), "a Reject of our own is delayed: {name:?}");
        a.send(acct(Family::V4), &a.accounting(id as u8, name, 1, "session"));
    }
    a.expect_silence(Duration::from_millis(300));
    assert!(at_a.seen().is_empty(), "not even a's own server is asked");
    assert!(at_b.seen().is_empty(), "b's server has seen nothing");

    // The same names, from the one whose realms they are.
    for (id, name) in names.iter().take(9).enumerate() {
        let request = b.login(id as u8, name, "wonderland");
        assert_eq!(b.ask(auth(Family::V4), &request).code().0, 2, "{name:?}");
    }
    let asked: Vec<String> = at_b.seen().iter().map(|asked| asked.user()).collect();
    assert_eq!(asked, names[..9], "forwarded as they were written");
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_customer_unroutable_total", &[("customer", "a")]), 2 * names.len() as u64);
    assert_eq!(metrics.sum("sekisho_customer_unroutable_total", &[("customer", "b")]), 0);
    assert_eq!(metrics.sum("sekisho_server_requests_total", &[("customer", "a")]), 0);
}

#[test]
fn one_realms_silence_leaves_the_others_service_untouched() {
    let mut network = Network::new();
    let [nas_a, nas_b, home_a, home_b] = ["nas-a", "nas-b", "home-a", "home-b"].map(|name| network.host(name));
    let customer = |name: &str, nas: &sekisho_tests::network::Host, home: &sekisho_tests::network::Host| {
        Customer::new(name).client(&format!("{name}-nas"), nas.v4, "").proxy(&[Server::new(
            &format!("{name}-home"),
            home.v4,
            "response_window = \"300ms\"",
        )])
    };
    let documents = Documents::new(&[&nas_a, &nas_b, &home_a, &home_b])
        .customer(customer("a", &nas_a, &home_a))
        .customer(customer("b", &nas_b, &home_b));
    let silent = ScriptedHome::silent(&home_a, &home_secret("a-home"));
    let _willing = ScriptedHome::willing(&home_b, &home_secret("b-home"));
    let sekisho = Sekisho::start(&network, &documents);
    let a = Nas::new(&nas_a, nas_a.v4, &client_secret("a-nas"));
    let b = Nas::new(&nas_b, nas_b.v4, &client_secret("b-nas"));
    for round in 0..4 {
        for id in 0..50 {
            a.send(auth(Family::V4), &a.login(round * 50 + id, "alice@a.example", "wonderland"));
        }
        let begin = Instant::now();
        let answer = b.ask(auth(Family::V4), &b.login(round, "bob@b.example", "wonderland"));
        assert_eq!(answer.code().0, 2);
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        std::thread::sleep(Duration::from_millis(150));
    }
    assert_eq!(silent.seen().len(), 200);
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_server_state", &[("server", "b-home"), ("kind", "auth"), ("state", "alive")]), 1);
    assert_eq!(metrics.sum("sekisho_server_timeouts_total", &[("server", "b-home")]), 0);
}
