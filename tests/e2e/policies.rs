//! What a customer or an operator has changed in requests and replies.

use sekisho_tests::documents::{Documents, Pool, Server};
use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::network::{Family, acct, auth};
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;

use crate::scene::{Scene, acme, home1_secret, nas_secret};

const USER: &str = "alice@acme.example";
const LOGIN: &str = "User-Name = alice@acme.example, User-Password = wonderland";

fn documents(scene: &Scene, client: &str, policies: &[(&str, &str)]) -> Documents {
    let customer = acme(&scene.nas, client).pool(Pool::new("fail-over", &[Server::new("home1", scene.home.v4, "")]));
    let customer = policies.iter().fold(customer, |customer, (name, rules)| customer.policy(name, rules));
    Documents::new(&[&scene.nas, &scene.home]).customer(customer)
}

fn login(scene: &Scene, family: Family, pairs: &str) -> sekisho_tests::radclient::Answer {
    Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), pairs).expect("Access-Accept")
}

#[test]
fn a_hostile_home_server_cannot_reconfigure_the_nas() {
    let scene = Scene::new();
    let hostile = [
        "Cisco-AVPair += \"vpdn:tunnel-id=theirs\"",
        "Cisco-AVPair += \"ip:outacl#1=permit ip any any\"",
        "Cisco-AVPair += \"lcp:interface-config=shutdown\"",
        "Framed-Route += \"0.0.0.0/0 10.6.6.6\"",
        "Framed-Pool = \"other-customers\"",
        "Filter-Id += \"none.in\"",
        "MS-Primary-DNS-Server = 10.6.6.6",
        "Framed-IP-Address = 10.1.2.3",
        "Session-Timeout = 3600",
        "Class = 0x0102ff",
        "Reply-Message = \"welcome\"",
        "Chargeable-User-Identity = 0x00",
        "Tunnel-Password:1 += \"a tunnel's\"",
    ];
    let account = hostile.iter().fold(Account::new(USER, "wonderland"), |account, pair| account.reply(pair));
    let _freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[account]);
    let rules = "allow = [\"Framed-IP-Address\", \"Session-Timeout\", \"Reply-Message\", \
                 \"Chargeable-User-Identity\", \"Cisco-AVPair\"]\n\
                 remove = [\"Cisco-AVPair=vpdn:*\", \"Cisco-AVPair=ip:*\", \"Cisco-AVPair=lcp:*\"]";
    let documents = documents(&scene, "reply_policy = \"from-partners\"", &[("from-partners", rules)]);
    let _sekisho = Sekisho::start(&scene.network, &documents);
    for family in Family::BOTH {
        let answer = login(&scene, family, LOGIN);
        for gone in ["Cisco-AVPair", "Framed-Route", "Framed-Pool", "Filter-Id", "MS-Primary-DNS-Server"] {
            assert!(answer.values(gone).is_empty(), "{gone}: {}", answer.output());
        }
        assert!(answer.values("Tunnel-Password:1").is_empty());
        assert_eq!(answer.values("Framed-IP-Address"), ["10.1.2.3"]);
        assert_eq!(answer.values("Session-Timeout"), ["3600"]);
        assert_eq!(answer.values("Class"), ["0x0102ff"]);
        assert_eq!(answer.values("Reply-Message"), ["welcome"]);
        assert_eq!(answer.values("Chargeable-User-Identity"), ["0x00"], "a NUL is an identity too (RFC 4372 §2.1)");
    }
}

#[test]
fn freeradius_sees_what_is_added_replaced_and_taken_away() {
    let scene = Scene::new();
    let freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[Account::new(USER, "wonderland")]);
    let rules = "remove = [\"3GPP-IMSI\", \"Connect-Info\"]\n\
                 [policy.add]\n\"Cisco-AVPair\" = \"from=sekisho\"\n\"Filter-Id\" = { from = \"NAS-Identifier\" }\n\
                 [policy.default]\n\"NAS-Port-Type\" = \"Virtual\"\n\
                 [policy.replace]\n\"Called-Station-Id\" = \"internet.acme\"";
    let client = "request_policy = \"to-home\"\noperator_name = \"1carrier.example\"";
    let _sekisho = Sekisho::start(&scene.network, &documents(&scene, client, &[("to-home", rules)]));
    let pairs = "NAS-Identifier = bras-1, Called-Station-Id = secret.apn, Calling-Station-Id = 819012345678, \
                 3GPP-IMSI = 440101234567890, Connect-Info = \"11 Mbps\", Cisco-AVPair = \"theirs=1\"";
    login(&scene, Family::V4, &format!("{LOGIN}, {pairs}"));
    login(&scene, Family::V4, &format!("{LOGIN}, {pairs}, NAS-Port-Type = Ethernet, Operator-Name = \"1other.test\""));
    let record = format!("User-Name = {USER}, Acct-Status-Type = Start, Acct-Session-Id = 1, {pairs}");
    let answer = Radclient::default().accounting(&scene.nas, acct(Family::V4), &nas_secret(Family::V4), &record);
    answer.expect("Accounting-Response");

    let asked = freeradius.requests("Access-Request");
    let has = |packet: &str, line: &str| packet.lines().any(|it| it == line);
    for packet in asked.iter().chain(&freeradius.requests("Accounting-Request")) {
        for line in [
            "User-Name = \"alice@acme.example\"",
            "Calling-Station-Id = \"819012345678\"",
            "Called-Station-Id = \"internet.acme\"",
            "Cisco-AVPair = \"theirs=1\"",
            "Cisco-AVPair = \"from=sekisho\"",
            "NAS-Identifier = \"bras-1\"",
            "Filter-Id = \"bras-1\"",
        ] {
            assert!(has(packet, line), "{line}: {packet}");
        }
        assert!(!packet.contains("IMSI") && !packet.contains("Connect-Info"), "{packet}");
    }
    // What is there already is not overwritten by a default.
    assert!(has(&asked[0], "NAS-Port-Type = Virtual") && has(&asked[0], "Operator-Name = \"1carrier.example\""));
    assert!(has(&asked[1], "NAS-Port-Type = Ethernet") && has(&asked[1], "Operator-Name = \"1other.test\""));
    assert!(!asked[1].contains("1carrier.example"));
}

#[test]
fn rules_of_the_customer_and_of_the_client_both_hold() {
    let scene = Scene::new();
    let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        vec![asked.accept_with(&[(11, b"filter"), (22, b"route"), (25, b"class")])]
    });
    let customer = acme(&scene.nas, "request_policy = \"mine\"\nreply_policy = \"no-route\"")
        .key("request_policy = \"ours\"\nreply_policy = \"no-filter\"")
        .policy("mine", "[policy.add]\n\"NAS-Identifier\" = \"by the client's\"")
        .policy("ours", "[policy.replace]\n\"NAS-Identifier\" = \"by the customer's\"")
        .policy("no-route", "remove = [\"Framed-Route\"]")
        .policy("no-filter", "remove = [\"Filter-Id\"]")
        .proxy(&[Server::new("home1", scene.home.v4, "")]);
    let _sekisho = Sekisho::start(&scene.network, &Documents::new(&[&scene.nas, &scene.home]).customer(customer));
    let nas = scene.scripted_nas(Family::V4);
    let answer = nas.ask(auth(Family::V4), &nas.login(1, USER, "wonderland"));
    assert_eq!(home.seen()[0].values(32), [b"by the customer's"], "the client's rules first, then the customer's");
    assert_eq!(home.seen()[0].password(), b"wonderland");
    assert!(answer.values(11).is_empty() && answer.values(22).is_empty());
    assert_eq!(answer.values(25), [b"class"]);
}
