//! Contracts for VPDN at midnight: the load-balancing option ends, and the mobile contract that a contract needs.

use std::collections::BTreeSet;
use std::time::Duration;

use sekisho_tests::documents::Customer;
use sekisho_tests::lac::{Device, Lac};
use sekisho_tests::network::{Host, Network};
use sekisho_tests::registry::{Desk, Office, mobile};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{AccessNetwork, Lns, Vpdn, network_secret};

const AHEAD: i64 = 8;
const SOON: Duration = Duration::from_secs(1);

/// An access network of type D.
fn land() -> (Network, Host) {
    let mut network = Network::new();
    let carrier = network.host("carrier");
    (network, carrier)
}

/// The operator's document, with that access network.
fn operator(office: &Office, carrier: &Host) -> String {
    let network = AccessNetwork::new("carrier", "D", &carrier.networks());
    office.write("operator.toml", &format!("[operator]\nname = \"operator\"\n\n{}", network.text()))
}

/// A customer with two LNSs and a contract over one or both, and what it has agreed with its mobile carrier.
fn customer(office: &Office, name: &str, balanced: bool, of_mobile: &str, number: u8) -> String {
    let lns = |n: u8| Lns::new(&format!("{name}-{n}"), &format!("198.18.{number}.{n}"), "");
    let contract = format!("{name}-vpdn");
    let (one, two) = (format!("{name}-1"), format!("{name}-2"));
    let vpdn = match balanced {
        true => Vpdn::new(&contract, "D", &[&one, &two]).balancing("strategy = \"round-robin\""),
        false => Vpdn::new(&contract, "D", &[&one]),
    };
    let lnss = if balanced { vec![lns(1), lns(2)] } else { vec![lns(1)] };
    office.document(&Customer::new(name).lnss(&lnss).vpdn(&vpdn), &mobile(of_mobile))
}

fn endpoints(lac: &Lac, devices: &[Device]) -> BTreeSet<String> {
    lac.logins(devices).iter().map(|login| login.endpoint().to_owned()).collect()
}

#[test]
fn an_option_that_ends_leaves_new_sessions_to_the_surviving_lns_from_midnight_on() {
    let ((network, carrier), mut office) = (land(), Office::new());
    let desk = Desk::new(&network, &office.node(&[&carrier]));
    desk.apply(&[operator(&office, &carrier)], &[]);
    desk.serve(&office, &[customer(&office, "fuji", true, "", 1)], &["fuji"]);
    let told =
        desk.refused(&["cancel", "fuji-vpdn", "--arrived", &office.day(-40), "--option", "--survivor", "nobody"]);
    assert!(told.contains("nobody") && told.contains("fuji-vpdn"), "{told}");
    desk.cancel(&office, "fuji-vpdn", &["--option", "--survivor", "fuji-2"]);
    let midnight = office.ends_in(AHEAD);
    let sekisho = Sekisho::start(&network, &office.node(&[&carrier]));
    let lac = Lac::new(&carrier, carrier.v4, &network_secret("carrier"), "lac-1");
    let devices = Device::many(40, "fuji.example");
    let before = lac.logins(&devices[..20]);
    let sessions = lac.start_all(&before);
    let seen: BTreeSet<&str> = before.iter().map(|login| login.endpoint()).collect();
    assert_eq!(seen.len(), 2, "{seen:?}");
    midnight.wait();
    std::thread::sleep(SOON);
    assert_eq!(endpoints(&lac, &devices[20..]), BTreeSet::from(["198.18.1.2".to_owned()]));
    let active = |lns: &str| {
        let of = sekisho.sessions(&format!("lns={lns}"));
        of.iter().filter(|session| session["state"] == "active").count()
    };
    let all = active("fuji-1") + active("fuji-2");
    assert!(active("fuji-1") > 0 && all == sessions.len(), "sessions that are there stay where they are: {all}");
    let desk = Desk::new(&network, &office.node(&[&carrier]));
    assert_eq!(desk.contract("fuji-vpdn")["option"].as_str(), Some("not serving: fuji-2 alone"));
}

#[test]
fn a_vpdn_whose_mobile_contract_ends_is_refused_from_the_next_day_on() {
    let ((network, carrier), mut office) = (land(), Office::new());
    let desk = Desk::new(&network, &office.node(&[&carrier]));
    let until = format!("until = \"{}\"", office.day(0));
    desk.apply(&[operator(&office, &carrier)], &[]);
    let files = [customer(&office, "fuji", false, "", 1), customer(&office, "kumo", false, &until, 2)];
    desk.serve(&office, &files, &["fuji", "kumo"]);
    let midnight = office.ends_in(AHEAD);
    let sekisho = Sekisho::start(&network, &office.node(&[&carrier]));
    let lac = Lac::new(&carrier, carrier.v4, &network_secret("carrier"), "lac-1");
    let (fuji, kumo) = (Device::many(10, "fuji.example"), Device::many(10, "kumo.example"));
    assert_eq!(endpoints(&lac, &kumo[..5]), BTreeSet::from(["198.18.2.1".to_owned()]));
    midnight.wait();
    std::thread::sleep(SOON);
    for login in lac.logins(&kumo[5..]) {
        assert!(!login.is_accepted() && login.tunnels.is_empty(), "{} is served", login.device.user);
    }
    assert_eq!(endpoints(&lac, &fuji), BTreeSet::from(["198.18.1.1".to_owned()]), "another's goes on");
    let status = sekisho.command(&["status"]);
    assert!(status.output.contains("kumo-vpdn of kumo is not served"), "{}", status.output);
    assert!(status.output.contains("Art. 5.3"), "{}", status.output);
}
