//! What is up, in a few lines, for the operator who has just started a node.

use std::{fmt::Write as _, net::SocketAddr};

use crate::{documents::plural, report::Report};

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
    let sum = |count: fn(&crate::report::Customer) -> usize| report.customers.iter().map(count).sum::<usize>();
    let _ = writeln!(
        text,
        "  serving    {} with {}, {} and {}",
        plural(report.customers.len(), "customer"),
        plural(sum(|customer| customer.realms.len()), "realm"),
        plural(sum(|customer| customer.clients.len()), "client"),
        plural(sum(|customer| customer.servers.len()), "home server port"),
    );
    if let Some(admin) = admin {
        let _ = writeln!(text, "  admin      http://{admin}/status, http://{admin}/metrics");
    }
    text
}
