//! Tunnel attributes (RFC 2868): what tells a LAC where a subscriber's L2TP session ends.
//!
//! Each alternative is a *set*: every attribute of it carries the same Tag, and Tunnel-Preference orders the sets (§3.8: the
//! lowest first). Tunnel-Password is salt-encrypted with what client and we share, so a set is written anew for each answer.

use std::net::IpAddr;

use crate::attr;
use crate::buf::{Buf, TooLong};
use crate::salted;
use crate::secret::Secret;
use crate::vendor::{CISCO, CISCO_AVPAIR};

/// Tunnel-Type L2TP, RFC 2868 §3.1.
const L2TP: u32 = 3;
/// The highest Tag that there is, RFC 2868 §3.1.
pub const MAX_TAG: u8 = 0x1f;
/// The longest Tunnel-Password that fits: 253 octets less Tag and salt, in blocks of sixteen, less the length octet.
pub const MAX_PASSWORD: usize = 239;
/// The longest text of the other attributes: 253 octets less the Tag.
pub const MAX_TEXT: usize = 252;
/// Octets of a Cisco-AVPair's value, behind vendor, type and length.
const MAX_AVPAIR: usize = 247;

/// Whether the packets of a tunnel are IPv4 or IPv6: Tunnel-Medium-Type, RFC 2868 §3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl From<IpAddr> for Medium {
    fn from(address: IpAddr) -> Medium {
        if address.is_ipv4() { Medium::Ipv4 } else { Medium::Ipv6 }
    }
}

/// Where one tunnel leads and how it is set up. Texts have at most [`MAX_TEXT`] octets, the password [`MAX_PASSWORD`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelSet {
    /// Over which of the two it goes.
    pub medium: Medium,
    /// Tunnel-Server-Endpoint: the LNS's address or name.
    pub server_endpoint: Box<str>,
    /// Tunnel-Client-Endpoint.
    pub client_endpoint: Option<Box<str>>,
    /// Tunnel-Password.
    pub password: Option<Secret>,
    /// Tunnel-Private-Group-ID.
    pub private_group_id: Option<Box<str>>,
    /// Tunnel-Assignment-ID: sessions with the same one may share a tunnel.
    pub assignment_id: Box<str>,
    /// Tunnel-Client-Auth-ID: the name that the LAC gives itself.
    pub client_auth_id: Option<Box<str>>,
    /// Tunnel-Server-Auth-ID: the name that the LNS has to give itself.
    pub server_auth_id: Option<Box<str>>,
}

/// How a client wants tunnel attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelForm {
    /// As RFC 2868 has them, each set with its Tag.
    Tagged,
    /// As RFC 2868 has them, without a Tag: for one set.
    Untagged,
    /// As Cisco-AVPairs of `vpdn`: for one set. The password stands there in the clear.
    CiscoAvPair,
}

/// Appends one set to a packet.
///
/// `tag` is 1 to [`MAX_TAG`], and means something in the tagged form only; so does `preference` (24 bits), which is left out of
/// the other forms. `salt` hides the password from whoever has not the `secret`, with the `authenticator` of the request that is
/// answered; its top bit is set here, and no two sets of a packet may have the same one (RFC 2868 §3.5).
///
/// # Errors
///
/// A value, or the packet, would be longer than it may be.
pub fn append_tunnel(
    buf: &mut Buf,
    set: &TunnelSet,
    form: TunnelForm,
    (tag, preference): (u8, u32),
    (secret, authenticator, salt): (&Secret, &[u8; 16], u16),
) -> Result<(), TooLong> {
    let tag = match form {
        TunnelForm::Tagged => tag.clamp(1, MAX_TAG),
        TunnelForm::Untagged => 0,
        TunnelForm::CiscoAvPair => return append_pairs(buf, set),
    };
    let medium = match set.medium {
        Medium::Ipv4 => 1,
        Medium::Ipv6 => 2,
    };
    append_number(buf, attr::TUNNEL_TYPE, tag, L2TP)?;
    append_number(buf, attr::TUNNEL_MEDIUM_TYPE, tag, medium)?;
    append_text(buf, attr::TUNNEL_CLIENT_ENDPOINT, tag, set.client_endpoint.as_deref())?;
    append_text(buf, attr::TUNNEL_SERVER_ENDPOINT, tag, Some(&set.server_endpoint))?;
    if let Some(password) = &set.password {
        append_password(buf, tag, password, (secret, authenticator, salt | 0x8000))?;
    }
    append_text(buf, attr::TUNNEL_PRIVATE_GROUP_ID, tag, set.private_group_id.as_deref())?;
    append_text(buf, attr::TUNNEL_ASSIGNMENT_ID, tag, Some(&set.assignment_id))?;
    if form == TunnelForm::Tagged {
        append_number(buf, attr::TUNNEL_PREFERENCE, tag, preference)?;
    }
    append_text(buf, attr::TUNNEL_CLIENT_AUTH_ID, tag, set.client_auth_id.as_deref())?;
    append_text(buf, attr::TUNNEL_SERVER_AUTH_ID, tag, set.server_auth_id.as_deref())
}

/// A number: the Tag, zero without one, and three octets.
fn append_number(buf: &mut Buf, number: u8, tag: u8, value: u32) -> Result<(), TooLong> {
    let [_, rest @ ..] = value.to_be_bytes();
    let [high, middle, low] = rest;
    buf.append_attribute(number, &[tag, high, middle, low])
}

/// A text behind its Tag. Without one there is no octet for it: a text's first octet is above all Tags.
fn append_text(buf: &mut Buf, number: u8, tag: u8, value: Option<&str>) -> Result<(), TooLong> {
    let Some(value) = value else { return Ok(()) };
    let tag = if tag == 0 { &[][..] } else { &[tag][..] };
    append(buf, number, [tag, value.as_bytes()])
}

fn append_password(
    buf: &mut Buf,
    tag: u8,
    password: &Secret,
    (secret, authenticator, salt): (&Secret, &[u8; 16], u16),
) -> Result<(), TooLong> {
    let password = password.octets();
    let length = u8::try_from(password.len()).ok().filter(|it| usize::from(*it) <= MAX_PASSWORD).ok_or(TooLong)?;
    let blocks = (1 + password.len()).next_multiple_of(16);
    let mut room = [0; 2 + MAX_PASSWORD + 1];
    let field = room.get_mut(..2 + blocks).ok_or(TooLong)?;
    let plain = [length];
    let octets = salt.to_be_bytes();
    for (to, from) in field.iter_mut().zip(octets.iter().chain(&plain).chain(password)) {
        *to = *from;
    }
    // In place, so that nothing of the clear text is left behind.
    salted::encrypt(field, secret, authenticator).map_err(|_| TooLong)?;
    append(buf, attr::TUNNEL_PASSWORD, [&[tag], field])
}

/// Cisco's way of saying the same.
fn append_pairs(buf: &mut Buf, set: &TunnelSet) -> Result<(), TooLong> {
    append_pair(buf, "vpdn:tunnel-type=", b"l2tp")?;
    if let Some(name) = &set.client_auth_id {
        append_pair(buf, "vpdn:tunnel-id=", name.as_bytes())?;
    }
    append_pair(buf, "vpdn:ip-addresses=", set.server_endpoint.as_bytes())?;
    if let Some(from) = &set.client_endpoint {
        append_pair(buf, "vpdn:source-ip=", from.as_bytes())?;
    }
    if let Some(password) = &set.password {
        append_pair(buf, "vpdn:l2tp-tunnel-password=", password.octets())?;
    }
    Ok(())
}

fn append_pair(buf: &mut Buf, key: &str, value: &[u8]) -> Result<(), TooLong> {
    let length = key.len() + value.len();
    if length > MAX_AVPAIR {
        return Err(TooLong);
    }
    let [a, b, c, d] = CISCO.to_be_bytes();
    let head = [a, b, c, d, CISCO_AVPAIR, length as u8 + 2];
    append(buf, attr::VENDOR_SPECIFIC, [&head[..], key.as_bytes(), value])
}

/// Appends an attribute whose value is these pieces, one after the other.
fn append<const N: usize>(buf: &mut Buf, number: u8, pieces: [&[u8]; N]) -> Result<(), TooLong> {
    let length = 2 + pieces.iter().map(|piece| piece.len()).sum::<usize>();
    buf.append(&[number, u8::try_from(length).map_err(|_| TooLong)?])?;
    pieces.into_iter().try_for_each(|piece| buf.append(piece))
}
