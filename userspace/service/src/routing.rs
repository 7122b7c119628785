//! Customers with their realms.

use std::{collections::HashMap, sync::Arc};

use sekisho_config::{Customer, Node, Realm, Selector};
use sekisho_engine::{
    snapshot::{self, AccessType, ContractId, CustomerId, Pool, RealmId, RealmService, RoutingSnapshot},
    stats::PerWorker,
};

use sekisho_wire::number::canonical_number;

use crate::{book::IdBook, clients, compile::Context, groups, hosts::Hosts, networks, servers, vpdn};

/// What serves a realm for the customer's own terminals, by the realm's selector and name.
pub(crate) type Services<'a> = HashMap<(Selector, &'a str), RealmService>;

/// Adds one customer with all that is served for it.
///
/// A customer that cannot be served (Art. 5.1) is known with its realms, so that it can be shown; nobody may ask for it
/// and nothing is asked of its servers.
pub(crate) fn customer(
    node: &Node,
    from: &Customer,
    hosts: &Hosts<'_>,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    let id = book.customer(&from.name);
    let mut customer = snapshot::Customer {
        id,
        name: from.name.clone(),
        suffixes: snapshot::Lookup::new(),
        prefixes: snapshot::Lookup::new(),
        nt_domains: snapshot::Lookup::new(),
        apns: snapshot::Lookup::new(),
        patterns: Vec::new(),
        default_realm: None,
        nases: snapshot::Lookup::new(),
        acct_pools: Vec::new(),
        stats: match context.previous.and_then(|previous| previous.customer(id)) {
            Some(before) => before.stats.clone(),
            None => Arc::new(PerWorker::new(context.workers)),
        },
    };
    let mut services: Services<'_> = HashMap::new();
    let mut tunnelled = vpdn::Services::new();
    if from.serviceable().is_ok() {
        for contract in &from.proxies {
            let pool = servers::pool(from, contract, id, hosts, context, book, snapshot);
            let realms = contract.realms.iter().map(|realm| (realm.selector, realm.name.as_str()));
            services.extend(realms.map(|realm| (realm, RealmService::Proxy(pool))));
        }
        for contract in &from.groups {
            let group = groups::contract(node, contract, id, context, book, snapshot);
            let realms = contract.realms.iter().map(|realm| (realm.selector, realm.name.as_str()));
            services.extend(realms.map(|realm| (realm, RealmService::Group(group))));
        }
        let pools = services.values().filter_map(|service| match service {
            RealmService::Proxy(pool) => Some(*pool),
            RealmService::Group(_) => None,
        });
        customer.acct_pools = pools.filter(|pool| snapshot.pool(*pool).is_some_and(Pool::takes_accounting)).collect();
        customer.acct_pools.sort_unstable();
        customer.acct_pools.dedup();
        customer.nases = clients::clients(from, id, context, book, snapshot);
        vpdn::lnss(node, from, id, context, book, snapshot);
        tunnelled = vpdn::contracts(from, id, &services, context, book, snapshot);
        networks::lns_sources(from, id, context, book, snapshot);
    }
    for from in &from.realms {
        let service = services.get(&(from.selector, from.name.as_str())).copied();
        let vpdn = [AccessType::D, AccessType::K, AccessType::I]
            .map(|kind| tunnelled.get(&(from.selector, from.name.as_str(), kind)).copied());
        let realm = realm(from, (id, service, vpdn), context, book, snapshot);
        // An exact name is one customer's: an access network, which is no customer's, finds them all.
        let shared = &mut snapshot.access_realms;
        let (names, shared) = match from.selector {
            Selector::Suffix => (&mut customer.suffixes, Some(&mut shared.suffixes)),
            Selector::Prefix => (&mut customer.prefixes, Some(&mut shared.prefixes)),
            Selector::NtDomain => (&mut customer.nt_domains, None),
            Selector::Apn => {
                let mut digits = [0; 32];
                let name = from.name.as_str().as_bytes();
                if let Some(number) = canonical_number(name, &snapshot.country_code, &mut digits) {
                    shared.apns.insert(number.into(), realm);
                }
                (&mut customer.apns, Some(&mut shared.apns))
            }
            Selector::Pattern => {
                customer.patterns.extend(from.pattern.as_ref().map(|pattern| (pattern.0.clone(), realm)));
                continue;
            }
            Selector::Default => {
                customer.default_realm = Some(realm);
                continue;
            }
        };
        let name: Box<[u8]> = from.name.as_str().as_bytes().into();
        if let Some(shared) = shared {
            shared.insert(name.clone(), realm);
        }
        names.insert(name, realm);
    }
    put(&mut snapshot.customers, id.index(), customer);
}

fn realm(
    from: &Realm,
    (customer, service, vpdn): (CustomerId, Option<RealmService>, [Option<ContractId>; AccessType::COUNT]),
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> RealmId {
    let id = book.realm(customer, from.selector, from.name.as_str());
    let stats = match context.previous.and_then(|previous| previous.realm(id)) {
        Some(before) => before.stats.clone(),
        None => Arc::new(PerWorker::new(context.workers)),
    };
    put(
        &mut snapshot.realms,
        id.index(),
        snapshot::Realm { id, name: from.to_string(), customer, service, vpdn, stats },
    );
    id
}

/// Puts an object in its place, which may lie beyond the list's end.
pub(crate) fn put<T>(list: &mut Vec<Option<Arc<T>>>, index: usize, value: T) {
    if list.len() <= index {
        list.resize_with(index + 1, || None);
    }
    if let Some(slot) = list.get_mut(index) {
        *slot = Some(Arc::new(value));
    }
}
