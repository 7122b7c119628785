//! A contract whose subscribers the customer's own home servers know: they let them in, and the tunnels join the Accept.

use std::time::{Duration, Instant};

use sekisho_tests::documents::{Customer, Documents, Pool, Server, home_secret};
use sekisho_tests::eapol::{Device as EapDevice, Method};
use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::home::{Asked, Say, ScriptedHome};
use sekisho_tests::lac::{Device, Login, Status};
use sekisho_tests::network::{Family, Host, auth};
use sekisho_tests::pki::Pki;
use sekisho_tests::sekisho::{Sekisho, journal};
use sekisho_tests::vpdn::{AccessNetwork, Vpdn, network_secret, tunnel_password};
use sekisho_tests::wait::eventually;

use super::land::{CONTRACT, Land, NO_RESOURCES, REALM, at, is_refused, lnss, named_sessions};

/// An access network, and the customer's home server.
struct Site {
    land: Land,
    home: Host,
}

impl Site {
    fn new() -> Site {
        let mut land = Land::new();
        let home = land.network.host("home1");
        Site { land, home }
    }

    /// Documents with these further lines for the contract and the access network.
    fn documents(&self, contract: &str, carrier: &str) -> Documents {
        let contract = Vpdn::new(CONTRACT, "D", &["tokyo-1", "tokyo-2"])
            .key(&format!("verify = \"proxy\"\n{contract}"))
            .reply("\"Session-Timeout\" = 7200")
            .balancing("strategy = \"hash\"");
        let server = Server::new("home1", self.home.v4, "response_window = \"400ms\"");
        let customer = Customer::new("acme").lnss(&lnss(2)).vpdn(&contract).pool(Pool::new("fail-over", &[server]));
        let network = AccessNetwork::new("carrier", "D", &self.land.carrier.networks()).key(carrier);
        Documents::new(&[&self.land.carrier, &self.home]).access_network(&network).customer(customer)
    }

    fn scripted(&self, script: impl FnMut(&Asked) -> Vec<Say> + Send + 'static) -> ScriptedHome {
        ScriptedHome::start(&self.home, &home_secret("home1"), script)
    }

    /// One login, with what this home server says to it.
    fn login(&self, contract: &str, script: impl FnMut(&Asked) -> Vec<Say> + Send + 'static) -> Login {
        let _home = self.scripted(script);
        let _sekisho = Sekisho::start(&self.land.network, &self.documents(contract, ""));
        self.land.lac().login(&Device::new(1, REALM))
    }
}

#[test]
fn a_right_password_gets_the_tunnels_and_a_wrong_one_a_reject() {
    let site = Site::new();
    let device = Device::new(1, REALM);
    let account =
        Account::new(&device.user, "wonderland").reply("Class = 0x636c617373").reply("Filter-Id = \"theirs\"");
    let accounts = [account, Account::new("user-2@acme.example", "something else")];
    let freeradius = FreeRadius::start(&site.home.namespace, &home_secret("home1"), &accounts);
    let documents = site.documents("", "");
    let sekisho = Sekisho::start(&site.land.network, &documents);
    let lac = site.land.lac();
    let login = lac.login(&device);
    assert!([at(1), at(2)].contains(&login.endpoint().to_owned()));
    for tunnel in &login.tunnels {
        let name = format!("tokyo-{}", tunnel.server.rsplit('.').next().unwrap_or_default());
        assert_eq!(tunnel.password, Some(tunnel_password(&name)));
    }
    assert_eq!(login.tunnels.len(), 2);
    assert_eq!(login.answer.values(25), [b"class"], "Class goes to the NAS");
    assert_eq!(login.answer.values(27), [7200u32.to_be_bytes()], "and what the contract adds");
    assert!(login.answer.values(11).is_empty(), "Filter-Id is not asked for");
    let refused = lac.login(&Device::new(2, REALM));
    assert_eq!((refused.answer.code().0, refused.tunnels.len(), refused.answer.values(67).len()), (3, 0, 0));
    assert_eq!(freeradius.received("Access-Request"), 2);
    assert!(freeradius.requests("Access-Request")[0].contains("User-Name = \"user-1@acme.example\""));

    // Its accounting is recorded and counted here, and its home server is told.
    let session = login.session();
    lac.report(Status::Start, &session);
    assert_eq!(sekisho.told("/sessions")["tracked"], 1);
    eventually("the home server is told", || (freeradius.records().len() == 1).then_some(()));
    assert!(freeradius.records()[0].contains(&session.id), "{:?}", freeradius.records());
    lac.report(Status::Stop, &session);
    assert_eq!(sekisho.told("/sessions")["tracked"], 0);
    let records = journal(&site.land.network, &documents, &["--contract", CONTRACT]);
    assert_eq!(named_sessions(&records), [&*session.id, &*session.id]);
}

#[test]
fn a_nas_that_begins_anew_is_told_to_the_home_servers_of_its_sessions_and_recorded_here() {
    let site = Site::new();
    let device = Device::new(1, REALM);
    let account = Account::new(&device.user, "wonderland");
    let freeradius = FreeRadius::start(&site.home.namespace, &home_secret("home1"), &[account]);
    let documents = site.documents("", "");
    let sekisho = Sekisho::start(&site.land.network, &documents);
    let lac = site.land.lac();
    lac.restarted(Status::On);
    assert!(freeradius.records().is_empty(), "it has no session of theirs");
    lac.connect(&device);
    std::thread::sleep(Duration::from_millis(1100));
    lac.restarted(Status::Off);
    eventually("the home server is told", || freeradius.records().last()?.contains("Accounting-Off").then_some(()));
    assert_eq!(freeradius.records().len(), 2);
    assert_eq!(journal(&site.land.network, &documents, &[]).len(), 3);
    eventually("its session is over", || (sekisho.told("/sessions")["tracked"] == 0).then_some(()));
}

#[test]
fn eap_goes_through_to_its_end_with_keys_that_decrypt_and_the_tunnels_behind_them() {
    let site = Site::new();
    let pki = Pki::new();
    let alice = Account::new("alice@acme.example", "wonderland");
    let _freeradius = FreeRadius::with_pki(&site.home.namespace, &home_secret("home1"), &[alice], &pki);
    let sekisho = Sekisho::start(&site.land.network, &site.documents("", ""));
    let login = |method, password: &str| {
        let device = EapDevice::new(method, "alice@acme.example", password);
        device.login(&site.land.carrier, auth(Family::V4), &network_secret("carrier"))
    };
    for method in [Method::Tls(&pki), Method::PeapMsChapV2] {
        let login = login(method, "wonderland");
        login.expect_success();
        // Tunnel-Server-Endpoint and Tunnel-Password, as eapol_test prints attributes by their numbers.
        for attribute in ["Attribute 67", "Attribute 69"] {
            assert!(login.output().contains(attribute), "{}", login.output());
        }
    }
    login(Method::PeapMsChapV2, "looking-glass").expect_refusal();
    assert_eq!(sekisho.metrics().sum("sekisho_vpdn_accepts_total", &[("contract", CONTRACT)]), 2);
}

/// A sub-attribute of a vendor's, as the value of attribute 26.
fn vendors(vendor: u32, pairs: &[(u8, &[u8])]) -> Vec<u8> {
    let mut value = vendor.to_be_bytes().to_vec();
    for (kind, octets) in pairs {
        value.extend([*kind, octets.len() as u8 + 2]);
        value.extend(*octets);
    }
    value
}

/// What no customer may say to the operator's equipment: another subscriber's name, tunnels of its own, routes, filters, pools, what Cisco's equipment
/// takes for a tunnel however it is packed, name servers.
fn hostile() -> Vec<(u8, Vec<u8>)> {
    let elsewhere = b"vpdn:ip-addresses=198.51.100.66";
    vec![
        (1, b"victim@other.example".to_vec()),
        (9, vec![0, 0, 0, 0]),
        (64, vec![1, 0, 0, 3]),
        (65, vec![1, 0, 0, 1]),
        (67, b"\x01198.51.100.66".to_vec()),
        (67, b"198.51.100.66".to_vec()),
        (82, b"\x01theirs".to_vec()),
        (83, vec![1, 0, 0, 0]),
        (90, b"theirs".to_vec()),
        (26, vendors(9, &[(1, elsewhere)])),
        (26, vendors(9, &[(1, b"lcp:interface-config=shutdown"), (1, elsewhere)])),
        (26, vendors(9, &[(1, b"ip:route=0.0.0.0 0.0.0.0")])),
        (26, vendors(311, &[(28, &[6, 6, 6, 6])])),
        (22, b"0.0.0.0/0 10.0.0.1 1".to_vec()),
        (11, b"let-everybody-in".to_vec()),
        (88, b"somebody-elses-pool".to_vec()),
    ]
}

/// Whether octets of `needle` are anywhere in an answer.
fn says(login: &Login, needle: &[u8]) -> bool {
    login.answer.bytes.windows(needle.len()).any(|octets| octets.eq_ignore_ascii_case(needle))
}

#[test]
fn of_a_hostile_home_servers_accept_nothing_reaches_the_lac_but_that_the_subscriber_may_in() {
    let site = Site::new();
    let login = site.login("", |asked| {
        let hostile = hostile();
        let attributes: Vec<(u8, &[u8])> = hostile.iter().map(|(number, value)| (*number, &value[..])).collect();
        vec![asked.accept_with(&attributes)]
    });
    let servers: Vec<&str> = login.tunnels.iter().map(|tunnel| &*tunnel.server).collect();
    assert!(
        servers.len() == 2 && servers.iter().all(|server| [at(1), at(2)].contains(&(*server).to_owned())),
        "{servers:?}"
    );
    for theirs in
        [&b"198.51.100.66"[..], b"theirs", b"shutdown", b"ip:route", b"0.0.0.0/0", b"let-everybody", b"elses-pool"]
    {
        assert!(!says(&login, theirs), "{}", String::from_utf8_lossy(theirs));
    }
    for number in [1, 9, 11, 22, 26, 88] {
        assert!(login.answer.values(number).is_empty(), "attribute {number}");
    }
    assert_eq!(login.tunnels.iter().map(|it| it.preference).collect::<Vec<_>>(), [Some(0), Some(10)]);
}

#[test]
fn what_the_contract_allows_reaches_the_lac_and_vpdn_pairs_stay_out_all_the_same() {
    let site = Site::new();
    let allow = "allow_reply = [\"Filter-Id\", \"Cisco-AVPair\"]";
    let login = site.login(allow, |asked| {
        let elsewhere = b"vpdn:ip-addresses=198.51.100.66";
        let mut pairs = vec![vendors(9, &[(1, b"lcp:mtu=1400")]), vendors(9, &[(1, elsewhere)])];
        pairs.push(vendors(9, &[(1, b"lcp:second=1"), (1, elsewhere)]));
        pairs.push(vendors(9, &[(1, b"VPDN:ip-addresses=198.51.100.66")]));
        pairs.push(vendors(9, &[(1, b" vpdn:ip-addresses=198.51.100.66")]));
        let mut attributes: Vec<(u8, &[u8])> = pairs.iter().map(|value| (26, &value[..])).collect();
        attributes.push((11, b"allowed"));
        vec![asked.accept_with(&attributes)]
    });
    assert!(login.is_accepted());
    assert_eq!(login.answer.values(11), [b"allowed"]);
    assert!(says(&login, b"lcp:mtu=1400") && says(&login, b"lcp:second=1"));
    assert!(
        !says(&login, b"vpdn:"),
        "{:?}",
        login.answer.values(26).iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect::<Vec<_>>()
    );
}

#[test]
fn an_address_outside_the_contracts_networks_becomes_a_reject_and_one_inside_is_given() {
    let site = Site::new();
    let contract = "framed_networks = [\"10.1.0.0/16\"]";
    let give = |address: [u8; 4]| site.login(contract, move |asked| vec![asked.accept_with(&[(8, &address)])]);
    let inside = give([10, 1, 2, 3]);
    assert_eq!((inside.is_accepted(), inside.answer.values(8)), (true, vec![vec![10, 1, 2, 3]]));
    let outside = give([10, 2, 0, 5]);
    assert_eq!((outside.answer.code().0, outside.answer.values(67).len()), (3, 0));
}

#[test]
fn a_home_server_that_challenges_without_end_is_cut_short() {
    let site = Site::new();
    let home = site.scripted(|asked| {
        let state = format!("state-{}", asked.before);
        vec![asked.challenge(&[(24, state.as_bytes()), (18, b"once more")])]
    });
    let _sekisho = Sekisho::start(&site.land.network, &site.documents("", ""));
    let lac = site.land.lac();
    let mut state: Option<Vec<u8>> = None;
    let mut rounds = 0;
    loop {
        let device = Device::new(1, REALM);
        let mut more: Vec<(u8, &[u8])> = vec![(31, device.number.as_bytes())];
        more.extend(state.as_deref().map(|state| (24, state)));
        let answer = lac.nas().ask(lac.auth(), &lac.nas().login_with(rounds as u8, &device.user, "wonderland", &more));
        if answer.code().0 != 11 {
            assert_eq!(answer.code().0, 3, "a Reject at the end");
            break;
        }
        rounds += 1;
        assert!(rounds < 300, "300 rounds, and no end");
        state = Some(answer.values(24).remove(0));
    }
    assert!(rounds >= 20, "an EAP-TLS login has so many, {rounds}");
    assert!(home.seen().len() <= rounds + 1);
}

#[test]
fn a_silent_home_server_costs_a_reject_within_the_networks_patience_and_no_session() {
    let site = Site::new();
    let home = ScriptedHome::silent(&site.home, &home_secret("home1"));
    let sekisho =
        Sekisho::start(&site.land.network, &site.documents("", "timeout = \"2s\"\nanswer_within = \"1500ms\""));
    let lac = site.land.lac();
    let begun = Instant::now();
    let login = lac.login(&Device::new(1, REALM));
    assert_eq!(login.answer.code().0, 3);
    assert!(begun.elapsed() < Duration::from_millis(1900), "{:?}", begun.elapsed());
    assert!(!home.seen().is_empty());
    assert_eq!(sekisho.told("/sessions")["reserved"], 0);
}

#[test]
fn a_home_server_that_takes_no_accounting_keeps_the_network_waiting_for_nothing() {
    let site = Site::new();
    let home = site.scripted(|asked| if asked.code().0 == 1 { vec![asked.accept()] } else { Vec::new() });
    let documents = site.documents("", "");
    let sekisho = Sekisho::start(&site.land.network, &documents);
    let lac = site.land.lac();
    let session = lac.connect(&Device::new(1, REALM));
    lac.report(Status::Interim, &session);
    std::thread::sleep(Duration::from_millis(1100));
    lac.restarted(Status::On);
    assert_eq!(journal(&site.land.network, &documents, &[]).len(), 3, "what is acknowledged is recorded");
    eventually("the session is over", || (sekisho.told("/sessions")["tracked"] == 0).then_some(()));
    assert!(home.seen().iter().filter(|asked| asked.code().0 == 4).count() >= 3, "it was told of each");
}

#[test]
fn an_answer_that_is_too_long_with_the_tunnels_becomes_a_reject_and_never_silence() {
    let site = Site::new();
    let login = site.login("", |asked| {
        let long = [b'x'; 253];
        let mut attributes: Vec<(u8, &[u8])> = vec![(79, &long); 15];
        attributes.push((79, &long[..200]));
        vec![asked.accept_with(&attributes)]
    });
    assert_eq!((login.answer.code().0, login.tunnels.len()), (3, 0));
}

#[test]
fn an_accepted_subscriber_for_whom_every_lns_is_full_gets_a_reject() {
    let site = Site::new();
    let _home = ScriptedHome::willing(&site.home, &home_secret("home1"));
    let documents = site.documents("max_sessions = 1\nfull_message = \"busy\"", "");
    let _sekisho = Sekisho::start(&site.land.network, &documents);
    let lac = site.land.lac();
    lac.connect(&Device::new(1, REALM));
    let login = lac.login(&Device::new(2, REALM));
    is_refused(&login, NO_RESOURCES);
    assert_eq!(login.reason().1.as_deref(), Some("busy"));
}
