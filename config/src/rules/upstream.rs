//! Whether home servers can be reached from our side.

use std::net::IpAddr;

use crate::{
    customer::Host,
    finding::{Problem, Report},
    node::Node,
    read::customer::{CustomerDraft, ProxyDraft},
};

/// Checks each server against our address of its family.
pub(crate) fn check(customers: &[CustomerDraft], node: &Node, report: &Report) {
    let drafts = customers.iter().flat_map(|customer| &customer.proxies);
    for (server, site) in drafts.flat_map(ProxyDraft::peers) {
        // What a name leads to is known when it has been resolved.
        let Host::Address(address) = server.address else { continue };
        if let Some(problem) = unreachable(address, node) {
            report.fault(site.finding("address", problem));
        }
    }
}

fn unreachable(server: IpAddr, node: &Node) -> Option<Problem> {
    let (family, key) = if server.is_ipv4() { ("IPv4", "ipv4") } else { ("IPv6", "ipv6") };
    let Some(ours) = node.upstream_for(server) else {
        let message = format!("{server} is an {family} address, and this node has none to send from");
        return Some(Problem::new(message, format!("Give `{key}` under [upstream] in sekisho.toml.")));
    };
    match (ours.is_loopback(), server.is_loopback()) {
        (true, false) => {
            let message = format!("{server} cannot be reached from {ours}, which is a loopback address");
            let remedy = format!("Give `{key}` under [upstream] in sekisho.toml an address that is routed.");
            Some(Problem::new(message, remedy))
        }
        (false, true) => {
            let message = format!("{server} is this host's loopback, where a customer has no server");
            let remedy = format!(
                "Give the server's address; to try things out on one host, give `{key}` under [upstream] in \
                 sekisho.toml a loopback address."
            );
            Some(Problem::new(message, remedy))
        }
        _ => None,
    }
}
