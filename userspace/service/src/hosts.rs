//! Where home servers are: the addresses of the documents, and what names resolve to.
//!
//! What the configuration refuses of an address that is written down, is refused here of one that a name has: nobody
//! else may be sent a customer's requests because somebody's zone says so. Addresses that are written down come first;
//! a name does not take one away from them, nor from a name before it.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    net::{IpAddr, SocketAddr},
};

use sekisho_config::{Customer, Node, Server, customer::Host};

/// A home server that is left out of the routing, since there is no address to be used for its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unresolved {
    /// Whose server it is.
    pub customer: String,
    /// Its name in the document.
    pub server: String,
    /// The name that it is to be found by.
    pub host: String,
    /// What is the matter.
    pub why: Why,
}

/// Why a name gives no address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It has none that we know of.
    Unknown,
    /// It has one that no server of a customer may have: the address, and what speaks against it.
    Refused(IpAddr, String),
}

impl fmt::Display for Unresolved {
    /// `acme-home-1 of acme: radius.acme.example has no address`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}: {} {}", self.server, self.customer, self.host, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Unknown => f.write_str("has no address"),
            Why::Refused(address, why) => write!(f, "is {address}, {why}"),
        }
    }
}

/// The addresses of all home servers.
pub(crate) struct Hosts<'a> {
    /// By customer and server; those only that the documents give a name for.
    found: HashMap<(&'a str, &'a str), IpAddr>,
}

impl<'a> Hosts<'a> {
    /// Resolves every name in the order of the documents.
    pub(crate) fn find(
        node: &'a Node,
        customers: &'a [Customer],
        resolve: &dyn Fn(&str) -> Option<IpAddr>,
    ) -> (Hosts<'a>, Vec<Unresolved>) {
        let mut taken = Taken::by(node, customers);
        let (mut found, mut unresolved) = (HashMap::new(), Vec::new());
        for customer in customers {
            for server in servers(customer) {
                let Host::Name(host) = &server.address else { continue };
                let outcome = match resolve(host).map(|address| address.to_canonical()) {
                    None => Err(Why::Unknown),
                    Some(address) => match refused(address, server, node).or_else(|| taken.refused(address, server)) {
                        Some(why) => Err(Why::Refused(address, why)),
                        None => Ok(address),
                    },
                };
                match outcome {
                    Ok(address) => {
                        taken.take(address, server);
                        found.insert((customer.name.as_str(), server.name.as_str()), address);
                    }
                    Err(why) => {
                        let (customer, server) = (customer.name.clone(), server.name.clone());
                        unresolved.push(Unresolved { customer, server, host: host.clone(), why });
                    }
                }
            }
        }
        (Hosts { found }, unresolved)
    }

    /// The address of a customer's server; `None` where its name gives none.
    pub(crate) fn of(&self, customer: &str, server: &Server) -> Option<IpAddr> {
        match &server.address {
            Host::Address(address) => Some(*address),
            Host::Name(_) => self.found.get(&(customer, server.name.as_str())).copied(),
        }
    }
}

/// Every server of a customer, copies of accounting included.
fn servers(customer: &Customer) -> impl Iterator<Item = &Server> {
    customer.proxies.iter().flat_map(|proxy| proxy.servers().chain(&proxy.copies))
}

/// What speaks against an address in itself, and toward our own.
fn refused(address: IpAddr, server: &Server, node: &Node) -> Option<String> {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    if address.is_unspecified() || address.is_multicast() || broadcast {
        return Some("which is no host's own".to_owned());
    }
    let ours = node.listeners.iter().find(|listener| {
        let mut own = listener.ports.each().map(|(_, port)| port).chain(listener.dynauth);
        listener.address == address && own.any(|own| server.ports.each().any(|(_, port)| port == own))
    });
    if ours.is_some() {
        return Some("which is our own listener: requests would go round for ever".to_owned());
    }
    match node.upstream_for(address) {
        None => Some("and this node has no address of that family under [upstream]".to_owned()),
        Some(ours) if ours.is_loopback() && !address.is_loopback() => {
            Some(format!("which cannot be reached from {ours}, a loopback address"))
        }
        Some(ours) if !ours.is_loopback() && address.is_loopback() => {
            Some("which is this host's loopback, where a customer has no server".to_owned())
        }
        Some(_) => None,
    }
}

/// Addresses that somebody has.
struct Taken<'a> {
    /// Ports that replies come from, or that NASes take dynamic authorization at.
    ports: BTreeSet<SocketAddr>,
    /// The ways in of each host: one host comes in one way.
    ways: HashMap<(&'a str, IpAddr), BTreeSet<&'a str>>,
    /// Access networks' own addresses.
    networks: BTreeSet<(&'a str, IpAddr)>,
}

impl<'a> Taken<'a> {
    /// What the documents write down.
    fn by(node: &'a Node, customers: &'a [Customer]) -> Taken<'a> {
        let networks = node.access_networks.iter().flat_map(|network| {
            let hosts = network.addresses.iter().filter(|address| address.is_host());
            hosts.map(|host| (network.domain.as_str(), host.address))
        });
        let mut taken = Taken { ports: BTreeSet::new(), ways: HashMap::new(), networks: networks.collect() };
        for customer in customers {
            for client in &customer.clients {
                taken.ports.extend(client.dynauth.map(|port| SocketAddr::new(client.address, port)));
                taken.way(&client.domain, client.address, &client.ingresses);
            }
            for sender in &customer.dynauth {
                taken.way(&sender.domain, sender.address, &sender.ingresses);
            }
            for server in servers(customer) {
                if let Host::Address(address) = server.address {
                    taken.take(address, server);
                }
            }
        }
        taken
    }

    fn take(&mut self, address: IpAddr, server: &'a Server) {
        self.ports.extend(server.ports.each().map(|(_, port)| SocketAddr::new(address, port)));
        self.way(&server.domain, address, &server.ingresses);
    }

    fn way(&mut self, domain: &'a str, address: IpAddr, ingresses: &'a [String]) {
        self.ways.entry((domain, address)).or_insert_with(|| ingresses.iter().map(String::as_str).collect());
    }

    fn refused(&self, address: IpAddr, server: &Server) -> Option<String> {
        let mut ports = server.ports.each().map(|(_, port)| SocketAddr::new(address, port));
        if let Some(at) = ports.find(|at| self.ports.contains(at)) {
            return Some(format!("and {at} is in use for another server or terminal"));
        }
        if self.networks.contains(&(server.domain.as_str(), address)) {
            return Some("which is an access network's".to_owned());
        }
        let ways: BTreeSet<&str> = server.ingresses.iter().map(String::as_str).collect();
        let other = self.ways.get(&(server.domain.as_str(), address)).is_some_and(|known| *known != ways);
        other.then(|| "which the documents name with other ingresses".to_owned())
    }
}
