//! A contract whose sessions the LNSs themselves account for, and one whose sessions nobody counts.

use sekisho_tests::documents::{Customer, Documents};
use sekisho_tests::lac::{Device, Lac, Session, Status};
use sekisho_tests::network::{Host, Network};
use sekisho_tests::sekisho::{Sekisho, journal};
use sekisho_tests::vpdn::{AccessNetwork, Lns, Vpdn, lns_secret, network_secret};
use std::time::Duration;

use super::land::{CONTRACT, Land, REALM, lnss};

struct Site {
    network: Network,
    carrier: Host,
    lns: Host,
    stranger: Host,
}

impl Site {
    fn new() -> Site {
        let mut network = Network::new();
        let [carrier, lns, stranger] = ["carrier", "tokyo-1", "tokyo-2"].map(|name| network.host(name));
        Site { network, carrier, lns, stranger }
    }

    fn documents(&self) -> Documents {
        let lns = |host: &Host| {
            let secret = format!("secret = \"{}\"\ningress = [\"{}\"]", lns_secret(&host.name), host.name);
            Lns::new(&host.name, &host.v4.to_string(), &secret)
        };
        let contract = Vpdn::new(CONTRACT, "D", &["tokyo-1"]).key("accounting = \"lns\"");
        // The second LNS is another customer's.
        let other = Customer::new("other").lnss(&[lns(&self.stranger)]);
        let other = other.vpdn(&Vpdn::new("other-d", "D", &["tokyo-2"]).key("accounting = \"lns\""));
        Documents::new(&[&self.carrier, &self.lns, &self.stranger])
            .access_network(&AccessNetwork::new("carrier", "D", &self.carrier.networks()))
            .customer(Customer::new("acme").lnss(&[lns(&self.lns)]).vpdn(&contract))
            .customer(other)
    }

    fn lac(&self) -> Lac {
        Lac::new(&self.carrier, self.carrier.v4, &network_secret("carrier"), "lac-1")
    }

    fn accountant(host: &Host) -> Lac {
        Lac::new(host, host.v4, &lns_secret(&host.name), &host.name)
    }
}

#[test]
fn what_the_lns_reports_is_counted_and_recorded_and_what_the_lac_reports_is_recorded_alone() {
    let site = Site::new();
    let documents = site.documents();
    let sekisho = Sekisho::start(&site.network, &documents);
    let (lac, lns) = (site.lac(), Site::accountant(&site.lns));
    let active = || sekisho.lns("tokyo-1")["active"].as_u64();
    let login = lac.login(&Device::new(1, REALM));
    let at_lac = login.session();
    lac.report(Status::Start, &at_lac);
    assert_eq!(active(), Some(0), "the same session is not counted by two");
    // An LNS need not say that the session is at itself.
    let at_lns = Session::new(&login.device, "");
    lns.report(Status::Start, &at_lns);
    assert_eq!(active(), Some(1));
    lns.report(Status::Stop, &at_lns);
    lac.report(Status::Stop, &at_lac);
    assert_eq!(active(), Some(0));
    let records = journal(&site.network, &documents, &["--customer", "acme"]);
    assert_eq!(records.len(), 4, "{records:?}");
    // Its restart ends its own sessions.
    lns.report(Status::Start, &Session::new(&Device::new(2, REALM), ""));
    std::thread::sleep(Duration::from_millis(1100));
    lns.restarted(Status::On);
    let ended = sekisho_tests::wait::within(Duration::from_secs(5), || (active() == Some(0)).then_some(()));
    assert!(ended.is_some(), "{:?}", active());
}

#[test]
fn an_lns_logs_nobody_in_and_says_nothing_of_another_customers_sessions() {
    let site = Site::new();
    let documents = site.documents();
    let sekisho = Sekisho::start(&site.network, &documents);
    let [lns, other] = [&site.lns, &site.stranger].map(Site::accountant);
    let request = lns.login_request(1, &Device::new(1, REALM));
    lns.nas().send(lns.auth(), &request);
    sekisho.metrics_when("its login is dropped for a reason", |metrics| {
        metrics.dropped("userspace", "wrong_role") + metrics.dropped("kernel", "wrong_role") == 1
    });
    lns.nas().expect_silence(Duration::from_millis(300));
    let session = Session::new(&site.lac().login(&Device::new(1, REALM)).device, "");
    lns.report(Status::Start, &session);
    assert_eq!(sekisho.lns("tokyo-1")["active"], 1);
    // The other customer's LNS tells of acme's subscriber: recorded for whoever wants to know, and no session of anybody's.
    other.report(Status::Stop, &session);
    other.report(Status::Start, &Session::new(&Device::new(9, REALM), &site.lns.v4.to_string()));
    other.restarted(Status::On);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((&sekisho.lns("tokyo-1")["active"], &sekisho.lns("tokyo-2")["active"]), (&1.into(), &0.into()));
    assert_eq!(journal(&site.network, &documents, &["--customer", "acme"]).len(), 1);
}

#[test]
fn where_nobodys_accounting_counts_it_is_recorded_and_counts_nothing() {
    let land = Land::new();
    let contract = Vpdn::new(CONTRACT, "D", &["tokyo-1"]).key("accounting = \"none\"");
    let documents = land.documents(Customer::new("acme").lnss(&lnss(1)).vpdn(&contract));
    let sekisho = Sekisho::start(&land.network, &documents);
    let lac = land.lac();
    let sessions = lac.start_all(&lac.logins(&Device::many(5, REALM)));
    assert_eq!(sekisho.lns("tokyo-1")["active"], 0);
    lac.report_all(Status::Stop, &sessions);
    assert_eq!(journal(&land.network, &documents, &["--contract", CONTRACT]).len(), 10);
}
