//! Names: of home servers, which may not resolve; of subscribers, which may be written in many ways.

use sekisho_tests::documents::{Documents, Pool, Server, home_secret};
use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::hosts::Hosts;
use sekisho_tests::network::{Family, auth};
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::within;

use crate::scene::{Scene, acme, home1_secret, nas_secret};

const USER: &str = "alice@acme.example";

#[test]
fn a_name_that_does_not_resolve_holds_nobody_up_and_is_found_when_it_does() {
    let mut scene = Scene::new();
    let second = scene.network.host("home2");
    let servers = [Server::at("home1", "radius.acme.test", ""), Server::new("home2", second.v4, "")];
    let documents = Documents::new(&[&scene.nas, &scene.home, &second]).customer(acme(&scene.nas, "").proxy(&servers));
    let first = ScriptedHome::willing(&scene.home, &home1_secret());
    let other = ScriptedHome::willing(&second, &home_secret("home2"));
    let hosts = Hosts::new();
    let sekisho = Sekisho::start_with_hosts(&scene.network, &documents, &hosts);
    let nas = scene.scripted_nas(Family::V4);
    let login = |id| assert_eq!(nas.ask(auth(Family::V4), &nas.login(id, USER, "wonderland")).code().0, 2);
    login(1);
    assert_eq!((first.seen().len(), other.seen().len()), (0, 1));
    let unresolved = || sekisho.metrics().sum("sekisho_server_unresolved", &[("server", "home1")]);
    assert_eq!(unresolved(), 1);
    assert!(sekisho.log().contains("radius.acme.test"), "the name is told");
    assert!(sekisho.command(&["status"]).output.contains("radius.acme.test"));

    hosts.set(&[("radius.acme.test", scene.home.v4)]);
    // It looks again by itself, every few seconds while a name has no address.
    let found = within(std::time::Duration::from_secs(20), || (unresolved() == 0).then_some(()));
    assert!(found.is_some(), "{}", sekisho.log());
    login(2);
    assert_eq!((first.seen().len(), other.seen().len()), (1, 1));

    // A resolver that has lost it does not take the server away.
    hosts.set(&[]);
    assert!(sekisho.command(&["reload"]).status.success());
    login(3);
    assert_eq!((first.seen().len(), other.seen().len()), (2, 1));
}

#[test]
fn freeradius_sees_the_name_without_its_realm_and_the_nas_gets_it_with() {
    let scene = Scene::new();
    let alice = Account::new("alice", "wonderland").reply("User-Name = \"alice\"");
    let freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[alice]);
    let pool = Pool::new("fail-over", &[Server::new("home1", scene.home.v4, "")]).key("strip = \"realm\"");
    let customer = acme(&scene.nas, "outer_suffix = \"carrier.example\"")
        .realm("prefix = \"acme\"")
        .realm("nt_domain = \"ACME\"")
        .pool(pool);
    let documents = Documents::new(&[&scene.nas, &scene.home]).customer(customer);
    let _sekisho = Sekisho::start(&scene.network, &documents);
    let names = [USER, "acme/alice", "alice@acme.example@carrier.example", "ACME\\\\alice"];
    for family in Family::BOTH {
        for name in names {
            let pairs = format!("User-Name = \"{name}\"\nUser-Password = \"wonderland\"\n");
            let answer = Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), &pairs);
            assert_eq!(answer.expect("Access-Accept").values("User-Name"), [name]);
        }
    }
    let asked = freeradius.requests("Access-Request");
    assert_eq!(asked.len(), 2 * names.len());
    assert!(asked.iter().all(|it| it.lines().any(|line| line == "User-Name = \"alice\"")), "{asked:#?}");
    // A record of the session tells the home server the name that it knows.
    let record = format!("User-Name = {USER}, Acct-Status-Type = Start, Acct-Session-Id = 1");
    let port = sekisho_tests::network::acct(Family::V4);
    let answer = Radclient::default().accounting(&scene.nas, port, &nas_secret(Family::V4), &record);
    answer.expect("Accounting-Response");
    assert!(freeradius.records()[0].contains("User-Name = \"alice\""));
}

#[test]
fn an_eap_identity_that_disagrees_is_left_alone() {
    let scene = Scene::new();
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let identity = b"mallory@other.example";
    let eap = [&[2, 1, 0, 5 + identity.len() as u8, 1][..], identity].concat();
    let request = nas.request(1, 1, &[(1, USER.as_bytes()), (79, &eap)]);
    assert_eq!(nas.ask(auth(Family::V4), &request).code().0, 2);
    let asked = &home.seen()[0];
    assert_eq!(
        (asked.user().as_str(), asked.values(79)),
        (USER, vec![eap]),
        "routed by the one, with the other as it is"
    );
    assert!(!sekisho.log().contains("mallory"), "{}", sekisho.log());
}

#[test]
fn every_way_to_name_a_realm_leads_to_its_server_and_changes_nothing() {
    let mut scene = Scene::new();
    let [second, third] = ["home2", "home3"].map(|name| scene.network.host(name));
    let pool = |realm: &str, name: &str, host: &sekisho_tests::network::Host| {
        Pool::new("fail-over", &[Server::new(name, host.v4, "")]).key(&format!("realms = [\"{realm}\"]"))
    };
    let client = "outer_suffix = \"carrier.example\"\nbare_domain = true\nreject_delay = \"100ms\"\n\
                  default_realm = \"acme.example\"";
    let customer = acme(&scene.nas, client)
        .realm("nt_domain = \"acme.example\"")
        .realm("prefix = \"acme.example\"")
        .realm("apn = \"acme.example\"")
        .realm("pattern = '^[a-z]+\\.branch\\.acme\\.test$'\nname = \"branches\"")
        .realm("default = true")
        .pool(pool("acme.example", "home1", &scene.home))
        .pool(pool("branches", "home2", &second))
        .pool(pool("default", "home3", &third));
    let documents = Documents::new(&[&scene.nas, &scene.home, &second, &third]).customer(customer);
    let homes = [(&scene.home, "home1"), (&second, "home2"), (&third, "home3")]
        .map(|(host, name)| ScriptedHome::willing(host, &home_secret(name)));
    let _sekisho = Sekisho::start(&scene.network, &documents);
    let nas = scene.scripted_nas(Family::V4);
    let names = [
        ("alice@acme.example", 0),
        ("alice@ACME.Example.", 0),
        ("acme.example/alice", 0),
        ("ACME.EXAMPLE\\alice", 0),
        ("alice@acme.example@carrier.example", 0),
        // Cisco asks for a tunnel by the domain alone; a name without any realm is the client's default.
        ("acme.example", 0),
        ("alice", 0),
        ("alice@tokyo.branch.acme.test", 1),
        ("alice@tokyo.branch.acme.test.evil.test", 2),
        ("alice@elsewhere.test", 2),
        ("alice@.*", 2),
    ];
    for (id, (name, home)) in names.into_iter().enumerate() {
        let before = homes.each_ref().map(|it| it.seen().len());
        assert_eq!(nas.ask(auth(Family::V4), &nas.login(id as u8, name, "wonderland")).code().0, 2, "{name}");
        let seen = homes[home].seen();
        assert_eq!(seen.len(), before[home] + 1, "{name} goes to home{}", home + 1);
        assert_eq!(seen[seen.len() - 1].user(), name, "forwarded as it came");
    }
    // What Called-Station-Id says decides where the name says nothing.
    let request = nas.login_with(99, "nobody@nowhere.test", "wonderland", &[(30, b"acme.example")]);
    assert_eq!(nas.ask(auth(Family::V4), &request).code().0, 2);
    assert_eq!(homes[0].seen().last().map(sekisho_tests::home::Asked::user).as_deref(), Some("nobody@nowhere.test"));
}
