//! Which NAS a dynamic-authorization request is for.

use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use sekisho_wire::{attr, scan::Layout};

use crate::{
    refusal::Cause,
    snapshot::{Customer, HomeId, NasKey},
};

/// The NAS of this customer's that a CoA- or Disconnect-Request is for.
///
/// NAS-IP-Address, NAS-IPv6-Address and NAS-Identifier say it (RFC 5176 §3), and all that are given have to name the same one. Beside
/// an address a NAS-Identifier that no contract lists says nothing: the NAS compares it with its own (RFC 5176 §3).
/// Framed-IP-Address says nothing: customers' networks overlap. A request that names no NAS means one by its session, and
/// sessions are not known here; nor does one that names two mean either.
///
/// # Errors
///
/// The Error-Cause of the NAK.
pub(crate) fn nas_of(customer: &Customer, packet: &[u8], layout: &Layout) -> Result<HomeId, Cause> {
    let names = layout.attributes(packet).filter_map(|attribute| match attribute.number {
        attr::NAS_IP_ADDRESS => Some(v4(attribute.value)),
        attr::NAS_IPV6_ADDRESS => Some(v6(attribute.value)),
        attr::NAS_IDENTIFIER => Some(Some(Name::Identifier(attribute.value))),
        _ => None,
    });
    let (mut found, mut strange, mut unlisted) = (None, false, false);
    for name in names {
        // An address of the wrong length is nobody's.
        let nas = name.and_then(|name| customer.nases.get(&name as &dyn Named)).copied();
        match (nas, name) {
            (Some(nas), _) if found.is_some_and(|found| found != nas) => return Err(Cause::NoSession),
            (Some(nas), _) => found = Some(nas),
            (None, Some(Name::Identifier(_))) => unlisted = true,
            (None, _) => strange = true,
        }
    }
    match (found, strange) {
        (Some(nas), false) => Ok(nas),
        (Some(_), true) => Err(Cause::NoSession),
        (None, strange) if strange || unlisted => Err(Cause::NotRoutable),
        (None, _) => Err(Cause::NoSession),
    }
}

/// A [`NasKey`] without memory of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Name<'a> {
    Address(IpAddr),
    Identifier(&'a [u8]),
}

fn v4(value: &[u8]) -> Option<Name<'_>> {
    let octets: [u8; 4] = value.try_into().ok()?;
    Some(Name::Address(Ipv4Addr::from(octets).into()))
}

fn v6(value: &[u8]) -> Option<Name<'_>> {
    let octets: [u8; 16] = value.try_into().ok()?;
    Some(Name::Address(Ipv6Addr::from(octets).to_canonical()))
}

/// What a table of [`NasKey`]s can be searched by.
trait Named {
    fn name(&self) -> Name<'_>;
}

impl Named for Name<'_> {
    fn name(&self) -> Name<'_> {
        *self
    }
}

impl Named for NasKey {
    fn name(&self) -> Name<'_> {
        match self {
            NasKey::Address(address) => Name::Address(*address),
            NasKey::Identifier(identifier) => Name::Identifier(identifier),
        }
    }
}

impl<'a> Borrow<dyn Named + 'a> for NasKey {
    fn borrow(&self) -> &(dyn Named + 'a) {
        self
    }
}

/// As the borrowed form does: a table finds one by the other.
impl Hash for NasKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl Hash for dyn Named + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl PartialEq for dyn Named + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for dyn Named + '_ {}
