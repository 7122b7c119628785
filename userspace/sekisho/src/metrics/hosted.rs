//! The registry, `group` contracts and hosted accounts.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use super::families::owned;
use super::vpdn::{counts, most};
use crate::report::{Group, Registry, Report};

/// Records everything but the histogram.
pub(super) fn record(report: &Report) {
    describe();
    for customer in &report.customers {
        customer.groups.iter().for_each(|of| group(&customer.name, of));
    }
    if let Some(of) = &report.registry {
        registry(of);
    }
    gauge!("sekisho_hosted_sessions_tracked").set(report.hosted_sessions.records as f64);
    counter!("sekisho_hosted_sessions_superseded_total").absolute(report.hosted_sessions.superseded);
    counter!("sekisho_hosted_sessions_untracked_total").absolute(report.hosted_sessions.untracked);
    counter!("sekisho_argon2_checked_total").absolute(report.hashes.checked);
    counter!("sekisho_argon2_busy_total").absolute(report.hashes.busy);
}

fn describe() {
    for (name, help) in [
        ("sekisho_group_accepts_total", "Accepts for hosted accounts of the contract."),
        ("sekisho_group_challenges_total", "Challenges for hosted accounts of the contract."),
        ("sekisho_group_rejected_total", "Rejects for hosted accounts of the contract, by why."),
        (
            "sekisho_hosted_sessions_superseded_total",
            "Sessions of hosted accounts that ended because their device began another.",
        ),
        ("sekisho_hosted_sessions_untracked_total", "Sessions of hosted accounts that found no room in the table."),
        ("sekisho_argon2_checked_total", "Passwords that were checked against a hash."),
        ("sekisho_argon2_busy_total", "Logins that were refused since too many hashes waited to be checked."),
    ] {
        describe_counter!(name, help);
    }
    for (name, help) in [
        ("sekisho_group_sessions", "Sessions of hosted accounts of the contract, reservations among them."),
        ("sekisho_hosted_sessions_tracked", "Places in the table of hosted accounts' sessions that are in use."),
        ("sekisho_group_max_sessions", "Sessions that the contract may have."),
        ("sekisho_registry_up", "1 while the registry can be reached, 0 while this node serves on without it."),
        ("sekisho_registry_revision", "How far the registry has been followed."),
        ("sekisho_registry_followed_timestamp_seconds", "When the registry was last read, in seconds since 1970."),
        ("sekisho_registry_unserved_contracts", "Contracts that are not over and not served."),
        ("sekisho_accounts", "Hosted accounts by state: `ready`, `waiting` for their contract, `unusable`."),
        ("sekisho_accounts_bytes", "Memory that the hosted accounts take."),
    ] {
        describe_gauge!(name, help);
    }
}

fn group(customer: &str, of: &Group) {
    let labels = [("customer", customer), ("contract", of.contract.as_str())];
    counter!("sekisho_group_accepts_total", &owned(&labels)).absolute(of.accepts);
    counter!("sekisho_group_challenges_total", &owned(&labels)).absolute(of.challenges);
    counts("sekisho_group_rejected_total", &labels, "reason", &of.rejected);
    gauge!("sekisho_group_sessions", &owned(&labels)).set(f64::from(of.sessions));
    most("sekisho_group_max_sessions", &labels, of.max_sessions);
}

fn registry(of: &Registry) {
    gauge!("sekisho_registry_up").set(if of.up { 1.0 } else { 0.0 });
    gauge!("sekisho_registry_revision").set(of.revision as f64);
    gauge!("sekisho_registry_followed_timestamp_seconds").set(of.followed_at as f64);
    gauge!("sekisho_registry_unserved_contracts").set(of.unserved.len() as f64);
    for (state, count) in [("ready", of.accounts), ("waiting", of.accounts_waiting), ("unusable", of.accounts_unusable)]
    {
        gauge!("sekisho_accounts", "state" => state).set(count as f64);
    }
    gauge!("sekisho_accounts_bytes").set(of.account_octets as f64);
}
