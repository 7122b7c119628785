//! What most of these tests begin with: a customer with a home server of its own, and one whose accounts are hosted.

use std::time::Duration;

use sekisho_tests::documents::{Customer, Documents, Server, client_secret, home_secret};
use sekisho_tests::load::{Load, LoadHome, count, summary};
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, Network, auth};
use sekisho_tests::process::Process;
use sekisho_tests::radclient::Radclient;
use sekisho_tests::registry::{Desk, Office, accounts, group};

/// Subscribers of sakura's.
pub const ALICE: &str = "alice@sakura.example";
pub const BOB: &str = "bob@sakura.example";
/// Everybody's password.
pub const PASSWORD: &str = "wonderland";
/// sakura's contracts.
pub const SAKURA_NAS: &str = "sakura-nas";
pub const SAKURA_GROUP: &str = "sakura-group";
const ACME_NAS: &str = "acme-nas";

/// The terminals of two customers and the home server of one, on links of their own.
pub struct Town {
    pub network: Network,
    /// acme's terminal.
    pub acme: Host,
    /// acme's home server.
    pub home: Host,
    /// sakura's terminal.
    pub sakura: Host,
}

impl Town {
    pub fn new() -> Town {
        let mut network = Network::new();
        let [acme, home, sakura] = ["acme", "home1", "sakura"].map(|name| network.host(name));
        Town { network, acme, home, sakura }
    }

    /// The node that is served from the registry.
    pub fn node(&self, office: &Office) -> Documents {
        office.node(&[&self.acme, &self.home, &self.sakura])
    }

    /// The desk beside it.
    pub fn desk(&self, office: &Office) -> Desk<'_> {
        Desk::new(&self.network, &self.node(office))
    }

    /// Records that both customers have been served for half a year.
    pub fn serve_both(&self, office: &Office, desk: &Desk<'_>) {
        let files = [office.document(&self.acme_document(), ""), self.write_sakura(office, "")];
        desk.serve(office, &files, &["acme", "sakura"]);
        import(office, desk, SAKURA_GROUP, &["alice", "bob"]);
    }

    /// Records that sakura alone has been.
    pub fn serve_sakura(&self, office: &Office, desk: &Desk<'_>) {
        desk.serve(office, &[self.write_sakura(office, "")], &["sakura"]);
        import(office, desk, SAKURA_GROUP, &["alice", "bob"]);
    }

    /// acme: a `client` and a `proxy`.
    pub fn acme_document(&self) -> Customer {
        Customer::new("acme").client(ACME_NAS, self.acme.v4, "").proxy(&[Server::new("home1", self.home.v4, "")])
    }

    /// sakura: a `client` and a `group`, whose table gets further keys.
    pub fn write_sakura(&self, office: &Office, more: &str) -> String {
        office.document(&self.sakura_document(), &group(SAKURA_GROUP, "sakura.example", more))
    }

    /// sakura without its `group`.
    pub fn sakura_document(&self) -> Customer {
        Customer::new("sakura").client(SAKURA_NAS, self.sakura.v4, "reject_delay = \"0s\"")
    }

    /// sakura's terminal, which sends what it is told to.
    pub fn sakura_nas(&self) -> Nas {
        Nas::new(&self.sakura, self.sakura.v4, &client_secret(SAKURA_NAS))
    }

    /// acme's terminal.
    pub fn acme_nas(&self) -> Nas {
        Nas::new(&self.acme, self.acme.v4, &client_secret(ACME_NAS))
    }

    /// acme's home server, which keeps up with a load.
    pub fn load_home(&self) -> LoadHome {
        LoadHome::start(&self.home, self.home.v4, &home_secret("home1"), &[])
    }

    /// A load of acme's logins, so many a second for so long. No try is repeated for ten seconds, so that one that is lost is seen.
    pub fn load(&self, rate: u32, time: Duration) -> Process {
        let load = Load::logins_at(&self.acme, Family::V4, &client_secret(ACME_NAS), rate);
        load.with(&["--duration", &format!("{}ms", time.as_millis())]).start(&self.acme)
    }
}

/// Imports accounts with the password of everybody.
pub fn import(office: &Office, desk: &Desk<'_>, contract: &str, users: &[&str]) {
    let file = office.write(&format!("{contract}.csv"), &accounts(users));
    desk.done(&["accounts", "import", "--contract", contract, &file]);
}

/// Waits for the end of a load, and holds that it has lost nothing, and not a packet has been sent twice.
#[track_caller]
pub fn lost_nothing(mut load: Process) {
    assert!(load.exits_within(Duration::from_secs(60)).success());
    let load = summary(&load);
    assert!(count(&load, "sent") > 100, "{load}");
    assert_eq!(count(&load, "completed"), count(&load, "sent"), "{load}");
    for none in ["lost", "bad", "retransmitted"] {
        assert_eq!(count(&load, none), 0, "{none}: {load}");
    }
}

/// What a terminal gets for a login over IPv4: the answer's code.
#[track_caller]
pub fn login(nas: &Nas, user: &str) -> u8 {
    nas.ask(auth(Family::V4), &nas.login(1, user, PASSWORD)).code().0
}

/// The same of somebody who may have become a stranger: `None` is silence.
pub fn try_login(nas: &Nas, user: &str) -> Option<u8> {
    let request = nas.login(1, user, PASSWORD);
    nas.send(auth(Family::V4), &request);
    nas.answer(&request, Duration::from_millis(700)).map(|answer| answer.code().0)
}

/// Logs in by radclient, which has to be accepted.
#[track_caller]
pub fn radclient_accepts(host: &Host, contract: &str, user: &str) {
    let pairs = format!("User-Name = {user}, User-Password = {PASSWORD}, Message-Authenticator = 0x00");
    let answer = Radclient::default().login(host, auth(Family::V4), &client_secret(contract), &pairs);
    answer.expect("Access-Accept");
}
