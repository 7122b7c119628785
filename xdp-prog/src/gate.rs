//! The decision about a frame, stage by stage.
//!
//! From the service on, the order is that of `GateTable::judge` in `sekisho-abi`, and then of the engine: source, ingress,
//! service address, role, header; the contract's bucket, attributes, the session's bucket; then what userspace has published,
//! and what it wants shed. A drop here means that userspace would drop for the same reason.

use aya_ebpf::bindings::xdp_action;
use sekisho_abi::{
    Entry, Outcome, PortKind, Reason, Service, check_header,
    header::MAX_LEN,
    service::ANY_PORT,
    settings::{HAS_PREFIXES, Settings},
    shed, source,
};

use crate::{
    attributes,
    cell::Word,
    frame::Frame,
    ip::{self, UDP_LEN},
    limits, maps, odd, published,
    scratch::Scratch,
};

/// A frame, and what is needed to decide about it.
#[derive(Clone, Copy)]
pub struct Case<'c> {
    /// The frame. Each stage takes it anew ([`Frame::again`]).
    pub frame: &'c Frame,
    /// What userspace wants.
    pub settings: &'static Settings<Word>,
    /// What the stages before have found out.
    pub scratch: &'static Scratch,
}

const TRUNCATED: Outcome = Outcome::Dropped(Reason::FrameTruncated);
/// Code of an Accounting-Request.
const ACCOUNTING_REQUEST: u8 = 4;

/// Where the frame ends up.
#[inline(always)]
pub fn decide(case: &Case<'_>) -> Outcome {
    match walk(case) {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

/// What XDP is told.
#[inline(always)]
pub fn action(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::Dropped(_) => xdp_action::XDP_DROP,
        Outcome::Replied => xdp_action::XDP_TX,
        _ => xdp_action::XDP_PASS,
    }
}

#[inline(always)]
fn walk(case: &Case<'_>) -> Result<Outcome, Outcome> {
    headers(case)?;
    service(case)?;
    sender(case)?;
    if case.scratch.headers.is_odd() {
        return Err(odd::judge(case));
    }
    admit(case)?;
    if Service::from_words([case.scratch.service.get()]).kind == PortKind::Upstream as u32 {
        return Ok(Outcome::Passed);
    }
    let client = maps::client(case.scratch.slot()).ok_or(Outcome::Passed)?;
    limits::client(case, client)?;
    attributes::walk(case, client)?;
    limits::session(case, client)?;
    published::repeated(case)?;
    shed(case)?;
    Ok(Outcome::Passed)
}

#[inline(always)]
fn headers(case: &Case<'_>) -> Result<(), Outcome> {
    let frame = case.frame;
    let link = frame.link()?;
    let packet = ip::parse(frame, &link)?;
    if packet.v6 && packet.destination.is_mapped() {
        // On the wire such an address is nobody's (RFC 4291 §2.5.5.2 makes it a form for programs).
        return Err(Outcome::NotOurs);
    }
    let place = odd::place(frame, &packet)?;
    case.scratch.headers.set(&link, &packet, place);
    Ok(())
}

/// Which of our ports it came to, or to which of our addresses where it carries no port.
#[inline(always)]
fn service(case: &Case<'_>) -> Result<(), Outcome> {
    let Case { scratch, .. } = case;
    let headers = &scratch.headers;
    scratch.service.set(ANY_PORT as u64);
    if headers.udp() != 0 {
        match case.frame.again().load_near::<6>(headers.udp()) {
            Some([a, b, c, d, e, f]) => {
                scratch.from_port.set(u16::from_be_bytes([a, b]) as u64);
                scratch.port.set(u16::from_be_bytes([c, d]) as u64);
                scratch.service.set(scratch.port.get());
                scratch.datagram.set(u16::from_be_bytes([e, f]) as u64);
            }
            None => headers.truncate(),
        }
    }
    let word = maps::service_again(scratch, case.settings, headers.destination(), scratch.service.get());
    let word = word.ok_or(Outcome::NotOurs)?;
    scratch.service.set(word);
    if headers.is_truncated() {
        // A packet that ends before its UDP header does is on our addresses nothing that anyone could use.
        return Err(TRUNCATED);
    }
    if headers.is_odd() {
        let is_dedicated = headers.is_fragment() && maps::is_dedicated(headers.destination());
        scratch.is_dedicated.set(is_dedicated as u64);
        return Ok(());
    }
    let length = datagram_len(case)?;
    scratch.datagram.set(length as u64);
    Ok(())
}

/// Who sent it.
#[inline(always)]
fn sender(case: &Case<'_>) -> Result<(), Outcome> {
    let Case { scratch, settings, .. } = case;
    let Some(word) = maps::ingress(scratch.headers.ingress()) else { return Err(odd::stranger(scratch)) };
    scratch.domain.set(word & 0xffff_ffff);
    scratch.ingress.set(word >> 32);
    if scratch.headers.is_v6() && scratch.headers.source().is_mapped() {
        // It would be taken for the IPv4 client of that address.
        return Err(odd::stranger(scratch));
    }
    let has_prefixes = settings.flags.read() & HAS_PREFIXES != 0;
    if !maps::source(scratch, has_prefixes) {
        return Err(odd::stranger(scratch));
    }
    scratch.client.set(scratch.entry[2].get() >> 32);
    Ok(())
}

/// Whether it may come in here, to this port, with this header.
#[inline(always)]
fn admit(case: &Case<'_>) -> Result<(), Outcome> {
    let Case { scratch, .. } = case;
    let [first, second, third] = &scratch.entry;
    let entry = Entry::from_words([first.get(), second.get(), third.get()]);
    let service = Service::from_words([scratch.service.get()]);
    let kind = PortKind::from_u32(service.kind).ok_or(Reason::WrongRole)?;
    source::admit(entry.access(), scratch.ingress.get() as u32, service, kind)?;
    let datagram = scratch.datagram.get() as usize;
    let head = if datagram < 4 { [0; 4] } else { *case.frame.again().header::<4>(scratch.headers.packet())? };
    scratch.head.set(u32::from_le_bytes(head) as u64);
    let length = check_header(kind, head, datagram)?;
    scratch.length.set(length as u64);
    Ok(())
}

/// The RADIUS Length that `admit` has found right.
#[inline(always)]
pub fn length(scratch: &Scratch) -> usize {
    scratch.length.get() as usize & (2 * MAX_LEN - 1)
}

#[inline(always)]
fn shed(case: &Case<'_>) -> Result<(), Outcome> {
    let level = case.settings.shed.read();
    if level == shed::CALM || case.scratch.code() != ACCOUNTING_REQUEST {
        return Ok(());
    }
    let status = attributes::status(case);
    match status.and_then(|status| shed::shed(level, status)) {
        Some(reason) => Err(Outcome::Dropped(reason)),
        None => Ok(()),
    }
}

/// Octets of UDP payload: what the kernel would deliver of this datagram, which must lie within the frame.
#[inline(always)]
fn datagram_len(case: &Case<'_>) -> Result<usize, Outcome> {
    let Case { scratch, .. } = case;
    let (payload, end) = (scratch.headers.payload(), scratch.headers.end());
    if end < payload || !case.frame.again().reaches(end) {
        return Err(TRUNCATED);
    }
    let room = end - payload;
    let udp_len = scratch.datagram.get() as usize;
    // Over IPv6, Linux takes zero as "to the end of the packet" (RFC 2675 §4).
    let udp_len = if udp_len == 0 && scratch.headers.is_v6() { room } else { udp_len };
    if udp_len < UDP_LEN || udp_len > room {
        return Err(TRUNCATED);
    }
    Ok(udp_len - UDP_LEN)
}
