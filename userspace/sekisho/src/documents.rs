//! The documents of a node: read, checked, compiled.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use sekisho_config::{Customer, Faults, Node, Warning};

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
}

impl Documents {
    /// Reads and checks `path`: a node's document, or the directory that holds it as `sekisho.toml`.
    ///
    /// # Errors
    ///
    /// Every fault, for the operator.
    pub fn load(path: &Path) -> Result<Documents, Faults> {
        let (mut node, customers, warnings) = sekisho_config::load(path, &|name| env::var(name).ok())?;
        let file = if path.is_dir() { path.join("sekisho.toml") } else { path.to_owned() };
        // A reload reads by the absolute path what a start may have read by a relative one: both mean the same places.
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let path = absolute(file);
        node.state = absolute(node.state);
        node.journal.directory = absolute(node.journal.directory);
        Ok(Documents { path, node, customers, warnings })
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
