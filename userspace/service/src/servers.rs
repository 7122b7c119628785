//! Pools, and the home servers in them.

use std::{hash::Hasher, net::SocketAddr, sync::Arc, time::Duration};

use sekisho_abi::Roles;
use sekisho_config::{
    Customer, PoolType, Ports, Proxy, Server,
    customer::{ServerState, Strip},
};
use sekisho_engine::{
    snapshot::{
        self, CustomerId, HomeId, HomeKind, HomeServer, HomeService, Member, Pool, PoolId, PoolKind, Require,
        RoutingSnapshot, StatusCheck, Tier,
    },
    stats::PerWorker,
};
use sekisho_wire::secret::Secret;
use siphasher::sip::SipHasher13;

use crate::{
    book::IdBook,
    clients::{require, verdict},
    compile::Context,
    gate,
    hosts::Hosts,
    routing::put,
};

/// A NAS that has not answered a CoA- or Disconnect-Request for that long is counted as not answering; the request
/// waits on.
const NAS_RESPONSE_WINDOW: Duration = Duration::from_secs(3);
/// Requests outstanding at a NAS, per worker: what one port has identifiers for.
const NAS_OUTSTANDING: u32 = 256;

/// Adds a contract's servers, and the pool of them. Servers without an address are left out.
pub(crate) fn pool(
    owner: &Customer,
    from: &Proxy,
    customer: CustomerId,
    hosts: &Hosts<'_>,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> PoolId {
    let mut add = |server: &Server, kind: HomeKind, port: u16| {
        let address = SocketAddr::new(hosts.of(&owner.name, server)?, port);
        let way = gate::Way { domain: &server.domain, ingresses: &server.ingresses };
        gate::register(way, address.ip(), Roles::HOME_SERVER, None, book, snapshot);
        Some(home(server, kind, address, customer, context, book, snapshot))
    };
    let lacking = |port: fn(Ports) -> Option<u16>| {
        from.servers().any(|server| port(server.ports).is_some() && hosts.of(&owner.name, server).is_none())
    };
    let (auth_awaited, acct_awaited) = (lacking(Ports::auth), lacking(Ports::accounting));
    let mut tiers = Vec::with_capacity(from.tiers.len());
    for (index, tier) in (0u32..).zip(&from.tiers) {
        let (mut auth, mut acct) = (Vec::new(), Vec::new());
        for server in &tier.servers {
            let member = |home| Member::new(home, &server.name, server.weight);
            auth.extend(server.ports.auth().and_then(|port| add(server, HomeKind::Auth, port)).map(member));
            acct.extend(server.ports.accounting().and_then(|port| add(server, HomeKind::Acct, port)).map(member));
        }
        let kind = match tier.pool {
            PoolType::FailOver => PoolKind::FailOver,
            PoolType::LoadBalance => PoolKind::LoadBalance,
            PoolType::ClientBalance => PoolKind::ClientBalance,
            PoolType::KeyedBalance(key) => PoolKind::KeyedBalance(key),
        };
        tiers.push(Tier { kind, seed: seed(&owner.name, &from.contract, index), auth, acct });
    }
    let copies = from.copies.iter().filter_map(|server| add(server, HomeKind::Acct, server.ports.accounting()?));
    let copies = copies.collect();
    let id = PoolId(u32::try_from(snapshot.pools.len()).unwrap_or(u32::MAX));
    snapshot.pools.push(Pool {
        contract: from.contract.clone(),
        customer,
        tiers,
        auth_awaited,
        acct_awaited,
        copies,
        strip: match from.strip {
            Strip::Nothing => snapshot::Strip::Nothing,
            Strip::Outer => snapshot::Strip::Outer,
            Strip::Realm => snapshot::Strip::Realm,
        },
        when_down: verdict(from.when_down),
        framed_networks: from.framed_networks.clone(),
    });
    id
}

fn home(
    from: &Server,
    kind: HomeKind,
    address: SocketAddr,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> HomeId {
    let id = book.home(customer, &from.name, kind, address);
    let home = HomeServer {
        id,
        name: from.name.clone(),
        customer,
        kind,
        address,
        secret: from.secret.clone(),
        previous_secret: from.previous_secret.clone(),
        require_message_authenticator: require(from.require_message_authenticator),
        response_window: from.response_window,
        response_timeouts: from.response_timeouts,
        zombie_period: from.zombie_period,
        revive_interval: from.revive_interval,
        status_check: from.status_check.map(|check| StatusCheck {
            interval: check.interval,
            timeout: check.timeout,
            answers_to_alive: check.answers_to_alive,
        }),
        max_outstanding: from.max_outstanding,
        service: match from.state {
            ServerState::Up => HomeService::Up,
            ServerState::Draining => HomeService::Draining,
            ServerState::Down => HomeService::Down,
        },
        state: Arc::default(),
        stats: Arc::new(PerWorker::new(context.workers)),
    };
    install(home, context, snapshot)
}

/// Who takes dynamic authorization.
pub(crate) struct Nas<'a> {
    pub(crate) customer: CustomerId,
    /// The contract's name, or the access network's.
    pub(crate) name: &'a str,
    pub(crate) address: SocketAddr,
    pub(crate) secret: &'a Secret,
    pub(crate) previous_secret: Option<&'a Secret>,
}

/// Adds the port where a terminal, or an access network's equipment, takes CoA and Disconnect. Its health is nobody's concern: there
/// is no other to ask.
pub(crate) fn nas(from: &Nas<'_>, context: &Context<'_>, book: &mut IdBook, snapshot: &mut RoutingSnapshot) -> HomeId {
    let home = HomeServer {
        id: book.home(from.customer, from.name, HomeKind::DynAuth, from.address),
        name: from.name.to_owned(),
        customer: from.customer,
        kind: HomeKind::DynAuth,
        address: from.address,
        secret: from.secret.clone(),
        previous_secret: from.previous_secret.cloned(),
        // Its answers prove themselves by their authenticator (RFC 5176 §2.3).
        require_message_authenticator: Require::No,
        response_window: NAS_RESPONSE_WINDOW,
        response_timeouts: u32::MAX,
        zombie_period: Duration::MAX,
        revive_interval: Duration::MAX,
        status_check: None,
        max_outstanding: NAS_OUTSTANDING,
        service: HomeService::Up,
        state: Arc::default(),
        stats: Arc::new(PerWorker::new(context.workers)),
    };
    install(home, context, snapshot)
}

/// Puts a server in its place, with the health and the counters that it had before.
fn install(mut home: HomeServer, context: &Context<'_>, snapshot: &mut RoutingSnapshot) -> HomeId {
    let id = home.id;
    if let Some(before) = context.previous.and_then(|previous| previous.home(id)) {
        (home.state, home.stats) = (Arc::clone(&before.state), Arc::clone(&before.stats));
    }
    snapshot.home_by_address.insert(home.address, id);
    put(&mut snapshot.homes, id.index(), home);
    id
}

/// A number from the identity of a pool's tier, the same on every node and after every restart. The hash is part of that
/// promise, and so is that the first tier's comes from the pool alone.
fn seed(customer: &str, contract: &str, tier: u32) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(0, 0);
    hasher.write(customer.as_bytes());
    // Neither name can hold this octet, so no two identities run together.
    hasher.write_u8(0);
    hasher.write(contract.as_bytes());
    if tier > 0 {
        hasher.write_u8(0);
        hasher.write(&tier.to_be_bytes());
    }
    hasher.finish()
}
