//! A `vpdn` contract that is verified by accounts: a tunnel for who has shown the password, and a Reject for all others.

use std::time::Duration;

use sekisho_tests::documents::{Customer, Documents};
use sekisho_tests::lac::{Device, Lac, Status};
use sekisho_tests::nas::Answer;
use sekisho_tests::network::{Host, Network};
use sekisho_tests::sekisho::journal;
use sekisho_tests::service::{Group, Service};
use sekisho_tests::tunnels::tunnels;
use sekisho_tests::vpdn::{AccessNetwork, Lns, Vpdn, network_secret};
use sekisho_tests::wait::eventually;

const REALM: &str = "fuji.example";
const GROUP: &str = "fuji-group";

/// An access network, and a customer without any terminal of its own.
fn served<'n>(network: &'n Network, carrier: &Host, more: &str) -> Service<'n> {
    let access = AccessNetwork::new("carrier", "D", &carrier.networks()).key("reject_delay = \"0s\"");
    let documents = Documents::new(&[carrier]).sessions("short = \"0s\"").access_network(&access);
    let service = Service::new(network, documents, "max_failures = 3");
    let vpdn = Vpdn::new("fuji-vpdn", "D", &["tokyo"]).key("verify = \"group\"").reply("\"Session-Timeout\" = 3600");
    let group = Group::new(GROUP, 10).key(more).reply("\"Session-Timeout\" = 86400");
    let customer = Customer::new("fuji").table("[[mobile]]\ntype = \"D\"\nclass = \"I\"\n");
    service.serve(&customer.lnss(&[Lns::new("tokyo", "198.18.0.1", "")]).vpdn(&vpdn).group(&group));
    let accounts = "user,password,reply,calling\nuser-1,wonderland,Framed-IP-Address = 192.0.2.1,\n\
                    user-2,wonderland,,09000000009\nuser-3,something,,\n";
    service.import(GROUP, accounts);
    service
}

fn lac(carrier: &Host) -> Lac {
    Lac::new(carrier, carrier.v4, &network_secret("carrier"), "lac-1")
}

/// Logs in with a password of the test's choice.
fn login(lac: &Lac, id: u8, user: &str, password: &str) -> (Vec<u8>, Answer) {
    let number = b"09012345678";
    let request = lac.nas().login_with(id, user, password, &[(31, number), (32, b"lac-1")]);
    let answer = lac.nas().ask(lac.auth(), &request);
    (request, answer)
}

#[test]
fn the_right_password_gets_the_tunnel_and_every_other_login_a_reject_and_never_silence() {
    let mut network = Network::new();
    let carrier = network.host("carrier");
    let service = served(&network, &carrier, "");
    let sekisho = service.run();
    let lac = lac(&carrier);
    let found = lac.login(&Device::new(1, REALM));
    assert_eq!(found.endpoint(), "198.18.0.1");
    assert_eq!(found.tunnels[0].password.as_deref(), Some("tunnel-password-of-tokyo"));
    assert_eq!(found.answer.values(8), [[192, 0, 2, 1]], "the account's own");
    assert_eq!(found.answer.values(27).len(), 1, "one Session-Timeout: {:?}", found.answer.values(27));
    let refused = [
        ("user-1@fuji.example", "looking-glass"),
        ("nobody@fuji.example", "wonderland"),
        ("user-2@fuji.example", "wonderland"),
        ("user-3@fuji.example", "wonderland"),
        ("user-1@elsewhere.example", "wonderland"),
        ("user-1", "wonderland"),
    ];
    for (id, (user, password)) in (100..).zip(refused) {
        let (request, answer) = login(&lac, id, user, password);
        assert_eq!(answer.code().0, 3, "{user}");
        assert!(
            tunnels(&answer.bytes, &request, &network_secret("carrier")).is_empty(),
            "{user}: a tunnel in a Reject"
        );
        assert!(answer.values(8).is_empty() && answer.values(69).is_empty(), "{user}");
    }
    assert_eq!(sekisho.told("/sessions")["reserved"], 1, "who is refused has no session");
    assert_eq!(sekisho.metrics().sum("sekisho_group_accepts_total", &[("contract", GROUP)]), 1);
    sekisho.assert_every_packet_is_counted_once();
}

#[test]
fn chap_by_a_lac_gets_the_tunnel_as_well() {
    use md5::{Digest, Md5};
    let mut network = Network::new();
    let carrier = network.host("carrier");
    let service = served(&network, &carrier, "");
    let _sekisho = service.run();
    let lac = lac(&carrier);
    for (password, code) in [("wonderland", 2), ("looking-glass", 3)] {
        let challenge = [3; 16];
        let digest = Md5::new().chain_update([5]).chain_update(password).chain_update(challenge).finalize();
        let response = [&[5][..], digest.as_slice()].concat();
        let request = lac.nas().request(
            1,
            code,
            &[(1, b"user-1@fuji.example"), (3, &response), (60, &challenge), (31, b"09012345678")],
        );
        let answer = lac.nas().ask(lac.auth(), &request);
        assert_eq!(answer.code().0, code, "{password}");
        let tunnels = tunnels(&answer.bytes, &request, &network_secret("carrier"));
        assert_eq!(tunnels.len(), usize::from(code == 2), "{password}");
    }
}

#[test]
fn its_sessions_count_once_for_the_account_and_once_for_the_lns_and_are_recorded() {
    let mut network = Network::new();
    let carrier = network.host("carrier");
    let service = served(&network, &carrier, "simultaneous = 1");
    let sekisho = service.run();
    let lac = lac(&carrier);
    let device = Device::new(1, REALM);
    let other = Device { number: "09077777777".to_owned(), ..device.clone() };
    let session = lac.connect(&device);
    assert_eq!(lac.login(&other).answer.code().0, 3, "the account is in use");
    assert_eq!(sekisho.lns("tokyo")["active"], 1);
    let again = lac.connect(&device);
    assert_eq!(sekisho.lns("tokyo")["active"], 1, "the same device has come again");
    lac.report(Status::Stop, &session);
    assert_eq!(lac.login(&other).answer.code().0, 3);
    lac.report(Status::Stop, &again);
    eventually("the place is free", || lac.login(&other).is_accepted().then_some(()));
    lac.restarted(Status::On);
    std::thread::sleep(Duration::from_millis(50));
    assert!(lac.login(&device).is_accepted(), "the LAC has begun anew");
    let records = journal(&network, service.documents(), &[]);
    assert_eq!(records.len(), 5);
    for record in &records[..4] {
        assert_eq!((&record["customer"], &record["realm"]), (&"fuji".into(), &REALM.into()), "{record}");
        assert!(!record["contract"].as_str().unwrap_or_default().is_empty(), "{record}");
    }
}

#[test]
fn a_locked_account_is_locked_for_its_number_and_the_access_network_for_nobody() {
    let mut network = Network::new();
    let carrier = network.host("carrier");
    let service = served(&network, &carrier, "");
    let _sekisho = service.run();
    let lac = lac(&carrier);
    for id in 0..3 {
        assert_eq!(login(&lac, 100 + id, "user-1@fuji.example", "looking-glass").1.code().0, 3);
    }
    assert_eq!(login(&lac, 110, "user-1@fuji.example", "wonderland").1.code().0, 3, "locked");
    assert!(lac.login(&Device::new(1, REALM)).is_accepted(), "from its owner's number it is not");
}
