//! IPv4 and IPv6 headers, up to the datagram or to what makes the packet odd.

use sekisho_abi::Outcome;

use crate::{
    address::Address,
    frame::{Frame, Link},
};

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
/// Octets of an IPv4 header without options.
pub const IPV4_LEN: usize = 20;
/// Octets of an IPv6 header.
pub const IPV6_LEN: usize = 40;
const MORE_FRAGMENTS: u16 = 0x2000;
const FRAGMENT_OFFSET: u16 = 0x1fff;

/// Protocol number of UDP.
pub const UDP: u8 = 17;
/// Octets of a UDP header.
pub const UDP_LEN: usize = 8;

/// An IP packet of which UDP may be the payload.
pub struct Packet {
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Whether it is IPv6.
    pub v6: bool,
    /// Where the payload begins: behind options, but before extension headers.
    pub payload: usize,
    /// Where it ends by the IP header's account.
    pub end: usize,
    /// What it begins with.
    pub body: Body,
}

/// What an IP payload begins with.
pub enum Body {
    /// A whole datagram, right behind a plain header.
    Datagram,
    /// A whole datagram behind IPv4 options.
    Optioned,
    /// The first fragment of a datagram.
    FirstFragment,
    /// Another fragment: without ports.
    LaterFragment,
    /// IPv6 extension headers, of which this is the number of the first.
    Extensions(u8),
}

/// Parses the network layer's header. What is not IP, or not UDP in it, is not ours.
#[inline(always)]
pub fn parse(frame: &Frame, link: &Link) -> Result<Packet, Outcome> {
    match link.ethertype {
        ETHERTYPE_IPV4 => parse_v4(frame, link.offset),
        ETHERTYPE_IPV6 => parse_v6(frame, link.offset),
        _ => Err(Outcome::NotOurs),
    }
}

#[inline(always)]
fn parse_v4(frame: &Frame, offset: usize) -> Result<Packet, Outcome> {
    let ip = frame.header::<IPV4_LEN>(offset)?;
    let words = (ip[0] & 0x0f) as usize;
    if ip[0] >> 4 != 4 || words < 5 || ip[9] != UDP {
        return Err(Outcome::NotOurs);
    }
    let fragment = u16::from_be_bytes([ip[6], ip[7]]);
    let body = if fragment & FRAGMENT_OFFSET != 0 {
        Body::LaterFragment
    } else if fragment & MORE_FRAGMENTS != 0 {
        Body::FirstFragment
    } else if words != 5 {
        Body::Optioned
    } else {
        Body::Datagram
    };
    Ok(Packet {
        source: Address::v4(ip, 12),
        destination: Address::v4(ip, 16),
        v6: false,
        payload: offset + words * 4,
        end: offset + u16::from_be_bytes([ip[2], ip[3]]) as usize,
        body,
    })
}

#[inline(always)]
fn parse_v6(frame: &Frame, offset: usize) -> Result<Packet, Outcome> {
    let ip = frame.header::<IPV6_LEN>(offset)?;
    if ip[0] >> 4 != 6 {
        return Err(Outcome::NotOurs);
    }
    let body = match ip[6] {
        UDP => Body::Datagram,
        extension if crate::odd::is_extension(extension) => Body::Extensions(extension),
        _ => return Err(Outcome::NotOurs),
    };
    Ok(Packet {
        source: Address::v6(ip, 8),
        destination: Address::v6(ip, 24),
        v6: true,
        payload: offset + IPV6_LEN,
        end: offset + IPV6_LEN + u16::from_be_bytes([ip[4], ip[5]]) as usize,
        body,
    })
}
