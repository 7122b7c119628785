//! One customer (契約者), as checked: `customers/NAME.toml`.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use regex::bytes::Regex;
use sekisho_regulation::terms::Mobile;
use sekisho_wire::{nai::CanonicalRealm, policy::Policy, secret::Secret, select::AttributeId};

use crate::{
    group::Group,
    node::Ports,
    rates::{Rate, Rates},
    terms::Agreement,
    vpdn::{Lns, Vpdn},
};

/// A customer with what it designated and what it holds contracts for. By default one that has nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customer {
    /// Its name, unique in the node.
    pub name: String,
    /// Its name as people write it.
    pub title: Option<String>,
    /// Its contracts for mobile service, in the document's order (Art. 5.3 to 5.5).
    pub mobile: Vec<Mobile>,
    /// It uses the large-scale private gateway (大規模プライベートゲートウェイ, Art. 14.3, 14.4).
    pub private_gateway: bool,
    /// Restrictions that follow from its use of other services (Art. 14.1), in the operator's words.
    pub restrictions: Vec<String>,
    /// Its realms; no other customer has any of their names.
    pub realms: Vec<Realm>,
    /// Its `client` contracts.
    pub clients: Vec<Client>,
    /// Its `proxy` contracts; no realm is in two of them.
    pub proxies: Vec<Proxy>,
    /// Its `group` contracts; no realm is in two of them. One may have a realm that a `proxy` contract has as well, where the
    /// one begins after the other has ended (Art. 6): [`Customer::only`] leaves one.
    pub groups: Vec<Group>,
    /// Who may send CoA and Disconnect to its terminals (RFC 5176).
    pub dynauth: Vec<DynAuth>,
    /// What is changed in the requests and the replies of all its terminals.
    pub policies: Policies,
    /// The most sessions of all its `vpdn` contracts at a time: at most 16,777,216; 0: no limit.
    pub max_vpdn_sessions: u32,
    /// Its LNSs.
    pub lnss: Vec<Lns>,
    /// Its `vpdn` contracts; no realm is in two of one item type.
    pub vpdn: Vec<Vpdn>,
}

/// What is changed in each direction. `None` changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// On the way to a home server (for dynamic authorization: to the terminal's server).
    pub request: Option<Arc<Policy>>,
    /// On the way to a terminal.
    pub reply: Option<Arc<Policy>>,
}

impl Customer {
    /// Whether its contracts can be served (Art. 5.1): at least one `client`, and at least one `proxy` or `group` for it to ask; or
    /// at least one `vpdn`.
    ///
    /// # Errors
    ///
    /// What is missing, if anything is.
    pub fn serviceable(&self) -> Result<(), Unserviceable> {
        if !self.vpdn.is_empty() {
            return Ok(());
        }
        match (self.clients.is_empty(), self.proxies.is_empty() && self.groups.is_empty()) {
            (false, false) => Ok(()),
            (true, false) => Err(Unserviceable::NoClient),
            (false, true) => Err(Unserviceable::NoService),
            (true, true) => Err(Unserviceable::NoContract),
        }
    }

    /// One of its LNSs by its name.
    pub fn lns(&self, name: &str) -> Option<&Lns> {
        self.lnss.iter().find(|lns| lns.name == name)
    }
}

/// Why a customer's contracts are not served (Art. 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unserviceable {
    /// A `proxy` or `group` contract without any `client` contract that could ask for it.
    #[error("has a `proxy` or `group` contract but no `client` contract, so nobody may ask for it")]
    NoClient,
    /// A `client` contract without any `proxy` or `group` contract to ask for.
    #[error("has a `client` contract but no `proxy` or `group` contract, so there is nothing to ask for")]
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
    /// Its canonical name: NFC, case-folded, A-label, without trailing dot. A pattern is called by a name of its own.
    pub name: CanonicalRealm,
    /// With [`Selector::Pattern`]: what a canonical suffix is matched with.
    pub pattern: Option<Pattern>,
}

/// A regular expression; equal where it is written alike.
#[derive(Clone, Debug)]
pub struct Pattern(pub Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl fmt::Display for Realm {
    /// `acme.example`, `prefix:acme`, `nt:acme`, `apn:internet.acme`, `pattern:all-of-acme`, `default:default`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.selector {
            Selector::Suffix => write!(f, "{}", self.name),
            Selector::Prefix => write!(f, "prefix:{}", self.name),
            Selector::NtDomain => write!(f, "nt:{}", self.name),
            Selector::Apn => write!(f, "apn:{}", self.name),
            Selector::Pattern => write!(f, "pattern:{}", self.name),
            Selector::Default => write!(f, "default:{}", self.name),
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
    /// Before the first `\` of User-Name, a Windows domain.
    NtDomain,
    /// Called-Station-Id.
    Apn,
    /// The suffix, where nothing exact matches.
    Pattern,
    /// Nowhere: what nothing else matches.
    Default,
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
    /// The secret before it, still accepted.
    pub previous_secret: Option<Secret>,
    /// Whether Access-Requests without Message-Authenticator are dropped.
    pub require_message_authenticator: Require,
    /// Access-Requests with Proxy-State but without Message-Authenticator are dropped (CVE-2024-3596).
    pub limit_proxy_state: bool,
    /// Rejects that we make ourselves leave this long after the request came.
    pub reject_delay: Duration,
    /// Within this time a request is answered, by a home server or by `when_unanswered`.
    pub answer_within: Duration,
    /// What an Access-Request gets that nobody has answered by then.
    pub when_unanswered: Unanswered,
    /// NAS-IP-Address, NAS-IPv6-Address and NAS-Identifier of its requests are checked.
    pub check_nas: bool,
    /// What it gives as NAS-IP-Address or NAS-IPv6-Address, beside its own address.
    pub nas_addresses: Vec<IpAddr>,
    /// What it gives as NAS-Identifier; empty: anything.
    pub nas_identifiers: Vec<String>,
    /// Operator-Name (RFC 5580) that is added where a request has none, with its namespace: `1acme.example`.
    pub operator_name: Option<String>,
    /// For names without a realm: one of the customer's realms, by its name.
    pub default_realm: Option<CanonicalRealm>,
    /// A User-Name without any delimiter may itself be a realm.
    pub bare_domain: bool,
    /// A carrier's suffix that is taken off before a realm is looked for.
    pub outer_suffix: Option<CanonicalRealm>,
    /// Accepts may grant Service-Type Administrative and NAS-Prompt.
    pub administrative: bool,
    /// The port where it takes CoA and Disconnect; `None`: it takes none.
    pub dynauth: Option<u16>,
    /// How much it may send.
    pub rates: Rates,
    /// What tells its sessions apart: attribute types in the order in which they are looked for. 26 is 3GPP-IMSI.
    pub session_identity: Vec<u8>,
    /// What is changed in its requests, before the customer's rules, and in replies to it, after them.
    pub policies: Policies,
    /// What was agreed for it.
    pub agreement: Agreement,
}

/// Whether Message-Authenticator is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Require {
    /// Always.
    Yes,
    /// Never.
    No,
    /// Once one has come that EAP did not demand.
    Auto,
}

/// What an Access-Request gets that nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// An Access-Reject.
    Reject,
    /// Nothing.
    Silence,
}

/// A customer's dynamic-authorization client (RFC 5176): a server that may send CoA and Disconnect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynAuth {
    /// Its name, unique in the node among all contracts.
    pub name: String,
    /// Its address, unique in its domain among all dynamic-authorization clients.
    pub address: IpAddr,
    /// Name of the domain that the address belongs to.
    pub domain: String,
    /// Names of the ingresses that it may come in by, all of its domain; at least one.
    pub ingresses: Vec<String>,
    /// Shared with the server.
    pub secret: Secret,
    /// The secret before it, still accepted.
    pub previous_secret: Option<Secret>,
    /// Within this time it has the terminal's answer, or a NAK.
    pub answer_within: Duration,
    /// How much it may send.
    pub rate: Rate,
}

/// A `proxy` contract: requests for some realms go to the servers that the customer designates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Name of the contract, unique in the node.
    pub contract: String,
    /// The customer's realms that it serves; at least one.
    pub realms: Vec<Realm>,
    /// The servers, and below them those to fall back to: at least one tier, at most 64 servers in all.
    pub tiers: Vec<Tier>,
    /// Where accounting is copied to, fire and forget: servers with an accounting port.
    pub copies: Vec<Server>,
    /// What is taken off User-Names on their way to the servers.
    pub strip: Strip,
    /// What an Access-Request gets while no server can be asked.
    pub when_down: Unanswered,
    /// What an Accept may give as Framed-IP-Address: network and prefix length; empty: anything.
    pub framed_networks: Vec<(IpAddr, u8)>,
    /// What was agreed for it.
    pub agreement: Agreement,
}

impl Proxy {
    /// The servers of all tiers, without the copies.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.tiers.iter().flat_map(|tier| &tier.servers)
    }
}

/// Servers that are chosen from alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// How a server is chosen.
    pub pool: PoolType,
    /// The servers, in order of preference; at least one.
    pub servers: Vec<Server>,
}

/// What is taken off User-Names on their way to the servers, and put back in replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// Nothing.
    Nothing,
    /// The carrier's suffix.
    Outer,
    /// The realm, and the carrier's suffix.
    Realm,
}

/// How a server is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolType {
    /// The first that is alive, in the order of the document.
    FailOver,
    /// The one with the fewest requests outstanding, by weight.
    LoadBalance,
    /// By the client's address: a client keeps its server while that is alive.
    ClientBalance,
    /// By the value of an attribute.
    KeyedBalance(AttributeId),
}

impl PoolType {
    /// The word in the document.
    pub const fn name(self) -> &'static str {
        match self {
            PoolType::FailOver => "fail-over",
            PoolType::LoadBalance => "load-balance",
            PoolType::ClientBalance => "client-balance",
            PoolType::KeyedBalance(_) => "keyed-balance",
        }
    }
}

/// A customer's home server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name, unique in the customer.
    pub name: String,
    /// Its address, or the name that it is found by.
    pub address: Host,
    /// Its ports; each address with a port is in the configuration once.
    pub ports: Ports,
    /// Name of the domain that the address belongs to.
    pub domain: String,
    /// Names of the ingresses that its replies may come in by, all of its domain; at least one.
    pub ingresses: Vec<String>,
    /// Shared with the server; requests are signed with it.
    pub secret: Secret,
    /// The secret before it: replies may still be signed with it.
    pub previous_secret: Option<Secret>,
    /// Whether replies without Message-Authenticator are dropped.
    pub require_message_authenticator: Require,
    /// Unanswered that long, a request goes to another server.
    pub response_window: Duration,
    /// So many requests in a row unanswered make it a zombie.
    pub response_timeouts: u32,
    /// A zombie that long without a verified reply, the server is dead.
    pub zombie_period: Duration,
    /// Dead that long, it is tried again.
    pub revive_interval: Duration,
    /// How it is asked whether it lives while it is a zombie or dead; `None`: not.
    pub status_check: Option<StatusCheck>,
    /// The most requests outstanding, for each worker.
    pub max_outstanding: u32,
    /// Its share where its tier balances: 1 to 1000.
    pub weight: u32,
    /// What the operator wants of it.
    pub state: ServerState,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// At an address.
    Address(IpAddr),
    /// At whatever address the name has: resolved at the start and again later.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(address) => address.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
}

/// Status-Server toward a home server (RFC 5997).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCheck {
    /// From one probe to the next: `check_interval`.
    pub interval: Duration,
    /// How long one is waited for: `check_timeout`.
    pub timeout: Duration,
    /// So many answers in a row make the server alive: `num_answers_to_alive`.
    pub answers_to_alive: u32,
}

/// What the operator wants of a home server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// To be used.
    Up,
    /// Conversations in progress go on there; no new ones.
    Draining,
    /// Not to be used.
    Down,
}
