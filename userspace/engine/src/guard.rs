//! What a NAS may say of itself, and what a home server may grant it: both may be of another company than ours.

use std::net::IpAddr;

use sekisho_wire::{attr, attribute::attributes, code::Code, scan::Layout};

use crate::{
    refusal::Cause,
    snapshot::{Client, NasIdentity},
    stats::{Counter, Withheld},
};

/// State and Class of one reply, together, at most: what a NAS has to keep for a session, and sends with every record of it.
const MAX_KEPT_OCTETS: usize = 1024;

/// Whether what a request says of its NAS agrees with its client's contract (RFC 3579 §4.3.2). Every attribute counts, not only
/// the first of its kind: a home server may read another one than we do.
pub(crate) fn is_own(nas: &NasIdentity, source: IpAddr, packet: &[u8], layout: &Layout) -> bool {
    let is_its = |address: Option<IpAddr>| address.is_some_and(|it| it == source || nas.addresses.contains(&it));
    layout.attributes(packet).all(|attribute| match attribute.number {
        attr::NAS_IP_ADDRESS | attr::NAS_IPV6_ADDRESS => is_its(to_address(attribute.value)),
        attr::NAS_IDENTIFIER => nas.identifiers.is_empty() || nas.identifiers.iter().any(|it| **it == *attribute.value),
        _ => true,
    })
}

/// What a home server's reply must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    /// Grant an administrator's service (RFC 2865 §2.3) to a client that has no contract for that.
    ServiceType,
    /// Give an address that is not of its contract's networks.
    FramedAddress,
    /// Challenge once more after all that a conversation may have.
    Challenges,
    /// Burden the NAS with more State and Class than any use of them needs.
    KeptOctets,
}

impl Breach {
    /// What the Reject says that is sent instead.
    pub(crate) fn cause(self) -> Cause {
        match self {
            Breach::ServiceType => Cause::UnsupportedService,
            Breach::FramedAddress | Breach::KeptOctets => Cause::InvalidValue,
            Breach::Challenges => Cause::NoAnswer,
        }
    }

    /// Where it is counted.
    pub(crate) fn counter(self, withheld: &Withheld) -> &Counter {
        match self {
            Breach::ServiceType => &withheld.service_type,
            Breach::FramedAddress => &withheld.framed_address,
            Breach::Challenges => &withheld.challenges,
            Breach::KeptOctets => &withheld.kept_octets,
        }
    }
}

/// What a reply, as its client would get it, does that it must not.
///
/// `networks` is what an Accept may give addresses of; empty: any. `challenges` is how many its conversation has had before, `max_challenges` how many it may have.
pub(crate) fn breach(
    client: &Client,
    networks: &[(IpAddr, u8)],
    packet: &[u8],
    layout: &Layout,
    (challenges, max_challenges): (u8, u8),
) -> Option<Breach> {
    match layout.code {
        Code::ACCESS_ACCEPT => {
            if layout.service_type.is_some() && !client.administrative && grants_administration(layout, packet) {
                return Some(Breach::ServiceType);
            }
            if !networks.is_empty() && !frames_within(networks, layout, packet) {
                return Some(Breach::FramedAddress);
            }
        }
        Code::ACCESS_CHALLENGE if challenges >= max_challenges => return Some(Breach::Challenges),
        Code::ACCESS_CHALLENGE => {}
        _ => return None,
    }
    // A packet that is not longer need not be looked through.
    (usize::from(layout.length) > MAX_KEPT_OCTETS && kept_octets(layout, packet) > MAX_KEPT_OCTETS)
        .then_some(Breach::KeptOctets)
}

fn grants_administration(layout: &Layout, packet: &[u8]) -> bool {
    // Administrative and NAS Prompt, and the same two after a call back (RFC 2865 §5.6).
    const SERVICES: [[u8; 4]; 4] = [[0, 0, 0, 6], [0, 0, 0, 7], [0, 0, 0, 9], [0, 0, 0, 11]];
    let mut services = layout.attributes(packet).filter(|it| it.number == attr::SERVICE_TYPE);
    services.any(|it| SERVICES.iter().any(|service| service[..] == *it.value))
}

/// Whether every address and prefix that an Accept gives is of these networks. IPv6 is looked at only where one of them is.
fn frames_within(networks: &[(IpAddr, u8)], layout: &Layout, packet: &[u8]) -> bool {
    // "Let the user select", "let the NAS select" (RFC 2865 §5.8).
    const SELECTED: [[u8; 4]; 2] = [[255; 4], [255, 255, 255, 254]];
    let v6 = networks.iter().any(|(network, _)| network.is_ipv6());
    layout.attributes(packet).all(|attribute| match attribute.number {
        attr::FRAMED_IP_ADDRESS => {
            SELECTED.iter().any(|it| it[..] == *attribute.value) || is_within(networks, to_address(attribute.value), 32)
        }
        FRAMED_IPV6_ADDRESS if v6 => is_within(networks, to_address(attribute.value), 128),
        attr::FRAMED_IPV6_PREFIX | attr::DELEGATED_IPV6_PREFIX if v6 => {
            let (address, length) = to_prefix(attribute.value);
            is_within(networks, address, length)
        }
        _ => true,
    })
}

/// Framed-IPv6-Address, RFC 6911 §3.1.
const FRAMED_IPV6_ADDRESS: u8 = 168;

fn to_address(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

/// A prefix as RFC 3162 §2.3 writes it: an octet reserved, its length, and as many of its octets as there are.
fn to_prefix(value: &[u8]) -> (Option<IpAddr>, u8) {
    let [_, length, octets @ ..] = value else { return (None, 0) };
    let mut address = [0; 16];
    let Some(start) = address.get_mut(..octets.len()) else { return (None, 0) };
    start.copy_from_slice(octets);
    (Some(IpAddr::from(address)), *length)
}

/// Whether a prefix of `length` bits lies in one of these networks.
fn is_within(networks: &[(IpAddr, u8)], address: Option<IpAddr>, length: u8) -> bool {
    networks.iter().any(|(network, bits)| match (network, address) {
        (IpAddr::V4(network), Some(IpAddr::V4(address))) => {
            let differing = u32::from(*network) ^ u32::from(address);
            *bits <= length && differing.checked_shr(32 - u32::from((*bits).min(32))).unwrap_or(0) == 0
        }
        (IpAddr::V6(network), Some(IpAddr::V6(address))) => {
            let differing = u128::from(*network) ^ u128::from(address);
            *bits <= length && differing.checked_shr(128 - u32::from((*bits).min(128))).unwrap_or(0) == 0
        }
        _ => false,
    })
}

fn kept_octets(layout: &Layout, packet: &[u8]) -> usize {
    let kept = attributes(layout.packet(packet)).filter(|it| matches!(it.number, attr::STATE | attr::CLASS));
    kept.map(|it| it.value.len() + 2).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_lies_in_a_network_if_all_of_it_does() {
        let network = |text: &str, bits: u8| vec![(text.parse::<IpAddr>().unwrap(), bits)];
        let within = |networks: &[(IpAddr, u8)], text: &str, length| is_within(networks, text.parse().ok(), length);
        let v4 = network("10.1.0.0", 16);
        assert!(within(&v4, "10.1.255.255", 32) && !within(&v4, "10.2.0.0", 32) && !within(&v4, "2001:db8::1", 128));
        assert!(within(&network("10.1.2.3", 32), "10.1.2.3", 32) && !within(&network("10.1.2.3", 32), "10.1.2.2", 32));
        assert!(within(&network("0.0.0.0", 0), "203.0.113.1", 32));
        let v6 = network("2001:db8::", 32);
        assert!(within(&v6, "2001:db8:1::", 56) && !within(&v6, "2001:db9::", 56) && !within(&v6, "2001:db8::", 24));
        assert!(within(&network("::", 0), "2001:db8::", 0) && !within(&network("::", 0), "10.0.0.1", 32));
        assert!(!is_within(&v4, None, 32));
        assert_eq!(to_prefix(&[0, 48, 0x20, 1]), ("2001::".parse().ok(), 48));
        assert_eq!(to_prefix(&[0, 48]), ("::".parse().ok(), 48));
        for malformed in [&[][..], &[0], &[0; 19]] {
            assert_eq!(to_prefix(malformed).0, None);
        }
    }
}
