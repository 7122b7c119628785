//! What the engine knows about the world: compiled once, read by every worker, swapped whole.
//!
//! Identifiers ([`ClientId`], [`HomeId`], …) index the vectors and stay the same over reloads; what has gone leaves a
//! `None`. State that outlives a reload ([`HomeState`], counters) hangs on the objects as an `Arc`.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use sekisho_abi::{Ingress, IngressKey, gate::GateTable};
use sekisho_wire::secret::Secret;

use crate::{
    health::HomeState,
    stats::{CustomerStats, HomeStats, PerWorker, RealmStats},
};

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
    /// A home server's authentication or accounting port, in [`RoutingSnapshot::homes`]. Never given to another address.
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
    pub ingress_by_interface: HashMap<u32, Ingress>,
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
    /// Home servers by the address that replies come from.
    pub home_by_address: HashMap<SocketAddr, HomeId>,
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

/// A `client` contract: one terminal with one address (service regulation, Art. 5.2).
#[derive(Debug)]
pub struct Client {
    /// Stable number.
    pub id: ClientId,
    /// Name of the contract.
    pub contract: String,
    /// Whose terminal it is.
    pub customer: CustomerId,
    /// Its address, for explanations.
    pub address: IpAddr,
    /// Shared with the terminal.
    pub secret: Secret,
    /// Access-Requests without Message-Authenticator are dropped.
    pub require_message_authenticator: bool,
    /// Access-Requests with Proxy-State but without Message-Authenticator are dropped (CVE-2024-3596).
    pub limit_proxy_state: bool,
    /// Rejects that we make ourselves leave this long after the request came.
    pub reject_delay: Duration,
    /// How long the terminal waits for us in all: the budget for failing over.
    pub answer_within: Duration,
}

/// A customer, and how its realms are found.
#[derive(Debug)]
pub struct Customer {
    /// Stable number.
    pub id: CustomerId,
    /// Name, as metrics and messages show it.
    pub name: String,
    /// Realms by canonical suffix (`user@realm`).
    pub suffixes: HashMap<Box<[u8]>, RealmId>,
    /// Realms by canonical prefix (`realm/user`).
    pub prefixes: HashMap<Box<[u8]>, RealmId>,
    /// Realms by APN (Called-Station-Id), canonical.
    pub apns: HashMap<Box<[u8]>, RealmId>,
    /// Counters.
    pub stats: Arc<PerWorker<CustomerStats>>,
}

/// A realm of one customer.
#[derive(Debug)]
pub struct Realm {
    /// Stable number.
    pub id: RealmId,
    /// Canonical name with its selector where that is not a suffix (`acme.example`, `prefix:acme`, `apn:internet.acme`).
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
    /// How a server is chosen.
    pub kind: PoolKind,
    /// Seed of the rendezvous, from the pool's identity, so that every node and every restart chooses alike.
    pub seed: u64,
    /// Servers for authentication, in order of preference.
    pub auth: Vec<HomeId>,
    /// Servers for accounting, in order of preference.
    pub acct: Vec<HomeId>,
}

/// How a pool chooses a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The first that is alive.
    FailOver,
    /// By the client's address (rendezvous): a client keeps its server while that is alive.
    ClientBalance,
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
    /// Authentication or accounting.
    pub kind: HomeKind,
    /// Where requests go and replies come from.
    pub address: SocketAddr,
    /// Shared with the server.
    pub secret: Secret,
    /// Replies without Message-Authenticator are dropped.
    pub require_message_authenticator: bool,
    /// Unanswered that long, a request fails over.
    pub response_window: Duration,
    /// Without a verified reply that long after becoming a zombie, it is dead.
    pub zombie_period: Duration,
    /// Dead that long, it is tried again.
    pub revive_interval: Duration,
    /// Requests outstanding at most, per worker.
    pub max_outstanding: u32,
    /// Health, shared by the workers and the control engine.
    pub state: Arc<HomeState>,
    /// Counters.
    pub stats: Arc<PerWorker<HomeStats>>,
}

/// Which requests a home server's port takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HomeKind {
    /// Access-Requests.
    Auth,
    /// Accounting-Requests.
    Acct,
}

impl HomeKind {
    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            HomeKind::Auth => "auth",
            HomeKind::Acct => "acct",
        }
    }
}
