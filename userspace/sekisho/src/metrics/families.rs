//! Counters and gauges: each family's name, help and values side by side.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use sekisho_engine::{health::Health, snapshot::HomeKind};

use crate::report::{Backlog, Client, Count, Customer, Gate, Node, Proof, Realm, Report, Server, Totals};

/// The modes of an interface.
const MODES: [&str; 3] = ["native", "generic", "off"];

/// Records everything but the histograms.
pub(super) fn record(report: &Report) {
    node(&report.node);
    totals(&report.totals);
    backlog(&report.backlog);
    gate(&report.gate);
    memory(&report.gate);
    dropped(report);
    describe_customers();
    in_kernel("", "", &report.gate.nobody);
    report.access_networks.iter().for_each(|of| client("", of));
    for one in &report.customers {
        customer(one);
        one.clients.iter().for_each(|of| client(&one.name, of));
        one.realms.iter().for_each(|of| realm(&one.name, of));
        one.servers.iter().for_each(|of| server(&one.name, of));
        for of in &one.unresolved {
            let labels = [("customer", one.name.as_str()), ("server", &of.server), ("host", &of.host)];
            gauge!("sekisho_server_unresolved", &owned(&labels)).set(1.0);
        }
    }
}

fn node(node: &Node) {
    describe_gauge!("sekisho_build_info", "Always 1; the labels tell the program's version and the node's name.");
    gauge!("sekisho_build_info", "version" => node.version.clone(), "node" => node.name.clone()).set(1.0);
    describe_gauge!("sekisho_uptime_seconds", Unit::Seconds, "Time since the start, in seconds.");
    gauge!("sekisho_uptime_seconds").set(node.uptime);
    describe_gauge!("sekisho_workers", "Worker threads.");
    gauge!("sekisho_workers").set(node.workers as f64);
    describe_gauge!("sekisho_draining", "1 while Status-Server gets no answer, so that clients look for another node.");
    gauge!("sekisho_draining").set(if node.draining { 1.0 } else { 0.0 });
    describe_counter!("sekisho_config_reloads_total", "Attempts to reload the documents, by result.");
    counter!("sekisho_config_reloads_total", "result" => "success").absolute(node.reloads_succeeded);
    counter!("sekisho_config_reloads_total", "result" => "refused").absolute(node.reloads_refused);
    describe_gauge!("sekisho_config_last_reload_successful", "1 unless the last attempt to reload was refused.");
    let refused = node.reload.is_some_and(|reload| !reload.succeeded);
    gauge!("sekisho_config_last_reload_successful").set(if refused { 0.0 } else { 1.0 });
    describe_gauge!(
        "sekisho_config_last_reload_timestamp_seconds",
        "When the last attempt was, in seconds since 1970."
    );
    if let Some(reload) = node.reload {
        gauge!("sekisho_config_last_reload_timestamp_seconds").set(reload.at as f64);
    }
}

fn totals(totals: &Totals) {
    describe_counter!("sekisho_datagrams_total", "Datagrams received, on service sockets and from home servers.");
    counter!("sekisho_datagrams_total", "socket" => "service").absolute(totals.requests_received);
    counter!("sekisho_datagrams_total", "socket" => "upstream").absolute(totals.replies_received);
    describe_counter!("sekisho_requests_total", "Requests verified, by code.");
    counter!("sekisho_requests_total", "code" => "access").absolute(totals.access);
    counter!("sekisho_requests_total", "code" => "accounting").absolute(totals.accounting);
    counter!("sekisho_requests_total", "code" => "status").absolute(totals.status);
    counter!("sekisho_requests_total", "code" => "disconnect").absolute(totals.disconnect);
    counter!("sekisho_requests_total", "code" => "coa").absolute(totals.coa);
    describe_counter!("sekisho_replies_total", "Replies sent to clients, by code.");
    for (code, count) in totals.replies.by_code() {
        counter!("sekisho_replies_total", "code" => code).absolute(count);
    }
    for (name, help, count) in [
        ("sekisho_forwarded_total", "Requests forwarded for the first time.", totals.forwarded),
        (
            "sekisho_retransmitted_total",
            "Copies sent upstream again because the client repeated.",
            totals.retransmitted,
        ),
        ("sekisho_failovers_total", "Requests moved to another home server.", totals.failed_over),
        ("sekisho_repeated_replies_total", "Replies repeated from the cache.", totals.repeated),
        (
            "sekisho_superseded_total",
            "Requests that took the place of an older one of the same key.",
            totals.superseded,
        ),
        (
            "sekisho_fanned_out_total",
            "Accounting that went to several pools or was recorded besides.",
            totals.fanned_out,
        ),
        ("sekisho_expired_total", "Requests that got no answer within the client's budget.", totals.expired),
        (
            "sekisho_rejected_unanswered_total",
            "Rejects to requests that nobody answered within the client's budget.",
            totals.rejected_unanswered,
        ),
        (
            "sekisho_rejected_down_total",
            "Rejects to requests whose servers were all dead or out of service.",
            totals.rejected_down,
        ),
        (
            "sekisho_rejected_limited_total",
            "Rejects to logins of access networks over the limit of their realm.",
            totals.rejected_limited,
        ),
        (
            "sekisho_rejected_full_total",
            "Rejects to logins of access networks that there was no room for.",
            totals.rejected_full,
        ),
        (
            "sekisho_identities_differ_total",
            "Access-Requests whose EAP-Identity is another name than their User-Name.",
            totals.identities_differ,
        ),
        ("sekisho_delayed_rejects_total", "Rejects of our own that were held back.", totals.delayed),
        ("sekisho_undelayed_rejects_total", "Rejects sent at once because too many were held back.", totals.undelayed),
        (
            "sekisho_undecryptable_total",
            "Attributes that could not be decrypted and were left out.",
            totals.undecryptable,
        ),
        (
            "sekisho_hidden_total",
            "Attributes of CoA- and Disconnect-Requests left out, since no NAS could decrypt them.",
            totals.hidden,
        ),
        ("sekisho_loops_total", "Proxy loops detected.", totals.loops),
        (
            "sekisho_keepalives_total",
            "Logins of access networks that only asked whether this node is there.",
            totals.keepalives,
        ),
    ] {
        describe_counter!(name, help);
        counter!(name).absolute(count);
    }
    describe_counter!("sekisho_withheld_total", "Replies of home servers that became a Reject, by what was in them.");
    for (what, count) in totals.withheld.by_reason() {
        counter!("sekisho_withheld_total", "what" => what).absolute(count);
    }
    for (name, help, value) in [
        ("sekisho_in_flight", "Requests in flight.", totals.in_flight),
        ("sekisho_remembered", "Answers remembered for retransmissions.", totals.remembered),
        ("sekisho_upstream_ports", "Ports open toward home servers.", totals.ports),
    ] {
        describe_gauge!(name, help);
        gauge!(name).set(value as f64);
    }
}

fn backlog(backlog: &Backlog) {
    describe_gauge!(
        "sekisho_backlog_ratio",
        "How full the fullest table of requests and the fullest receive queue are."
    );
    gauge!("sekisho_backlog_ratio", "of" => "requests").set(backlog.tables);
    gauge!("sekisho_backlog_ratio", "of" => "receive_queue").set(backlog.queues);
    describe_gauge!(
        "sekisho_shedding_level",
        "What is shed: 0 nothing, 1 Interim-Updates, 2 Interim-Updates and Starts."
    );
    gauge!("sekisho_shedding_level").set(backlog.shedding as f64);
}

fn gate(gate: &Gate) {
    describe_counter!("sekisho_gate_packets_total", "Packets that the gate in the kernel saw, by where they ended.");
    for found in &gate.packets {
        counter!("sekisho_gate_packets_total", "outcome" => found.name.clone()).absolute(found.count);
    }
    if !gate.packets.is_empty() {
        let dropped = gate.dropped.iter().map(|found| found.count).sum();
        counter!("sekisho_gate_packets_total", "outcome" => "dropped").absolute(dropped);
    }
    describe_gauge!("sekisho_xdp_mode", "1 for the mode that the gate has on the interface.");
    for interface in &gate.interfaces {
        for mode in MODES {
            let value = if interface.mode == mode { 1.0 } else { 0.0 };
            gauge!("sekisho_xdp_mode", "interface" => interface.name.clone(), "mode" => mode).set(value);
        }
    }
}

fn memory(gate: &Gate) {
    describe_gauge!("sekisho_gate_pinned", "1 where the gate stays in place while no process runs.");
    describe_gauge!("sekisho_gate_answers", "1 where the gate absorbs and answers repetitions itself.");
    describe_counter!(
        "sekisho_published_total",
        "Repeated requests published to the gate, by what repetitions get from then on."
    );
    for found in &gate.published {
        counter!("sekisho_published_total", "answer" => found.name.clone()).absolute(found.count);
    }
    describe_gauge!("sekisho_gate_memory_bytes", Unit::Bytes, "What the gate's tables take in the kernel.");
    if gate.memory.is_empty() {
        return;
    }
    gauge!("sekisho_gate_pinned").set(if gate.pinned.is_some() { 1.0 } else { 0.0 });
    gauge!("sekisho_gate_answers").set(if gate.answers { 1.0 } else { 0.0 });
    for table in &gate.memory {
        gauge!("sekisho_gate_memory_bytes", "table" => table.name.to_ascii_lowercase()).set(table.count as f64);
    }
}

/// Of a client in the kernel; of nobody, with empty names, those of sources without a contract.
fn in_kernel(customer: &str, client: &str, counts: &[Count]) {
    for found in counts {
        count(
            "sekisho_client_packets_total",
            &[("customer", customer), ("client", client), ("outcome", &found.name)],
            found.count,
        );
    }
}

fn dropped(report: &Report) {
    describe_counter!("sekisho_dropped_total", "Packets dropped, by where and why.");
    for (at, counts) in [("kernel", &report.gate.dropped), ("userspace", &report.dropped)] {
        for found in counts {
            counter!("sekisho_dropped_total", "where" => at, "reason" => found.name.clone()).absolute(found.count);
        }
    }
}

fn describe_customers() {
    for (name, help) in [
        ("sekisho_customer_requests_total", "Requests verified from the customer's clients."),
        ("sekisho_customer_replies_total", "Replies sent to the customer's clients, by code."),
        ("sekisho_customer_dropped_total", "Packets of the customer's clients dropped, of whatever reason."),
        (
            "sekisho_customer_unroutable_total",
            "Requests of the customer's clients for no realm, or none that the customer may use.",
        ),
        ("sekisho_client_packets_total", "Packets of the client that the gate judged, by where they ended."),
        ("sekisho_realm_requests_total", "Requests routed to the realm."),
        ("sekisho_realm_replies_total", "Replies for the realm, by code."),
        ("sekisho_realm_expired_total", "Requests for the realm that got no answer."),
        ("sekisho_server_requests_total", "Requests sent to the home server for the first time."),
        ("sekisho_server_retransmitted_total", "Copies sent to the home server again."),
        ("sekisho_server_replies_total", "Verified replies of the home server, by code."),
        ("sekisho_server_timeouts_total", "Requests not answered within response_window."),
        (
            "sekisho_server_forged_total",
            "Replies that did not verify, or lacked a Message-Authenticator that has been there before.",
        ),
        ("sekisho_server_unmatched_total", "Replies that no request waited for."),
        ("sekisho_server_withheld_total", "Verified replies that became a Reject because of what was in them."),
        ("sekisho_server_copies_total", "Copies of accounting sent to the server."),
        ("sekisho_server_copies_skipped_total", "Copies that the server was not sent, since it could take none."),
        ("sekisho_server_probes_sent_total", "Status-Server sent to the home server."),
        ("sekisho_server_probes_answered_total", "Status-Server that it answered in time."),
    ] {
        describe_counter!(name, help);
    }
    for (name, help) in [
        (
            "sekisho_client_message_authenticator_learned",
            "1 where it has been learned that the client sends Message-Authenticator; only with auto.",
        ),
        (
            "sekisho_client_previous_secret_last_used_seconds",
            "Seconds since the client last used the secret before the present one.",
        ),
        ("sekisho_server_outstanding", "Requests outstanding at the home server."),
        ("sekisho_server_state", "1 for the state that the home server is in."),
        (
            "sekisho_server_message_authenticator_learned",
            "1 where it has been learned that the server sends Message-Authenticator; only with auto.",
        ),
        (
            "sekisho_server_previous_secret_last_used_seconds",
            "Seconds since the server last used the secret before the present one.",
        ),
        ("sekisho_server_unresolved", "1 for a home server that is asked nothing, since its name has no address."),
    ] {
        describe_gauge!(name, help);
    }
}

fn customer(customer: &Customer) {
    let name = &customer.name;
    counter!("sekisho_customer_requests_total", "customer" => name.clone()).absolute(customer.requests);
    counter!("sekisho_customer_dropped_total", "customer" => name.clone()).absolute(customer.dropped);
    counter!("sekisho_customer_unroutable_total", "customer" => name.clone()).absolute(customer.unroutable);
    replies("sekisho_customer_replies_total", &[("customer", name)], &customer.replies.by_code());
}

fn client(customer: &str, client: &Client) {
    let labels = [("customer", customer), ("client", client.contract.as_str())];
    let names = ["sekisho_client_message_authenticator_learned", "sekisho_client_previous_secret_last_used_seconds"];
    proof(names, &labels, &client.proof);
    in_kernel(customer, &client.contract, &client.kernel);
}

fn proof([learned, previous]: [&'static str; 2], labels: &[(&str, &str)], proof: &Proof) {
    if let Some(value) = proof.message_authenticator {
        gauge!(learned, &owned(labels)).set(if value { 1.0 } else { 0.0 });
    }
    if let Some(seconds) = proof.previous_secret_used {
        gauge!(previous, &owned(labels)).set(seconds);
    }
}

fn realm(customer: &str, realm: &Realm) {
    let labels = [("customer", customer), ("realm", realm.name.as_str())];
    count("sekisho_realm_requests_total", &labels, realm.requests);
    count("sekisho_realm_expired_total", &labels, realm.expired);
    replies("sekisho_realm_replies_total", &labels, &realm.replies.to_terminals());
}

fn server(customer: &str, server: &Server) {
    let labels = [("customer", customer), ("server", server.name.as_str()), ("kind", server.kind.as_str())];
    count("sekisho_server_requests_total", &labels, server.requests);
    count("sekisho_server_retransmitted_total", &labels, server.retransmitted);
    count("sekisho_server_timeouts_total", &labels, server.timeouts);
    count("sekisho_server_forged_total", &labels, server.forged);
    count("sekisho_server_unmatched_total", &labels, server.unmatched);
    count("sekisho_server_withheld_total", &labels, server.withheld);
    count("sekisho_server_copies_total", &labels, server.copies);
    count("sekisho_server_copies_skipped_total", &labels, server.copies_skipped);
    count("sekisho_server_probes_sent_total", &labels, server.probes_sent);
    count("sekisho_server_probes_answered_total", &labels, server.probes_answered);
    let names = ["sekisho_server_message_authenticator_learned", "sekisho_server_previous_secret_last_used_seconds"];
    proof(names, &labels, &server.proof);
    // What cannot come is no series: there are many servers.
    let of_kind = if server.kind == HomeKind::DynAuth.name() {
        server.replies.to_dynauth()
    } else {
        server.replies.to_terminals()
    };
    replies("sekisho_server_replies_total", &labels, &of_kind);
    gauge!("sekisho_server_outstanding", &owned(&labels)).set(server.outstanding as f64);
    for health in Health::ALL {
        let mut labels = owned(&labels);
        labels.push(("state".to_owned(), health.name().to_owned()));
        gauge!("sekisho_server_state", &labels).set(if server.state == health.name() { 1.0 } else { 0.0 });
    }
}

fn replies(name: &'static str, labels: &[(&str, &str)], replies: &[(&str, u64)]) {
    for (code, value) in replies {
        let mut labels = owned(labels);
        labels.push(("code".to_owned(), (*code).to_owned()));
        counter!(name, &labels).absolute(*value);
    }
}

pub(super) fn count(name: &'static str, labels: &[(&str, &str)], value: u64) {
    counter!(name, &owned(labels)).absolute(value);
}

pub(super) fn owned(labels: &[(&str, &str)]) -> Vec<(String, String)> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
