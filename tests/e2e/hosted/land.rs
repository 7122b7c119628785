//! What most of these tests begin with: a NAS, and a customer with hosted accounts.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use sekisho_tests::documents::{Customer, Documents, client_secret};
use sekisho_tests::nas::{Answer, Nas};
use sekisho_tests::network::{Family, Host, Network, acct, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::service::{Group, Service};
use sekisho_tests::wait::eventually;
use sekisho_wire::attr;
use serde_json::Value;

use crate::scene::{acme, nas_secret};

/// The realm of the customer `acme`.
pub const REALM: &str = "acme.example";
/// Its contract.
pub const GROUP: &str = "acme-group";
/// Its subscriber,
pub const ALICE: &str = "alice@acme.example";
/// and her password.
pub const PASSWORD: &str = "wonderland";
/// A file with her alone.
pub const ACCOUNTS: &str = "user,password\nalice,wonderland\n";

/// Rejects are not delayed: what is tested is who gets one.
pub const AT_ONCE: &str = "reject_delay = \"0s\"";

/// Codes of answers.
pub const ACCEPT: u8 = 2;
pub const REJECT: u8 = 3;

/// The proxy, and a NAS on a link of its own.
pub struct Land {
    pub network: Network,
    pub nas: Host,
}

impl Land {
    pub fn new() -> Land {
        let mut network = Network::new();
        let nas = network.host("nas");
        Land { network, nas }
    }

    /// The customer `acme` with the NAS as its client by both its addresses, and a contract.
    pub fn acme(&self, group: &Group) -> Customer {
        acme(&self.nas, AT_ONCE).group(group)
    }

    /// A registry in which `acme` is served, with these lines of its contract and these accounts.
    pub fn service(&self, group: &Group, accounts: &str) -> Service<'_> {
        self.service_with("", group, accounts)
    }

    /// The same with lines of `[hosted]`.
    pub fn service_with(&self, hosted: &str, group: &Group, accounts: &str) -> Service<'_> {
        let service = Service::new(&self.network, Documents::new(&[&self.nas]), hosted);
        service.serve(&self.acme(group));
        service.import(GROUP, accounts);
        service
    }

    /// The NAS, over IPv4.
    pub fn terminal(&self) -> Terminal {
        Terminal::new(&self.nas, &nas_secret(Family::V4))
    }
}

/// The contract of `acme`, for a hundred accounts.
pub fn group() -> Group {
    Group::new(GROUP, 100)
}

/// A NAS that logs subscribers in and accounts for them, over IPv4.
pub struct Terminal {
    nas: Nas,
    ids: AtomicU8,
}

impl Terminal {
    pub fn new(host: &Host, secret: &str) -> Terminal {
        Terminal { nas: Nas::new(host, host.v4, secret), ids: AtomicU8::new(0) }
    }

    /// That of a `client` contract.
    pub fn of(host: &Host, contract: &str) -> Terminal {
        Terminal::new(host, &client_secret(contract))
    }

    /// Its socket, to send what it does not send by itself.
    pub fn nas(&self) -> &Nas {
        &self.nas
    }

    /// An identifier that it has not used of late.
    pub fn id(&self) -> u8 {
        self.ids.fetch_add(1, Relaxed)
    }

    /// Logs in by PAP.
    #[track_caller]
    pub fn login(&self, user: &str, password: &str) -> Answer {
        self.login_with(user, password, &[])
    }

    /// The same from a number.
    #[track_caller]
    pub fn login_from(&self, number: &str, user: &str, password: &str) -> Answer {
        self.login_with(user, password, &[(attr::CALLING_STATION_ID, number.as_bytes())])
    }

    #[track_caller]
    pub fn login_with(&self, user: &str, password: &str, more: &[(u8, &[u8])]) -> Answer {
        let request = self.nas.login_with(self.id(), user, password, more);
        self.nas.ask(auth(Family::V4), &request)
    }

    /// Logs in, and gives the code of the answer.
    #[track_caller]
    pub fn code(&self, user: &str, password: &str) -> u8 {
        self.login(user, password).code().0
    }

    /// The same from a number.
    #[track_caller]
    pub fn code_from(&self, number: &str, user: &str, password: &str) -> u8 {
        self.login_from(number, user, password).code().0
    }

    /// Sends an accounting record, which is acknowledged. `status`: 1 Start, 2 Stop, 3 Interim-Update.
    #[track_caller]
    pub fn report(&self, status: u32, user: &str, session: &str, number: &str) {
        let status = status.to_be_bytes();
        self.account(&[
            (attr::ACCT_STATUS_TYPE, &status),
            (attr::USER_NAME, user.as_bytes()),
            (attr::ACCT_SESSION_ID, session.as_bytes()),
            (attr::CALLING_STATION_ID, number.as_bytes()),
        ]);
    }

    /// Accounting-On (7) or -Off (8).
    #[track_caller]
    pub fn restarted(&self, status: u32) {
        self.account(&[(attr::ACCT_STATUS_TYPE, &status.to_be_bytes()), (attr::ACCT_SESSION_ID, b"00000000")]);
    }

    #[track_caller]
    fn account(&self, attributes: &[(u8, &[u8])]) {
        let request = self.nas.request(4, self.id(), attributes);
        assert_eq!(self.nas.ask(acct(Family::V4), &request).code().0, 5, "an Accounting-Response");
    }

    /// Waits until a login gets this answer: what the operator has done reaches the node within a second.
    #[track_caller]
    pub fn comes_to(&self, code: u8, user: &str, password: &str) {
        eventually("the change is in force", || (self.code(user, password) == code).then_some(()));
    }
}

/// What the node tells of a `group` contract.
#[track_caller]
pub fn told(sekisho: &Sekisho<'_>, contract: &str) -> Value {
    let status = sekisho.status();
    let customers = status["customers"].as_array().expect("customers").clone();
    let mut groups = customers.iter().flat_map(|it| it["groups"].as_array().expect("groups").clone());
    groups.find(|it| it["contract"] == contract).unwrap_or_else(|| panic!("no {contract} in {status}"))
}

/// Its Rejects for one reason.
#[track_caller]
pub fn rejected(sekisho: &Sekisho<'_>, reason: &str) -> u64 {
    let labels = [("contract", GROUP), ("reason", reason)];
    let metrics = sekisho.metrics();
    assert!(metrics.has("sekisho_group_rejected_total", &labels), "{reason} is a reason");
    metrics.sum("sekisho_group_rejected_total", &labels)
}
