//! Dynamic authorization needs three: who asks, where it is taken, and which terminal does it.

use std::{fmt::Display, hash::Hash};

use super::{Claim, repeated, vpdn::networks};
use crate::{
    finding::{Problem, Report},
    read::{customer::CustomerDraft, node::NodeDraft},
};

/// Warns where one of them is missing.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    let taken = draft.listeners.iter().any(|listener| listener.value.dynauth.is_some());
    for customer in customers.iter().filter(|customer| customer.sound) {
        names(customer, report);
        let Some(first) = customer.dynauth.first() else {
            nobody(customer, report);
            continue;
        };
        if !taken {
            let remedy = "Give a [[listener]] of sekisho.toml the port `dynauth`; 3799 is usual.";
            let problem = Problem::new("no listener takes CoA and Disconnect, so nothing comes of it", remedy);
            report.warn(first.site.finding("", problem));
        }
        let disconnects = |vpdn| networks(draft, vpdn).any(|network| network.value.disconnect_port.is_some());
        if customer.clients.iter().all(|client| client.value.dynauth.is_none())
            && !customer.vpdn.iter().any(disconnects)
        {
            let remedy = "Give `dynauth`, the port, at each [[client]] that takes CoA and Disconnect.";
            let problem = Problem::new("no terminal of this customer takes CoA and Disconnect", remedy);
            report.warn(first.site.finding("", problem));
        }
    }
}

/// Warns of terminals that would take CoA and Disconnect from nobody.
fn nobody(customer: &CustomerDraft, report: &Report) {
    if let Some(first) = customer.clients.iter().find(|client| client.value.dynauth.is_some()) {
        let remedy = "Add [[dynauth]] with the server that sends them, or take this key out.";
        let problem = Problem::new("nobody of this customer sends CoA and Disconnect", remedy);
        report.warn(first.site.finding("dynauth", problem));
    }
}

/// Warns of terminals that a CoA cannot tell apart: it names one by address or identifier (RFC 5176 §3).
fn names(customer: &CustomerDraft, report: &Report) {
    let terminals = || customer.clients.iter().filter(|client| client.value.dynauth.is_some());
    let addresses = terminals().flat_map(|client| {
        let own = (client.value.address, "address");
        // Its own once more is no second one.
        let more = client.value.nas_addresses.iter().filter(|address| **address != client.value.address);
        let all = std::iter::once(own).chain(more.map(|address| (*address, "nas_addresses")));
        all.map(|(what, key)| Claim { what, site: &client.site, key })
    });
    let identifiers = terminals().flat_map(|client| {
        let all = client.value.nas_identifiers.iter();
        all.map(|what| Claim { what: what.as_str(), site: &client.site, key: "nas_identifiers" })
    });
    ambiguous(addresses, report);
    ambiguous(identifiers, report);
}

fn ambiguous<'a, K: Hash + Eq + Clone + Display>(claims: impl Iterator<Item = Claim<'a, K>>, report: &Report) {
    repeated(claims, |Claim { what, site, key }, other| {
        let message = format!("\"{what}\" is another terminal's too, at {other}: a CoA that names it goes to neither");
        let remedy = "Give each terminal that takes CoA an address or an identifier of its own.";
        report.warn(site.finding(key, Problem::new(message, remedy)));
    });
}
