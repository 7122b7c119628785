//! Dynamic authorization needs three: who asks, where it is taken, and which terminal does it.

use crate::{
    finding::{Problem, Report},
    read::{customer::CustomerDraft, node::NodeDraft},
};

/// Warns where one of them is missing.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    let taken = draft.listeners.iter().any(|listener| listener.value.dynauth.is_some());
    for customer in customers.iter().filter(|customer| customer.sound) {
        let Some(first) = customer.dynauth.first() else { continue };
        if !taken {
            let remedy = "Give a [[listener]] of sekisho.toml the port `dynauth`; 3799 is usual.";
            let problem = Problem::new("no listener takes CoA and Disconnect, so nothing comes of it", remedy);
            report.warn(first.site.finding("", problem));
        }
        if customer.clients.iter().all(|client| client.value.dynauth.is_none()) {
            let remedy = "Give `dynauth`, the port, at each [[client]] that takes CoA and Disconnect.";
            let problem = Problem::new("no terminal of this customer takes CoA and Disconnect", remedy);
            report.warn(first.site.finding("", problem));
        }
    }
}
