//! Which realm a request asks for, and what its client may have of it.
//!
//! Look-up stays inside the client's own customer: another customer's realm is not known here at all (SERVICE verdicts:
//! `client` of X asking for a realm of Y gets a Reject). The name itself is never changed (RFC 7542 §2.6 and §3).

use sekisho_wire::{nai, scan::Layout};

use crate::snapshot::{Customer, HomeKind, Pool, PoolId, Realm, RealmId, RealmService, RoutingSnapshot};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To a pool, for a realm.
    Proxy(RealmId, PoolId),
    /// The realm is the customer's, but no contract serves it.
    Unserved(RealmId),
    /// No realm, or none of this customer's.
    Unknown,
    /// No realm, and none needed: Accounting-On or -Off, to the customer's only pool that takes accounting.
    WholeNas(PoolId),
}

const ACCOUNTING_ON: u32 = 7;
const ACCOUNTING_OFF: u32 = 8;

/// Finds the route of a verified request.
pub fn route(snapshot: &RoutingSnapshot, customer: &Customer, packet: &[u8], layout: &Layout) -> Route {
    if let Some(realm) = realm_of(snapshot, customer, packet, layout) {
        return match realm.service {
            Some(RealmService::Proxy(pool)) => Route::Proxy(realm.id, pool),
            None => Route::Unserved(realm.id),
        };
    }
    if matches!(layout.acct_status(packet), Some(ACCOUNTING_ON | ACCOUNTING_OFF)) {
        let takes_it = |pool: &Pool| pool.customer == customer.id && pool.members(HomeKind::Acct).next().is_some();
        let mut pools = snapshot.pools.iter().enumerate().filter(|(_, pool)| takes_it(pool));
        if let (Some((index, _)), None) = (pools.next(), pools.next()) {
            return Route::WholeNas(PoolId(index as u32));
        }
    }
    Route::Unknown
}

/// The customer's realm that a request names: by suffix, else by prefix, else by APN.
fn realm_of<'s>(
    snapshot: &'s RoutingSnapshot,
    customer: &Customer,
    packet: &[u8],
    layout: &Layout,
) -> Option<&'s Realm> {
    let mut canonical = [0; 255];
    let mut find = |name: Option<&[u8]>, realms: &std::collections::HashMap<Box<[u8]>, RealmId>| {
        if realms.is_empty() {
            return None;
        }
        realms.get(nai::canonical(name?, &mut canonical)?).copied()
    };
    let user = layout.user_name.map(|span| span.of(packet));
    let called = layout.called_station.map(|span| span.of(packet));
    let id = find(user.and_then(nai::realm_suffix), &customer.suffixes)
        .or_else(|| find(user.and_then(nai::realm_prefix), &customer.prefixes))
        .or_else(|| find(called, &customer.apns))?;
    snapshot.realm(id).map(|realm| &**realm)
}
