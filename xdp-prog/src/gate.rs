//! The decision about a frame, from top to bottom.
//!
//! From the service on, the order is that of `GateTable::judge` in `sekisho-abi`: source, ingress, service address,
//! role, header. A drop here means that userspace would drop for the same reason.

use aya_ebpf::bindings::xdp_action;
use sekisho_abi::{Outcome, PortKind, Reason, check_header, source};

use crate::{
    frame::Frame,
    ip::{self, Body, Packet, UDP_LEN},
    maps, odd,
};

/// Where the frame ends up.
#[inline(always)]
pub fn decide(frame: &Frame) -> Outcome {
    match walk(frame) {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

/// What XDP is told.
#[inline(always)]
pub fn action(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::Dropped(_) => xdp_action::XDP_DROP,
        _ => xdp_action::XDP_PASS,
    }
}

#[inline(always)]
fn walk(frame: &Frame) -> Result<Outcome, Outcome> {
    let link = frame.link()?;
    let packet = ip::parse(frame, &link)?;
    let from_mapped = packet.v6 && packet.source.is_mapped();
    if packet.v6 && packet.destination.is_mapped() {
        // On the wire such an address is nobody's (RFC 4291 §2.5.5.2 makes it a form for programs).
        return Err(Outcome::NotOurs);
    }
    match packet.body {
        Body::Datagram => {}
        Body::Optioned => return Ok(odd::optioned(frame, &packet, &link.ingress)),
        Body::FirstFragment => return Ok(odd::first_fragment(frame, &packet, &link.ingress, packet.payload)),
        Body::LaterFragment => return Ok(odd::later_fragment(&packet, &link.ingress)),
        Body::Extensions(first) => return Ok(odd::extensions(frame, &packet, &link.ingress, first)),
    }

    let Ok(udp) = frame.header::<UDP_LEN>(packet.payload) else {
        return Err(odd::truncated(&packet));
    };
    let port = u16::from_be_bytes([udp[2], udp[3]]);
    let service = maps::service(packet.destination, port).ok_or(Outcome::NotOurs)?;
    let datagram = datagram_len(frame, &packet, u16::from_be_bytes([udp[4], udp[5]]) as usize)?;

    if from_mapped {
        // It would be taken for the IPv4 client of that address.
        return Err(Outcome::Dropped(Reason::Unregistered));
    }
    let ingress = maps::ingress(&link.ingress).ok_or(Reason::Unregistered)?;
    let source = maps::source(ingress.domain, packet.source).ok_or(Reason::Unregistered)?;
    let kind = PortKind::from_u32(service.kind).ok_or(Reason::WrongRole)?;
    source::admit(source.access(), ingress.index, service, kind)?;

    let head = if datagram < 4 { [0; 4] } else { *frame.header::<4>(packet.payload + UDP_LEN)? };
    check_header(kind, head, datagram)?;
    Ok(Outcome::Passed)
}

/// Octets of UDP payload: what the kernel would deliver of this datagram, which must lie within the frame.
#[inline(always)]
fn datagram_len(frame: &Frame, packet: &Packet, udp_len: usize) -> Result<usize, Outcome> {
    const TRUNCATED: Outcome = Outcome::Dropped(Reason::FrameTruncated);
    if packet.end < packet.payload || !frame.reaches(packet.end) {
        return Err(TRUNCATED);
    }
    let room = packet.end - packet.payload;
    // Over IPv6, Linux takes zero as "to the end of the packet" (RFC 2675 §4).
    let udp_len = if packet.v6 && udp_len == 0 { room } else { udp_len };
    if udp_len < UDP_LEN || udp_len > room {
        return Err(TRUNCATED);
    }
    Ok(udp_len - UDP_LEN)
}
