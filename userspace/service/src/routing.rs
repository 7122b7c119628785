//! Customers with their clients and realms, and the pools of home servers behind them.

use std::{collections::HashMap, hash::Hasher, net::SocketAddr, sync::Arc};

use sekisho_abi::{Roles, Source};
use sekisho_config::{Customer, PoolType, Proxy, Realm, Selector, Server};
use sekisho_engine::{
    snapshot::{
        self, Client, CustomerId, HomeId, HomeKind, HomeServer, Pool, PoolId, PoolKind, RealmId, RealmService,
        RoutingSnapshot,
    },
    stats::PerWorker,
};
use siphasher::sip::SipHasher13;

use crate::{book::IdBook, compile::Context, gate};

/// Adds one customer with all that is served for it.
///
/// A customer that cannot be served (Art. 5.1) is known with its realms, so that it can be shown; nobody may ask for it
/// and nothing is asked of its servers.
pub(crate) fn customer(from: &Customer, context: &Context<'_>, book: &mut IdBook, snapshot: &mut RoutingSnapshot) {
    let id = book.customer(&from.name);
    let served = from.serviceable().is_ok();
    let mut services: HashMap<(Selector, &str), RealmService> = HashMap::new();
    if served {
        for contract in &from.proxies {
            let pool = pool(from, contract, id, context, book, snapshot);
            let realms = contract.realms.iter().map(|realm| (realm.selector, realm.name.as_str()));
            services.extend(realms.map(|realm| (realm, RealmService::Proxy(pool))));
        }
        for contract in &from.clients {
            client(contract, id, book, snapshot);
        }
    }
    let mut customer = snapshot::Customer {
        id,
        name: from.name.clone(),
        suffixes: HashMap::new(),
        prefixes: HashMap::new(),
        apns: HashMap::new(),
        stats: match context.previous.and_then(|previous| previous.customer(id)) {
            Some(before) => before.stats.clone(),
            None => Arc::new(PerWorker::new(context.workers)),
        },
    };
    for from in &from.realms {
        let service = services.get(&(from.selector, from.name.as_str())).copied();
        let realm = realm(from, id, service, context, book, snapshot);
        let names = match from.selector {
            Selector::Suffix => &mut customer.suffixes,
            Selector::Prefix => &mut customer.prefixes,
            Selector::Apn => &mut customer.apns,
        };
        names.insert(from.name.as_str().as_bytes().into(), realm);
    }
    put(&mut snapshot.customers, id.index(), customer);
}

fn realm(
    from: &Realm,
    customer: CustomerId,
    service: Option<RealmService>,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> RealmId {
    let id = book.realm(customer, from.selector, from.name.as_str());
    let stats = match context.previous.and_then(|previous| previous.realm(id)) {
        Some(before) => before.stats.clone(),
        None => Arc::new(PerWorker::new(context.workers)),
    };
    put(&mut snapshot.realms, id.index(), snapshot::Realm { id, name: from.to_string(), customer, service, stats });
    id
}

fn client(from: &sekisho_config::Client, customer: CustomerId, book: &mut IdBook, snapshot: &mut RoutingSnapshot) {
    let id = book.client(customer, &from.contract);
    gate::register(&from.domain, from.address, &from.ingresses, Roles::CLIENT, id.0, book, snapshot);
    let client = Client {
        id,
        contract: from.contract.clone(),
        customer,
        address: from.address,
        secret: from.secret.clone(),
        require_message_authenticator: from.require_message_authenticator,
        limit_proxy_state: from.limit_proxy_state,
        reject_delay: from.reject_delay,
        answer_within: from.answer_within,
    };
    put(&mut snapshot.clients, id.index(), client);
}

fn pool(
    owner: &Customer,
    from: &Proxy,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> PoolId {
    let (mut auth, mut acct) = (Vec::new(), Vec::new());
    for server in &from.servers {
        gate::register(
            &server.domain,
            server.address,
            &server.ingresses,
            Roles::HOME_SERVER,
            Source::NO_ID,
            book,
            snapshot,
        );
        let mut add = |kind, port| home(server, kind, port, customer, context, book, snapshot);
        auth.extend(server.ports.auth().map(|port| add(HomeKind::Auth, port)));
        acct.extend(server.ports.accounting().map(|port| add(HomeKind::Acct, port)));
    }
    let id = PoolId(u32::try_from(snapshot.pools.len()).unwrap_or(u32::MAX));
    snapshot.pools.push(Pool {
        contract: from.contract.clone(),
        customer,
        kind: match from.pool {
            PoolType::FailOver => PoolKind::FailOver,
            PoolType::ClientBalance => PoolKind::ClientBalance,
        },
        seed: seed(&owner.name, &from.contract),
        auth,
        acct,
    });
    id
}

fn home(
    from: &Server,
    kind: HomeKind,
    port: u16,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> HomeId {
    let address = SocketAddr::from((from.address, port));
    let id = book.home(customer, &from.name, kind, address);
    let (state, stats) = match context.previous.and_then(|previous| previous.home(id)) {
        Some(before) => (before.state.clone(), before.stats.clone()),
        None => (Arc::default(), Arc::new(PerWorker::new(context.workers))),
    };
    let home = HomeServer {
        id,
        name: from.name.clone(),
        customer,
        kind,
        address,
        secret: from.secret.clone(),
        require_message_authenticator: from.require_message_authenticator,
        response_window: from.response_window,
        zombie_period: from.zombie_period,
        revive_interval: from.revive_interval,
        max_outstanding: from.max_outstanding,
        state,
        stats,
    };
    put(&mut snapshot.homes, id.index(), home);
    snapshot.home_by_address.insert(address, id);
    id
}

/// A number from a pool's identity, the same on every node and after every restart. The hash is part of that promise.
fn seed(customer: &str, contract: &str) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0, 0);
    hasher.write(customer.as_bytes());
    // Neither name can hold this octet, so no two identities run together.
    hasher.write_u8(0);
    hasher.write(contract.as_bytes());
    hasher.finish()
}

fn put<T>(list: &mut Vec<Option<Arc<T>>>, index: usize, value: T) {
    if list.len() <= index {
        list.resize_with(index + 1, || None);
    }
    if let Some(slot) = list.get_mut(index) {
        *slot = Some(Arc::new(value));
    }
}
