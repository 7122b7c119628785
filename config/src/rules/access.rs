//! Whose an address of an access network is: nobody else's, and of one network.

use std::net::{IpAddr, SocketAddr};

use super::addresses::{accounting_source, endpoint, hosts};
use crate::{
    access::{AccessNetwork, Network},
    customer::Host,
    document::{Placed, Site},
    finding::{Problem, Report},
    node::MAX_PREFIXES,
    read::{customer::CustomerDraft, node::NodeDraft},
};

/// One entry of `addresses`, with the network that it belongs to.
struct Entry<'a> {
    domain: &'a str,
    network: Network,
    name: &'a str,
    site: &'a Site,
    key: String,
}

impl Entry<'_> {
    /// Within a domain and a family by address, and of those that begin alike the widest first.
    fn order(&self) -> (&str, bool, u128, u8) {
        (self.domain, self.network.address.is_ipv6(), self.network.first(), self.network.length)
    }

    fn place(&self) -> String {
        self.site.place(&self.key)
    }
}

/// Checks the addresses of access networks against each other and those of clients and servers.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    let mut entries: Vec<Entry<'_>> = draft.access_networks.iter().flat_map(entries).collect();
    entries.sort_by(|a, b| a.order().cmp(&b.order()));
    overlaps(&entries, report);
    within(customers, &entries, report);
    loops(draft, report);
    let prefixes: Vec<&Entry<'_>> = entries.iter().filter(|entry| !entry.network.is_host()).collect();
    if let (Some(last), true) = (prefixes.last(), prefixes.len() > MAX_PREFIXES) {
        let message = format!("there are {} prefixes, and the gate has room for {MAX_PREFIXES}", prefixes.len());
        let problem = Problem::new(message, "Put those together that lie side by side.");
        report.fault(last.site.finding("addresses", problem));
    }
}

fn entries(placed: &Placed<AccessNetwork>) -> impl Iterator<Item = Entry<'_>> {
    let Placed { value, site } = placed;
    value.addresses.iter().enumerate().map(move |(i, network)| Entry {
        domain: &value.domain,
        network: *network,
        name: &value.name,
        site,
        key: format!("addresses[{i}]"),
    })
}

/// Two networks of a domain have no address in common: what comes from it would be either's.
fn overlaps(entries: &[Entry<'_>], report: &Report) {
    let mut widest: Option<&Entry<'_>> = None;
    for entry in entries {
        match widest {
            Some(other) if other.domain == entry.domain && other.network.overlaps(&entry.network) => {
                let (network, place) = (entry.network, other.place());
                let message = if network == other.network {
                    format!("{network} is an access network's already in domain {:?}, at {place}", entry.domain)
                } else {
                    format!("{network} lies within {} of domain {:?}, at {place}", other.network, entry.domain)
                };
                let remedy = "An address is one access network's: take one out, or correct the prefix or the domain.";
                report.fault(entry.site.finding(&entry.key, Problem::new(message, remedy)));
            }
            _ => widest = Some(entry),
        }
    }
}

/// A client's or server's address is no access network's. Within a prefix it goes before it, which is said.
fn within(customers: &[CustomerDraft], entries: &[Entry<'_>], report: &Report) {
    for host in customers.iter().flat_map(hosts) {
        let Host::Address(address) = host.address else { continue };
        let Some(entry) = around(entries, host.domain, address) else { continue };
        let (name, place) = (entry.name, entry.place());
        if entry.network.is_host() {
            let message = format!("{address} is access network {name:?}'s in domain {:?}, at {place}", host.domain);
            let remedy = "An address is an access network's or a customer's: correct the address or the domain.";
            report.fault(host.site.finding(host.key, Problem::new(message, remedy)));
        } else {
            let message = format!(
                "{address} lies within {} of access network {name:?}, at {place}: what comes from it is not the network's",
                entry.network
            );
            let remedy = "Correct the address where that is not meant; an exact address goes before a prefix.";
            report.warn(host.site.finding(host.key, Problem::new(message, remedy)));
        }
    }
    let lnss = customers.iter().flat_map(|customer| &customer.lnss);
    for end in lnss.filter(|lns| accounting_source(lns).is_none_or(|source| source.key != "address")).map(endpoint) {
        let Host::Address(address) = end.address else { continue };
        let exact = around(entries, end.domain, address).filter(|entry| entry.network.is_host());
        if let Some(entry) = exact {
            let (name, place) = (entry.name, entry.place());
            let message = format!("{address} is access network {name:?}'s in domain {:?}, at {place}", end.domain);
            let remedy = "A tunnel leads from the network to the LNS: correct the address or the domain.";
            report.fault(end.site.finding("address", Problem::new(message, remedy)));
        }
    }
}

/// A Disconnect that would go to ourselves.
fn loops(draft: &NodeDraft, report: &Report) {
    for Placed { value, site } in &draft.access_networks {
        let Some(port) = value.disconnect_port else { continue };
        let ours = draft.listeners.iter().find_map(|listener| {
            let inside = value.addresses.iter().any(|network| network.contains(listener.value.address));
            let (key, _) = listener.value.each_port().filter(|_| inside).find(|(_, own)| *own == port)?;
            Some((listener, key))
        });
        if let Some((listener, key)) = ours {
            let at = SocketAddr::from((listener.value.address, port));
            let place = listener.site.place(key);
            let message = format!("{at} is our own listener, at {place}, and one of the network's addresses");
            let remedy = "Give the port where its NASes take Disconnect, or correct the addresses.";
            report.fault(site.finding("disconnect_port", Problem::new(message, remedy)));
        }
    }
}

/// The entry that an address belongs to.
fn around<'e, 'a>(entries: &'e [Entry<'a>], domain: &str, address: IpAddr) -> Option<&'e Entry<'a>> {
    let wanted = Network::host(address);
    let before = |entry: &Entry<'_>| {
        (entry.domain, entry.network.address.is_ipv6(), entry.network.first())
            <= (domain, address.is_ipv6(), wanted.first())
    };
    let last = entries.get(entries.partition_point(before).checked_sub(1)?)?;
    (last.domain == domain && last.network.contains(address)).then_some(last)
}
