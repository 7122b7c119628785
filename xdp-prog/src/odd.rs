//! Fragments, IPv4 options, IPv6 extension headers: up for sources with a role, down for others, where they are ours.
//!
//! What can be seen not to be ours passes as any other packet: options and extension headers are walked as far as the
//! UDP ports. EAP-TLS comes in fragments, in both directions, so a fragment is dropped only on an address that carries
//! nothing but RADIUS.

use sekisho_abi::{IngressKey, Outcome, Reason, Roles, service::AddressFlags};

use crate::{
    address::Address,
    frame::Frame,
    ip::{Packet, UDP},
    maps,
};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

/// Extension headers that are walked. No sound packet has more: RFC 8200 §4.1 has each once, destination options twice.
const MAX_EXTENSIONS: usize = 5;

/// How a packet's source stands with us, as far as can be told without a port.
enum Standing {
    /// Registered here, with a role.
    Registered,
    /// Registered, but not by this ingress.
    Misplaced,
    /// Unknown, or known without a role.
    Unregistered,
}

/// Extension headers behind which a datagram may be found. Behind the others (IPsec, mobility) is none for us to see.
#[inline(always)]
pub fn is_extension(next_header: u8) -> bool {
    matches!(next_header, HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS)
}

/// A whole datagram behind IPv4 options.
#[inline(always)]
pub fn optioned(frame: &Frame, packet: &Packet, ingress: &IngressKey) -> Outcome {
    match port_is_ours(frame, packet, packet.payload) {
        Ok(()) => beyond_options(packet, ingress),
        Err(outcome) => outcome,
    }
}

/// The first fragment of a datagram, with its UDP header at `udp`.
#[inline(always)]
pub fn first_fragment(frame: &Frame, packet: &Packet, ingress: &IngressKey, udp: usize) -> Outcome {
    match port_is_ours(frame, packet, udp) {
        Ok(()) => later_fragment(packet, ingress),
        Err(outcome) => outcome,
    }
}

/// A fragment without ports: known by our address alone.
#[inline(always)]
pub fn later_fragment(packet: &Packet, ingress: &IngressKey) -> Outcome {
    let dedicated = match maps::address(packet.destination) {
        Some(flags) => flags == AddressFlags::DEDICATED,
        None => return Outcome::NotOurs,
    };
    match standing(packet.source, ingress) {
        Standing::Misplaced if dedicated => Outcome::Dropped(Reason::WrongIngress),
        Standing::Unregistered if dedicated => Outcome::Dropped(Reason::FragmentUnregistered),
        _ => Outcome::Passed,
    }
}

/// IPv6 extension headers, the first of number `next`.
#[inline(always)]
pub fn extensions(frame: &Frame, packet: &Packet, ingress: &IngressKey, mut next: u8) -> Outcome {
    let mut offset = packet.payload;
    for _ in 0..MAX_EXTENSIONS {
        let Some(head) = frame.load::<4>(offset) else {
            return truncated(packet);
        };
        let fragment = u16::from_be_bytes([head[2], head[3]]);
        // An offset or more fragments: a true fragment. Neither: an atomic one (RFC 6946), a header like the others.
        if next == FRAGMENT && fragment & 0xfff9 != 0 {
            return match head[0] {
                UDP if fragment & 0xfff8 == 0 => first_fragment(frame, packet, ingress, offset + 8),
                upper if upper == UDP || is_extension(upper) => later_fragment(packet, ingress),
                _ => Outcome::NotOurs,
            };
        }
        // RFC 8200 §4.3: in units of 8 octets, not counting the first 8; the fragment header is 8 octets.
        offset += if next == FRAGMENT { 8 } else { (head[1] as usize + 1) * 8 };
        next = head[0];
        if next == UDP {
            return match port_is_ours(frame, packet, offset) {
                Ok(()) => beyond_options(packet, ingress),
                Err(outcome) => outcome,
            };
        }
        if !is_extension(next) {
            return Outcome::NotOurs;
        }
    }
    match maps::address(packet.destination) {
        Some(_) => beyond_options(packet, ingress),
        None => Outcome::NotOurs,
    }
}

/// A packet that ends before its UDP header does: on our addresses nothing that anyone could use.
#[inline(always)]
pub fn truncated(packet: &Packet) -> Outcome {
    match maps::address(packet.destination) {
        Some(_) => Outcome::Dropped(Reason::FrameTruncated),
        None => Outcome::NotOurs,
    }
}

#[inline(always)]
fn port_is_ours(frame: &Frame, packet: &Packet, udp: usize) -> Result<(), Outcome> {
    let Some([_, _, high, low]) = frame.load::<4>(udp) else {
        return Err(truncated(packet));
    };
    match maps::service(packet.destination, u16::from_be_bytes([high, low])) {
        Some(_) => Ok(()),
        None => Err(Outcome::NotOurs),
    }
}

#[inline(always)]
fn beyond_options(packet: &Packet, ingress: &IngressKey) -> Outcome {
    match standing(packet.source, ingress) {
        Standing::Registered => Outcome::Passed,
        Standing::Misplaced => Outcome::Dropped(Reason::WrongIngress),
        Standing::Unregistered => Outcome::Dropped(Reason::OptionsUnregistered),
    }
}

#[inline(always)]
fn standing(from: Address, ingress: &IngressKey) -> Standing {
    let Some(ingress) = maps::ingress(ingress) else {
        return Standing::Unregistered;
    };
    match maps::source(ingress.domain, from) {
        Some(source) if source.roles == Roles::NONE => Standing::Unregistered,
        Some(source) if (source.ingresses >> (ingress.index & 63)) & 1 == 0 => Standing::Misplaced,
        Some(_) => Standing::Registered,
        None => Standing::Unregistered,
    }
}
