//! The two documents an operator writes: syntax with places, checked into types.
//!
//! `sekisho.toml` is one node: where it listens, by which ingresses packets come, how the gate is attached, what it may
//! keep and how much it takes, and the operator's access networks. `customers/NAME.toml` is one customer: realms, `client`
//! contracts, `proxy` contracts with their home servers, `vpdn` contracts with their LNSs.
//! `docs/configuration.md` describes every key, and `config/examples/` is a working pair.
//!
//! [`load`] takes both or neither: it returns a [`Node`] with its [`Customer`]s, or [`Faults`], which are *all* of them,
//! each with file, line, column, key, what is the matter and what to do about it. What it returns has been checked, and
//! its types hold nothing else: an address is one host's, a realm is canonical and belongs to one customer, a time is
//! within its bounds, a domain and an ingress that are named exist. What works but should be known comes as
//! [`Warning`]s, above all contracts that cannot be served (Art. 5.1).
//!
//! The way through the crate is the way of a document: text with places (`document`), one table at a time with every
//! key typed (`section`, `value`, `schema`), checked types with their places (`read`), then what must hold between
//! tables and between customers (`rules`).
//!
//! Not here: what the contracts mean to the engine and the gate (`userspace/service`), and anything that touches the
//! network. Files are read, and the environment is asked for what `secret_env` names, by the function that is given.
//! Secrets never appear in a finding or in `Debug`.

#![forbid(unsafe_code)]

pub mod access;
pub mod customer;
pub mod dictionary;
mod document;
mod finding;
pub mod node;
pub mod rates;
mod read;
mod rules;
mod schema;
mod section;
mod value;
pub mod vpdn;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

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
    finding::{Faults, Finding, Warning},
    node::{
        Domain, Ingress, Journal, L2tp, Limits, Listener, LogLevel, Node, Password, Ports, Probe, Sessions, Upstream,
        Vlan, Xdp, XdpMode,
    },
    rates::{Rate, Rates},
    vpdn::{AccountingSource, AllDown, Balancing, Counting, Failback, Lns, LnsProbe, LnsTier, Strategy, Verify, Vpdn},
};
use crate::{
    document::{Document, whole},
    finding::{Problem, Report},
    read::{customer::CustomerDraft, node::NodeDraft, surroundings::Surroundings},
};

/// The name of the node's document in a directory.
pub const NODE_FILE: &str = "sekisho.toml";

/// Reads and checks a whole configuration: `path` is the node's document or the directory that it stands in as
/// [`NODE_FILE`]; `env` looks up an environment variable. Customers come in the order of their files' names.
///
/// # Errors
///
/// Every fault of every document.
pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<(Node, Vec<Customer>, Vec<Warning>), Faults> {
    let file = if path.is_dir() { path.join(NODE_FILE) } else { path.to_owned() };
    let report = Report::default();
    let (draft, around) = read_node(&file, env, &report).unzip();
    let mut customers = Vec::new();
    if let (Some(draft), Some(around)) = (&draft, around) {
        let before = report.count();
        customers = read_customers(draft, &around, &report);
        let complete = report.count() == before;
        rules::realms::check(&customers, &report);
        rules::contracts::check(&customers, draft, &report);
        rules::addresses::check(&customers, draft, &report);
        rules::access::check(&customers, draft, &report);
        rules::lookup::check(&customers, draft, complete, &report);
        rules::lns::check(&customers, draft, &report);
        rules::vpdn::check(&customers, draft, &report);
        rules::counting::check(&customers, &report);
        rules::balancing::check(&customers, draft, &report);
        rules::tunnels::check(&customers, draft, &report);
        rules::limits::check(&customers, draft, &report);
        rules::dynauth::check(&customers, draft, &report);
        rules::secrets::check(&around.vault, &report);
        if let Some(node) = &draft.node {
            rules::upstream::check(&customers, node, &report);
        }
    }
    let mut checked = Vec::with_capacity(customers.len());
    for draft in customers {
        let (site, sound) = (draft.site.clone(), draft.sound);
        let customer = draft.checked();
        if let (Err(why), true) = (customer.serviceable(), sound) {
            let message = format!("{why}: nothing of it is served (service regulation, Art. 5.1)");
            let remedy = "It needs at least one [[client]] and at least one [[proxy]], or a [[vpdn]].";
            report.warn(site.finding("", Problem::new(message, remedy)));
        }
        checked.push(customer);
    }
    let warnings = report.close()?;
    match draft.and_then(|draft| draft.node) {
        Some(node) => Ok((node, checked, warnings)),
        // Not reached while every reader reports what it refuses; a configuration is never taken by halves.
        None => {
            let problem = Problem::new("cannot be used", "Report this to the makers of sekisho, with the document.");
            Err(Faults { faults: vec![whole(&file, problem)], warnings })
        }
    }
}

fn read_node<'a>(
    file: &Path,
    env: &'a dyn Fn(&str) -> Option<String>,
    report: &Report,
) -> Option<(NodeDraft, Surroundings<'a>)> {
    let remedy = "Name the node's document, or the directory that holds it as sekisho.toml.";
    let document = Document::read(file, remedy, report)?;
    let base = file.parent().unwrap_or(Path::new(""));
    read::document(&document, schema::NODE_DOCUMENT, report, |top| {
        let (draft, around) = read::node::node(&top, base, env);
        rules::node::check(&draft, &top.site, report);
        (draft, around)
    })
}

fn read_customers(draft: &NodeDraft, around: &Surroundings<'_>, report: &Report) -> Vec<CustomerDraft> {
    let Some(directory) = &draft.customers else { return Vec::new() };
    let files = match documents_in(&directory.value, |name| name.ends_with(".toml")) {
        Ok(files) => files,
        Err(error) => {
            let message = format!("{} cannot be listed ({error})", directory.value.display());
            let remedy = match error.kind() {
                io::ErrorKind::PermissionDenied => "Let sekisho's user read it.",
                _ => "Make the directory, with a document NAME.toml for each customer.",
            };
            report.fault(directory.site.finding("customers", Problem::new(message, remedy)));
            return Vec::new();
        }
    };
    if files.is_empty() {
        let problem = Problem::new("holds no customer's document", "Add NAME.toml for each customer.");
        report.warn(whole(&directory.value, problem));
    }
    let read = |file: &PathBuf| {
        let document = Document::read(file, "Put the document there, or take the dangling link away.", report)?;
        read::document(&document, schema::CUSTOMER_DOCUMENT, report, |top| read::customer::customer(&top, around))
    };
    files.iter().filter_map(read).collect()
}

/// Every file of a directory whose name is `wanted`, but for hidden ones, by name.
fn documents_in(directory: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with('.') && wanted(&name) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
