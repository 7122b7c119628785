//! What the load-balancing option, and limits, need to mean anything.

use super::vpdn::networks;
use crate::{
    document::Placed,
    finding::{Problem, Report},
    read::{customer::CustomerDraft, node::NodeDraft, vpdn::VpdnDraft},
    vpdn::{Balancing, Counting, Lns},
};

/// Warns of keys of `vpdn` contracts that were hardly meant.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    for customer in customers.iter().filter(|customer| customer.sound) {
        for vpdn in &customer.vpdn {
            if let Some(balancing) = &vpdn.vpdn.balancing {
                nothing_to_balance(vpdn, report);
                overflow(vpdn, balancing, customer, report);
                if balancing.rebalance.is_some() && draft.node.is_some() {
                    disconnects(vpdn, draft, report);
                }
            }
            full(vpdn, customer, report);
        }
    }
}

/// The option with a single LNS.
fn nothing_to_balance(draft: &VpdnDraft, report: &Report) {
    if draft.vpdn.lnss().count() == 1 {
        let message = "has one LNS, so there is nothing to balance";
        let remedy = "Name further LNSs, or take [vpdn.load_balancing] out: the contract works without the option.";
        report.warn(draft.site.finding("lns", Problem::new(message, remedy)));
    }
}

/// LNSs for overflow, where no other is ever full.
fn overflow(draft: &VpdnDraft, balancing: &Balancing, customer: &CustomerDraft, report: &Report) {
    let Some(site) = draft.option.as_ref().filter(|_| !balancing.overflow.is_empty()) else { return };
    let tiers = draft.vpdn.tiers.iter().flat_map(|tier| &tier.lns);
    if !any_may_be_full(tiers.map(String::as_str), customer) {
        let message = "no other LNS has `max_sessions` or a probe, so none is ever full and these are never used";
        let remedy = "Give the LNSs `max_sessions`, or put these into a tier.";
        report.warn(site.finding("overflow", Problem::new(message, remedy)));
    }
}

/// Sessions are moved by Disconnect, which somebody has to take.
fn disconnects(draft: &VpdnDraft, node: &NodeDraft, report: &Report) {
    let Some(site) = &draft.option else { return };
    if draft.vpdn.accounting != Counting::Lac {
        let message = "sessions are ended by the name that the access network's accounting gives them, and that does not \
                       count them here: no session is ever moved";
        let remedy = "Set `accounting = \"lac\"`, or take this key out.";
        report.warn(site.finding("rebalance", Problem::new(message, remedy)));
        return;
    }
    if networks(node, draft).all(|network| network.value.disconnect_port.is_none()) {
        let kind = draft.vpdn.kind.name();
        let message = format!("no access network of type {kind} takes Disconnect, so no session is ever moved");
        let remedy = "Give `disconnect_port` at the [[access_network]], or take this key out.";
        report.warn(site.finding("rebalance", Problem::new(message, remedy)));
    }
}

/// What is said when everything is full, where nothing ever is.
fn full(draft: &VpdnDraft, customer: &CustomerDraft, report: &Report) {
    let limited = draft.vpdn.max_sessions != 0 || customer.max_vpdn_sessions != 0;
    if draft.vpdn.full_message.is_some() && !limited && !any_may_be_full(draft.vpdn.lnss(), customer) {
        let message = "nothing of this contract has a limit of sessions, so it is never said";
        let remedy = "Give `max_sessions` here or at the LNSs, or take it out.";
        report.warn(draft.site.finding("full_message", Problem::new(message, remedy)));
    }
}

/// Whether any LNS of these can be full: by its limit, or because it says so when it is probed.
fn any_may_be_full<'a>(mut names: impl Iterator<Item = &'a str>, customer: &CustomerDraft) -> bool {
    let may = |lns: &Placed<Lns>| lns.value.max_sessions != 0 || lns.value.probe.is_some();
    names.any(|name| customer.lnss.iter().any(|lns| lns.value.name == name && may(lns)))
}
