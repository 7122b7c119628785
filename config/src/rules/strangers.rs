//! Customers' documents in the registry lead to hosts of their own: not to us, and not to another customer's host.
//!
//! Files of a node are an operator's own words, and may have two customers on one host or a home server beside us.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use super::{
    addresses::{Party, peers, servers},
    lns::{is_trial, our_addresses},
};
use crate::{
    customer::Host,
    finding::{Problem, Report},
    read::{customer::CustomerDraft, node::NodeDraft},
};

/// Checks home servers. Those of LNSs hold everywhere.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    // On one host for trial, everybody is at the same addresses and told apart by the port.
    let trial = is_trial(draft);
    let everybodys = |host: &Host| trial && matches!(host, Host::Address(address) if address.is_loopback());
    let ours = our_addresses(draft);
    for (server, site) in customers.iter().flat_map(servers).filter(|(server, _)| !everybodys(&server.address)) {
        if let Host::Address(address) = server.address
            && ours.contains(&address)
        {
            let problem =
                Problem::new(format!("{address} is our own address"), "Give the address of the customer's server.");
            report.fault(site.finding("address", problem));
        }
    }
    shared(customers, &ours, everybodys, report);
}

/// One who is at a host: whose it is, and whether it is a home server.
struct Guest<'a> {
    owner: usize,
    serves: bool,
    party: Party<'a>,
}

/// Of two customers at one host of a domain one has a home server there: whose document comes later is told of it.
fn shared(customers: &[CustomerDraft], ours: &HashSet<IpAddr>, everybodys: impl Fn(&Host) -> bool, report: &Report) {
    let is_ours = |host: &Host| matches!(host, Host::Address(address) if ours.contains(address));
    let mut at: HashMap<(&str, Host), Vec<Guest<'_>>> = HashMap::new();
    for (owner, customer) in customers.iter().enumerate() {
        for party in peers(customer).filter(|party| !everybodys(&party.address) && !is_ours(&party.address)) {
            let serves = party.site.path.starts_with("proxy");
            let there = at.entry((party.domain, party.address.clone())).or_default();
            if let Some(other) = there.iter().find(|other| other.owner != owner && (serves || other.serves)) {
                let place = other.party.site.place(other.party.key);
                let message =
                    format!("{} is another customer's in domain {:?}, at {place}", party.address, party.domain);
                let remedy = "A host is one customer's: correct the address or the domain.";
                report.fault(party.site.finding(party.key, Problem::new(message, remedy)));
            }
            there.push(Guest { owner, serves, party });
        }
    }
}
