//! What is up, in a few lines, for the operator who has just started a node.

use std::{fmt::Write as _, net::SocketAddr};

use sekisho_engine::snapshot::HomeKind;

use crate::{
    documents::plural,
    report::{Customer, Report},
};

/// The lines that `sekisho run` begins with.
pub fn up(report: &Report, admin: Option<SocketAddr>) -> String {
    let mut text = String::new();
    let node = &report.node;
    // Writing to a String does not fail.
    let _ = writeln!(text, "sekisho {} \"{}\" is up (process {})", node.version, node.name, node.pid);
    let _ = writeln!(text, "  documents  {}", node.config.display());
    let _ = writeln!(text, "  listening  {}", node.listeners.join(", "));
    let _ = writeln!(text, "  workers    {}", node.workers);
    if report.gate.interfaces.is_empty() {
        let _ = writeln!(text, "  gate       off: userspace judges every packet");
    }
    for interface in &report.gate.interfaces {
        let _ = writeln!(text, "  gate       {}", interface.in_words());
    }
    if let Some(words) = report.gate.in_words() {
        let _ = writeln!(text, "             {words}");
    }
    let sum = |count: fn(&Customer) -> usize| report.customers.iter().map(count).sum::<usize>();
    let _ = writeln!(
        text,
        "  serving    {} with {}, {} and {}",
        plural(report.customers.len(), "customer"),
        plural(sum(|customer| customer.realms.len()), "realm"),
        plural(sum(terminals), "client"),
        plural(sum(ports), "home server port"),
    );
    if !report.access_networks.is_empty() {
        let names: Vec<&str> = report.access_networks.iter().map(|network| network.contract.as_str()).collect();
        let _ = writeln!(text, "  networks   {}", names.join(", "));
    }
    for (customer, one) in report.customers.iter().flat_map(|of| of.unresolved.iter().map(move |one| (of, one))) {
        let _ = writeln!(text, "  unserved   {} of {}: {} {}", one.server, customer.name, one.host, one.why);
    }
    if let Some(admin) = admin {
        let _ = writeln!(text, "  admin      http://{admin}/status, http://{admin}/metrics");
    }
    text
}

/// Those that ask, without those that send CoA and Disconnect.
fn terminals(customer: &Customer) -> usize {
    customer.clients.iter().filter(|client| !client.dynauth).count()
}

/// Ports of home servers; NASes have theirs for other things.
fn ports(customer: &Customer) -> usize {
    customer.servers.iter().filter(|server| server.kind != HomeKind::DynAuth.name()).count()
}
