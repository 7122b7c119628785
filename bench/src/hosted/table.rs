//! Medians of the rounds, and what they are against FreeRADIUS.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use super::{Measurement, Results, Server};
use crate::compare::table::median;

/// One server under one load: medians over the rounds, each figure for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Which server.
    pub server: Server,
    /// `pap`, `chap` or `mschapv2`.
    pub kind: String,
    /// Logins outstanding.
    pub window: usize,
    /// The server's processor time for each accepted login, in microseconds.
    pub cpu_us: f64,
    /// That, as a part of FreeRADIUS's with a `users` file; `None` if it did not take part.
    pub of_files: Option<f64>,
    /// The same of FreeRADIUS's with SQLite.
    pub of_sqlite: Option<f64>,
    /// Accepted logins a second.
    pub rate: f64,
    /// Latency that half of them were below, in microseconds.
    pub p50_us: f64,
    /// 99 of 100.
    pub p99_us: f64,
    /// Retransmissions for a thousand logins.
    pub retransmitted_per_mille: f64,
    /// Lost ones for a thousand logins.
    pub lost_per_mille: f64,
}

/// Brings the rounds of each load together, in the order of the first round.
pub fn summarize(measurements: &[Measurement]) -> Vec<Summary> {
    let first = measurements.iter().map(|m| m.round).min();
    let median_of = |one: &Measurement, server: Server, figure: &dyn Fn(&Measurement) -> f64| {
        let same = measurements.iter().filter(|m| (m.server, &m.kind, m.window) == (server, &one.kind, one.window));
        let figures: Vec<_> = same.map(figure).collect();
        (!figures.is_empty()).then(|| median(figures))
    };
    let per_mille = |count: u64, of: u64| count as f64 * 1e3 / of.max(1) as f64;
    let summary = |one: &Measurement| {
        let own = |figure: &dyn Fn(&Measurement) -> f64| median_of(one, one.server, figure).unwrap_or_default();
        let cpu_us = own(&|m| m.cpu_us);
        let of = |server| median_of(one, server, &|m| m.cpu_us).map(|cost| cpu_us / cost);
        Summary {
            server: one.server,
            kind: one.kind.clone(),
            window: one.window,
            cpu_us,
            of_files: of(Server::Files),
            of_sqlite: of(Server::Sqlite),
            rate: own(&|m| m.report.rate),
            p50_us: own(&|m| m.report.latency.p50_us),
            p99_us: own(&|m| m.report.latency.p99_us),
            retransmitted_per_mille: own(&|m| per_mille(m.report.retransmitted, m.report.sent)),
            lost_per_mille: own(&|m| per_mille(m.report.lost, m.report.sent)),
        }
    };
    measurements.iter().filter(|m| Some(m.round) == first).map(summary).collect()
}

impl Results {
    /// The summary as a table in Markdown, with what an account takes and a line about the machine.
    ///
    /// # Errors
    /// Never, unless memory for text cannot be had.
    pub fn markdown(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        writeln!(
            text,
            "| login | window | server | CPU µs | of FreeRADIUS files | of FreeRADIUS SQLite | per second | p50 ms | p99 ms | sent again ‰ | lost ‰ |"
        )?;
        writeln!(text, "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for summary in &self.summary {
            let login = match summary.kind.as_str() {
                "pap" => "PAP",
                "chap" => "CHAP",
                "mschapv2" => "MS-CHAPv2",
                other => other,
            };
            let part = |part: Option<f64>| part.map_or_else(|| "–".into(), |part| format!("{part:.2}"));
            writeln!(
                text,
                "| {login} + MA | {} | {} | {:.1} | {} | {} | {:.0} | {:.2} | {:.2} | {:.1} | {:.1} |",
                summary.window,
                summary.server,
                summary.cpu_us,
                part(summary.of_files),
                part(summary.of_sqlite),
                summary.rate,
                summary.p50_us / 1e3,
                summary.p99_us / 1e3,
                summary.retransmitted_per_mille,
                summary.lost_per_mille,
            )?;
        }
        writeln!(text)?;
        let sekisho = self.summary.iter().filter(|summary| summary.server == Server::Sekisho);
        if let Some(most) = sekisho.filter_map(|summary| summary.of_files).max_by(f64::total_cmp) {
            writeln!(text, "A login costs sekisho at most {most:.2} of what it costs FreeRADIUS with a `users` file.")?;
        }
        for memory in &self.memory {
            writeln!(text, "Memory, {memory}.")?;
        }
        let machine = &self.machine;
        writeln!(
            text,
            "CPU: user and system time of the server's process for each accepted login; medians of {} rounds of {} s, {} accounts. \
             Load and server share {} processors ({}{}), kernel {}, {}, {}.",
            self.measurements.iter().map(|m| m.round).max().unwrap_or(0),
            self.seconds.0,
            self.accounts,
            machine.processors,
            machine.processor,
            if machine.virtual_machine { ", a virtual machine" } else { "" },
            machine.kernel,
            machine.system,
            self.date,
        )?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Report;

    fn measurement(server: Server, round: usize, cpu_us: f64) -> Measurement {
        let report = Report { sent: 1000, completed: 1000, ..Report::default() };
        Measurement { server, kind: "chap".into(), window: 64, round, cpu_us, report }
    }

    #[test]
    fn a_summary_is_the_median_of_the_rounds_set_against_freeradius() {
        let measurements = [
            measurement(Server::Sekisho, 1, 8.0),
            measurement(Server::Files, 1, 24.0),
            measurement(Server::Sqlite, 1, 80.0),
            measurement(Server::Sekisho, 2, 50.0),
            measurement(Server::Files, 2, 25.0),
            measurement(Server::Sqlite, 2, 70.0),
            measurement(Server::Sekisho, 3, 6.0),
            measurement(Server::Files, 3, 10.0),
            measurement(Server::Sqlite, 3, 90.0),
        ];
        let summary = summarize(&measurements);
        assert_eq!(summary.iter().map(|s| s.cpu_us).collect::<Vec<_>>(), [8.0, 24.0, 80.0]);
        assert_eq!((summary[0].of_files, summary[0].of_sqlite), (Some(8.0 / 24.0), Some(0.1)));
        assert_eq!(summarize(&measurements[..1])[0].of_files, None, "a server that took no part");
    }
}
