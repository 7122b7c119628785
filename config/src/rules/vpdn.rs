//! Contracts for VPDN beside the others of their customer, and the access networks that ask for them.

use std::collections::HashSet;

use sekisho_wire::nai::CanonicalRealm;

use crate::{
    access::{AccessNetwork, ItemType, LookupMode, RealmPlace},
    customer::{Realm, Selector},
    document::Placed,
    finding::{Problem, Report},
    group::Group,
    read::{
        customer::{CustomerDraft, ProxyDraft},
        node::NodeDraft,
        vpdn::VpdnDraft,
    },
    vpdn::Verify,
};

/// Checks each customer's `vpdn` contracts against its `proxy` and `group` contracts and the access networks.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    for customer in customers.iter().filter(|customer| customer.sound) {
        for vpdn in &customer.vpdn {
            verified(vpdn, customer, report);
            if draft.node.is_some() {
                asked_for(vpdn, draft, report);
            }
        }
        if !customer.vpdn.is_empty() {
            nobody_asks(customer, report);
        }
    }
}

/// Whether a contract serves a realm for access networks of a type.
pub(super) fn serves(draft: &VpdnDraft, kind: ItemType, realm: &CanonicalRealm) -> bool {
    draft.vpdn.kind == kind && draft.vpdn.realms.iter().any(|served| served.name == *realm)
}

/// Whether a `vpdn` contract has its subscribers' logins verified by a `proxy` contract.
pub(super) fn verifies_by(draft: &VpdnDraft, proxy: &ProxyDraft) -> bool {
    let shares = |realm: &Realm| proxy.proxy.realms.contains(realm);
    matches!(draft.vpdn.verify, Verify::Proxy { .. }) && draft.vpdn.realms.iter().any(shares)
}

/// The access networks that ask for a contract.
pub(super) fn networks<'a>(draft: &'a NodeDraft, vpdn: &VpdnDraft) -> impl Iterator<Item = &'a Placed<AccessNetwork>> {
    let kind = vpdn.vpdn.kind;
    draft.access_networks.iter().filter(move |network| network.value.kind == kind)
}

/// With `verify = "proxy"` a home server says who may in, with `verify = "group"` the account database: so each realm has one.
fn verified(draft: &VpdnDraft, customer: &CustomerDraft, report: &Report) {
    let forwarded = |realm: &Realm| customer.proxies.iter().any(|proxy| proxy.proxy.realms.contains(realm));
    let answered = |realm: &Realm| customer.groups.iter().any(|group| group.value.realms.contains(realm));
    let (kind, served): (_, &dyn Fn(&Realm) -> bool) = match draft.vpdn.verify {
        Verify::Realm => return,
        Verify::Proxy { .. } => ("proxy", &forwarded),
        Verify::Group => ("group", &answered),
    };
    if draft.vpdn.verify == Verify::Group {
        let mut asked =
            customer.groups.iter().filter(|group| draft.vpdn.realms.iter().any(|it| group.value.realms.contains(it)));
        if let (Some(first), Some(second)) = (asked.next(), asked.next()) {
            let message = format!(
                "its realms are served by \"{}\" and by \"{}\", and one contract's accounts are asked",
                first.value.contract, second.value.contract
            );
            let remedy = "Make a [[vpdn]] for the realms of each [[group]].";
            report.fault(draft.site.finding("verify", Problem::new(message, remedy)));
        }
    }
    for realm in draft.vpdn.realms.iter().filter(|realm| !served(realm)) {
        let message = format!("no `{kind}` contract of this customer serves \"{realm}\", so nobody can be asked");
        let remedy = format!("Put the realm into `realms` of a [[{kind}]], or take it out of this contract's.");
        report.fault(draft.site.finding("verify", Problem::new(message, remedy)));
    }
}

/// Warns of a contract, and of realms of it, that no access network ever asks for.
fn asked_for(draft: &VpdnDraft, node: &NodeDraft, report: &Report) {
    let kind = draft.vpdn.kind.name();
    if networks(node, draft).next().is_none() {
        let message = format!("this node has no access network of type {kind}, so nobody ever asks for the contract");
        let remedy = format!("Add [[access_network]] with `type = {kind:?}` to sekisho.toml, or correct the type.");
        report.warn(draft.site.finding("type", Problem::new(message, remedy)));
        return;
    }
    let found = |realm: &Realm| networks(node, draft).any(|network| finds(&network.value, realm));
    let mut names = HashSet::new();
    for realm in draft.vpdn.realms.iter().filter(|realm| names.insert(&realm.name)) {
        if !draft.vpdn.realms.iter().any(|same| same.name == realm.name && found(same)) {
            let message = format!("no access network of type {kind} looks for \"{realm}\" where it stands");
            let remedy =
                "Name in `realms_by` of the [[access_network]] where to look, or make it a default realm there.";
            report.warn(draft.site.finding("realms", Problem::new(message, remedy)));
        }
    }
}

/// Whether an access network can find a realm.
fn finds(network: &AccessNetwork, realm: &Realm) -> bool {
    let lookup = &network.lookup;
    let by_default = lookup.default_realms.iter().map(|(_, realm)| realm).chain(&lookup.default_realm);
    let looks = |place| lookup.places.contains(&place);
    let stands = match realm.selector {
        Selector::Suffix => looks(RealmPlace::Suffix) || lookup.mode == LookupMode::Domain,
        Selector::Prefix => looks(RealmPlace::Prefix),
        Selector::Apn => looks(RealmPlace::Apn) || lookup.mode == LookupMode::Dnis,
        Selector::NtDomain | Selector::Pattern | Selector::Default => false,
    };
    stands || by_default.into_iter().any(|default| *default == realm.name)
}

/// Warns of contracts beside those for VPDN that nobody asks for, or that have nothing to ask for.
fn nobody_asks(customer: &CustomerDraft, report: &Report) {
    if customer.clients.is_empty() {
        let verifies = |proxy: &&ProxyDraft| customer.vpdn.iter().any(|vpdn| verifies_by(vpdn, proxy));
        for proxy in customer.proxies.iter().filter(|proxy| !verifies(proxy)) {
            let message = "the customer has no `client` contract, and no `vpdn` contract verifies by this one: nobody \
                           may ask for it (service regulation, Art. 5.1)";
            let remedy = "Add [[client]], or set `verify = \"proxy\"` at a [[vpdn]] of its realms, or take it out.";
            report.warn(proxy.site.finding("contract", Problem::new(message, remedy)));
        }
        let verifies = |group: &&Placed<Group>| {
            let shares = |realm: &Realm| group.value.realms.contains(realm);
            customer.vpdn.iter().any(|it| it.vpdn.verify == Verify::Group && it.vpdn.realms.iter().any(shares))
        };
        for group in customer.groups.iter().filter(|group| !verifies(group)) {
            let message = "the customer has no `client` contract, and no `vpdn` contract verifies by this one: nobody \
                           may ask for it (service regulation, Art. 5.1)";
            let remedy = "Add [[client]], or set `verify = \"group\"` at a [[vpdn]] of its realms, or take it out.";
            report.warn(group.site.finding("contract", Problem::new(message, remedy)));
        }
    }
    if customer.proxies.is_empty() && customer.groups.is_empty() {
        for client in &customer.clients {
            let message = "the customer has no `proxy` or `group` contract, and terminals never ask for VPDN: there is \
                           nothing to ask for (service regulation, Art. 5.1)";
            let remedy = "Add [[proxy]] with the servers that answer, or [[group]], or take it out.";
            report.warn(client.site.finding("contract", Problem::new(message, remedy)));
        }
    }
}
