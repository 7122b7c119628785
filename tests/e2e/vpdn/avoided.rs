//! LNSs where an access network's sessions fail: that network is not sent there for a while, and no other one is kept away.

use sekisho_tests::documents::{Customer, Documents};
use sekisho_tests::lac::{Device, Lac, Status, shares};
use sekisho_tests::network::{Host, Network};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{AccessNetwork, network_secret};

use super::land::{REALM, at, balanced, lnss};

/// Two access networks of one type, which share a customer's two LNSs.
struct Site {
    network: Network,
    carriers: [Host; 2],
}

impl Site {
    fn new() -> Site {
        let mut network = Network::new();
        let carriers = ["east", "west"].map(|name| network.host(name));
        Site { network, carriers }
    }

    fn documents(&self) -> Documents {
        let acme = Customer::new("acme").lnss(&lnss(2)).vpdn(&balanced(2, "strategy = \"round-robin\""));
        let documents = Documents::new(&self.carriers.each_ref()).customer(acme);
        self.carriers.iter().fold(documents, |documents, host| {
            documents.access_network(&AccessNetwork::new(&host.name, "D", &host.networks()))
        })
    }

    fn lac(&self, n: usize) -> Lac {
        let host = &self.carriers[n];
        Lac::new(host, host.v4, &network_secret(&host.name), "lac-1")
    }

    /// Where so many new devices of an access network are sent.
    fn sent(&self, n: usize, from: usize) -> Vec<String> {
        let devices: Vec<Device> = (from..from + 10).map(|k| Device::new(k, REALM)).collect();
        let mut places: Vec<String> = shares(&self.lac(n).logins(&devices)).into_keys().collect();
        places.sort();
        places
    }
}

/// Holds that the first LNS is not given to the access network `east` any more, and to `west` as ever.
#[track_caller]
fn is_avoided_by_east_alone(site: &Site, sekisho: &Sekisho<'_>) {
    assert_eq!(site.sent(0, 1000), [at(2)]);
    assert_eq!(site.sent(1, 2000), [at(1), at(2)]);
    let told = sekisho.lns("tokyo-1");
    assert_eq!(told["avoided_for"][0]["network"], "east", "{told}");
    assert_ne!(told["state"], "down", "{told}");
    let table = sekisho.command(&["lns"]).output;
    assert!(table.contains("not given to east"), "{table}");
}

#[test]
fn whose_sessions_end_as_soon_as_they_begin_is_sent_elsewhere() {
    let site = Site::new();
    let sekisho = Sekisho::start(&site.network, &site.documents());
    assert_eq!([0, 1].map(|n| site.sent(n, 0)), [[at(1), at(2)], [at(1), at(2)]]);
    let lac = site.lac(0);
    let sessions = lac.start_all(&lac.logins(&Device::many(20, REALM)));
    let at_first: Vec<_> = sessions.into_iter().filter(|session| session.lns == at(1)).collect();
    lac.report_all(Status::Stop, &at_first);
    is_avoided_by_east_alone(&site, &sekisho);
}

#[test]
fn whose_equipment_fails_over_to_another_lns_is_sent_there_at_once() {
    let site = Site::new();
    let sekisho = Sekisho::start(&site.network, &site.documents());
    let lac = site.lac(0);
    for login in lac.logins(&Device::many(20, REALM)) {
        lac.report(Status::Start, &login.session().at(&at(2)));
    }
    is_avoided_by_east_alone(&site, &sekisho);
    assert_eq!(sekisho.lns("tokyo-1")["failed_over_from"], 10);
}
