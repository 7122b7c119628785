//! What access networks look for is there, and only requests of no realm are keepalives.

use std::collections::HashSet;

use sekisho_wire::{
    nai::{CanonicalRealm, Place, Stripped, canonical},
    number::canonical_number,
};

use super::{Claim, repeated, vpdn::serves};
use crate::{
    access::{AccessNetwork, LookupMode},
    customer::{Realm, Selector},
    document::{Placed, Site},
    finding::{Problem, Report},
    read::{customer::CustomerDraft, node::NodeDraft},
};

/// What stands before a called number in a User-Name.
const DNIS: &str = "dnis:";

/// Every customer's realms that an access network can find.
struct Realms<'a> {
    /// By where they stand and their names.
    exact: HashSet<(Selector, &'a CanonicalRealm)>,
    names: HashSet<&'a CanonicalRealm>,
    /// What is for customers' own terminals.
    inner: HashSet<&'a CanonicalRealm>,
    /// What is an APN, or a called number.
    apns: Vec<(&'a CanonicalRealm, &'a Site)>,
}

/// Checks realms and keepalives that access networks name. `complete`: every customer's document could be read.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, complete: bool, report: &Report) {
    let realms = realms(customers);
    for network in &draft.access_networks {
        if complete {
            defaults(network, &realms, customers, report);
        }
        outer_suffix(network, &realms, report);
    }
    let Some(node) = &draft.node else { return };
    let country_code = node.country_code.as_str();
    for network in &draft.access_networks {
        keepalives(network, &realms, country_code, report);
    }
    if let Some(network) = draft.access_networks.iter().find(|it| it.value.lookup.mode == LookupMode::Dnis) {
        numbers(network, &realms, country_code, complete, report);
    }
}

fn realms(customers: &[CustomerDraft]) -> Realms<'_> {
    let all = || customers.iter().flat_map(|customer| &customer.realms);
    let is_inner = |realm: &&Placed<Realm>| matches!(realm.value.selector, Selector::Pattern | Selector::Default);
    let exact = || all().filter(|realm| !is_inner(realm));
    Realms {
        exact: exact().map(|realm| (realm.value.selector, &realm.value.name)).collect(),
        names: exact().map(|realm| &realm.value.name).collect(),
        inner: all().filter(is_inner).map(|realm| &realm.value.name).collect(),
        apns: exact()
            .filter(|realm| realm.value.selector == Selector::Apn)
            .map(|realm| (&realm.value.name, &realm.site))
            .collect(),
    }
}

/// `default_realm` and `default_realms` name realms of customers', with a contract that serves them.
fn defaults(network: &Placed<AccessNetwork>, realms: &Realms<'_>, customers: &[CustomerDraft], report: &Report) {
    let Placed { value, site } = network;
    let by_apn = site.entries("default_realms").zip(value.lookup.default_realms.iter().map(|(_, realm)| realm));
    for (key, realm) in by_apn.chain(value.lookup.default_realm.iter().map(|realm| ("default_realm", realm))) {
        if !realms.names.contains(realm) {
            let message = match realms.inner.contains(realm) {
                true => format!("\"{realm}\" is for a customer's own terminals, and no access network ever finds it"),
                false => format!("\"{realm}\" is no realm of any customer"),
            };
            let remedy = "Name a realm that a customer has as [[realm]] with a `suffix`, a `prefix` or an `apn`.";
            report.fault(site.finding(key, Problem::new(message, remedy)));
        } else if !customers.iter().flat_map(|it| &it.vpdn).any(|it| serves(it, value.kind, realm)) {
            let kind = value.kind.name();
            let message =
                format!("no `vpdn` contract of type {kind} serves \"{realm}\", so these requests are rejected");
            let remedy = "Add [[vpdn]] to the customer's document, or name another realm.";
            report.warn(site.finding(key, Problem::new(message, remedy)));
        }
    }
}

/// A carrier's suffix that is a customer's realm is taken off before the realm is looked for.
fn outer_suffix(network: &Placed<AccessNetwork>, realms: &Realms<'_>, report: &Report) {
    if let Some(suffix) = &network.value.lookup.outer_suffix
        && realms.exact.contains(&(Selector::Suffix, suffix))
    {
        let message = format!("\"{suffix}\" is a customer's realm, which is taken off before it is looked for");
        let remedy = "Give the carrier's own suffix, or take the key out.";
        report.warn(network.site.finding("outer_suffix", Problem::new(message, remedy)));
    }
}

/// A keepalive of a customer's realm would hide a subscriber's login.
fn keepalives(network: &Placed<AccessNetwork>, realms: &Realms<'_>, country_code: &str, report: &Report) {
    let lookup = &network.value.lookup;
    for (i, user) in network.value.keepalive.users.iter().enumerate() {
        let mut name = Stripped::of(user.as_bytes());
        if let Some(outer) = &lookup.outer_suffix {
            name = name.without_outer(outer.as_str().as_bytes());
        }
        let places =
            [(Place::Suffix, Selector::Suffix), (Place::Prefix, Selector::Prefix), (Place::Nt, Selector::NtDomain)];
        let named = places.into_iter().find_map(|(place, selector)| {
            let realm = known(place.realm(name.user())?)?;
            realms.exact.contains(&(selector, &realm)).then_some(realm)
        });
        let bare = || {
            let realm = known(name.user()).filter(|_| lookup.mode == LookupMode::Domain)?;
            realms.exact.contains(&(Selector::Suffix, &realm)).then_some(realm)
        };
        let called = || {
            let wanted = number(user.strip_prefix(DNIS)?, country_code).filter(|_| lookup.mode == LookupMode::Dnis)?;
            let mut apns = realms.apns.iter().map(|(realm, _)| *realm);
            apns.find(|realm| number(realm.as_str(), country_code).as_ref() == Some(&wanted)).cloned()
        };
        if let Some(realm) = named.or_else(bare).or_else(called) {
            let message = format!(
                "{user:?} is in \"{realm}\", a customer's realm, so it asks for more than whether we are there"
            );
            let remedy = "Take it out: a keepalive's name has no realm, or one of the carrier's own.";
            report.fault(network.site.finding(&format!("probe_users[{i}]"), Problem::new(message, remedy)));
        }
    }
}

fn known(realm: &[u8]) -> Option<CanonicalRealm> {
    let mut out = [0; 255];
    CanonicalRealm::new(str::from_utf8(canonical(realm, &mut out)?).ok()?).ok()
}

fn number(text: &str, country_code: &str) -> Option<Vec<u8>> {
    canonical_number(text.as_bytes(), country_code, &mut [0; 32]).map(<[u8]>::to_vec)
}

/// Where called numbers are looked up, a number is one realm, in whatever form it is written.
fn numbers(network: &Placed<AccessNetwork>, realms: &Realms<'_>, country_code: &str, complete: bool, report: &Report) {
    // The same name twice has been told.
    let mut names = HashSet::new();
    let apns = realms.apns.iter().filter(|(realm, _)| names.insert(*realm));
    let all: Vec<_> = apns.filter_map(|(realm, site)| Some((number(realm.as_str(), country_code)?, *site))).collect();
    repeated(all.iter().map(|(number, site)| Claim { what: number, site, key: "apn" }), |claim, other| {
        let number = String::from_utf8_lossy(claim.what);
        let message = format!("{number} is a realm already, at {other}, and access networks look called numbers up");
        let remedy = "A number is one realm, however it is written (`country_code`): take one out.";
        report.fault(claim.site.finding(claim.key, Problem::new(message, remedy)));
    });
    if all.is_empty() && complete {
        let message = "looks called numbers up, and no customer has a number as `apn` of a [[realm]]";
        let remedy =
            "Add [[realm]] with `apn = \"0312345678\"` to the customer's document, or look realms up by names.";
        report.warn(network.site.finding("lookup", Problem::new(message, remedy)));
    }
}
