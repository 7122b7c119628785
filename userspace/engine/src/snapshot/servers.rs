//! Servers, and the pools that requests are balanced over.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use sekisho_wire::{secret::Secret, select::AttributeId};

use super::{CustomerId, HomeId, Require, Verdict};
use crate::{
    health::HomeState,
    stats::{HomeStats, PerWorker},
};

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
    /// [`super::Client::answer_within`], all others get theirs after [`super::Client::reject_delay`].
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
        Member { home, weight, hash: sekisho_lns::rendezvous::name_hash(name) }
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
    /// The carrier's suffix, [`super::Client::outer_suffix`].
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
