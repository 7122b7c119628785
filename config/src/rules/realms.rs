//! Whose a realm is, and who serves it (Art. 5.6).

use std::collections::HashMap;

use super::{Claim, once};
use crate::{
    customer::{Realm, Selector},
    document::{Placed, Site},
    finding::{Problem, Report},
    read::customer::CustomerDraft,
};

/// A realm's name belongs to one customer, whatever the selector; one customer may have it under several.
pub(crate) fn check(customers: &[CustomerDraft], report: &Report) {
    let mut owners: HashMap<&str, (usize, &Site)> = HashMap::new();
    for (owner, customer) in customers.iter().enumerate() {
        // A pattern and a default are only called by their names, and never looked for outside their customer.
        let owned = |realm: &&Placed<Realm>| !matches!(realm.value.selector, Selector::Pattern | Selector::Default);
        for realm in customer.realms.iter().filter(owned) {
            let name = realm.value.name.as_str();
            let (first, site) = *owners.entry(name).or_insert((owner, &realm.site));
            if first != owner {
                let message = format!("\"{name}\" is another customer's realm, at {}", site.place(""));
                let remedy = "A realm belongs to one customer (service regulation, Art. 5.6(1)): ask for another.";
                report.fault(realm.site.finding(key(&realm.value), Problem::new(message, remedy)));
            }
        }
        let own = customer.realms.iter().map(|realm| Claim {
            what: (realm.value.selector, &realm.value.name),
            site: &realm.site,
            key: key(&realm.value),
        });
        once(own, report, |(_, name), other| {
            Problem::new(format!("\"{name}\" is a realm of this customer already, at {other}"), "Take it out.")
        });
        let defaults = customer.realms.iter().filter(|realm| realm.value.selector == Selector::Default);
        once(defaults.map(|realm| Claim { what: (), site: &realm.site, key: "default" }), report, |(), other| {
            Problem::new(format!("the customer has a default realm already, at {other}"), "Keep one of them.")
        });
        served_once(customer, report);
    }
}

/// A realm is served by at most one `proxy` contract, by at most one `group` contract, and by at most one `vpdn` contract for
/// each type of access network. A `proxy` and a `group` contract may both name it: the one may begin after the other's end.
fn served_once(customer: &CustomerDraft, report: &Report) {
    let served = customer.proxies.iter().flat_map(|draft| {
        draft.proxy.realms.iter().map(|realm| Claim {
            what: (realm.selector, &realm.name),
            site: &draft.site,
            key: "realms",
        })
    });
    once(served, report, |(_, name), other| {
        let message = format!("\"{name}\" is served by another proxy contract already, at {other}");
        Problem::new(message, "Name in `realms` of each contract what it serves; without the key it serves them all.")
    });
    let served = customer.groups.iter().flat_map(|draft| {
        draft.value.realms.iter().map(|realm| Claim {
            what: (realm.selector, &realm.name),
            site: &draft.site,
            key: "realms",
        })
    });
    once(served, report, |(_, name), other| {
        let message = format!("\"{name}\" is served by another group contract already, at {other}");
        Problem::new(message, "Name in `realms` of each contract what it serves; without the key it serves them all.")
    });
    let served = customer.vpdn.iter().flat_map(|draft| {
        draft.vpdn.realms.iter().map(|realm| Claim {
            what: (draft.vpdn.kind, realm.selector, &realm.name),
            site: &draft.site,
            key: "realms",
        })
    });
    once(served, report, |(kind, _, name), other| {
        let kind = kind.name();
        let message = format!("\"{name}\" is served by another vpdn contract of type {kind} already, at {other}");
        Problem::new(message, "Name in `realms` of each contract what it serves; without the key it serves them all.")
    });
    if !customer.sound || (customer.proxies.is_empty() && customer.groups.is_empty() && customer.vpdn.is_empty()) {
        return;
    }
    let answered = |realm: &Realm| customer.groups.iter().any(|draft| draft.value.realms.contains(realm));
    let forwarded = |realm: &Realm| customer.proxies.iter().any(|draft| draft.proxy.realms.contains(realm));
    let tunnelled = |realm: &Realm| customer.vpdn.iter().any(|draft| draft.vpdn.realms.contains(realm));
    let served = |realm: &Realm| forwarded(realm) || answered(realm) || tunnelled(realm);
    for realm in customer.realms.iter().filter(|realm| !served(&realm.value)) {
        let message = format!("no contract serves \"{}\", so it is rejected", realm.value);
        let remedy = format!("Put \"{}\" into `realms` of a contract.", realm.value.name.as_str());
        let problem = Problem::new(message, remedy);
        report.warn(realm.site.finding(key(&realm.value), problem));
    }
}

fn key(realm: &Realm) -> &'static str {
    match realm.selector {
        Selector::Suffix => "suffix",
        Selector::Prefix => "prefix",
        Selector::NtDomain => "nt_domain",
        Selector::Apn => "apn",
        Selector::Pattern => "pattern",
        Selector::Default => "default",
    }
}
