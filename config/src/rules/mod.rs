//! What must hold between the parts of a configuration, and between the documents of different customers.

pub(crate) mod access;
pub(crate) mod addresses;
pub(crate) mod balancing;
pub(crate) mod contracts;
pub(crate) mod counting;
pub(crate) mod dynauth;
pub(crate) mod groups;
pub(crate) mod limits;
pub(crate) mod lns;
pub(crate) mod lookup;
pub(crate) mod node;
pub(crate) mod realms;
pub(crate) mod secrets;
pub(crate) mod strangers;
pub(crate) mod tunnels;
pub(crate) mod upstream;
pub(crate) mod vpdn;

use std::{collections::HashMap, hash::Hash};

use crate::{
    document::Site,
    finding::{Problem, Report},
    read::{customer::CustomerDraft, node::NodeDraft, surroundings::Surroundings},
};

/// Every rule that holds wherever the documents come from. `complete`: every customer's document could be read.
pub(crate) fn check(
    customers: &[CustomerDraft],
    draft: &NodeDraft,
    around: &Surroundings<'_>,
    complete: bool,
    report: &Report,
) {
    realms::check(customers, report);
    contracts::check(customers, draft, report);
    addresses::check(customers, draft, report);
    access::check(customers, draft, report);
    lookup::check(customers, draft, complete, report);
    lns::check(customers, draft, report);
    vpdn::check(customers, draft, report);
    counting::check(customers, report);
    balancing::check(customers, draft, report);
    tunnels::check(customers, draft, report);
    limits::check(customers, draft, report);
    dynauth::check(customers, draft, report);
    secrets::check(&around.vault, report);
    if let Some(node) = &draft.node {
        upstream::check(customers, node, report);
    }
}

/// Something that may be there once: what makes it the same, its place, and its key there.
struct Claim<'a, K> {
    what: K,
    site: &'a Site,
    key: &'static str,
}

/// Reports every claim but the first on the same thing; `problem` is told the place of the first.
fn once<'a, K: Hash + Eq + Clone>(
    claims: impl IntoIterator<Item = Claim<'a, K>>,
    report: &Report,
    problem: impl Fn(&K, &str) -> Problem,
) {
    repeated(claims, |Claim { what, site, key }, first| report.fault(site.finding(key, problem(&what, first))));
}

/// Tells `each` of every claim but the first on the same thing, with the place of the first.
fn repeated<'a, K: Hash + Eq + Clone>(
    claims: impl IntoIterator<Item = Claim<'a, K>>,
    each: impl Fn(Claim<'a, K>, &str),
) {
    let mut first: HashMap<K, (&Site, &str)> = HashMap::new();
    for claim in claims {
        match first.get(&claim.what) {
            Some((other, key)) => each(claim, &other.place(key)),
            None => {
                first.insert(claim.what.clone(), (claim.site, claim.key));
            }
        }
    }
}
