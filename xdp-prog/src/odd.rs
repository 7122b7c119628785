//! Fragments, IPv4 options, IPv6 extension headers: up for sources with a role, down for others, where they are ours.
//!
//! What can be seen not to be ours passes as any other packet: options and extension headers are walked as far as the
//! UDP ports. EAP-TLS comes in fragments, in both directions, so a fragment is dropped only on an address that carries
//! nothing but RADIUS.

use sekisho_abi::{Entry, Outcome, Reason, Roles};

use crate::{
    frame::Frame,
    gate::Case,
    ip::{Body, Packet, UDP},
    limits, maps,
    scratch::Scratch,
};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;

/// Extension headers that are walked. No sound packet has more: RFC 8200 §4.1 has each once, destination options twice.
const MAX_EXTENSIONS: usize = 5;

/// What makes a packet odd.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// Nothing: a whole datagram behind a plain header.
    None,
    /// Options or extension headers in front of a whole datagram.
    Options,
    /// It is a part of a datagram.
    Fragment,
}

/// Where a packet's UDP header is, as far as it has one.
#[derive(Clone, Copy)]
pub struct Place {
    /// What is odd about it.
    pub oddity: Oddity,
    /// Where it begins; `None` in a fragment without one, and behind more extension headers than are walked.
    pub udp: Option<usize>,
}

/// Extension headers behind which a datagram may be found. Behind the others (IPsec, mobility) is none for us to see.
#[inline(always)]
pub fn is_extension(next_header: u8) -> bool {
    matches!(next_header, HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS)
}

/// Looks for the UDP header; `None` where the frame ends before it.
///
/// # Errors
///
/// [`Outcome::NotOurs`] where it is something else than UDP.
#[inline(always)]
pub fn place(frame: &Frame, packet: &Packet) -> Result<Option<Place>, Outcome> {
    let (oddity, udp) = match packet.body {
        Body::Datagram => (Oddity::None, Some(packet.payload)),
        Body::Optioned => (Oddity::Options, Some(packet.payload)),
        Body::FirstFragment => (Oddity::Fragment, Some(packet.payload)),
        Body::LaterFragment => (Oddity::Fragment, None),
        Body::Extensions(first) => return behind_extensions(frame, packet, first),
    };
    Ok(Some(Place { oddity, udp }))
}

#[inline(always)]
fn behind_extensions(frame: &Frame, packet: &Packet, mut next: u8) -> Result<Option<Place>, Outcome> {
    let mut offset = packet.payload;
    for _ in 0..MAX_EXTENSIONS {
        let Some(head) = frame.load::<4>(offset) else { return Ok(None) };
        let fragment = u16::from_be_bytes([head[2], head[3]]);
        // An offset or more fragments: a true fragment. Neither: an atomic one (RFC 6946), a header like the others.
        if next == FRAGMENT && fragment & 0xfff9 != 0 {
            return match head[0] {
                UDP if fragment & 0xfff8 == 0 => Ok(Some(Place { oddity: Oddity::Fragment, udp: Some(offset + 8) })),
                upper if upper == UDP || is_extension(upper) => Ok(Some(Place { oddity: Oddity::Fragment, udp: None })),
                _ => Err(Outcome::NotOurs),
            };
        }
        // RFC 8200 §4.3: in units of 8 octets, not counting the first 8; the fragment header is 8 octets.
        offset += if next == FRAGMENT { 8 } else { (head[1] as usize + 1) * 8 };
        next = head[0];
        if next == UDP {
            return Ok(Some(Place { oddity: Oddity::Options, udp: Some(offset) }));
        }
        if !is_extension(next) {
            return Err(Outcome::NotOurs);
        }
    }
    Ok(Some(Place { oddity: Oddity::Options, udp: None }))
}

/// What becomes of a packet of no registered source. A fragment is dropped only where our address is dedicated.
#[inline(always)]
pub fn stranger(scratch: &Scratch) -> Outcome {
    if !scratch.headers.is_odd() {
        return Outcome::Dropped(Reason::Unregistered);
    }
    if !scratch.headers.is_fragment() {
        return Outcome::Dropped(Reason::OptionsUnregistered);
    }
    match scratch.is_dedicated.get() {
        0 => Outcome::Passed,
        _ => Outcome::Dropped(Reason::FragmentUnregistered),
    }
}

/// What becomes of an odd packet from a source that is known, to one of our ports or addresses. What goes up unchecked is paid
/// for all the same.
#[inline(always)]
pub fn judge(case: &Case<'_>) -> Outcome {
    let Case { scratch, .. } = case;
    let entry = Entry::from_words([scratch.entry[0].get(), 0, scratch.entry[2].get()]);
    if entry.roles == Roles::NONE {
        return stranger(scratch);
    }
    if (entry.ingresses >> (scratch.ingress.get() & 63)) & 1 == 0 {
        let is_elsewhere = scratch.headers.is_fragment() && scratch.is_dedicated.get() == 0;
        return if is_elsewhere { Outcome::Passed } else { Outcome::Dropped(Reason::WrongIngress) };
    }
    let Some(client) = maps::client(scratch.slot()) else { return Outcome::Passed };
    match limits::client(case, client) {
        Ok(()) => Outcome::Passed,
        Err(outcome) => outcome,
    }
}
