//! Who is served, and with what: the verdicts, as access networks of each type and customers' terminals see them.

use std::time::{Duration, Instant};

use sekisho_tests::documents::{Customer, Documents, Pool, Server, client_secret, home_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::lac::{Device, Lac};
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Network, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{AccessNetwork, Lns, Vpdn, network_secret};

use super::land::{CONTRACT, Land, NOT_ROUTABLE, REALM, at, is_refused, lnss, lone};

#[test]
fn a_realm_is_served_by_the_contract_of_the_access_networks_type_and_by_no_other() {
    let mut network = Network::new();
    let hosts = ["d", "k", "i"].map(|name| network.host(name));
    let acme = Customer::new("acme").lnss(&lnss(2)).vpdn(&Vpdn::new("acme-d", "D", &["tokyo-1"])).vpdn(&Vpdn::new(
        "acme-k",
        "K",
        &["tokyo-2"],
    ));
    let other =
        Customer::new("other").lnss(&[Lns::new("osaka", &at(9), "")]).vpdn(&Vpdn::new("other-i", "I", &["osaka"]));
    let documents = Documents::new(&hosts.each_ref()).customer(acme).customer(other);
    let documents = hosts.iter().zip(["D", "K", "I"]).fold(documents, |documents, (host, kind)| {
        documents.access_network(&AccessNetwork::new(&host.name, kind, &host.networks()))
    });
    let sekisho = Sekisho::start(&network, &documents);
    let endpoint = |n: usize, family, realm| {
        let host: &sekisho_tests::network::Host = &hosts[n];
        let lac = Lac::new(host, host.address(family), &network_secret(&host.name), "lac-1");
        let login = lac.login(&Device::new(1, realm));
        if login.is_accepted() {
            return Some(login.endpoint().to_owned());
        }
        is_refused(&login, NOT_ROUTABLE);
        None
    };
    for family in Family::BOTH {
        assert_eq!([0, 1, 2].map(|n| endpoint(n, family, REALM)), [Some(at(1)), Some(at(2)), None], "{family:?}");
        assert_eq!([0, 1, 2].map(|n| endpoint(n, family, "other.example")), [None, None, Some(at(9))], "{family:?}");
    }
    let metrics = sekisho.metrics();
    let accepts = |contract| metrics.sum("sekisho_vpdn_accepts_total", &[("contract", contract)]);
    assert_eq!(["acme-d", "acme-k", "other-i"].map(accepts), [2, 2, 2]);
    sekisho.assert_every_packet_is_counted_once();
}

#[test]
fn whatever_else_an_access_network_asks_for_it_gets_a_reject_within_its_patience() {
    let land = Land::new();
    let proxied = Customer::new("proxied").client("proxied-nas", land.carrier.neighbour(50), "");
    let proxied = proxied.proxy(&[Server::new("home1", land.carrier.neighbour(60), "")]);
    let patterns = Customer::new("patterns")
        .realm("pattern = '^([a-z]+\\.)*wild\\.example$'\nname = \"wild\"")
        .lnss(&[Lns::new("osaka", &at(9), "")])
        .vpdn(&Vpdn::new("patterns-d", "D", &["osaka"]));
    let documents = land.documents_with("timeout = \"3s\"", lone()).customer(proxied).customer(patterns);
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    let named = |user: &str| Device { user: user.to_owned(), ..Device::new(1, REALM) };
    let names = [
        "alice@nowhere.example",
        "alice",
        "",
        "alice@",
        "@",
        "alice@proxied.example",
        "alice@a.wild.example",
        "acme.example",
    ];
    for name in names {
        let begun = Instant::now();
        is_refused(&lac.login(&named(name)), NOT_ROUTABLE);
        assert!(begun.elapsed() < Duration::from_millis(2700), "{name:?} took {:?}", begun.elapsed());
    }
    assert!(lac.login(&named("alice@patterns.example")).is_accepted(), "the exact realm of the same customer");
    assert!(lac.login(&named("alice@ACME.Example.")).is_accepted(), "the realm however it is written");
    // A Call-Check and an authorization alone have shown nothing that secrets could be given for (RFC 5080 §2.1.1).
    for (id, service) in [(200, 10u32), (201, 17)] {
        let more: [(u8, &[u8]); 2] = [(6, &service.to_be_bytes()), (31, b"09000000001")];
        let answer = lac.nas().ask(lac.auth(), &lac.nas().login_with(id, "alice@acme.example", "wonderland", &more));
        assert_eq!((answer.code().0, answer.values(69).len()), (3, 0), "Service-Type {service}");
    }
    assert_eq!(sekisho.metrics().sum("sekisho_vpdn_accepts_total", &[("contract", CONTRACT)]), 1);
}

#[test]
fn a_reject_leaves_after_the_networks_delay_and_an_accept_at_once() {
    let land = Land::new();
    let _sekisho = Sekisho::start(&land.network, &land.documents_with("reject_delay = \"800ms\"", lone()));
    let timed = |realm| {
        let begun = Instant::now();
        (land.lac().login(&Device::new(1, realm)), begun.elapsed())
    };
    let (refused, took) = timed("nowhere.example");
    is_refused(&refused, NOT_ROUTABLE);
    assert!((Duration::from_millis(790)..Duration::from_millis(1800)).contains(&took), "{took:?}");
    let (accepted, took) = timed(REALM);
    assert!(accepted.is_accepted() && took < Duration::from_millis(700), "{took:?}");
}

#[test]
fn a_customers_own_terminal_never_gets_a_tunnel() {
    let mut land = Land::new();
    let home = land.network.host("home1");
    let nas = land.network.host("nas");
    // The home server, too, has a tunnel to give.
    let tunnel: [(u8, &[u8]); 3] = [(64, &[0, 0, 0, 3]), (65, &[0, 0, 0, 1]), (67, b"198.18.0.1")];
    let home1 = ScriptedHome::start(&home, &home_secret("home1"), move |asked| vec![asked.accept_with(&tunnel)]);
    let realms = Pool::new("fail-over", &[Server::new("home1", home.v4, "")]).key("realms = [\"acme.example\"]");
    let acme = lone().realm("suffix = \"tunnels-only.example\"").client("acme-nas", nas.v4, "reject_delay = \"0s\"");
    let documents = Documents::new(&[&land.carrier, &home, &nas])
        .access_network(&AccessNetwork::new("carrier", "D", &land.carrier.networks()))
        .customer(acme.pool(realms));
    let _sekisho = Sekisho::start(&land.network, &documents);
    let terminal = Nas::new(&nas, nas.v4, &client_secret("acme-nas"));
    let answer = terminal.ask(auth(Family::V4), &terminal.login(1, "alice@acme.example", "wonderland"));
    assert_eq!((answer.code().0, home1.seen().len()), (2, 1), "its own realm, by its own home server");
    assert!(answer.values(69).is_empty(), "nothing of the contract's LNS is in it");
    let answer = terminal.ask(auth(Family::V4), &terminal.login(2, "alice@tunnels-only.example", "wonderland"));
    assert_eq!(answer.code().0, 3);
    assert!([64, 65, 67, 69].iter().all(|number| answer.values(*number).is_empty()));
    // The access network is served for both.
    for realm in [REALM, "tunnels-only.example"] {
        assert_eq!(land.lac().login(&Device::new(1, realm)).endpoint(), at(1));
    }
    assert_eq!(home1.seen().len(), 1, "a realm that decides asks nobody");
}

#[test]
fn keepalives_are_answered_at_once_and_are_no_session() {
    for (answer, code) in [("reject", 3), ("accept", 2)] {
        let land = Land::new();
        let keys =
            format!("timeout = \"5s\"\nprobe_users = [\"are-you-there\", \"ping@pgw\"]\nprobe_answer = \"{answer}\"");
        let sekisho = Sekisho::start(&land.network, &land.documents_with(&keys, lone()));
        let lac = land.lac();
        for (id, user) in [(1, "are-you-there"), (2, "ping@pgw")] {
            let request = lac.nas().login(id, user, "whatever");
            let begun = Instant::now();
            let reply = lac.nas().ask(lac.auth(), &request);
            assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
            assert_eq!(reply.code().0, code, "{user}");
            assert_eq!(reply.bytes.len(), 20 + 18, "Message-Authenticator alone");
        }
        is_refused(&lac.login(&Device { user: "are-you-there?".to_owned(), ..Device::new(1, REALM) }), NOT_ROUTABLE);
        assert_eq!(sekisho.metrics().sum("sekisho_keepalives_total", &[]), 2);
        let told = sekisho.told("/sessions");
        assert_eq!([&told["tracked"], &told["reserved"]].map(|it| it.as_u64()), [Some(0), Some(0)], "{told}");
    }
}
