//! One customer (契約者), as checked: `customers/NAME.toml`.

use std::{fmt, net::IpAddr, time::Duration};

use sekisho_wire::{nai::CanonicalRealm, secret::Secret};

use crate::node::Ports;

/// A customer with what it designated and what it holds contracts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Its name, unique in the node.
    pub name: String,
    /// Its name as people write it.
    pub title: Option<String>,
    /// Its realms; no other customer has any of their names.
    pub realms: Vec<Realm>,
    /// Its `client` contracts.
    pub clients: Vec<Client>,
    /// Its `proxy` contracts; no realm is in two of them.
    pub proxies: Vec<Proxy>,
}

impl Customer {
    /// Whether its contracts can be served (Art. 5.1): at least one `client`, and at least one `proxy` for it to ask.
    ///
    /// # Errors
    ///
    /// What is missing, if anything is.
    pub fn serviceable(&self) -> Result<(), Unserviceable> {
        match (self.clients.is_empty(), self.proxies.is_empty()) {
            (false, false) => Ok(()),
            (true, false) => Err(Unserviceable::NoClient),
            (false, true) => Err(Unserviceable::NoService),
            (true, true) => Err(Unserviceable::NoContract),
        }
    }
}

/// Why a customer's contracts are not served (Art. 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unserviceable {
    /// A `proxy` contract without any `client` contract that could ask for it.
    #[error("has a `proxy` contract but no `client` contract, so nobody may ask for it")]
    NoClient,
    /// A `client` contract without any `proxy` contract to ask for.
    #[error("has a `client` contract but no `proxy` contract, so there is nothing to ask for")]
    NoService,
    /// No contract at all.
    #[error("has no contract")]
    NoContract,
}

/// A realm: a name, and where in a request it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// Where it is looked for.
    pub selector: Selector,
    /// Its canonical name: NFC, case-folded, A-label, without trailing dot.
    pub name: CanonicalRealm,
}

impl fmt::Display for Realm {
    /// `acme.example`, `prefix:acme`, `apn:internet.acme`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.selector {
            Selector::Suffix => write!(f, "{}", self.name),
            Selector::Prefix => write!(f, "prefix:{}", self.name),
            Selector::Apn => write!(f, "apn:{}", self.name),
        }
    }
}

/// Where in a request a realm is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Selector {
    /// After the last `@` of User-Name.
    Suffix,
    /// Before the first `/` of User-Name.
    Prefix,
    /// Called-Station-Id.
    Apn,
}

/// A `client` contract: one terminal with one address (Art. 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Name of the contract, unique in the node.
    pub contract: String,
    /// The terminal's address, unique in its domain.
    pub address: IpAddr,
    /// Name of the domain that the address belongs to.
    pub domain: String,
    /// Names of the ingresses that it may come in by, all of its domain; at least one.
    pub ingresses: Vec<String>,
    /// Shared with the terminal.
    pub secret: Secret,
    /// Access-Requests without Message-Authenticator are dropped.
    pub require_message_authenticator: bool,
    /// Access-Requests with Proxy-State but without Message-Authenticator are dropped (CVE-2024-3596).
    pub limit_proxy_state: bool,
    /// Rejects that we make ourselves leave this long after the request came.
    pub reject_delay: Duration,
    /// How long the terminal waits for us in all: its own timeout times its tries.
    pub answer_within: Duration,
}

/// A `proxy` contract: requests for some realms go to the servers that the customer designates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Name of the contract, unique in the node.
    pub contract: String,
    /// The customer's realms that it serves; at least one.
    pub realms: Vec<Realm>,
    /// How a server is chosen.
    pub pool: PoolType,
    /// The servers, in order of preference; at least one.
    pub servers: Vec<Server>,
}

/// How a server is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolType {
    /// The first that is alive, in the order of the document.
    FailOver,
    /// By the client's address: a client keeps its server while that is alive.
    ClientBalance,
}

impl PoolType {
    /// The word in the document.
    pub const fn name(self) -> &'static str {
        match self {
            PoolType::FailOver => "fail-over",
            PoolType::ClientBalance => "client-balance",
        }
    }
}

/// A customer's home server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name, unique in the customer.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// Its ports; each address with a port is in the configuration once.
    pub ports: Ports,
    /// Name of the domain that the address belongs to.
    pub domain: String,
    /// Names of the ingresses that its replies may come in by, all of its domain; at least one.
    pub ingresses: Vec<String>,
    /// Shared with the server.
    pub secret: Secret,
    /// Replies without Message-Authenticator are dropped.
    pub require_message_authenticator: bool,
    /// Unanswered that long, a request goes to another server.
    pub response_window: Duration,
    /// A zombie that long without a verified reply, the server is dead.
    pub zombie_period: Duration,
    /// Dead that long, it is tried again.
    pub revive_interval: Duration,
    /// The most requests outstanding, for each worker.
    pub max_outstanding: u32,
}
