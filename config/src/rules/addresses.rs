//! Whose an address is. Within a domain one address is one host; what it may do is decided by it alone.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::{IpAddr, SocketAddr},
};

use super::{Claim, once, repeated};
use crate::{
    access::{AccessNetwork, Network},
    customer::{Client, Host, Server},
    document::{Placed, Site},
    finding::{Problem, Report},
    node::Node,
    read::{
        customer::{CustomerDraft, ProxyDraft},
        node::NodeDraft,
    },
    vpdn::Lns,
};

/// One host that takes part: its domain and where it is, and how its packets may come in.
pub(super) struct Party<'a> {
    pub(super) domain: &'a str,
    pub(super) address: Host,
    ingresses: BTreeSet<&'a str>,
    pub(super) site: &'a Site,
    /// The key that its address stands under.
    pub(super) key: &'static str,
}

impl<'a> Party<'a> {
    fn new(domain: &'a str, address: Host, ingresses: &'a [String], site: &'a Site) -> Party<'a> {
        let ingresses = ingresses.iter().map(String::as_str).collect();
        Party { domain, address, ingresses, site, key: "address" }
    }
}

/// Checks the addresses of clients and servers against each other and our own.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    let clients = customers.iter().flat_map(|customer| &customer.clients);
    let claims = clients.map(|client| Claim {
        what: (client.value.domain.as_str(), client.value.address),
        site: &client.site,
        key: "address",
    });
    once(claims, report, |(domain, address), other| {
        let message = format!("{address} is another client contract's in domain {domain:?}, at {other}");
        let remedy = "One terminal has one contract: end the other one, or correct the address or the domain.";
        Problem::new(message, remedy)
    });
    let dynauth = customers.iter().flat_map(|customer| &customer.dynauth).map(|one| Claim {
        what: (one.value.domain.as_str(), one.value.address),
        site: &one.site,
        key: "address",
    });
    once(dynauth, report, |(domain, address), other| {
        let message = format!("{address} is another dynamic-authorization client's in domain {domain:?}, at {other}");
        Problem::new(message, "One server has one entry: take one out, or correct the address or the domain.")
    });
    server_ports(customers, report);
    terminal_ports(customers, report);
    loops(customers, draft, report);
    ways_in(customers, report);
    if let Some(node) = &draft.node {
        room(customers, node, draft, report);
    }
}

/// A home server's port is in the configuration once: replies are known by the address that they come from, and there
/// is one routing table to all of them, whatever their domain.
fn server_ports(customers: &[CustomerDraft], report: &Report) {
    let mut first: HashMap<(&Host, u16), (usize, &Site, &str)> = HashMap::new();
    for (owner, customer) in customers.iter().enumerate() {
        for (server, site) in servers(customer) {
            for (key, port) in server.ports.each() {
                let key = site.given(key, "address");
                let (of, other, other_key) = *first.entry((&server.address, port)).or_insert((owner, site, key));
                if std::ptr::eq(other, site) {
                    continue;
                }
                let place = other.place(other_key);
                let at = at(&server.address, port);
                let problem = if of == owner {
                    let remedy = "Name it once: a contract serves several realms, listed in `realms`.";
                    Problem::new(format!("{at} is a server of this customer already, at {place}"), remedy)
                } else {
                    let remedy = "Give an address and port that this customer alone answers on.";
                    Problem::new(format!("{at} is another customer's server, at {place}"), remedy)
                };
                report.fault(site.finding(key, problem));
            }
        }
    }
}

/// Where a terminal takes CoA and Disconnect there is no home server, and no terminal of another domain: replies are
/// known by the address that they come from.
fn terminal_ports(customers: &[CustomerDraft], report: &Report) {
    let mut known = HashSet::new();
    let claims = customers.iter().flat_map(|customer| &customer.clients).filter_map(|client| {
        let what = (client.value.address, client.value.dynauth?);
        // Two at one address of a domain have been told already.
        let first = known.insert((&client.value.domain, client.value.address));
        first.then_some(Claim { what, site: &client.site, key: "dynauth" })
    });
    repeated(claims, |Claim { what: (address, port), site, key }, other| {
        let at = SocketAddr::from((address, port));
        let message = format!("another terminal takes CoA and Disconnect at {at} already, at {other}");
        let remedy = "Their answers could not be told apart: give one of them another port.";
        report.fault(site.finding(key, Problem::new(message, remedy)));
    });
    let terminals = customers.iter().flat_map(|customer| &customer.clients);
    let at_port = |client: &Client| Some((client.address, client.dynauth?));
    let ports: HashMap<(IpAddr, u16), &Site> =
        terminals.filter_map(|placed| Some((at_port(&placed.value)?, &placed.site))).collect();
    for (server, site) in customers.iter().flat_map(servers) {
        let Host::Address(address) = server.address else { continue };
        for (key, port) in server.ports.each() {
            if let Some(terminal) = ports.get(&(address, port)) {
                let message = format!(
                    "{} is where a terminal takes CoA and Disconnect, at {}",
                    at(&server.address, port),
                    terminal.place("dynauth"),
                );
                let problem = Problem::new(message, "Correct the address or the port of one of them.");
                report.fault(site.finding(site.given(key, "address"), problem));
            }
        }
    }
}

/// A home server or a terminal that is ourselves: requests would come back to us.
fn loops(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    let ours = |address: IpAddr, port: u16| {
        let mut listeners = draft.listeners.iter().filter(|listener| listener.value.address == address);
        listeners.find_map(|listener| {
            let (key, _) = listener.value.each_port().find(|(_, own)| *own == port)?;
            Some(listener.site.place(key))
        })
    };
    for client in customers.iter().flat_map(|customer| &customer.clients) {
        let Some(port) = client.value.dynauth else { continue };
        if let Some(place) = ours(client.value.address, port) {
            let at = SocketAddr::from((client.value.address, port));
            let message = format!("{at} is our own listener, at {place}: requests would go round for ever");
            let remedy = "Give the port where the terminal itself takes CoA and Disconnect.";
            report.fault(client.site.finding("dynauth", Problem::new(message, remedy)));
        }
    }
    for (server, site) in customers.iter().flat_map(servers) {
        let Host::Address(address) = server.address else { continue };
        for (key, port) in server.ports.each() {
            if let Some(place) = ours(address, port) {
                let at = SocketAddr::from((address, port));
                let message = format!("{at} is our own listener, at {place}: requests would go round for ever");
                let remedy = "Give the address and port of the customer's server.";
                report.fault(site.finding(site.given(key, "address"), Problem::new(message, remedy)));
            }
        }
    }
}

/// The gate has one entry for an address, so whatever the host is, its packets come in the same way.
fn ways_in(customers: &[CustomerDraft], report: &Report) {
    let mut first: HashMap<(&str, Host), Party<'_>> = HashMap::new();
    for host in customers.iter().flat_map(hosts) {
        match first.get(&(host.domain, host.address.clone())) {
            Some(other) if other.ingresses != host.ingresses => {
                let place = other.site.place("ingress");
                let message = format!("{} may come in by other ingresses at {place}", host.address);
                let remedy = "One host comes in one way: name the same ingresses at both.";
                report.fault(host.site.finding("ingress", Problem::new(message, remedy)));
            }
            Some(_) => {}
            None => {
                first.insert((host.domain, host.address.clone()), host);
            }
        }
    }
}

/// The gate's table has room for every source.
fn room(customers: &[CustomerDraft], node: &Node, draft: &NodeDraft, report: &Report) {
    let networks = node.access_networks.iter().flat_map(|network| {
        let hosts = network.addresses.iter().filter(|address| address.is_host());
        hosts.map(|host| (network.domain.as_str(), Host::Address(host.address)))
    });
    let sources: HashSet<(&str, Host)> =
        customers.iter().flat_map(hosts).map(|host| (host.domain, host.address)).chain(networks).collect();
    // What is kept of a contract has as much room, and a network of prefixes alone is a contract without an address.
    let prefixes_alone = |network: &&AccessNetwork| !network.addresses.iter().any(Network::is_host);
    let count = sources.len() + node.access_networks.iter().filter(prefixes_alone).count();
    let room = node.xdp.max_sources;
    if count > room as usize {
        let message = format!("there are {count} sources, and the gate's table has room for {room}");
        let problem = Problem::new(message, "Raise `max_sources` under [xdp] in sekisho.toml.");
        let site = draft.xdp.as_ref().or(draft.listeners.first().map(|listener| &listener.site));
        if let Some(site) = site {
            report.fault(site.finding("max_sources", problem));
        }
    }
}

/// Everybody who takes part in a customer's contracts, and whose packets the gate lets in.
pub(super) fn hosts(customer: &CustomerDraft) -> impl Iterator<Item = Party<'_>> {
    peers(customer).chain(customer.lnss.iter().filter_map(accounting_source))
}

/// Terminals, dynamic-authorization clients and home servers.
pub(super) fn peers(customer: &CustomerDraft) -> impl Iterator<Item = Party<'_>> {
    let clients = customer
        .clients
        .iter()
        .map(|Placed { value, site }| Party::new(&value.domain, Host::Address(value.address), &value.ingresses, site));
    let dynauth = customer
        .dynauth
        .iter()
        .map(|Placed { value, site }| Party::new(&value.domain, Host::Address(value.address), &value.ingresses, site));
    let servers = servers(customer)
        .map(|(server, site)| Party::new(&server.domain, server.address.clone(), &server.ingresses, site));
    clients.chain(dynauth).chain(servers)
}

/// What an LNS sends accounting from, if it does.
pub(super) fn accounting_source(lns: &Placed<Lns>) -> Option<Party<'_>> {
    let Placed { value, site } = lns;
    let address = Host::Address(value.accounting.as_ref()?.address);
    let key = site.given("accounting_address", "address");
    Some(Party { key, ..Party::new(&value.domain, address, &value.ingresses, site) })
}

/// Where an LNS's tunnels end.
pub(super) fn endpoint(lns: &Placed<Lns>) -> Party<'_> {
    Party::new(&lns.value.domain, lns.value.address.clone(), &lns.value.ingresses, &lns.site)
}

/// Every address of an LNS, each once.
pub(super) fn of_lns(lns: &Placed<Lns>) -> impl Iterator<Item = Party<'_>> {
    let end = endpoint(lns);
    let source = accounting_source(lns).filter(|source| source.address != end.address);
    std::iter::once(end).chain(source)
}

/// Home servers and those that accounting is copied to.
pub(super) fn servers(customer: &CustomerDraft) -> impl Iterator<Item = (&Server, &Site)> {
    customer.proxies.iter().flat_map(ProxyDraft::peers)
}

/// A host with a port, as a document and a resolver write it.
fn at(host: &Host, port: u16) -> String {
    match host {
        Host::Address(address) => SocketAddr::from((*address, port)).to_string(),
        Host::Name(name) => format!("{name}:{port}"),
    }
}
