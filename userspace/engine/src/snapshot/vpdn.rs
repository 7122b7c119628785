//! `vpdn` contracts: whose subscribers' sessions end where.

use std::{net::IpAddr, sync::Arc, time::Duration};

use sekisho_lns::{
    ContractId, LnsId,
    balance::{Balance, Lns},
    health::{Policy as HealthPolicy, Wanted},
    l2tp::Target,
};
use sekisho_wire::{policy::Policy, select::AttributeId, tunnel::TunnelSet};

use super::{AccessType, CustomerId, GroupId, PoolId};
use crate::stats::{PerWorker, VpdnStats};

/// A `vpdn` contract: logins of access networks of its type for its realms are answered with a tunnel to an LNS.
#[derive(Debug)]
pub struct Vpdn {
    /// Stable number.
    pub id: ContractId,
    /// Name of the contract.
    pub contract: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// Which access networks may ask for it.
    pub kind: AccessType,
    /// Who says whether a subscriber may in.
    pub verify: Verify,
    /// Its LNSs, and how one of them is chosen.
    pub balance: Balance,
    /// What tells devices apart where that goes by a key: the first of these that a request has.
    pub key: Vec<AttributeId>,
    /// What an Accept says of each LNS.
    pub tunnels: Vec<(LnsId, TunnelSet)>,
    /// Further attributes of an Accept, as they stand in a packet.
    pub reply: Box<[u8]>,
    /// Whose accounting counts its sessions.
    pub accounting: Accountant,
    /// How often a session is reported while it lasts.
    pub interim_interval: Option<Duration>,
    /// Disconnects a minute that bring sessions to where they belong by now; `None`: they stay where they are.
    pub rebalance: Option<u32>,
    /// Reply-Message of a Reject because everything is full.
    pub full_message: Option<Box<str>>,
    /// Counters.
    pub stats: Arc<PerWorker<VpdnStats>>,
}

impl Vpdn {
    /// What an Accept says of this LNS.
    pub fn tunnel(&self, lns: LnsId) -> Option<&TunnelSet> {
        self.tunnels.iter().find(|(id, _)| *id == lns).map(|(_, set)| set)
    }
}

/// An LNS, and what the documents say of it.
#[derive(Debug)]
pub struct LnsPlan {
    /// The LNS, as contracts choose it.
    pub lns: Arc<Lns>,
    /// Whose it is.
    pub customer: CustomerId,
    /// What Tunnel-Server-Endpoint says of it.
    pub endpoint: Box<str>,
    /// What the document wants of it.
    pub wanted: Wanted,
    /// How its health is judged.
    pub policy: HealthPolicy,
    /// How it is asked whether it lives; `None`: not.
    pub probe: Option<Target>,
}

/// Who says whether a subscriber of a `vpdn` contract may in.
#[derive(Debug)]
pub enum Verify {
    /// The realm decides; the LNS authenticates the subscriber.
    Realm,
    /// The customer's home servers, by the `proxy` contract that serves the realm.
    Proxy {
        /// The pools of its realms that take accounting.
        pools: Vec<PoolId>,
        /// What of a home server's Accept goes on to an access network, which is not its customer's.
        allowed: Policy,
        /// What an Accept may give as Framed-IP-Address and, where an IPv6 network is among them, as IPv6 address and prefix;
        /// empty: anything.
        framed_networks: Vec<(IpAddr, u8)>,
    },
    /// The accounts of this `group` contract of the same customer's.
    Group(GroupId),
}

/// Whose accounting counts the sessions of a `vpdn` contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accountant {
    /// The access network's.
    Lac,
    /// The LNSs'.
    Lns,
    /// Nobody's: sessions are not counted.
    Nobody,
}
