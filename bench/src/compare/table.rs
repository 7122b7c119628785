//! Medians of the rounds, and what they are against the peers.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use super::Results;
use super::measure::Measurement;
use super::peers::Proxy;

/// One proxy under one load: medians over the rounds, each figure for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Which proxy.
    pub proxy: Proxy,
    /// `acct` or `pap`.
    pub kind: String,
    /// Requests outstanding.
    pub window: usize,
    /// The proxy's processor time for each completed transaction, in microseconds.
    pub cpu_us: f64,
    /// That, as a part of the former build's; `None` if it did not take part.
    #[serde(default)]
    pub of_former: Option<f64>,
    /// The same of FreeRADIUS's.
    pub of_freeradius: Option<f64>,
    /// The same of radsecproxy's.
    pub of_radsecproxy: Option<f64>,
    /// Completed transactions a second.
    pub rate: f64,
    /// Latency that half of them were below, in microseconds.
    pub p50_us: f64,
    /// 99 of 100.
    pub p99_us: f64,
    /// Retransmissions for a thousand requests.
    pub retransmitted_per_mille: f64,
    /// Lost ones for a thousand requests.
    pub lost_per_mille: f64,
    /// Bad replies, in all rounds.
    pub bad: u64,
}

/// Brings the rounds of each load together, in the order of the first round.
pub fn summarize(measurements: &[Measurement]) -> Vec<Summary> {
    let first = measurements.iter().map(|m| m.round).min();
    let mut summaries: Vec<Summary> = measurements
        .iter()
        .filter(|m| Some(m.round) == first)
        .map(|one| {
            let same: Vec<_> = measurements
                .iter()
                .filter(|m| (m.proxy, &m.kind, m.window) == (one.proxy, &one.kind, one.window))
                .collect();
            let median = |figure: &dyn Fn(&Measurement) -> f64| median(same.iter().map(|m| figure(m)).collect());
            let per_mille = |count: u64, of: u64| count as f64 * 1e3 / of.max(1) as f64;
            Summary {
                proxy: one.proxy,
                kind: one.kind.clone(),
                window: one.window,
                cpu_us: median(&|m| m.cpu_us),
                of_former: None,
                of_freeradius: None,
                of_radsecproxy: None,
                rate: median(&|m| m.report.rate),
                p50_us: median(&|m| m.report.latency.p50_us),
                p99_us: median(&|m| m.report.latency.p99_us),
                retransmitted_per_mille: median(&|m| per_mille(m.report.retransmitted, m.report.sent)),
                lost_per_mille: median(&|m| per_mille(m.report.lost, m.report.sent)),
                bad: same.iter().map(|m| m.report.bad).sum(),
            }
        })
        .collect();
    let costs: Vec<_> = summaries.iter().map(|s| (s.proxy, s.kind.clone(), s.window, s.cpu_us)).collect();
    for summary in &mut summaries {
        let part_of = |proxy: Proxy| {
            let same = |cost: &&(Proxy, String, usize, f64)| {
                (cost.0, &cost.1, cost.2) == (proxy, &summary.kind, summary.window)
            };
            costs.iter().find(same).map(|cost| summary.cpu_us / cost.3)
        };
        summary.of_former = part_of(Proxy::Former);
        (summary.of_freeradius, summary.of_radsecproxy) = (part_of(Proxy::Freeradius), part_of(Proxy::Radsecproxy));
    }
    summaries
}

/// The middle one, or the mean of the two in the middle; 0 of none.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let at = |index: usize| figures.get(index).copied().unwrap_or_default();
    if figures.len().is_multiple_of(2) && middle > 0 { (at(middle - 1) + at(middle)) / 2.0 } else { at(middle) }
}

impl Results {
    /// The summary as a table in Markdown, with a line about the machine.
    ///
    /// # Errors
    /// Never, unless memory for text cannot be had.
    pub fn markdown(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        writeln!(
            text,
            "| load | window | proxy | CPU µs | of former | of FreeRADIUS | of radsecproxy | per second | p50 ms | p99 ms | sent again ‰ | lost ‰ |"
        )?;
        writeln!(text, "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for summary in &self.summary {
            let load = match summary.kind.as_str() {
                "acct" => "accounting",
                "pap" => "PAP + MA",
                "chap" => "CHAP + MA",
                other => other,
            };
            let part = |part: Option<f64>| part.map_or_else(|| "–".into(), |part| format!("{part:.2}"));
            writeln!(
                text,
                "| {load} | {} | {} | {:.1} | {} | {} | {} | {:.0} | {:.2} | {:.2} | {:.1} | {:.1} |",
                summary.window,
                summary.proxy,
                summary.cpu_us,
                part(summary.of_former),
                part(summary.of_freeradius),
                part(summary.of_radsecproxy),
                summary.rate,
                summary.p50_us / 1e3,
                summary.p99_us / 1e3,
                summary.retransmitted_per_mille,
                summary.lost_per_mille,
            )?;
        }
        let machine = &self.machine;
        writeln!(text)?;
        writeln!(
            text,
            "CPU: user and system time of the proxy process for each completed transaction; medians of {} rounds of {} s. \
             Load, proxy and home server share {} processors ({}{}), kernel {}, {}, {}.",
            self.measurements.iter().map(|m| m.round).max().unwrap_or(0),
            self.seconds.0,
            machine.processors,
            machine.processor,
            if machine.virtual_machine { ", a virtual machine" } else { "" },
            machine.kernel,
            machine.system,
            self.date,
        )?;
        let bad: u64 = self.summary.iter().map(|summary| summary.bad).sum();
        if bad > 0 {
            writeln!(text, "\n**{bad} bad replies.**")?;
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Report;

    fn measurement(proxy: Proxy, round: usize, cpu_us: f64, lost: u64) -> Measurement {
        let report = Report { sent: 1000, completed: 1000 - lost, lost, ..Report::default() };
        Measurement { proxy, kind: "pap".into(), window: 64, round, cpu_us, home_cpu_us: 1.0, report }
    }

    #[test]
    fn a_summary_is_the_median_of_the_rounds_set_against_the_peers() {
        let measurements = [
            measurement(Proxy::Sekisho, 1, 9.0, 0),
            measurement(Proxy::Freeradius, 1, 40.0, 0),
            measurement(Proxy::Sekisho, 2, 50.0, 0),
            measurement(Proxy::Freeradius, 2, 41.0, 3),
            measurement(Proxy::Sekisho, 3, 10.0, 0),
            measurement(Proxy::Freeradius, 3, 35.0, 2),
        ];
        let summary = summarize(&measurements);
        assert_eq!(summary.len(), 2);
        assert_eq!((summary[0].cpu_us, summary[1].cpu_us), (10.0, 40.0), "the disturbed round does not count");
        assert_eq!(summary[0].of_freeradius, Some(0.25));
        assert_eq!(summary[0].of_radsecproxy, None);
        assert_eq!(summary[1].lost_per_mille, 2.0);
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0]), 3.0);
        assert_eq!(median(vec![3.0, 1.0]), 2.0);
        assert_eq!(median(vec![3.0, 9.0, 1.0]), 3.0);
    }
}
