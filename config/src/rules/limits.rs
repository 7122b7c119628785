//! What the gate has room for, of what contracts may choose.

use std::collections::HashSet;

use crate::{
    finding::{Problem, Report},
    node::MAX_IDENTITIES,
    read::{customer::CustomerDraft, node::NodeDraft},
};

/// Each session identity is a table in the gate, whoever has it.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    let networks = draft.access_networks.iter().map(|it| (&it.value.session_identity, &it.site));
    let clients = customers.iter().flat_map(|customer| &customer.clients);
    let clients = clients.map(|it| (&it.value.session_identity, &it.site));
    let (mut different, mut last) = (HashSet::new(), None);
    for (identity, site) in networks.chain(clients) {
        if different.insert(identity) {
            last = Some(site);
        }
    }
    if let (Some(site), true) = (last, different.len() > MAX_IDENTITIES) {
        let message = format!(
            "there are {} different lists of these, and the gate has room for {MAX_IDENTITIES}",
            different.len()
        );
        let remedy = "Give contracts whose sessions are alike the same list.";
        report.fault(site.finding("session_identity", Problem::new(message, remedy)));
    }
}
