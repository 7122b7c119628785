//! Sessions that are ended at the access network's equipment: since their customer says so, or since they belong elsewhere.

use std::time::Duration;

use sekisho_tests::documents::{Customer, Documents, dynauth_secret};
use sekisho_tests::home::{Asked, ScriptedHome};
use sekisho_tests::lac::{Device, Lac, Status};
use sekisho_tests::network::{Family, Host, Network, dynauth};
use sekisho_tests::radclient::{Answer, Radclient};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{AccessNetwork, Lns, Vpdn, network_secret};
use sekisho_tests::wait::within;

use super::land::{CONTRACT, REALM, SESSIONS, at, lnss};

/// An access network that takes Disconnects, and a server of each of two customers that may send some.
struct Site {
    network: Network,
    carrier: Host,
    servers: [Host; 2],
}

impl Site {
    fn new() -> Site {
        let mut network = Network::new();
        let carrier = network.host("carrier");
        let servers = ["acme-server", "other-server"].map(|name| network.host(name));
        Site { network, carrier, servers }
    }

    fn documents(&self, contract: &Vpdn) -> Documents {
        let [acme, other] = &self.servers;
        let acme_customer = Customer::new("acme").lnss(&lnss(2)).vpdn(contract).dynauth("acme-coa", acme.v4, "");
        let osaka = Lns::new("osaka", &at(9), "");
        let other_customer = Customer::new("other")
            .lnss(&[osaka])
            .vpdn(&Vpdn::new("other-d", "D", &["osaka"]))
            .dynauth("other-coa", other.v4, "");
        let network = AccessNetwork::new("carrier", "D", &[self.carrier.v4.to_string()]).key("disconnect_port = 3799");
        let hosts = [&self.carrier, acme, other];
        Documents::new(&hosts)
            .dynauth()
            .sessions(SESSIONS)
            .access_network(&network)
            .customer(acme_customer)
            .customer(other_customer)
    }

    fn lac(&self) -> Lac {
        Lac::new(&self.carrier, self.carrier.v4, &network_secret("carrier"), "lac-1")
    }

    /// The equipment's other part: it takes every Disconnect.
    fn obedient(&self) -> ScriptedHome {
        ScriptedHome::terminal(&self.carrier, &network_secret("carrier"), |asked| vec![asked.accept()])
    }

    fn asks(&self, n: usize, command: &str, pairs: &str) -> Answer {
        let secret = dynauth_secret(["acme-coa", "other-coa"][n]);
        Radclient::default().patience(3.0, 2).send(&self.servers[n], dynauth(Family::V4), command, &secret, pairs)
    }
}

/// Acct-Session-Id of a Disconnect-Request that verifies.
#[track_caller]
fn session(asked: &Asked) -> String {
    assert!(asked.code().0 == 40 && asked.digest_is_right(), "a Disconnect-Request that verifies");
    String::from_utf8(asked.values(44).remove(0)).expect("a text")
}

#[test]
fn a_customers_server_ends_a_session_of_its_own_and_no_other_customers() {
    let site = Site::new();
    let equipment = site.obedient();
    let _sekisho = Sekisho::start(&site.network, &site.documents(&Vpdn::new(CONTRACT, "D", &["tokyo-1"])));
    let lac = site.lac();
    let [own, others] = [REALM, "other.example"].map(|realm| lac.connect(&Device::new(1, realm)));
    let named = |id: &str| format!("NAS-Identifier = lac-1, Acct-Session-Id = {id}");
    site.asks(0, "disconnect", &named(&others.id)).expect("Disconnect-NAK");
    site.asks(1, "disconnect", &named(&own.id)).expect("Disconnect-NAK");
    site.asks(0, "disconnect", &named("no-such-session")).expect("Disconnect-NAK");
    // Its own session and somebody else beside it: whom equipment would take for meant, nobody knows.
    let victims = [
        format!("Acct-Session-Id += {}", others.id),
        "Framed-IP-Address = 10.0.0.5".to_owned(),
        format!("Calling-Station-Id = {}", Device::new(7, REALM).number),
        format!("User-Name = {}", others.device.user),
    ];
    for victim in victims {
        let answer = site.asks(0, "disconnect", &format!("{}, {victim}", named(&own.id)));
        assert_ne!(answer.code(), Some("Disconnect-ACK"), "{}", answer.output());
    }
    // Customers' address space overlaps: an address says nothing.
    site.asks(1, "disconnect", "Framed-IP-Address = 10.0.0.5").expect("Disconnect-NAK");
    let changed = site.asks(0, "coa", &format!("{}, Session-Timeout = 60", named(&own.id))).expect("CoA-NAK");
    assert_eq!(changed.values("Error-Cause").len(), 1, "{}", changed.output());
    site.asks(0, "disconnect", &named(&own.id)).expect("Disconnect-ACK");
    let seen: Vec<String> = equipment.seen().iter().map(session).collect();
    assert_eq!(seen, [own.id], "the operator's equipment has heard of this alone");
}

#[test]
fn where_it_is_wanted_sessions_of_an_lns_that_drains_are_ended_little_by_little() {
    let site = Site::new();
    let equipment = site.obedient();
    let contract = Vpdn::new(CONTRACT, "D", &["tokyo-1", "tokyo-2"])
        .balancing("strategy = \"least-sessions\"\nrebalance = \"paced\"\nrebalance_rate = 120\nslow_start = \"0s\"");
    let sekisho = Sekisho::start(&site.network, &site.documents(&contract));
    let lac = site.lac();
    let sessions = lac.start_all(&lac.logins(&Device::many(8, REALM)));
    lac.start_all(&lac.logins(&Device::many(5, "other.example")));
    std::thread::sleep(Duration::from_secs(2));
    assert!(equipment.seen().is_empty(), "sessions that are where they belong stay");
    assert!(sekisho.command(&["lns", "drain", "acme/tokyo-1"]).status.success());
    let drained: Vec<_> = sessions.iter().filter(|session| session.lns == at(1)).collect();
    assert_eq!(drained.len(), 4);
    // The device comes back at once, and is told of the other LNS.
    let mut moved = 0;
    let done = within(Duration::from_secs(30), || {
        for asked in &equipment.seen()[moved..] {
            let id = session(asked);
            let one = drained.iter().find(|session| session.id == id);
            let one = one.unwrap_or_else(|| panic!("{id} was not on the LNS that drains"));
            lac.report(Status::Stop, one);
            let again = lac.connect(&one.device);
            assert_eq!(again.lns, at(2));
            moved += 1;
        }
        (moved == drained.len()).then_some(())
    });
    assert!(done.is_some(), "{moved} of {} sessions were ended", drained.len());
    let at: Vec<_> = equipment.seen().iter().map(|asked| asked.at).collect();
    // Two a second: the second one may follow the first at once, and no more.
    assert!(at[3] - at[0] >= Duration::from_millis(900), "{:?}", at[3] - at[0]);
    assert_eq!((&sekisho.lns("tokyo-1")["active"], &sekisho.lns("tokyo-2")["active"]), (&0.into(), &8.into()));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(equipment.seen().len(), 4, "and that was all");
}

#[test]
fn where_it_is_not_wanted_no_session_is_ever_touched() {
    let site = Site::new();
    let equipment = site.obedient();
    let contract = Vpdn::new(CONTRACT, "D", &["tokyo-1", "tokyo-2"]).balancing("strategy = \"least-sessions\"");
    let sekisho = Sekisho::start(&site.network, &site.documents(&contract));
    let lac = site.lac();
    lac.start_all(&lac.logins(&Device::many(20, REALM)));
    for word in ["drain", "down", "up"] {
        assert!(sekisho.command(&["lns", word, "acme/tokyo-1"]).status.success());
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(equipment.seen().is_empty());
    assert_eq!(sekisho.lns("tokyo-1")["active"], 10);
}
