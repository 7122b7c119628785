//! Which realm an access network's request asks for, whichever customer's it is.

use sekisho_wire::{
    nai::{self, Place},
    number::canonical_number,
    scan::Layout,
};

use crate::{
    route::{is_bare, look_up},
    snapshot::{Access, Client, NameLookup, RealmId, RealmPlace, RoutingSnapshot},
};

/// How a called number may stand in a User-Name.
const DNIS: &[u8] = b"dnis:";

/// The realm, and where in the name it was found; `None` there: elsewhere, or the whole name is the realm. `None` at all: the request
/// names a realm that nobody has, or none while there is no default for it.
pub(crate) fn find(
    snapshot: &RoutingSnapshot,
    client: &Client,
    access: &Access,
    packet: &[u8],
    layout: &Layout,
) -> Option<(RealmId, Option<Place>)> {
    let realms = &snapshot.access_realms;
    let user = client.typed(layout.user_name.map_or(&[][..], |span| span.of(packet)));
    let called = layout.called_station.map(|span| span.of(packet));
    let mut canonical = [0; 255];
    if access.lookup == NameLookup::Dnis
        && let Some(number) = user.strip_prefix(DNIS).or(called)
    {
        let mut digits = [0; 32];
        let number = canonical_number(number, &snapshot.country_code, &mut digits).unwrap_or(number);
        if let Some(id) = look_up(Some(number), &realms.apns, &mut canonical) {
            return Some((id, None));
        }
    }
    let mut names_one = false;
    if access.lookup == NameLookup::Domain && !user.is_empty() && is_bare(user) {
        if let Some(id) = look_up(Some(user), &realms.suffixes, &mut canonical) {
            return Some((id, None));
        }
        names_one = true;
    }
    for place in &access.places {
        let (name, known, at) = match place {
            RealmPlace::Suffix => (nai::realm_suffix(user), &realms.suffixes, Some(Place::Suffix)),
            RealmPlace::Prefix => (nai::realm_prefix(user), &realms.prefixes, Some(Place::Prefix)),
            RealmPlace::Apn => (called, &realms.apns, None),
        };
        if let Some(id) = look_up(name, known, &mut canonical) {
            return Some((id, at));
        }
        // An APN is in every request of a mobile network, also in those that name no realm.
        names_one |= name.is_some() && at.is_some();
    }
    if names_one {
        return None;
    }
    let by_apn = look_up(called, &access.default_realms, &mut canonical);
    Some((by_apn.or(client.default_realm)?, None))
}
