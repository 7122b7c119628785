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
    vpdn(&mut text, report);
    for (customer, one) in report.customers.iter().flat_map(|of| of.unresolved.iter().map(move |one| (of, one))) {
        let _ = writeln!(text, "  unserved   {} of {}: {} {}", one.server, customer.name, one.host, one.why);
    }
    if let Some(admin) = admin {
        let _ = writeln!(text, "  admin      http://{admin}/status, http://{admin}/metrics");
    }
    text
}

/// What there is of VPDN: contracts, the sessions of the last run, the journal.
fn vpdn(text: &mut String, report: &Report) {
    let contracts: Vec<&str> = report
        .customers
        .iter()
        .flat_map(|customer| &customer.vpdn)
        .map(|contract| contract.contract.as_str())
        .collect();
    if !contracts.is_empty() {
        let more = if contracts.len() > SHOWN { ", …" } else { "" };
        let shown: Vec<&str> = contracts.iter().take(SHOWN).copied().collect();
        let lnss = report.customers.iter().map(|customer| customer.lns.len()).sum();
        let (count, lnss) = (plural(contracts.len(), "contract"), plural(lnss, "LNS"));
        let _ = writeln!(text, "  vpdn       {count} with {lnss}: {}{more}", shown.join(", "));
    }
    if report.sessions.restored > 0 {
        let restored = usize::try_from(report.sessions.restored).unwrap_or(usize::MAX);
        let _ = writeln!(text, "  sessions   {} of the last run", plural(restored, "session"));
    }
    if report.journal.segments > 0 {
        let _ = writeln!(text, "  journal    {}", report.journal.directory.display());
    }
}

/// So many contracts are named.
const SHOWN: usize = 5;

/// Those that ask, without those that send CoA and Disconnect.
fn terminals(customer: &Customer) -> usize {
    customer.clients.iter().filter(|client| !client.dynauth).count()
}

/// Ports of home servers; NASes have theirs for other things.
fn ports(customer: &Customer) -> usize {
    customer.servers.iter().filter(|server| server.kind != HomeKind::DynAuth.name()).count()
}
