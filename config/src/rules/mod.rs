//! What must hold between the parts of a configuration, and between the documents of different customers.

pub(crate) mod access;
pub(crate) mod addresses;
pub(crate) mod balancing;
pub(crate) mod contracts;
pub(crate) mod counting;
pub(crate) mod dynauth;
pub(crate) mod limits;
pub(crate) mod lns;
pub(crate) mod lookup;
pub(crate) mod node;
pub(crate) mod realms;
pub(crate) mod secrets;
pub(crate) mod tunnels;
pub(crate) mod upstream;
pub(crate) mod vpdn;

use std::{collections::HashMap, hash::Hash};

use crate::{
    document::Site,
    finding::{Problem, Report},
};

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
