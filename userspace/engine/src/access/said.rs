//! What a request says of the device that it is for, and of its session.

use arrayvec::ArrayVec;
use sekisho_lns::sessions::{Key, Sessions};
use sekisho_wire::{attr, attribute::attributes, number::canonical_number, select::AttributeId, vendor::THREE_GPP};

use crate::snapshot::{RoutingSnapshot, SessionName, Vpdn};

const IMSI: AttributeId = AttributeId::Vendor(THREE_GPP, 1);
const CHARGING_ID: AttributeId = AttributeId::Vendor(THREE_GPP, 2);
const GGSN_ADDRESS: AttributeId = AttributeId::Vendor(THREE_GPP, 7);
const NSAPI: AttributeId = AttributeId::Vendor(THREE_GPP, 10);
const SESSION_STOP_INDICATOR: AttributeId = AttributeId::Vendor(THREE_GPP, 11);
const GGSN_IPV6_ADDRESS: AttributeId = AttributeId::Vendor(THREE_GPP, 16);

/// A value of at most 253 octets, copied: packets are rewritten where they stand.
pub(crate) type Octets = ArrayVec<u8, 253>;

/// The value of the first attribute of this number.
pub(crate) fn plain(packet: &[u8], number: u8) -> Option<&[u8]> {
    attributes(packet).find(|it| it.number == number).map(|it| it.value)
}

/// The number in the first attribute of this number.
pub(crate) fn number(packet: &[u8], kind: u8) -> Option<u32> {
    Some(u32::from_be_bytes(plain(packet, kind)?.try_into().ok()?))
}

/// A copy of an attribute's value, as long as one can be.
pub(crate) fn octets(value: &[u8]) -> Octets {
    value.iter().copied().take(253).collect()
}

/// The first of these attributes that the packet has: a telephone number in its one form, all else as it stands.
pub(crate) fn key(snapshot: &RoutingSnapshot, packet: &[u8], ids: &[AttributeId]) -> Octets {
    let found = ids.iter().find_map(|id| Some((*id, id.find(packet).filter(|value| !value.is_empty())?)));
    match found {
        Some((AttributeId::Plain(attr::CALLING_STATION_ID), value)) => canonical(snapshot, value),
        Some((_, value)) => octets(value),
        None => Octets::new(),
    }
}

/// Calling-Station-Id, or the IMSI; empty where there is neither.
pub(crate) fn calling(snapshot: &RoutingSnapshot, packet: &[u8]) -> Octets {
    key(snapshot, packet, &[AttributeId::Plain(attr::CALLING_STATION_ID), IMSI])
}

fn canonical(snapshot: &RoutingSnapshot, value: &[u8]) -> Octets {
    let mut digits = [0; 32];
    octets(canonical_number(value, &snapshot.country_code, &mut digits).unwrap_or(value))
}

/// The device within a contract: its number, at this APN. `None` where a request has no number.
pub(crate) fn device(
    sessions: &Sessions,
    snapshot: &RoutingSnapshot,
    contract: &Vpdn,
    packet: &[u8],
    calling: &[u8],
) -> Option<Key> {
    if calling.is_empty() {
        return None;
    }
    let customer = snapshot.customer(contract.customer)?;
    let apn = plain(packet, attr::CALLED_STATION_ID).unwrap_or_default().to_ascii_lowercase();
    Some(sessions.key(&[b"device", customer.name.as_bytes(), contract.contract.as_bytes(), calling, &apn]))
}

/// The NAS, by what it calls itself; within the source that it is behind.
pub(crate) fn nas(sessions: &Sessions, packet: &[u8]) -> Option<Key> {
    Some(sessions.key(&[b"nas", nas_name(packet)?]))
}

/// What the NAS calls itself.
pub(crate) fn nas_name(packet: &[u8]) -> Option<&[u8]> {
    let names = [attr::NAS_IDENTIFIER, attr::NAS_IP_ADDRESS, attr::NAS_IPV6_ADDRESS];
    names.into_iter().find_map(|number| plain(packet, number)).filter(|name| !name.is_empty())
}

/// The session, within its source.
pub(crate) fn session(sessions: &Sessions, name: SessionName, packet: &[u8]) -> Option<Key> {
    Some(sessions.key(&session_parts(name, packet)?))
}

/// What that is made of.
pub(crate) fn session_parts(name: SessionName, packet: &[u8]) -> Option<[&[u8]; 3]> {
    if name == SessionName::ChargingId
        && let Some(charging) = CHARGING_ID.find(packet)
        && let Some(gateway) = GGSN_ADDRESS.find(packet).or_else(|| GGSN_IPV6_ADDRESS.find(packet))
    {
        return Some([b"charging", gateway, charging]);
    }
    let id = plain(packet, attr::ACCT_SESSION_ID).filter(|id| !id.is_empty())?;
    Some([b"session", nas_name(packet).unwrap_or_default(), id])
}

/// The bearer (TS 29.061: one hexadecimal digit).
pub(crate) fn bearer(packet: &[u8]) -> Option<u8> {
    NSAPI.find(packet)?.first().copied()
}

/// Whether a Stop ends its session with all bearers.
pub(crate) fn is_last(packet: &[u8]) -> bool {
    SESSION_STOP_INDICATOR.find(packet).is_some()
}
