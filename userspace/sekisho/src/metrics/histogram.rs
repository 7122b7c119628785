//! Histograms, written from the workers' own buckets.
//!
//! The exporter keeps histograms by observing every single value; ours are counted already, so their lines are written
//! here, with the exporter's own helpers for the format.

use std::fmt::Write as _;

use metrics_exporter_prometheus::formatting::{sanitize_label_value, write_help_line, write_type_line};

use crate::report::{Histogram, Report};

/// From a request's arrival to its reply.
const REALM: (&str, &str) =
    ("sekisho_realm_latency_seconds", "Time from a request's arrival to its reply to the client, in seconds.");
/// From sending to the verified reply.
const SERVER: (&str, &str) = (
    "sekisho_server_latency_seconds",
    "Time from sending a request to a home server to its verified reply, in seconds.",
);
/// From the first record of a batch to the disk's word.
const COMMIT: (&str, &str) = (
    "sekisho_journal_commit_seconds",
    "Time from a batch's first record to the disk's word that it is kept, in seconds.",
);

/// From the beginning of a check to its verdict; how long it had waited for a thread is not in it.
const ARGON2: (&str, &str) =
    ("sekisho_argon2_seconds", "Time that checking a password against its hash took, in seconds.");

/// Appends every histogram of the report.
pub(super) fn write(text: &mut String, report: &Report) {
    let realms = report.customers.iter().flat_map(|customer| {
        customer
            .realms
            .iter()
            .map(|realm| (labels(&[("customer", &customer.name), ("realm", &realm.name)]), &realm.latency))
    });
    family(text, REALM, realms);
    let servers = report.customers.iter().flat_map(|customer| {
        customer.servers.iter().map(|server| {
            let names = [("customer", &customer.name), ("server", &server.name), ("kind", &server.kind)];
            (labels(&names), &server.latency)
        })
    });
    family(text, SERVER, servers);
    family(text, COMMIT, [(String::new(), &report.journal.commits)].into_iter());
    family(text, ARGON2, [(String::new(), &report.hashes.time)].into_iter());
}

fn family<'a>(text: &mut String, (name, help): (&str, &str), series: impl Iterator<Item = (String, &'a Histogram)>) {
    let mut series = series.peekable();
    if series.peek().is_none() {
        return;
    }
    write_help_line(text, name, None, None, help);
    write_type_line(text, name, None, None, "histogram");
    for (labels, histogram) in series {
        let (before_le, inside) = match labels.as_str() {
            "" => (String::new(), String::new()),
            labels => (format!("{labels},"), format!("{{{labels}}}")),
        };
        // Writing to a String does not fail.
        for (bound, count) in histogram.cumulative() {
            let _ = writeln!(text, "{name}_bucket{{{before_le}le=\"{bound}\"}} {count}");
        }
        let (count, seconds) = (histogram.count(), histogram.seconds());
        let _ = writeln!(text, "{name}_bucket{{{before_le}le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "{name}_sum{inside} {seconds}");
        let _ = writeln!(text, "{name}_count{inside} {count}");
    }
    text.push('\n');
}

fn labels(pairs: &[(&str, &String)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", sanitize_label_value(value))).collect();
    pairs.join(",")
}
