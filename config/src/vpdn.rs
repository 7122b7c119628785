//! `vpdn` contracts and LNSs, as checked: `[[vpdn]]` and `[[lns]]` of a customer's document.

use std::{net::IpAddr, time::Duration};

use sekisho_regulation::terms::Fees;
use sekisho_wire::{secret::Secret, select::AttributeId};

use crate::{
    access::{ItemType, Network},
    customer::{Host, Realm, ServerState},
    node::Password,
    rates::Rate,
    terms::Agreement,
};

/// The most LNSs of a contract, over all tiers and with those for overflow.
pub const MAX_LNSS: usize = 64;

/// An LNS of a customer's: where tunnels end. It is shared by the customer's contracts, and its sessions count once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lns {
    /// Its name, unique among the customer's LNSs.
    pub name: String,
    /// Tunnel-Server-Endpoint (RFC 2868 §3.4): of no other LNS of the customer, in its domain of no other customer, and no
    /// address of ours. A name has at most 250 octets.
    pub address: Host,
    /// Name of the domain that its addresses belong to.
    pub domain: String,
    /// Names of the ingresses that its packets may come in by, all of its domain; at least one.
    pub ingresses: Vec<String>,
    /// Its share where a contract balances: 1 to 1000.
    pub weight: u32,
    /// The most sessions at a time, of all contracts: at most 1,000,000; 0: no limit.
    pub max_sessions: u32,
    /// What the operator wants of it.
    pub state: ServerState,
    /// Tunnel-Client-Endpoint (§3.3); of the same family as `address`, where both are addresses.
    pub client_endpoint: Option<Host>,
    /// Tunnel-Password (§3.5): 1 to 128 octets, any.
    pub tunnel_password: Option<Password>,
    /// Tunnel-Client-Auth-ID (§3.9): 1 to 250 octets without control characters, as all texts here.
    pub client_auth_id: Option<String>,
    /// Tunnel-Server-Auth-ID (§3.10).
    pub server_auth_id: Option<String>,
    /// Tunnel-Private-Group-ID (§3.6).
    pub private_group_id: Option<String>,
    /// Tunnel-Assignment-ID (§3.7): `CUSTOMER-LNS` where the document says nothing.
    pub assignment_id: String,
    /// Where the LNS itself sends accounting: what it sends it from.
    pub accounting: Option<AccountingSource>,
    /// How it is asked whether it lives; `None`: not. Then `address` is an address.
    pub probe: Option<LnsProbe>,
}

/// An LNS as a RADIUS client, for accounting alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountingSource {
    /// What it sends from: in its domain no `client`'s, no access network's and no other LNS's.
    pub address: IpAddr,
    /// Shared with the LNS.
    pub secret: Secret,
    /// The secret before it, still accepted.
    pub previous_secret: Option<Secret>,
    /// How much it may send.
    pub rate: Rate,
}

/// How an LNS is asked whether it lives (L2TP, RFC 2661).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LnsProbe {
    /// With Challenge and response, by the LNS's tunnel password, which it then has.
    pub deep: bool,
    /// Source address, of the LNS's family; `None`: as [`Node::l2tp_for`](crate::Node::l2tp_for) says.
    pub from: Option<IpAddr>,
    /// From one probe to the next: 10 s to 600 s.
    pub interval: Duration,
    /// How long an answer is waited for: 1 s to 8 s.
    pub timeout: Duration,
    /// So many answers in a row make it up: 1 to 10.
    pub rise: u32,
    /// So many silences in a row make it down: 1 to 10.
    pub fall: u32,
    /// It is up, too, where it answers but refuses us.
    pub refused_is_up: bool,
}

/// A `vpdn` contract: requests of access networks of one item type for some realms are answered with a tunnel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpdn {
    /// Name of the contract, unique in the node.
    pub contract: String,
    /// Which access networks may ask for it.
    pub kind: ItemType,
    /// The customer's realms that it serves, none of them a pattern or a default; at least one, and each of one contract
    /// of the type.
    pub realms: Vec<Realm>,
    /// Who says whether a subscriber may in.
    pub verify: Verify,
    /// The LNSs, the first choice first; at least one tier. Without the option one tier of one LNS.
    pub tiers: Vec<LnsTier>,
    /// The load-balancing option (負荷分散, Art. 8.2); `None`: without it.
    pub balancing: Option<Balancing>,
    /// Whose accounting counts its sessions.
    pub accounting: Counting,
    /// The most sessions at a time: at most 16,777,216; 0: no limit.
    pub max_sessions: u32,
    /// How often a session is reported while it lasts, 60 s to 24 h: it is over where three are missing.
    pub interim_interval: Option<Duration>,
    /// Reply-Message of a Reject because everything is full: 1 to 253 octets.
    pub full_message: Option<String>,
    /// Further attributes of an Accept, values as they stand in a packet; none of them is hidden or protected, belongs to
    /// a tunnel, or is Service-Type or Framed-Protocol.
    pub reply: Vec<(AttributeId, Box<[u8]>)>,
    /// What was agreed for it, but for the option.
    pub agreement: Agreement,
}

impl Vpdn {
    /// Every LNS by its name, with those for overflow; each once.
    pub fn lnss(&self) -> impl Iterator<Item = &str> {
        let overflow = self.balancing.iter().flat_map(|balancing| &balancing.overflow);
        self.tiers.iter().flat_map(|tier| &tier.lns).chain(overflow).map(String::as_str)
    }
}

/// Who says whether a subscriber may in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verify {
    /// The realm decides; the LNS authenticates the subscriber.
    Realm,
    /// The customer's home servers, by its `proxy` contracts, which serve every realm of this contract.
    Proxy {
        /// What an Accept may give as an address, as of a [`Proxy`](crate::Proxy); empty: anything.
        framed_networks: Vec<Network>,
        /// What a home server's Accept may carry beside what every one may; never a tunnel attribute. Where Cisco-AVPair
        /// is among them, its `vpdn:` values stay out all the same.
        allow_reply: Vec<AttributeId>,
    },
    /// The operator's account database, by the customer's `group` contracts, which serve every realm of this contract.
    Group,
}

/// LNSs that are chosen from alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LnsTier {
    /// How one is chosen.
    pub strategy: Strategy,
    /// Names of the customer's LNSs; at least one.
    pub lns: Vec<String>,
}

/// How an LNS is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// In turn, by weight.
    RoundRobin,
    /// The one with the fewest sessions for its capacity.
    LeastSessions,
    /// By the value of an attribute: a device keeps its LNS.
    Hash,
}

impl Strategy {
    /// The word in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::RoundRobin => "round-robin",
            Strategy::LeastSessions => "least-sessions",
            Strategy::Hash => "hash",
        }
    }
}

/// The load-balancing option of a `vpdn` contract: several LNSs share its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balancing {
    /// What tells devices apart: the first of these that a request has; 1 to 4.
    pub key: Vec<AttributeId>,
    /// A device that comes back within this time gets the LNS that it had.
    pub sticky: Option<Duration>,
    /// An LNS that comes back gets its share over this time, little by little; 0: at once.
    pub slow_start: Duration,
    /// What a request gets while every LNS is down.
    pub all_down: AllDown,
    /// The most LNSs in one answer, the chosen one among them: 1 to 8.
    pub alternatives: u8,
    /// When a tier is used again that had no LNS to use.
    pub failback: Failback,
    /// LNSs for when all others are full, by their names, chosen from as the first tier is.
    pub overflow: Vec<String>,
    /// Disconnects a minute that bring sessions back to where they belong, 1 to 600; `None`: sessions stay.
    pub rebalance: Option<u32>,
    /// Yen, agreed for the option apart from its contract (Art. 10, annex 1).
    pub fees: Fees,
}

/// What a request gets while every LNS is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllDown {
    /// The LNSs as if all were up: who knows better than their LACs.
    FailOpen,
    /// A Reject.
    Reject,
}

/// When a tier is used again that had no LNS to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failback {
    /// As soon as it has one.
    Now,
    /// When the operator says so.
    Manual,
    /// When it has had one for so long: 1 s to 24 h.
    Delayed(Duration),
}

/// Whose accounting counts the sessions of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// The access network's.
    Lac,
    /// The LNSs': each has an accounting source.
    Lns,
    /// Nobody's: sessions are not counted.
    None,
}
