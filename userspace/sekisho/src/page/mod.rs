//! The status page: what a node does, at a glance, for people.
//!
//! From the whole to the part: node, gate, totals, drops with their reasons; then each customer with its clients, its
//! realms and the state of its servers (`customer`), its `vpdn` contracts and LNSs (`vpdn`). What is zero and would only be noise is left out.

mod customer;
mod drops;
mod lns;
mod registry;
pub mod service;
mod sessions;
mod style;
mod table;
mod vpdn;
mod words;

use std::fmt::Write as _;

use sekisho_engine::{health::Health, snapshot::HomeKind};

use self::words::{duration, named, number, replies};
pub use self::{drops::drops, lns::lnss, sessions::sessions, style::Style};
use crate::report::{Client, Count, Customer, Gate, Node, Report, Server};

/// The whole page. Writing to a String does not fail, so the results of `writeln!` are let go.
pub fn page(report: &Report, style: Style) -> String {
    let mut text = String::new();
    node(&mut text, &report.node, style);
    servers(&mut text, &report.customers, style);
    vpdn::at_a_glance(&mut text, report, style);
    registry::at_a_glance(&mut text, report, style);
    gate(&mut text, &report.gate, style);
    backlog(&mut text, report, style);
    totals(&mut text, report);
    dropped(&mut text, "kernel", &report.gate.dropped, style);
    dropped(&mut text, "userspace", &report.dropped, style);
    networks(&mut text, &report.access_networks, style);
    for one in &report.customers {
        customer::write(&mut text, one, style);
    }
    text
}

fn node(text: &mut String, node: &Node, style: Style) {
    let head = format!("sekisho {} \"{}\"", node.version, node.name);
    let up = duration(node.uptime);
    let _ = writeln!(text, "{}  up {up}, process {}, {} workers", style.bold(&head), node.pid, node.workers);
    let _ = writeln!(text, "  documents  {}, {}", node.config.display(), loaded(node, style));
    let _ = writeln!(text, "  listening  {}", node.listeners.join(", "));
    if node.draining {
        let words = "draining: Status-Server gets no answer; `sekisho drain --off` ends it";
        let _ = writeln!(text, "             {}", style.doubtful(words));
    }
}

fn loaded(node: &Node, style: Style) -> String {
    match node.reload {
        Some(reload) if !reload.succeeded => style.bad("the last reload was refused: what came before is in force"),
        Some(_) if node.reloads_succeeded == 1 => "reloaded once".to_owned(),
        Some(_) => format!("reloaded {} times", number(node.reloads_succeeded)),
        None => "as at the start".to_owned(),
    }
}

/// How the home servers are, and which of them are not well.
fn servers(text: &mut String, customers: &[Customer], style: Style) {
    let all = || {
        let each = customers.iter().flat_map(|customer| customer.servers.iter().map(move |server| (customer, server)));
        each.filter(|(_, server)| server.kind != HomeKind::DynAuth.name())
    };
    let count = |state: &str| all().filter(|(_, server)| server.state == state).count() as u64;
    let nameless = customers.iter().map(|customer| customer.unresolved.len() as u64).sum();
    let states = Health::ALL.map(|health| (health.name(), count(health.name())));
    let counts: Vec<(&str, u64)> = states.into_iter().chain([("without an address", nameless)]).collect();
    let _ = write!(text, "  servers    {}", named(&counts));
    let name = |(customer, server): (&Customer, &Server)| {
        format!("{} of {} ({}) is {}", server.name, customer.name, server.kind, server.state)
    };
    let without = customers.iter().flat_map(|customer| {
        customer.unresolved.iter().map(|one| format!("{} of {} has no address", one.server, customer.name))
    });
    let unwell: Vec<String> = all().filter(|(_, server)| server.state != "alive").map(name).chain(without).collect();
    text.push_str(&unwell_in_words(unwell, style));
    text.push('\n');
}

/// `: home-1 of acme (auth) is dead, and 3 more below`; nothing where all are well.
fn unwell_in_words(unwell: Vec<String>, style: Style) -> String {
    if unwell.is_empty() {
        return String::new();
    }
    let more = unwell.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(", and {more} more below") } else { String::new() };
    let list = unwell.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
    format!(": {}{more}", style.bad(&list))
}

/// Columns of a terminal that tables fit into.
const WIDTH: usize = 120;
/// So many home servers, and so many LNSs, that are not well are named at the top.
const SHOWN: usize = 5;

fn gate(text: &mut String, gate: &Gate, style: Style) {
    if gate.interfaces.is_empty() {
        let _ = writeln!(text, "  gate       {}", style.doubtful("off"));
    }
    for interface in &gate.interfaces {
        let words = interface.in_words();
        let words = if interface.mode == "native" { style.good(&words) } else { style.doubtful(&words) };
        let _ = writeln!(text, "  gate       {words}");
    }
    if let Some(words) = gate.in_words() {
        let words = if gate.pinned.is_some() { words } else { style.doubtful(&words) };
        let _ = writeln!(text, "             {words}");
    }
    if !gate.packets.is_empty() {
        let dropped = Count::new("dropped", gate.dropped.iter().map(|found| found.count).sum());
        let shown = gate.packets.iter().chain([&dropped]).filter(|found| found.count > 0 || found.name == "seen");
        let shown: Vec<String> = shown.map(|found| format!("{} {}", found.name, number(found.count))).collect();
        let _ = writeln!(text, "             packets: {}", shown.join(", "));
    }
}

fn backlog(text: &mut String, report: &Report, style: Style) {
    if let Some(words) = report.backlog.in_words() {
        let _ = writeln!(text, "  backlog    {}", style.bad(&words));
    }
}

fn totals(text: &mut String, report: &Report) {
    let (totals, rates) = (&report.totals, &report.rates);
    if rates.over > 0.0 {
        let _ = writeln!(
            text,
            "  now        {:.0} requests/s, {:.0} replies/s, {:.0} dropped/s; {} in flight, {} answers remembered",
            rates.requests,
            rates.replies,
            rates.dropped,
            number(totals.in_flight),
            number(totals.remembered),
        );
    }
    let requests = [
        ("access", totals.access),
        ("accounting", totals.accounting),
        ("status", totals.status),
        ("disconnect", totals.disconnect),
        ("coa", totals.coa),
    ];
    let _ = writeln!(text, "  requests   {}", named(&requests));
    let _ = writeln!(text, "  replies    {}", replies(&totals.replies));
    let others = [
        ("retransmitted", totals.retransmitted),
        ("failed over", totals.failed_over),
        ("repeated from cache", totals.repeated),
        ("superseded", totals.superseded),
        ("fanned out", totals.fanned_out),
        ("expired", totals.expired),
        ("rejected unanswered", totals.rejected_unanswered),
        ("rejected with all servers down", totals.rejected_down),
        ("rejected over a realm's limit", totals.rejected_limited),
        ("rejected for want of room", totals.rejected_full),
        ("keepalives answered", totals.keepalives),
        ("replies withheld", totals.withheld.sum()),
        ("identities differ", totals.identities_differ),
        ("rejects delayed", totals.delayed),
        ("rejects not delayed", totals.undelayed),
        ("undecryptable attributes", totals.undecryptable),
        ("hidden attributes left out", totals.hidden),
        ("loops", totals.loops),
    ];
    if others.iter().any(|(_, count)| *count > 0) {
        let _ = writeln!(text, "  events     {}", named(&others));
    }
}

fn networks(text: &mut String, networks: &[Client], style: Style) {
    if !networks.is_empty() {
        let _ = writeln!(text, "\n{}", style.bold("access networks"));
    }
    for one in networks {
        customer::client(text, "network", one, style);
    }
}

fn dropped(text: &mut String, at: &str, counts: &[Count], style: Style) {
    for found in counts.iter().filter(|found| found.count > 0) {
        let advice = crate::advice::of_name(&found.name).unwrap_or_default();
        let count = style.doubtful(&format!("{:>10}", number(found.count)));
        let _ = writeln!(text, "  dropped {count} {} in {at}: {advice}", found.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Interface, Proof, Realm, Unresolved};

    #[test]
    fn a_dead_server_its_since_and_a_drop_with_its_remedy_are_seen() {
        let server = Server {
            name: "acme-home-1".into(),
            kind: "auth".into(),
            address: "192.0.2.1:1812".into(),
            state: "dead".into(),
            since: 75.0,
            requests: 3,
            timeouts: 3,
            ..Server::default()
        };
        let realm = Realm { name: "acme.example".into(), requests: 1_234_567, ..Realm::default() };
        let customer =
            Customer { name: "acme".into(), realms: vec![realm], servers: vec![server], ..Customer::default() };
        let mut report = Report { customers: vec![customer], ..Report::default() };
        report.dropped = vec![Count::new("reply_forged", 12), Count::new("too_short", 0)];
        report.gate.interfaces =
            vec![Interface { name: "lo".into(), mode: "generic".into(), reason: Some("lo has no native XDP".into()) }];
        let text = page(&report, Style::Plain);
        assert!(text.contains("acme-home-1 auth 192.0.2.1:1812 dead for 1 min 15 s"), "{text}");
        assert!(text.contains("timeouts 3, no reply ever"), "{text}");
        assert!(text.contains("1,234,567 requests"), "{text}");
        assert!(text.contains("served by no contract"), "{text}");
        assert!(text.contains("12 reply_forged in userspace: replies that do not verify"), "{text}");
        assert!(text.contains("generic on lo (lo has no native XDP)\n"), "{text}");
        assert!(text.lines().nth(3).unwrap().contains("dead 1: acme-home-1 of acme (auth) is dead"), "{text}");
        assert!(!text.contains("too_short") && !text.contains('\x1b'), "{text}");
    }

    #[test]
    fn what_needs_an_operators_eye_is_named_at_the_top_and_at_its_place() {
        let proof =
            Proof { message_authenticator: Some(false), previous_secret: true, previous_secret_used: Some(61.0) };
        let kernel = vec![Count::new("passed", 70), Count::new("client_rate", 1_200)];
        let address = "192.0.2.10".parse().unwrap();
        let client = Client { contract: "acme-nas-1".into(), address, dynauth: false, proof, kernel };
        let server = |name: &str, kind: &str, state: &str| Server {
            name: name.into(),
            kind: kind.into(),
            state: state.into(),
            probes_sent: 4,
            probes_answered: 3,
            ..Server::default()
        };
        let unresolved = Unresolved {
            server: "acme-home-2".into(),
            host: "radius.acme.example".into(),
            why: "has no address".into(),
        };
        let customer = Customer {
            name: "acme".into(),
            clients: vec![client],
            servers: vec![server("acme-home-1", "auth", "draining"), server("acme-nas-1", "dynauth", "alive")],
            unresolved: vec![unresolved],
            ..Customer::default()
        };
        let mut report = Report { customers: vec![customer], ..Report::default() };
        report.node.draining = true;
        let text = page(&report, Style::Plain);
        let said = [
            "draining: Status-Server gets no answer; `sekisho drain --off` ends it\n",
            "servers    draining 1, without an address 1: acme-home-1 of acme (auth) is draining, \
             acme-home-2 of acme has no address\n",
            "acme-nas-1 192.0.2.10, no Message-Authenticator yet, old secret used 1 min 1 s ago, dropped by the gate: client_rate 1,200\n",
            "server  acme-home-2 radius.acme.example has no address: it is asked nothing\n",
            "3 of 4 status checks answered",
        ];
        for words in said {
            assert!(text.contains(words), "no {words:?} in\n{text}");
        }
    }

    #[test]
    fn colours_are_for_terminals_only() {
        assert!(page(&Report::default(), Style::Colours).contains("\x1b["));
    }
}
