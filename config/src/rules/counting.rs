//! Whose accounting counts the sessions of `vpdn` contracts, and what needs them counted.

use std::collections::HashMap;

use crate::{
    document::Site,
    finding::{Problem, Report},
    read::{customer::CustomerDraft, vpdn::VpdnDraft},
    vpdn::{Counting, Strategy},
};

const COUNTED: &str = "Set `accounting` to \"lac\" or \"lns\", or take the limit out.";

/// Checks each customer's contracts.
pub(crate) fn check(customers: &[CustomerDraft], report: &Report) {
    for customer in customers.iter().filter(|customer| customer.sound) {
        for draft in &customer.vpdn {
            match draft.vpdn.accounting {
                Counting::Lac => {}
                Counting::Lns => sources(draft, customer, report),
                Counting::None => uncounted(draft, report),
            }
        }
        one_source(customer, report);
        estimates(customer, report);
    }
}

/// Where LNSs count, each sends accounting.
fn sources(draft: &VpdnDraft, customer: &CustomerDraft, report: &Report) {
    let silent = |name: &&str| {
        let mut lnss = customer.lnss.iter();
        lnss.any(|lns| lns.value.name == *name && lns.value.accounting.is_none())
    };
    for name in draft.vpdn.lnss().filter(silent) {
        let message = format!("LNS {name:?} has no secret, so it sends no accounting that could be counted");
        let remedy = "Give the [[lns]] the `secret` that it signs accounting with, or set `accounting = \"lac\"`.";
        report.fault(draft.site.finding("accounting", Problem::new(message, remedy)));
    }
}

/// Without accounting nothing of the contract's own may go by the number of sessions.
fn uncounted(draft: &VpdnDraft, report: &Report) {
    if draft.vpdn.max_sessions != 0 {
        let message = "needs sessions counted, and with `accounting = \"none\"` nobody counts them";
        report.fault(draft.site.finding("max_sessions", Problem::new(message, COUNTED)));
    }
    for (site, _) in draft.tiers().filter(|(_, tier)| tier.strategy == Strategy::LeastSessions) {
        let message = "\"least-sessions\" needs sessions counted, and with `accounting = \"none\"` nobody counts them";
        let remedy = "Set `accounting` to \"lac\" or \"lns\", or choose another strategy.";
        report.fault(site.finding("strategy", Problem::new(message, remedy)));
    }
    if draft.vpdn.interim_interval.is_some() {
        let problem = Problem::new("means nothing with `accounting = \"none\"`", "Take it out.");
        report.warn(draft.site.finding("interim_interval", problem));
    }
}

/// A session that both its LAC and its LNS report counts once: an LNS's contracts are all counted by one of them.
fn one_source(customer: &CustomerDraft, report: &Report) {
    let mut first: HashMap<&str, (Counting, &Site)> = HashMap::new();
    for draft in customer.vpdn.iter().filter(|draft| draft.vpdn.accounting != Counting::None) {
        let accounting = draft.vpdn.accounting;
        let mut lnss = draft.vpdn.lnss();
        let other = lnss.find_map(|name| {
            let (counting, site) = *first.entry(name).or_insert((accounting, &draft.site));
            (counting != accounting).then_some((name, site))
        });
        if let Some((name, other)) = other {
            let message = format!(
                "sessions on LNS {name:?} are counted by another source at {}, and one that both report counts twice",
                other.place("accounting")
            );
            let remedy = "Give contracts that share an LNS the same `accounting`.";
            report.fault(draft.site.finding("accounting", Problem::new(message, remedy)));
        }
    }
}

/// A limit of what several contracts share is an estimate where some are not counted, and nothing where none is.
fn estimates(customer: &CustomerDraft, report: &Report) {
    let limited = customer.lnss.iter().filter(|lns| lns.value.max_sessions != 0);
    for lns in limited {
        let shared = customer.vpdn.iter().filter(|draft| draft.vpdn.lnss().any(|name| name == lns.value.name));
        limit(shared, &lns.site, "max_sessions", report);
    }
    if customer.max_vpdn_sessions != 0 {
        limit(customer.vpdn.iter(), &customer.site, "max_vpdn_sessions", report);
    }
}

fn limit<'a>(contracts: impl Iterator<Item = &'a VpdnDraft>, site: &Site, key: &str, report: &Report) {
    let (uncounted, counted): (Vec<_>, Vec<_>) = contracts.partition(|draft| draft.vpdn.accounting == Counting::None);
    match (uncounted.first(), counted.is_empty()) {
        (Some(_), true) => {
            let message = "needs sessions counted, and no contract that it is for has `accounting` other than \"none\"";
            report.fault(site.finding(key, Problem::new(message, COUNTED)));
        }
        (Some(draft), false) => {
            let message = format!(
                "is an estimate: sessions of contract {:?} are not counted (`accounting = \"none\"`)",
                draft.vpdn.contract
            );
            let remedy = "Leave room for them, or have them counted.";
            report.warn(site.finding(key, Problem::new(message, remedy)));
        }
        (None, _) => {}
    }
}
