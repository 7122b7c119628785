//! What the engine knows about the world: compiled once, read by every worker, swapped whole.
//!
//! Identifiers ([`ClientId`], [`HomeId`], …) index the vectors and stay the same over reloads; what has gone leaves a
//! `None`. State that outlives a reload ([`HomeState`], counters) hangs on the objects as an `Arc`.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use regex::bytes::Regex;
use sekisho_abi::{Ingress, IngressKey, SourceKey, gate::GateTable};
use sekisho_wire::{policy::Policy, salted::Salted, secret::Secret, select::AttributeId};

use crate::{
    health::{ClientState, HomeState},
    stats::{CustomerStats, HomeStats, PerWorker, RealmStats},
};

/// A table that documents fill and packets are looked up in. Nobody outside can put anything into it, so a hash that is fast
/// and not keyed will do.
pub type Lookup<K, V> = hashbrown::HashMap<K, V>;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into the snapshot's vector.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

ids! {
    /// A client contract, in [`RoutingSnapshot::clients`]; also `abi::Source::id`.
    ClientId;
    /// A customer, in [`RoutingSnapshot::customers`].
    CustomerId;
    /// A realm, in [`RoutingSnapshot::realms`].
    RealmId;
    /// One port of a home server, or a NAS's port for dynamic authorization, in [`RoutingSnapshot::homes`]. Never given to another address.
    HomeId;
    /// A pool, in [`RoutingSnapshot::pools`]. Valid within one snapshot only.
    PoolId;
}

/// Everything that routing needs.
#[derive(Debug, Default)]
pub struct RoutingSnapshot {
    /// Counts reloads; 1 at start.
    pub version: u64,
    /// Sources, services and ingresses: the gate in userspace.
    pub gate: GateTable,
    /// The ingress by the interface that a socket reports: VLANs by their own interface.
    pub ingress_by_interface: Lookup<u32, Ingress>,
    /// Client contracts by [`ClientId`].
    pub clients: Vec<Option<Arc<Client>>>,
    /// Customers by [`CustomerId`].
    pub customers: Vec<Option<Arc<Customer>>>,
    /// Realms by [`RealmId`].
    pub realms: Vec<Option<Arc<Realm>>>,
    /// Home servers by [`HomeId`].
    pub homes: Vec<Option<Arc<HomeServer>>>,
    /// Pools by [`PoolId`].
    pub pools: Vec<Pool>,
    /// Home servers, and NASes that take dynamic authorization, by the address that replies come from.
    pub home_by_address: Lookup<SocketAddr, HomeId>,
    /// Dynamic-authorization clients (RFC 5176) by where their requests come from. Their [`Client`] is of
    /// [`ClientRole::DynAuth`]; the address may also be a home server's or a terminal's.
    pub dynauth: Lookup<SourceKey, ClientId>,
    /// Vendors' attributes that are salt-encrypted, from the dictionaries.
    pub salted: Arc<Salted>,
    /// The country code that national numbers are compared with, in digits: `81` makes `090…`, `+8190…` and `8190…` one number.
    pub country_code: String,
}

impl RoutingSnapshot {
    /// The client contract with this id.
    pub fn client(&self, id: ClientId) -> Option<&Arc<Client>> {
        self.clients.get(id.index())?.as_ref()
    }

    /// The customer with this id.
    pub fn customer(&self, id: CustomerId) -> Option<&Arc<Customer>> {
        self.customers.get(id.index())?.as_ref()
    }

    /// The realm with this id.
    pub fn realm(&self, id: RealmId) -> Option<&Arc<Realm>> {
        self.realms.get(id.index())?.as_ref()
    }

    /// The home server with this id.
    pub fn home(&self, id: HomeId) -> Option<&Arc<HomeServer>> {
        self.homes.get(id.index())?.as_ref()
    }

    /// The pool with this id.
    pub fn pool(&self, id: PoolId) -> Option<&Pool> {
        self.pools.get(id.index())
    }

    /// The ingress of an interface index as a socket reports it.
    pub fn ingress(&self, ifindex: u32) -> Option<Ingress> {
        self.ingress_by_interface
            .get(&ifindex)
            .or_else(|| self.gate.ingresses.get(&IngressKey::untagged(ifindex)))
            .copied()
    }
}

/// A `client` contract: one terminal with one address (service regulation, Art. 5.2); or a customer's dynamic-authorization
/// client.
#[derive(Debug)]
pub struct Client {
    /// Stable number.
    pub id: ClientId,
    /// Name of the contract, or of the dynamic-authorization client.
    pub contract: String,
    /// What it may ask for.
    pub role: ClientRole,
    /// Whose terminal it is.
    pub customer: CustomerId,
    /// Its address, for explanations.
    pub address: IpAddr,
    /// Shared with the terminal.
    pub secret: Secret,
    /// The secret before it, accepted while it is being replaced.
    pub previous_secret: Option<Secret>,
    /// Whether Access-Requests without Message-Authenticator are dropped.
    pub require_message_authenticator: Require,
    /// Access-Requests with Proxy-State but without Message-Authenticator are dropped (CVE-2024-3596).
    pub limit_proxy_state: bool,
    /// Rejects that we make ourselves leave this long after the request came.
    pub reject_delay: Duration,
    /// Within this time a request is answered, by the home server or by `when_unanswered`: the budget for failing over.
    pub answer_within: Duration,
    /// What an Access-Request gets that a home server had, and did not answer within `answer_within`.
    pub when_unanswered: Verdict,
    /// How the NAS names itself in its requests.
    pub nas: NasIdentity,
    /// For names without a realm.
    pub default_realm: Option<RealmId>,
    /// A User-Name without any delimiter may itself be a realm (Cisco: User-Name = domain).
    pub bare_domain: bool,
    /// A carrier's suffix in canonical form that is taken off before a realm is looked for.
    pub outer_suffix: Option<Box<[u8]>>,
    /// Accepts may grant Service-Type Administrative and NAS-Prompt (RFC 2865 §2.3 warns of partners that do).
    pub administrative: bool,
    /// What is changed in its requests: its own rules, then its customer's.
    pub request_policies: Vec<Arc<Policy>>,
    /// What is changed in replies to it: its customer's rules, then its own.
    pub reply_policies: Vec<Arc<Policy>>,
    /// What has been learned of it, shared by the workers.
    pub state: Arc<ClientState>,
}

/// What a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRole {
    /// Authentication and accounting.
    Terminal,
    /// CoA and Disconnect, toward terminals of its own customer (RFC 5176).
    DynAuth,
}

/// Whether Message-Authenticator is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Require {
    /// Always.
    Yes,
    /// Never.
    No,
    /// From the first time on that one came which EAP did not demand: learned, and kept over restarts.
    Auto,
}

/// What a request gets that nobody answers.
///
/// With [`Client::when_unanswered`] a NAS that would take silence for a dead proxy gets a word in time; with
/// [`Pool::when_down`] it gets one soon, or the silence that makes it ask another proxy. A request that was dropped for want of
/// an identifier or of room gets silence in any case: its NAS asks again, and may be served then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An Access-Reject. Accounting, which must not be acknowledged (RFC 2866 §4.1), gets silence even so.
    Reject,
    /// Nothing.
    Silence,
}

/// How a NAS names itself: NAS-IP-Address, NAS-IPv6-Address, NAS-Identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NasIdentity {
    /// What does not agree with `addresses` and `identifiers` is dropped (RFC 3579 §4.3.2).
    pub checked: bool,
    /// What it may give as its address; the source address is always allowed.
    pub addresses: Vec<IpAddr>,
    /// What it may give as NAS-Identifier; empty allows anything.
    pub identifiers: Vec<Box<[u8]>>,
}

/// A customer, and how its realms are found.
#[derive(Debug)]
pub struct Customer {
    /// Stable number.
    pub id: CustomerId,
    /// Name, as metrics and messages show it.
    pub name: String,
    /// Realms by canonical suffix (`user@realm`).
    pub suffixes: Lookup<Box<[u8]>, RealmId>,
    /// Realms by canonical prefix (`realm/user`).
    pub prefixes: Lookup<Box<[u8]>, RealmId>,
    /// Realms by canonical Windows domain (`DOMAIN\user`), which is no NAI: a legacy rule.
    pub nt_domains: Lookup<Box<[u8]>, RealmId>,
    /// Realms by APN (Called-Station-Id), canonical.
    pub apns: Lookup<Box<[u8]>, RealmId>,
    /// Patterns that a canonical suffix is matched with where nothing exact is found, in this order.
    pub patterns: Vec<(Regex, RealmId)>,
    /// For whatever else its clients ask for.
    pub default_realm: Option<RealmId>,
    /// Its terminals that take dynamic authorization, by how a request may name them.
    pub nases: Lookup<NasKey, HomeId>,
    /// Its pools that take accounting: what Accounting-On and -Off fan out to.
    pub acct_pools: Vec<PoolId>,
    /// Counters.
    pub stats: Arc<PerWorker<CustomerStats>>,
}

/// How a dynamic-authorization request names a NAS (RFC 5176 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NasKey {
    /// NAS-IP-Address or NAS-IPv6-Address.
    Address(IpAddr),
    /// NAS-Identifier.
    Identifier(Box<[u8]>),
}

/// A realm of one customer.
#[derive(Debug)]
pub struct Realm {
    /// Stable number.
    pub id: RealmId,
    /// Canonical name with its selector where that is not a suffix (`acme.example`, `prefix:acme`, `apn:internet.acme`,
    /// `nt:acme`, `pattern:all-of-acme`, `default:default`).
    pub name: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// What serves it; `None` where no contract does.
    pub service: Option<RealmService>,
    /// Counters.
    pub stats: Arc<PerWorker<RealmStats>>,
}

/// What is done with a request for a realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealmService {
    /// Forwarded to the customer's servers.
    Proxy(PoolId),
}

/// The servers of one `proxy` contract.
#[derive(Debug)]
pub struct Pool {
    /// Name of the contract.
    pub contract: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// Its servers, and those to fall back to; at least one, and at most 64 servers of a kind in all.
    pub tiers: Vec<Tier>,
    /// It has servers for authentication whose names have no address yet: it is down, rather than without servers.
    pub auth_awaited: bool,
    /// The same for accounting.
    pub acct_awaited: bool,
    /// Where accounting is copied to, fire and forget.
    pub copies: Vec<HomeId>,
    /// What is taken off User-Names on their way to the servers.
    pub strip: Strip,
    /// What an Access-Request gets while every server is dead or out of service. A few go to dead servers even so, since an
    /// answer is how these show that they live again: with [`Verdict::Reject`] such a request gets its Reject at the end of
    /// [`Client::answer_within`], all others get theirs after [`Client::reject_delay`].
    pub when_down: Verdict,
    /// What an Accept may give as Framed-IP-Address: network and prefix length; empty allows anything. Where one of them is of
    /// IPv6, Framed-IPv6-Address, Framed-IPv6-Prefix and Delegated-IPv6-Prefix have to lie in one of them too.
    pub framed_networks: Vec<(IpAddr, u8)>,
}

/// Servers that are chosen from alike. Where none of them is alive, the next tier is asked.
#[derive(Debug)]
pub struct Tier {
    /// How a server is chosen.
    pub kind: PoolKind,
    /// Seed of the rendezvous, from the identity of pool and tier, so that every node and every restart chooses alike, and no two
    /// tiers do.
    pub seed: u64,
    /// Servers for authentication, in order of preference.
    pub auth: Vec<Member>,
    /// Servers for accounting, in order of preference.
    pub acct: Vec<Member>,
}

/// A server in a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which.
    pub home: HomeId,
    /// Its share, where a tier balances: 1 or more.
    pub weight: u32,
    /// A hash of its name, for the rendezvous: the same on every node and in whatever order the document has.
    pub hash: u64,
}

impl Member {
    /// A server by its number and its name.
    pub fn new(home: HomeId, name: &str, weight: u32) -> Member {
        Member { home, weight, hash: crate::rendezvous::name_hash(name) }
    }
}

/// How a tier chooses a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The first that is alive.
    FailOver,
    /// The one with the fewest requests outstanding, by weight.
    LoadBalance,
    /// By the client's address (weighted rendezvous): a client keeps its server while that is alive.
    ClientBalance,
    /// By the value of an attribute (weighted rendezvous); by the client's address where a request has none.
    KeyedBalance(AttributeId),
}

/// What is taken off User-Names on their way to a pool's servers, and put back in replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// Nothing: the default, as RFC 7542 asks.
    Nothing,
    /// The carrier's suffix, [`Client::outer_suffix`].
    Outer,
    /// The realm, by whichever selector it was found; and the carrier's suffix.
    Realm,
}

/// One port of a home server: each (address, port) is a server of its own (RFC 5997 §4.3).
#[derive(Debug)]
pub struct HomeServer {
    /// Stable number.
    pub id: HomeId,
    /// Name, unique within the customer.
    pub name: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// What it takes.
    pub kind: HomeKind,
    /// Where requests go and replies come from.
    pub address: SocketAddr,
    /// Shared with the server; what is sent is signed with it.
    pub secret: Secret,
    /// The secret before it: replies may still be signed with it.
    pub previous_secret: Option<Secret>,
    /// Whether replies without Message-Authenticator are dropped.
    pub require_message_authenticator: Require,
    /// Unanswered that long, a request fails over.
    pub response_window: Duration,
    /// So many requests in a row unanswered make it a zombie.
    pub response_timeouts: u32,
    /// Without a verified reply that long after becoming a zombie, it is dead.
    pub zombie_period: Duration,
    /// Dead that long, it is tried again; not used with a `status_check`.
    pub revive_interval: Duration,
    /// How a zombie or dead server is asked whether it lives; `None`: not.
    pub status_check: Option<StatusCheck>,
    /// Requests outstanding at most, per worker.
    pub max_outstanding: u32,
    /// What the operator wants of it.
    pub service: HomeService,
    /// Health, shared by the workers and the control engine.
    pub state: Arc<HomeState>,
    /// Counters.
    pub stats: Arc<PerWorker<HomeStats>>,
}

/// Status-Server toward a home server (RFC 5997).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusCheck {
    /// From one probe to the next.
    pub interval: Duration,
    /// How long one is waited for.
    pub timeout: Duration,
    /// So many answers in a row make the server alive.
    pub answers_to_alive: u32,
}

/// What the operator wants of a home server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeService {
    /// To be used.
    Up,
    /// Conversations in progress go on there; no new ones.
    Draining,
    /// Not to be used at all.
    Down,
}

/// Which requests a home server's port takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HomeKind {
    /// Access-Requests.
    Auth,
    /// Accounting-Requests.
    Acct,
    /// CoA- and Disconnect-Requests: the port of a NAS (RFC 5176).
    DynAuth,
}

impl HomeKind {
    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            HomeKind::Auth => "auth",
            HomeKind::Acct => "acct",
            HomeKind::DynAuth => "dynauth",
        }
    }
}
