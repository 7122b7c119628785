//! Two customers never share a secret: whoever knows the one would be believed as the other.

use std::{collections::HashMap, sync::Arc};

use crate::{
    finding::{Problem, Report},
    read::secret::{Found, Vault},
};

/// Compares every shared secret with those of other customers.
pub(crate) fn check(vault: &Vault<'_>, report: &Report) {
    let found = vault.found.borrow();
    let mut alike: HashMap<u64, Vec<&Found>> = HashMap::new();
    for one in found.iter() {
        let earlier = alike.entry(one.fingerprint).or_default();
        // Of each customer's document one is enough: two of the same customer may be the same.
        let same = |other: &&&Found| other.secret == one.secret;
        if let Some(other) = earlier.iter().filter(same).find(|other| !one_owner(other, one)) {
            // Those of the operator's own documents come first.
            let whose = if is_operators(other) { "an access network" } else { "another customer" };
            let message = format!("the secret is {whose}'s too, at {}", other.site.place(other.key));
            let remedy = "Give each customer secrets of its own: `openssl rand -base64 24`.";
            report.fault(one.site.finding(one.key, Problem::new(message, remedy)));
        }
        if !earlier.iter().any(|other| one_owner(other, one)) {
            earlier.push(one);
        }
    }
}

/// Whether two secrets are of one document, or both of the operator's documents.
fn one_owner(one: &Found, other: &Found) -> bool {
    Arc::ptr_eq(&one.site.document, &other.site.document) || (is_operators(one) && is_operators(other))
}

fn is_operators(found: &Found) -> bool {
    found.site.path.starts_with("access_network")
}
