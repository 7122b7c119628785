//! What the engine knows about the world: compiled once, read by every worker, swapped whole.
//!
//! Identifiers ([`ClientId`], [`HomeId`], …) index the vectors and stay the same over reloads; what has gone leaves a
//! `None`. State that outlives a reload ([`crate::health::HomeState`], counters) hangs on the objects as an `Arc`.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use regex::bytes::Regex;
use sekisho_abi::{BucketParams, Ingress, IngressKey, SourceKey, gate::GateTable};
use sekisho_wire::{nai::Stripped, policy::Policy, salted::Salted, secret::Secret};

use crate::{
    health::ClientState,
    stats::{CustomerStats, PerWorker, RealmStats},
};

mod access;
mod group;
mod servers;
mod vpdn;

pub use access::*;
pub use group::*;
pub use sekisho_lns::{ContractId, CustomerId, LnsId, SourceId};
pub use servers::*;
pub use vpdn::*;

/// A table that documents fill and packets are looked up in. Nobody outside can put anything into it, so a hash that is fast
/// and not keyed will do.
pub type Lookup<K, V> = hashbrown::HashMap<K, V>;

sekisho_lns::ids! {
    /// A client contract, in [`RoutingSnapshot::clients`]; also `abi::Source::id`.
    ClientId;
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
    /// Realms that access networks may ask for.
    pub access_realms: AccessRealms,
    /// `vpdn` contracts by [`ContractId`].
    pub vpdn: Vec<Option<Arc<Vpdn>>>,
    /// `group` contracts by [`GroupId`].
    pub groups: Vec<Option<Arc<Group>>>,
    /// LNSs by [`LnsId`].
    pub lnss: Vec<Option<Arc<LnsPlan>>>,
    /// LNSs by customer and by what Tunnel-Server-Endpoint says of them.
    pub lns_by_endpoint: Lookup<(CustomerId, Box<[u8]>), LnsId>,
    /// Home servers by [`HomeId`].
    pub homes: Vec<Option<Arc<HomeServer>>>,
    /// Pools by [`PoolId`].
    pub pools: Vec<Pool>,
    /// Home servers, and NASes that take dynamic authorization, by the address that replies come from.
    pub home_by_address: Lookup<SocketAddr, HomeId>,
    /// Where an access network's equipment takes Disconnects, by what its requests come from.
    pub nas_by_source: Lookup<(ClientId, IpAddr), HomeId>,
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

    /// A customer's name; empty for nobody's.
    pub fn customer_name(&self, id: CustomerId) -> &str {
        self.customer(id).map_or("", |customer| &customer.name)
    }

    /// The realm with this id.
    pub fn realm(&self, id: RealmId) -> Option<&Arc<Realm>> {
        self.realms.get(id.index())?.as_ref()
    }

    /// The home server with this id.
    pub fn home(&self, id: HomeId) -> Option<&Arc<HomeServer>> {
        self.homes.get(id.index())?.as_ref()
    }

    /// The `vpdn` contract with this id.
    pub fn vpdn(&self, id: ContractId) -> Option<&Arc<Vpdn>> {
        self.vpdn.get(id.index())?.as_ref()
    }

    /// The `group` contract with this id.
    pub fn group(&self, id: GroupId) -> Option<&Arc<Group>> {
        self.groups.get(id.index())?.as_ref()
    }

    /// The LNS with this id.
    pub fn lns(&self, id: LnsId) -> Option<&Arc<LnsPlan>> {
        self.lnss.get(id.index())?.as_ref()
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

/// A `client` contract: one terminal with one address (service regulation, Art. 5.2); a customer's dynamic-authorization client;
/// or one of the operator's access networks, with all its addresses.
#[derive(Debug)]
pub struct Client {
    /// Stable number.
    pub id: ClientId,
    /// Name of the contract, of the dynamic-authorization client, or of the access network.
    pub contract: String,
    /// What it may ask for.
    pub role: ClientRole,
    /// Whose terminal it is; [`CustomerId::NOBODY`] for an access network.
    pub customer: CustomerId,
    /// Its address, for explanations; of an access network the first.
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
    /// Of an access network: how many logins for one and the same realm it may send. Whoever is over it gets a Reject.
    pub realm_limit: BucketParams,
    /// Of an access network: all else that is special about it.
    pub access: Option<Box<Access>>,
    /// What has been learned of it, and its buckets, shared by the workers.
    pub state: Arc<ClientState>,
}

impl Client {
    /// As whom it reports sessions.
    pub const fn source(&self) -> SourceId {
        SourceId(self.id.0)
    }

    /// A User-Name as the subscriber typed it: without the suffix that a carrier has added.
    pub fn typed<'n>(&self, name: &'n [u8]) -> &'n [u8] {
        self.outer_suffix.as_deref().map_or(name, |outer| Stripped::of(name).without_outer(outer).user())
    }
}

/// What a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRole {
    /// Authentication and accounting.
    Terminal,
    /// Authentication and accounting, for contracts of the kind `vpdn` of whatever customer. It is shared by all of them, so that one
    /// customer's trouble must not become its own: its logins get a Reject, never silence.
    AccessNetwork(AccessType),
    /// Accounting, of sessions that end at this LNS of its customer's.
    Lns(LnsId),
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
    /// What serves it for the customer's own terminals; `None` where no contract does.
    pub service: Option<RealmService>,
    /// What serves it for access networks, by [`AccessType::index`].
    pub vpdn: [Option<ContractId>; AccessType::COUNT],
    /// Counters.
    pub stats: Arc<PerWorker<RealmStats>>,
}

/// What is done with a request for a realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealmService {
    /// Forwarded to the customer's servers.
    Proxy(PoolId),
    /// Answered here, from the contract's accounts.
    Group(GroupId),
}
