//! The documents of a node: read, checked, compiled.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sekisho_config::{Customer, CustomersFrom, Database, Faults, KeySource, Node, Text, Texts, Warning};
use sekisho_regulation::InForce;

use crate::{
    registry::feed::{Composed, Feed, FeedError},
    report::Unserved,
};

/// Where the documents are unless told otherwise.
pub const DEFAULT: &str = "/etc/sekisho/sekisho.toml";

/// What the documents say, without faults.
#[derive(Clone, Debug)]
pub struct Documents {
    /// The node's document.
    pub path: PathBuf,
    /// This node.
    pub node: Node,
    /// Its customers.
    pub customers: Vec<Customer>,
    /// What works, and should be known.
    pub warnings: Vec<Warning>,
    /// With a registry, what of it is in force now.
    pub standing: Option<Standing>,
    /// With a registry, the node's document as it was read: by that the node goes when the registry changes.
    pub text: Option<Text>,
}

/// What of a registry was in force when documents were read.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Contracts that are not over and not served, each with the reason.
    pub unserved: Vec<Unserved>,
    /// When another contract or document comes into force, or goes.
    pub next: Option<Timestamp>,
}

impl Documents {
    /// Reads and checks `path`: a node's document, or the directory that holds it as `sekisho.toml`.
    ///
    /// # Errors
    ///
    /// Every fault, for the operator.
    pub fn load(path: &Path) -> Result<Documents, Faults> {
        let path = of_node(path);
        let (node, customers, warnings) = sekisho_config::load(&path, &|name| env::var(name).ok())?;
        Ok(Documents { path, node: placed(node), customers, warnings, standing: None, text: None })
    }

    /// The node alone.
    ///
    /// # Errors
    ///
    /// Every fault of its document.
    pub fn node(path: &Path) -> Result<Documents, Faults> {
        let path = of_node(path);
        let (node, warnings) = sekisho_config::load_node(&path, &|name| env::var(name).ok())?;
        Ok(Documents { path, node: placed(node), customers: Vec::new(), warnings, standing: None, text: None })
    }

    /// What of a registry is in force at an instant, for the node whose document `path` is: as its file has it now, or as `text`.
    ///
    /// # Errors
    ///
    /// The documents in force are faulty for this node, or do not go together.
    pub fn of(feed: &Feed, path: &Path, text: Option<Text>, at: Timestamp) -> Result<Documents, FeedError> {
        let path = of_node(path);
        let text = text.map_or_else(|| sekisho_config::node_text(&path), Ok)?;
        let Composed { node, customers, warnings, in_force, next } = feed.compose(&path, text.clone(), at)?;
        let unserved = unserved(&in_force);
        let standing = Some(Standing { unserved, next });
        Ok(Documents { path, node, customers, warnings, standing, text: Some(text) })
    }

    /// Workers to run: as the document says, else one for each core that this process may use.
    pub fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
        self.node.workers.map_or_else(cores, usize::from)
    }

    /// Our service addresses with their ports: `127.0.0.1:1812 auth`.
    pub fn listeners(&self) -> Vec<String> {
        let listeners = self.node.listeners.iter();
        let named = listeners.flat_map(|listener| {
            let address = listener.address;
            let dynauth = listener.dynauth.map(|port| ("dynauth", port));
            let ports = listener.ports.each().chain(dynauth);
            ports.map(move |(key, port)| format!("{} {key}", std::net::SocketAddr::new(address, port)))
        });
        named.collect()
    }
}

/// Reads the document of a node, and those that its registry has; each place in it is absolute: a reload reads by the absolute path
/// what a start may have read by a relative one.
///
/// # Errors
///
/// Every fault.
pub fn read(path: &Path, texts: &Texts) -> Result<(Node, Vec<Customer>, Vec<Warning>), Faults> {
    let (node, customers, warnings) = sekisho_config::load_documents(path, texts, &|name| env::var(name).ok())?;
    Ok((placed(node), customers, warnings))
}

/// The node's document: a directory holds it as `sekisho.toml`.
fn of_node(path: &Path) -> PathBuf {
    absolute(if path.is_dir() { path.join(sekisho_config::NODE_FILE) } else { path.to_owned() })
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn placed(mut node: Node) -> Node {
    node.state = absolute(node.state);
    node.journal.directory = absolute(node.journal.directory);
    if let CustomersFrom::Registry(registry) = &mut node.customers {
        registry.mirror = absolute(std::mem::take(&mut registry.mirror));
        if let Database::Sqlite(file) = &mut registry.database {
            *file = absolute(std::mem::take(file));
        }
        if let KeySource::File(file) = &mut registry.key {
            *file = absolute(std::mem::take(file));
        }
    }
    node
}

/// Contracts that are not over and not served.
fn unserved(in_force: &InForce) -> Vec<Unserved> {
    let waits = in_force.contracts.iter().filter(|(_, standing)| !standing.served && !standing.state.is_over());
    let told = waits.map(|(contract, standing)| Unserved {
        customer: standing.customer.clone(),
        contract: contract.clone(),
        state: standing.to_string(),
        why: standing.why_not.iter().map(ToString::to_string).collect(),
    });
    told.collect()
}

/// The same bound as that of `node.workers`.
const MAX_WORKERS: usize = 64;

/// One paragraph: what the documents say.
impl fmt::Display for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, customers) = (&self.node, &self.customers);
        let served = customers.iter().filter(|customer| customer.serviceable().is_ok()).count();
        let sum = |count: fn(&Customer) -> usize| customers.iter().map(count).sum::<usize>();
        write!(
            f,
            "Node \"{}\" listens on {}, with {}, gate {} on {}. {} ({served} served) with {}, {}, {} and {}.",
            node.name,
            self.listeners().join(", "),
            plural(self.workers(), "worker"),
            mode_name(node.xdp.mode),
            if node.xdp.interfaces.is_empty() { "no interface".to_owned() } else { node.xdp.interfaces.join(", ") },
            plural(customers.len(), "customer"),
            plural(sum(|customer| customer.realms.len()), "realm"),
            plural(sum(|customer| customer.clients.len()), "client contract"),
            plural(sum(|customer| customer.proxies.len()), "proxy contract"),
            plural(sum(|customer| customer.proxies.iter().map(|proxy| proxy.servers().count()).sum()), "home server"),
        )?;
        if let count @ 1.. = sum(|customer| customer.groups.len()) {
            write!(f, " {}.", plural(count, "group contract"))?;
        }
        if !node.access_networks.is_empty() {
            write!(f, " {}.", plural(node.access_networks.len(), "access network"))?;
        }
        match sum(|customer| customer.vpdn.len()) {
            0 => Ok(()),
            count => {
                let lnss = plural(sum(|customer| customer.lnss.len()), "LNS");
                write!(f, " {} with {lnss}.", plural(count, "VPDN contract"))
            }
        }
    }
}

/// The word of a mode in the document.
pub const fn mode_name(mode: sekisho_config::XdpMode) -> &'static str {
    use sekisho_config::XdpMode;
    match mode {
        XdpMode::Auto => "auto",
        XdpMode::Native => "native",
        XdpMode::Generic => "generic",
        XdpMode::Off => "off",
    }
}

/// `1 realm`, `2 realms`, `3 LNSs`.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
