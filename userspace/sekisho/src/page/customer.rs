//! A customer on the status page: what became of its requests, and who of its clients and servers needs an eye.

use std::fmt::Write as _;

use super::{
    registry,
    style::Style,
    vpdn,
    words::{duration, named, number, replies},
};
use crate::report::{Client, Customer, Histogram, Proof, Realm, Server};

/// Appends a customer.
pub(super) fn write(text: &mut String, customer: &Customer, style: Style) {
    let _ = writeln!(
        text,
        "\n{}  {} requests; replies: {}",
        style.bold(&customer.name),
        number(customer.requests),
        replies(&customer.replies)
    );
    let trouble = [("dropped", customer.dropped), ("not routable", customer.unroutable)];
    if trouble.iter().any(|(_, count)| *count > 0) {
        let _ = writeln!(text, "  {}", style.doubtful(&named(&trouble)));
    }
    for client in &customer.clients {
        self::client(text, if client.dynauth { "dynauth" } else { "client " }, client, style);
    }
    for one in &customer.realms {
        realm(text, one, style);
    }
    for one in &customer.servers {
        server(text, one, style);
    }
    for one in &customer.unresolved {
        let why = style.bad(&format!("{} {}: it is asked nothing", one.host, one.why));
        let _ = writeln!(text, "  server  {} {why}", one.server);
    }
    customer.groups.iter().for_each(|group| registry::group(text, group));
    vpdn::write(text, customer, style);
}

/// Appends a client, under the word for what it is.
pub(super) fn client(text: &mut String, noun: &str, client: &Client, style: Style) {
    let proof = proof(&client.proof, style);
    let dropped = client.kernel.iter().filter(|found| crate::advice::of_name(&found.name).is_some());
    let dropped: Vec<(&str, u64)> = dropped.map(|found| (found.name.as_str(), found.count)).collect();
    let dropped = match dropped.as_slice() {
        [] => String::new(),
        dropped => format!(", {}", style.doubtful(&format!("dropped by the gate: {}", named(dropped)))),
    };
    let _ = writeln!(text, "  {noun} {} {}{proof}{dropped}", client.contract, client.address);
}

/// What stands out of how a client or server proves itself: an old secret in use, Message-Authenticator never seen.
fn proof(proof: &Proof, style: Style) -> String {
    let mut text = String::new();
    if proof.message_authenticator == Some(false) {
        text.push_str(", no Message-Authenticator yet");
    }
    match proof.previous_secret_used {
        Some(ago) => {
            let words = format!("old secret used {} ago", duration(ago));
            text.push_str(", ");
            text.push_str(&style.doubtful(&words));
        }
        None if proof.previous_secret => text.push_str(", old secret not used"),
        None => {}
    }
    text
}

fn realm(text: &mut String, realm: &Realm, style: Style) {
    let tunnels = realm.vpdn.join(", ");
    let served = match &realm.contract {
        None if !realm.vpdn.is_empty() => format!("tunnels by {tunnels}"),
        Some(contract) if realm.hosted => format!("answered here, by {contract}"),
        Some(contract) if realm.servers.is_empty() => {
            format!("by {contract} ({})", style.bad("none of its servers has an address"))
        }
        Some(contract) => format!("by {contract} ({})", realm.servers.join(", ")),
        None => style.bad("served by no contract"),
    };
    let more = match &realm.contract {
        Some(_) if !realm.vpdn.is_empty() => format!(", tunnels by {tunnels}"),
        _ => String::new(),
    };
    let _ = write!(text, "  realm   {} {served}{more}: {} requests", realm.name, number(realm.requests));
    if realm.expired > 0 {
        let _ = write!(text, ", {}", style.bad(&format!("{} unanswered", number(realm.expired))));
    }
    let _ = writeln!(text, "{}", latency(&realm.latency));
}

fn server(text: &mut String, server: &Server, style: Style) {
    let state = match server.state.as_str() {
        "alive" => style.good("alive"),
        "dead" => style.bad("dead"),
        state => style.doubtful(state),
    };
    let _ = write!(
        text,
        "  server  {} {} {} {state} for {}: {} requests, {} replies, {} outstanding",
        server.name,
        server.kind,
        server.address,
        duration(server.since),
        number(server.requests),
        number(server.replies.sum()),
        number(server.outstanding),
    );
    let trouble = [
        ("timeouts", server.timeouts),
        ("retransmitted", server.retransmitted),
        ("forged", server.forged),
        ("unmatched", server.unmatched),
        ("withheld", server.withheld),
        ("copies skipped", server.copies_skipped),
    ];
    if trouble.iter().any(|(_, count)| *count > 0) {
        let _ = write!(text, ", {}", style.doubtful(&named(&trouble)));
    }
    if server.probes_sent > 0 {
        let (sent, answered) = (number(server.probes_sent), number(server.probes_answered));
        let _ = write!(text, ", {answered} of {sent} status checks answered");
    }
    // What has said nothing yet has left nothing out either.
    let quiet = server.replies.sum() == 0 && server.proof.message_authenticator == Some(false);
    let shown = Proof { message_authenticator: server.proof.message_authenticator.filter(|_| !quiet), ..server.proof };
    text.push_str(&proof(&shown, style));
    let last = match server.last_reply {
        Some(ago) => format!(", last reply {} ago", duration(ago)),
        None if server.requests > 0 => format!(", {}", style.bad("no reply ever")),
        None => String::new(),
    };
    let _ = writeln!(text, "{last}{}", latency(&server.latency));
}

fn latency(histogram: &Histogram) -> String {
    match (histogram.quantile(0.5), histogram.quantile(0.99)) {
        (Some(median), Some(worst)) => format!(", p50 {median:.1} ms, p99 {worst:.1} ms"),
        _ => String::new(),
    }
}
