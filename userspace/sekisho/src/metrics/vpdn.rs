//! `vpdn` contracts, LNSs, sessions and the journal.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use sekisho_lns::health::State;

use super::families::{count, owned};
use crate::report::{Count, Journal, Lns, Report, SessionTable, Vpdn};

/// Records everything but the histogram.
pub(super) fn record(report: &Report) {
    describe();
    for customer in &report.customers {
        customer.vpdn.iter().for_each(|of| contract(&customer.name, of));
        customer.lns.iter().for_each(lns);
    }
    sessions(&report.sessions);
    journal(&report.journal);
}

fn describe() {
    for (name, help) in [
        ("sekisho_vpdn_accepts_total", "Accepts with a tunnel, by why the LNS was chosen."),
        ("sekisho_vpdn_refused_total", "Logins that got a Reject for want of an LNS, by why."),
        (
            "sekisho_vpdn_rebalanced_total",
            "Sessions whose end was asked for at their NAS, so that they get the LNS that is due to them.",
        ),
        ("sekisho_lns_chosen_total", "How often the LNS was chosen."),
        ("sekisho_lns_started_total", "Sessions that started on the LNS."),
        (
            "sekisho_lns_failed_over_total",
            "Sessions that were given to another LNS and started on this one, or the reverse.",
        ),
        ("sekisho_lns_probes_total", "Probes of the LNS, by outcome."),
        ("sekisho_lns_changes_total", "How often the state of the LNS has changed."),
    ] {
        describe_counter!(name, help);
    }
    for (name, help) in [
        ("sekisho_vpdn_sessions", "Sessions of the contract, and Accepts whose Start has not come yet."),
        ("sekisho_vpdn_max_sessions", "Sessions that the contract may have."),
        ("sekisho_vpdn_lns_in_service", "LNSs of the contract that are neither draining nor down."),
        ("sekisho_lns_sessions", "Sessions of the LNS, and Accepts whose Start has not come yet."),
        ("sekisho_lns_max_sessions", "Sessions that the LNS may have."),
        ("sekisho_lns_state", "1 for the state that the LNS is in."),
        ("sekisho_lns_misconfigured", "1 where the last answer to a probe tells of a misconfiguration, here or there."),
        ("sekisho_lns_avoided", "Access networks that do not get the LNS at present, since their sessions fail on it."),
    ] {
        describe_gauge!(name, help);
    }
}

fn contract(customer: &str, of: &Vpdn) {
    let labels = [("customer", customer), ("contract", of.contract.as_str())];
    counts("sekisho_vpdn_accepts_total", &labels, "why", &of.accepts);
    counts("sekisho_vpdn_refused_total", &labels, "reason", &of.refused);
    counter!("sekisho_vpdn_rebalanced_total", &owned(&labels)).absolute(of.rebalanced);
    by_state("sekisho_vpdn_sessions", &labels, of.active, of.pending);
    most("sekisho_vpdn_max_sessions", &labels, of.max_sessions);
    gauge!("sekisho_vpdn_lns_in_service", &owned(&labels)).set(of.in_service as f64);
}

fn lns(of: &Lns) {
    let labels = [("customer", of.customer.as_str()), ("lns", of.name.as_str())];
    by_state("sekisho_lns_sessions", &labels, of.active, of.pending);
    most("sekisho_lns_max_sessions", &labels, of.max_sessions);
    for state in State::ALL {
        let value = if of.state == state.name() { 1.0 } else { 0.0 };
        gauge!("sekisho_lns_state", &with(&labels, "state", state.name())).set(value);
    }
    count("sekisho_lns_chosen_total", &labels, of.chosen);
    count("sekisho_lns_started_total", &labels, of.started);
    for (direction, value) in [("to", of.failed_over_to), ("from", of.failed_over_from)] {
        counter!("sekisho_lns_failed_over_total", &with(&labels, "direction", direction)).absolute(value);
    }
    counts("sekisho_lns_probes_total", &labels, "outcome", &of.probes);
    count("sekisho_lns_changes_total", &labels, of.changes);
    if !of.probes.is_empty() {
        let value = if of.is_misconfigured() { 1.0 } else { 0.0 };
        gauge!("sekisho_lns_misconfigured", &owned(&labels)).set(value);
    }
    gauge!("sekisho_lns_avoided", &owned(&labels)).set(of.avoided_for.len() as f64);
}

fn sessions(of: &SessionTable) {
    describe_gauge!("sekisho_sessions_tracked", "Sessions that are followed.");
    gauge!("sekisho_sessions_tracked").set(of.tracked as f64);
    describe_gauge!("sekisho_sessions_reserved", "Accepts whose Start has not come yet.");
    gauge!("sekisho_sessions_reserved").set(of.reserved as f64);
    describe_counter!("sekisho_sessions_untracked_total", "Sessions that found no room in the table.");
    counter!("sekisho_sessions_untracked_total").absolute(of.untracked);
    describe_counter!(
        "sekisho_sessions_unreserved_total",
        "Accepts that found no room, and count from their Start only."
    );
    counter!("sekisho_sessions_unreserved_total").absolute(of.unreserved);
    describe_counter!("sekisho_sessions_ended_total", "Sessions that ended, by how.");
    counts("sekisho_sessions_ended_total", &[], "how", &of.ended);
    describe_gauge!("sekisho_sessions_unsaved", "1 while sessions, or what was said of LNSs, cannot be saved.");
    gauge!("sekisho_sessions_unsaved").set(if of.unsaved { 1.0 } else { 0.0 });
}

fn journal(of: &Journal) {
    describe_counter!("sekisho_journal_records_total", "Records that the journal was given, by what became of them.");
    for (result, value) in [("written", of.written), ("known", of.known), ("refused", of.refused)] {
        counter!("sekisho_journal_records_total", "result" => result).absolute(value);
    }
    describe_gauge!("sekisho_journal_octets", Unit::Bytes, "Octets of all segments.");
    gauge!("sekisho_journal_octets").set(of.octets as f64);
    describe_gauge!("sekisho_journal_segments", "Segments.");
    gauge!("sekisho_journal_segments").set(of.segments as f64);
    describe_gauge!("sekisho_journal_waiting_records", "Records that wait for a home server.");
    gauge!("sekisho_journal_waiting_records").set(of.waiting as f64);
    describe_gauge!("sekisho_journal_failing", "1 while the disk takes nothing: accounting is not acknowledged.");
    gauge!("sekisho_journal_failing").set(if of.failing { 1.0 } else { 0.0 });
    describe_counter!(
        "sekisho_accounting_recorded_total",
        "Accounting-Requests acknowledged since they are recorded here."
    );
    counter!("sekisho_accounting_recorded_total").absolute(of.recorded);
    describe_counter!(
        "sekisho_accounting_unrecorded_total",
        "Accounting-Requests without an answer since they could not be recorded, or not in time."
    );
    counter!("sekisho_accounting_unrecorded_total").absolute(of.unrecorded);
    describe_counter!(
        "sekisho_accounting_untold_total",
        "Accounting-Requests that are recorded here, but that a home server has not acknowledged."
    );
    counter!("sekisho_accounting_untold_total").absolute(of.untold);
}

fn by_state(name: &'static str, labels: &[(&str, &str)], active: u32, pending: u32) {
    for (state, value) in [("active", active), ("pending", pending)] {
        gauge!(name, &with(labels, "state", state)).set(f64::from(value));
    }
}

/// A limit, where there is one.
pub(super) fn most(name: &'static str, labels: &[(&str, &str)], max: u32) {
    if max > 0 {
        gauge!(name, &owned(labels)).set(f64::from(max));
    }
}

pub(super) fn counts(name: &'static str, labels: &[(&str, &str)], label: &str, counts: &[Count]) {
    for found in counts {
        counter!(name, &with(labels, label, &found.name)).absolute(found.count);
    }
}

fn with(labels: &[(&str, &str)], name: &str, value: &str) -> Vec<(String, String)> {
    let mut labels = owned(labels);
    labels.push((name.to_owned(), value.to_owned()));
    labels
}
