//! What most of these tests begin with: one carrier's equipment, and a customer whose tunnels end somewhere.

use sekisho_tests::documents::{Customer, Documents};
use sekisho_tests::lac::{Lac, Login};
use sekisho_tests::network::{Host, Network};
use sekisho_tests::vpdn::{AccessNetwork, Lns, Vpdn, network_secret};
use serde_json::Value;

/// The realm of the customer `acme`.
pub const REALM: &str = "acme.example";
/// Its contract for access networks of type D.
pub const CONTRACT: &str = "acme-vpdn-d";
/// Error-Cause (RFC 5176 §3.5): Request Not Routable, Resources Unavailable.
pub const NOT_ROUTABLE: u32 = 502;
pub const NO_RESOURCES: u32 = 506;

/// Sessions of these tests are short, which speaks against no LNS; and they are saved often.
pub const SESSIONS: &str = "short = \"0s\"\nsave_interval = \"10s\"";

/// The proxy, and an access network of type D on a link of its own.
pub struct Land {
    pub network: Network,
    pub carrier: Host,
}

impl Land {
    pub fn new() -> Land {
        let mut network = Network::new();
        let carrier = network.host("carrier");
        Land { network, carrier }
    }

    /// Documents with the access network `carrier` and a customer.
    pub fn documents(&self, customer: Customer) -> Documents {
        self.documents_with("", customer)
    }

    /// The same with further lines for the access network.
    pub fn documents_with(&self, carrier: &str, customer: Customer) -> Documents {
        let network = AccessNetwork::new("carrier", "D", &self.carrier.networks()).key(carrier);
        Documents::new(&[&self.carrier]).sessions(SESSIONS).access_network(&network).customer(customer)
    }

    /// A piece of the access network's equipment.
    pub fn lac(&self) -> Lac {
        self.lac_called("lac-1")
    }

    /// Another one.
    pub fn lac_called(&self, identifier: &str) -> Lac {
        Lac::new(&self.carrier, self.carrier.v4, &network_secret("carrier"), identifier)
    }
}

/// The names of so many LNSs.
pub fn names(count: usize) -> Vec<String> {
    (1..=count).map(|n| format!("tokyo-{n}")).collect()
}

/// The address of `tokyo-N`, where nobody has to live: the LNS is not asked anything.
pub fn at(n: usize) -> String {
    format!("198.18.0.{n}")
}

/// `tokyo-1` and so on, so many.
pub fn lnss(count: usize) -> Vec<Lns> {
    names(count).iter().zip(1..).map(|(name, n)| Lns::new(name, &at(n), "")).collect()
}

/// The customer `acme` with a contract of one LNS.
pub fn lone() -> Customer {
    Customer::new("acme").lnss(&lnss(1)).vpdn(&Vpdn::new(CONTRACT, "D", &["tokyo-1"]))
}

/// The contract of the customer `acme` over so many LNSs, with these keys of the load-balancing option.
pub fn balanced(count: usize, keys: &str) -> Vpdn {
    let names = names(count);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Vpdn::new(CONTRACT, "D", &names).balancing(keys)
}

/// The customer `acme` with that contract.
pub fn sharing(count: usize, keys: &str) -> Customer {
    Customer::new("acme").lnss(&lnss(count)).vpdn(&balanced(count, keys))
}

/// Holds that a login was refused for this reason.
#[track_caller]
pub fn is_refused(login: &Login, cause: u32) {
    let code = login.answer.code().0;
    assert_eq!((code, login.reason().0), (3, cause), "{} from {}", login.device.user, login.device.number);
    assert!(login.answer.values(67).is_empty() && login.answer.values(69).is_empty(), "no tunnel in a Reject");
}

/// Acct-Session-Id of records of the journal, as `sekisho journal export` gives them.
pub fn named_sessions(records: &[Value]) -> Vec<String> {
    let id = |record: &Value| record["attributes"]["Acct-Session-Id"].as_str().map(str::to_owned);
    records.iter().map(|record| id(record).unwrap_or_else(|| panic!("no identity: {record}"))).collect()
}
