//! A carrier's equipment, which asks for the subscribers of all customers: it is never left in silence over a login.

use sekisho_tests::documents::{Customer, Documents, Server, home_secret};
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::{Answer, Nas};
use sekisho_tests::network::{Family, Host, Network, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{AccessNetwork, network_secret};

use std::time::Duration;

const MODES: [(&str, &str); 2] = [("native", "kernel"), ("off", "userspace")];
/// Error-Cause (RFC 5176 §3.5): Request Not Routable, Resources Unavailable.
const NOT_ROUTABLE: [u8; 4] = 502u32.to_be_bytes();
const NO_RESOURCES: [u8; 4] = 506u32.to_be_bytes();

/// A carrier, two customers' home server, and acme's own NAS, which has an address among the carrier's.
struct Country {
    network: Network,
    carrier: Host,
    stranger: Host,
    home: Host,
}

impl Country {
    fn new() -> Country {
        let mut network = Network::new();
        let [carrier, stranger, home] = ["carrier", "stranger", "home1"].map(|name| network.host(name));
        Country { network, carrier, stranger, home }
    }

    fn documents(&self, mode: &str, more: &str) -> Documents {
        let acme = Customer::new("acme").client("acme-nas", self.carrier.neighbour(50), "");
        let acme = acme.proxy(&[Server::new("home1", self.home.v4, "")]);
        let carrier = AccessNetwork::new("carrier", "D", &self.carrier.networks());
        let carrier = carrier.key("ingress = [\"carrier\"]\nreject_delay = \"0s\"").key(more);
        let hosts = [&self.carrier, &self.stranger, &self.home];
        let documents = Documents::new(&hosts).xdp(mode).access_network(&carrier);
        documents.customer(acme).customer(Customer::new("other"))
    }

    fn equipment(&self, family: Family) -> Nas {
        Nas::new(&self.carrier, self.carrier.address(family), &network_secret("carrier"))
    }
}

#[track_caller]
fn is_refused(answer: &Answer, cause: [u8; 4]) {
    assert_eq!(answer.code().0, 3, "Access-Reject");
    assert_eq!(answer.values(101), [cause], "Error-Cause");
}

#[test]
fn every_address_of_an_access_network_gets_a_reject_and_nobody_beside_it_an_answer() {
    for (mode, place) in MODES {
        let country = Country::new();
        let home = ScriptedHome::willing(&country.home, &home_secret("home1"));
        let sekisho = Sekisho::start(&country.network, &country.documents(mode, ""));
        for family in Family::BOTH {
            let nas = country.equipment(family);
            // A realm that somebody has, and one that nobody has.
            for (id, realm) in [(1, "acme.example"), (2, "nowhere.example")] {
                let login = nas.login(id, &format!("alice@{realm}"), "wonderland");
                is_refused(&nas.ask(auth(family), &login), NOT_ROUTABLE);
            }
            let outside = Nas::new(&country.stranger, country.stranger.address(family), &network_secret("carrier"));
            outside.send(auth(family), &outside.login(3, "alice@acme.example", "wonderland"));
            outside.expect_silence(Duration::from_millis(200));
        }
        // Another address of the network, on another link than the network's.
        let address = country.carrier.neighbour(77);
        country.carrier.also_has(address);
        let nas = Nas::new(&country.carrier, address, &network_secret("carrier"));
        is_refused(&nas.ask(auth(Family::V4), &nas.login(4, "bob@acme.example", "wonderland")), NOT_ROUTABLE);
        country.stranger.also_has(address);
        let spoofer = Nas::new(&country.stranger, address, &network_secret("carrier"));
        spoofer.send(auth(Family::V4), &spoofer.login(5, "bob@acme.example", "wonderland"));
        spoofer.expect_silence(Duration::from_millis(200));
        let metrics = sekisho.metrics();
        let strangers = [metrics.dropped(place, "unregistered"), metrics.dropped(place, "wrong_ingress")];
        assert_eq!(strangers, [2, 1], "{mode}: {}", metrics.drops());
        assert_eq!(home.seen().len(), 0, "no contract serves it");
    }
}

#[test]
fn a_customers_own_nas_among_the_carriers_addresses_is_that_customers() {
    for (mode, _) in MODES {
        let country = Country::new();
        let home = ScriptedHome::willing(&country.home, &home_secret("home1"));
        let _sekisho = Sekisho::start(&country.network, &country.documents(mode, ""));
        let address = country.carrier.neighbour(50);
        country.carrier.also_has(address);
        let nas = Nas::new(&country.carrier, address, &sekisho_tests::documents::client_secret("acme-nas"));
        let answer = nas.ask(auth(Family::V4), &nas.login(1, "alice@acme.example", "wonderland"));
        assert_eq!(answer.code().0, 2, "{mode}");
        assert_eq!(home.seen().len(), 1, "{mode}");
    }
}

#[test]
fn over_a_realms_limit_every_login_gets_a_reject_and_other_realms_are_untouched() {
    for (mode, _) in MODES {
        let country = Country::new();
        let sekisho = Sekisho::start(
            &country.network,
            &country.documents(mode, "realm_rate = 1\nrealm_burst = 5\nclient_rate = 0"),
        );
        let mut limited = 0;
        for (n, family) in Family::BOTH.into_iter().enumerate() {
            let nas = country.equipment(family);
            // Each family with a realm of its own: they are one access network, which has one bucket for each realm.
            let [stormy, calm] = [["acme.example", "quiet.example"], ["other.example", "still.example"]][n];
            let storm: Vec<_> = (0..40).map(|id| nas.login(id, &format!("user-{id}@{stormy}"), "wonderland")).collect();
            storm.iter().for_each(|login| nas.send(auth(family), login));
            for _ in 0..storm.len() {
                let bytes = nas.receive(Duration::from_secs(5)).expect("a Reject for each, never silence");
                let request = storm.iter().find(|request| request[1] == bytes[1]).expect("one of them");
                let answer = nas.judge(request, bytes);
                assert_eq!(answer.code().0, 3);
                limited += u64::from(answer.values(101) == [NO_RESOURCES]);
            }
            let login = nas.login(100, &format!("alice@{calm}"), "wonderland");
            is_refused(&nas.ask(auth(family), &login), NOT_ROUTABLE);
            let metrics = sekisho.metrics();
            assert_eq!(metrics.sum("sekisho_rejected_limited_total", &[]), limited, "{mode}");
            assert!((25 * (n as u64 + 1)..=35 * (n as u64 + 1)).contains(&limited), "{mode}: {limited} of 40 each");
        }
    }
}
