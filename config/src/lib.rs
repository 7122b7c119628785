//! The documents an operator writes: syntax with places, checked into types.
//!
//! `sekisho.toml` is one node: where it listens, by which ingresses packets come, how the gate is attached, what it may
//! keep and how much it takes, and the operator's access networks. A customer's document is one customer: realms, `client`
//! contracts, `proxy` contracts with their home servers, `group` contracts for hosted accounts, `vpdn` contracts with their
//! LNSs, and what was agreed for each. Customers' documents are files beside the node's, or stand in the registry, and with
//! them the operator's own document, whose access networks every node serves. `docs/configuration.md` describes every key,
//! and `config/examples/` is a working pair.
//!
//! [`load`] takes files, [`load_documents`] what a registry holds; [`load_node`] reads the node's document, which says where
//! that is. All or nothing: there is a [`Node`] with its [`Customer`]s, or [`Faults`], which are *all* of them, each with
//! file, line, column, key, what is the matter and what to do about it. What comes has been checked, and its types hold
//! nothing else: an address is one host's, a realm is canonical and belongs to one customer, a time is within its bounds, a
//! domain and an ingress that are named exist. What works but should be known comes as [`Warning`]s, above all contracts
//! that cannot be served (Art. 5.1).
//!
//! What a customer's document says is not yet what is served: [`Customer::terms`] is what the service regulation decides on,
//! and [`Customer::only`] leaves what it says is in force.
//!
//! The way through the crate is the way of a document: text with places (`document`, `texts`), one table at a time with
//! every key typed (`section`, `value`, `schema`), checked types with their places (`read`), then what must hold between
//! tables and between customers (`rules`); `load` leads through it.
//!
//! Not here: the regulation itself (`userspace/regulation`), the registry's database (`userspace/registry`), what the
//! contracts mean to the engine and the gate (`userspace/service`), and anything that touches the network. Files are read,
//! and the environment is asked for what `secret_env` names, by the function that is given. Secrets never appear in a
//! finding or in `Debug`.

#![forbid(unsafe_code)]

pub mod access;
pub mod customer;
pub mod dictionary;
mod document;
mod finding;
pub mod group;
mod load;
pub mod node;
pub mod rates;
mod read;
pub mod registry;
mod rules;
mod schema;
mod section;
mod served;
mod terms;
mod texts;
mod value;
pub mod vpdn;

pub use crate::{
    access::{
        AcceptForm, AccessNetwork, ItemType, Keepalive, LookupMode, Network, NetworkAccounting, RealmLookup,
        RealmPlace, ServiceType, SessionKey, TunnelSets, Unclaimed,
    },
    customer::{
        Client, Customer, DynAuth, Host, Pattern, Policies, PoolType, Proxy, Realm, Require, Selector, Server,
        ServerState, StatusCheck, Strip, Tier, Unanswered, Unserviceable,
    },
    dictionary::Dictionary,
    finding::{Faults, Finding, Problem, Warning},
    group::{Group, Passwords, Protocol},
    load::{NODE_FILE, load, load_documents, load_node},
    node::{
        Domain, Ingress, Journal, L2tp, Limits, Listener, LogLevel, Node, Password, Ports, Probe, Sessions, Upstream,
        Vlan, Xdp, XdpMode,
    },
    rates::{Rate, Rates},
    registry::{CustomersFrom, Database, DatabaseUrl, Hosted, KeySource, Registry},
    served::Contradiction,
    terms::Agreement,
    texts::{Kind, Text, Texts, kind_of, node_text},
    vpdn::{AccountingSource, AllDown, Balancing, Counting, Failback, Lns, LnsProbe, LnsTier, Strategy, Verify, Vpdn},
};
