//! `group` contracts need the account database, which the registry has.

use crate::{
    finding::{Problem, Report},
    read::customer::CustomerDraft,
};

/// Refuses them where customers' documents are files.
pub(crate) fn without_registry(customers: &[CustomerDraft], report: &Report) {
    for group in customers.iter().flat_map(|customer| &customer.groups) {
        let message = "a `group` contract (グループ) is answered from the operator's account database, and a node whose \
                       customers' documents are files has none";
        let remedy = "Give [registry] in sekisho.toml in the place of `customers`, and put the documents there with \
                      `sekisho apply -f`; or let a [[proxy]] answer.";
        report.fault(group.site.finding("contract", Problem::new(message, remedy)));
    }
}
