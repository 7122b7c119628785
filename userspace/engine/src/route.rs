//! Which realm a request asks for, and what its client may have of it.
//!
//! Look-up stays inside the client's own customer: another customer's realm is not known here at all (SERVICE verdicts:
//! `client` of X asking for a realm of Y gets a Reject). (An access network, which is all customers', has a way of its own: `access::realm`.) The name itself is not changed (RFC 7542 §2.6 and §3), unless its pool
//! asks for that.

use sekisho_wire::{
    nai::{self, Place},
    scan::Layout,
};

use crate::{
    fanout::accounting_pools,
    snapshot::{Client, Customer, GroupId, Lookup, PoolId, RealmId, RealmService, RoutingSnapshot},
};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To a pool, for a realm that was found at this place of the name; `None`: elsewhere, or the whole name is the realm.
    Proxy(RealmId, PoolId, Option<Place>),
    /// Answered here, for a realm that was found at this place of the name; `None`: elsewhere, or the whole name is the realm.
    Group(RealmId, GroupId, Option<Place>),
    /// The realm is the customer's, but no contract serves it.
    Unserved(RealmId),
    /// No realm, or none of this customer's.
    Unknown,
    /// No realm, and none needed: Accounting-On or -Off, to the customer's only pool that takes accounting.
    WholeNas(PoolId),
    /// The same, to each of the customer's pools that take accounting.
    EveryPool,
}

const ACCOUNTING_ON: u32 = 7;
const ACCOUNTING_OFF: u32 = 8;

type Realms = Lookup<Box<[u8]>, RealmId>;

/// Finds the route of a verified request.
pub fn route(
    snapshot: &RoutingSnapshot,
    client: &Client,
    customer: &Customer,
    packet: &[u8],
    layout: &Layout,
) -> Route {
    let whole_nas = matches!(layout.acct_status(packet), Some(ACCOUNTING_ON | ACCOUNTING_OFF));
    let found = match named(client, customer, packet, layout) {
        Search::Found(id, place) => Some((id, place)),
        // A NAS that comes or goes asks for no realm (RFC 2866 §5.1), so it has no use for a default.
        _ if whole_nas => None,
        Search::NoRealm => client.default_realm.or(customer.default_realm).map(|id| (id, None)),
        Search::Unknown => customer.default_realm.map(|id| (id, None)),
    };
    if let Some((id, place)) = found
        && let Some(realm) = snapshot.realm(id)
    {
        return match realm.service {
            Some(RealmService::Proxy(pool)) => Route::Proxy(realm.id, pool, place),
            Some(RealmService::Group(group)) => Route::Group(realm.id, group, place),
            None => Route::Unserved(realm.id),
        };
    }
    if whole_nas {
        let mut pools = accounting_pools(snapshot, customer);
        match (pools.next(), pools.next()) {
            (Some(pool), None) => return Route::WholeNas(pool),
            (Some(_), Some(_)) => return Route::EveryPool,
            (None, _) => {}
        }
    }
    Route::Unknown
}

/// Whether a subscriber of this customer's may be meant: the realm of the User-Name is one that an Access-Request would be
/// routed by (RFC 5176 §6.1), or there is none in it.
pub fn names_own_realm(
    snapshot: &RoutingSnapshot,
    client: &Client,
    customer: &Customer,
    packet: &[u8],
    layout: &Layout,
) -> bool {
    let is_served = |id: RealmId| {
        snapshot.realm(id).is_some_and(|realm| realm.service.is_some() || realm.vpdn.iter().any(Option::is_some))
    };
    match named(client, customer, packet, layout) {
        Search::Found(id, _) => is_served(id),
        Search::Unknown => customer.default_realm.is_some_and(is_served),
        Search::NoRealm => true,
    }
}

/// What a request says about its realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    Found(RealmId, Option<Place>),
    /// It names a realm, but none of this customer's.
    Unknown,
    /// It names none.
    NoRealm,
}

/// The customer's realm that a request names: by suffix, by prefix, by Windows domain, as the whole name, by APN, and last by
/// the patterns that a suffix is matched with.
///
/// `/` and `\` are delimiters only for a customer that has realms found by them: to others they are letters of a name.
fn named(client: &Client, customer: &Customer, packet: &[u8], layout: &Layout) -> Search {
    let user = client.typed(layout.user_name.map_or(&[][..], |span| span.of(packet)));
    let mut canonical = [0; 255];
    let suffix = nai::realm_suffix(user);
    let canonical_suffix = suffix.and_then(|it| nai::canonical(it, &mut canonical));
    if let Some(id) = canonical_suffix.and_then(|it| customer.suffixes.get(it)) {
        return Search::Found(*id, Some(Place::Suffix));
    }
    let mut other = [0; 255];
    let prefix = if customer.prefixes.is_empty() { None } else { nai::realm_prefix(user) };
    if let Some(id) = look_up(prefix, &customer.prefixes, &mut other) {
        return Search::Found(id, Some(Place::Prefix));
    }
    let domain = if customer.nt_domains.is_empty() { None } else { nai::realm_nt(user) };
    if let Some(id) = look_up(domain, &customer.nt_domains, &mut other) {
        return Search::Found(id, Some(Place::Nt));
    }
    let bare = Some(user).filter(|user| client.bare_domain && is_bare(user));
    let called = layout.called_station.map(|span| span.of(packet));
    let found = look_up(bare, &customer.suffixes, &mut other).or_else(|| look_up(called, &customer.apns, &mut other));
    if let Some(id) = found {
        return Search::Found(id, None);
    }
    if let Some(suffix) = canonical_suffix
        && let Some((_, id)) = customer.patterns.iter().find(|(pattern, _)| pattern.is_match(suffix))
    {
        return Search::Found(*id, Some(Place::Suffix));
    }
    let names_one = suffix.is_some() || prefix.is_some() || domain.is_some();
    if names_one { Search::Unknown } else { Search::NoRealm }
}

/// Whether a name is one word: neither `@` nor `/` nor `\` is in it.
pub(crate) fn is_bare(name: &[u8]) -> bool {
    !name.iter().any(|octet| matches!(octet, b'@' | b'/' | b'\\'))
}

/// The realm of this name, in whatever way it is written.
pub(crate) fn look_up(name: Option<&[u8]>, realms: &Realms, canonical: &mut [u8; 255]) -> Option<RealmId> {
    if realms.is_empty() {
        return None;
    }
    realms.get(nai::canonical(name?, canonical)?).copied()
}
