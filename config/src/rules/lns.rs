//! Whose the address of an LNS is, and whether it can be probed from our side.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use super::{
    Claim,
    addresses::{Party, accounting_source, of_lns, peers},
    once,
};
use crate::{
    customer::Host,
    document::Placed,
    finding::{Problem, Report},
    node::Node,
    read::{customer::CustomerDraft, node::NodeDraft},
    vpdn::Lns,
};

/// Checks LNSs' names and addresses, over all documents.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    for customer in customers {
        let names = customer.lnss.iter();
        let names = names.map(|lns| Claim { what: lns.value.name.as_str(), site: &lns.site, key: "name" });
        once(names, report, |name, other| {
            let message = format!("{name:?} is another LNS of this customer, at {other}");
            Problem::new(message, "Give each LNS a name of its own.")
        });
        if customer.sound {
            idle(customer, report);
        }
    }
    shared(customers, report);
    sources(customers, report);
    ours(customers, draft, report);
    if let Some(node) = &draft.node {
        for Placed { value, site } in customers.iter().flat_map(|customer| &customer.lnss) {
            if let Some((key, problem)) = unreachable(value, node) {
                report.fault(site.finding(key, problem));
            }
        }
    }
}

/// Warns of an LNS that no contract uses.
fn idle(customer: &CustomerDraft, report: &Report) {
    let used: HashSet<&str> = customer.vpdn.iter().flat_map(|draft| draft.vpdn.lnss()).collect();
    for lns in customer.lnss.iter().filter(|lns| !used.contains(lns.value.name.as_str())) {
        let message = format!("no contract has {:?} among its LNSs, so no tunnel ends there", lns.value.name);
        let remedy = "Name it as `lns` of a [[vpdn]], or take it out.";
        report.warn(lns.site.finding("name", Problem::new(message, remedy)));
    }
}

/// An LNS is a customer's once: its sessions count once, and Tunnel-Server-Endpoint says which it is, whatever the
/// domain. Where it is, nothing is another customer's.
fn shared(customers: &[CustomerDraft], report: &Report) {
    let mut at: HashMap<_, Vec<(usize, Party<'_>)>> = HashMap::new();
    for (owner, customer) in customers.iter().enumerate() {
        for party in peers(customer) {
            at.entry((party.domain, party.address.clone())).or_default().push((owner, party));
        }
    }
    for (owner, customer) in customers.iter().enumerate() {
        let own = customer.lnss.iter().map(|lns| Claim { what: &lns.value.address, site: &lns.site, key: "address" });
        once(own, report, |address, other| {
            let message = format!("{address} is an LNS of this customer already, at {other}");
            Problem::new(message, "Name it once: contracts share it by its name.")
        });
        for party in customer.lnss.iter().flat_map(of_lns) {
            let there = at.entry((party.domain, party.address.clone())).or_default();
            if let Some((_, other)) = there.iter().find(|(other, _)| *other != owner) {
                let place = other.site.place(other.key);
                let message =
                    format!("{} is another customer's in domain {:?}, at {place}", party.address, party.domain);
                let remedy = "A host is one customer's: correct the address or the domain.";
                report.fault(party.site.finding(party.key, Problem::new(message, remedy)));
            }
            there.push((owner, party));
        }
    }
}

/// What accounting comes from is one LNS, and no terminal.
fn sources(customers: &[CustomerDraft], report: &Report) {
    for customer in customers {
        let sources = || customer.lnss.iter().filter_map(accounting_source);
        let claims = sources().map(|it| Claim { what: (it.domain, it.address), site: it.site, key: it.key });
        once(claims, report, |(domain, address), other| {
            let message =
                format!("{address} is what another LNS of domain {domain:?} sends accounting from, at {other}");
            Problem::new(message, "Give each LNS an `accounting_address` of its own.")
        });
        // Another customer's has been told.
        let terminal = |source: &Party<'_>| {
            let mut clients = customer.clients.iter();
            clients.find(|it| it.value.domain == source.domain && Host::Address(it.value.address) == source.address)
        };
        for source in sources() {
            if let Some(client) = terminal(&source) {
                let place = client.site.place("address");
                let message = format!("{} is a client contract's, at {place}", source.address);
                let remedy = "A source has one secret: let the LNS send accounting from another address.";
                report.fault(source.site.finding(source.key, Problem::new(message, remedy)));
            }
        }
    }
}

/// No tunnel ends at us, nor on this host, unless all of it is tried out on loopback.
fn ours(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    let (ours, trial) = (our_addresses(draft), is_trial(draft));
    for party in customers.iter().flat_map(|customer| &customer.lnss).flat_map(of_lns) {
        let Host::Address(address) = party.address else { continue };
        let problem = if ours.contains(&address) {
            Problem::new(format!("{address} is our own address"), "Give the address of the customer's LNS.")
        } else if address.is_loopback() && !trial {
            let message = format!("{address} is this host's loopback, where a customer has no LNS");
            let remedy = "Give the LNS's address; to try things out on one host, let all listeners be on loopback.";
            Problem::new(message, remedy)
        } else {
            continue;
        };
        report.fault(party.site.finding(party.key, problem));
    }
}

/// Every address of ours.
pub(super) fn our_addresses(draft: &NodeDraft) -> HashSet<IpAddr> {
    let listeners = draft.listeners.iter().map(|listener| listener.value.address);
    listeners.chain(draft.node.iter().flat_map(toward_others)).collect()
}

/// Whether all of it is tried out on one host: every listener is on loopback.
pub(super) fn is_trial(draft: &NodeDraft) -> bool {
    draft.listeners.iter().all(|listener| listener.value.address.is_loopback())
}

/// Our addresses toward home servers and LNSs.
fn toward_others(node: &Node) -> impl Iterator<Item = IpAddr> {
    let v4 = [node.upstream.ipv4, node.l2tp.ipv4].into_iter().flatten().map(IpAddr::V4);
    v4.chain([node.upstream.ipv6, node.l2tp.ipv6].into_iter().flatten().map(IpAddr::V6))
}

/// Why an LNS that is to be probed cannot be, and at which key that is mended.
fn unreachable(lns: &Lns, node: &Node) -> Option<(&'static str, Problem)> {
    let (probe, Host::Address(address)) = (lns.probe.as_ref()?, &lns.address) else { return None };
    let (family, key) = if address.is_ipv4() { ("IPv4", "ipv4") } else { ("IPv6", "ipv6") };
    if let Some(from) = probe.from.filter(|from| from.is_ipv4() != address.is_ipv4()) {
        let message = format!("{from} is of another family than the LNS's address {address}");
        return Some(("probe_from", Problem::new(message, format!("Give one of our {family} addresses."))));
    }
    let Some(from) = probe.from.or(node.l2tp_for(*address)) else {
        let message = format!("{address} is an {family} address, and this node has none to probe it from");
        let remedy = format!("Give `{key}` under [l2tp] in sekisho.toml, or `probe_from` here.");
        return Some(("probe", Problem::new(message, remedy)));
    };
    if from.is_loopback() == address.is_loopback() {
        return None;
    }
    let message = format!("{address} cannot be reached from {from}, and only one of them is a loopback address");
    let remedy = format!("Give `{key}` under [l2tp] in sekisho.toml, or `probe_from` here, an address that is routed.");
    Some((if probe.from.is_some() { "probe_from" } else { "probe" }, Problem::new(message, remedy)))
}
