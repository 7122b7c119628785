//! Attribute-value pairs (RFC 2661 §4.1): `M|H|reserved|length(10) | vendor | type | value`.

use super::packet::Malformed;

/// Attribute types of vendor 0 (RFC 2661 §4.4).
pub mod kind {
    /// Message Type: first in every message.
    pub const MESSAGE_TYPE: u16 = 0;
    /// Result Code, of a StopCCN: result, then error and a text where there is more to say.
    pub const RESULT_CODE: u16 = 1;
    /// Protocol Version: 1, 0.
    pub const PROTOCOL_VERSION: u16 = 2;
    /// Framing Capabilities.
    pub const FRAMING_CAPABILITIES: u16 = 3;
    /// Host Name.
    pub const HOST_NAME: u16 = 7;
    /// Assigned Tunnel ID: what the sender wants in the headers of messages to itself.
    pub const ASSIGNED_TUNNEL_ID: u16 = 9;
    /// Receive Window Size.
    pub const RECEIVE_WINDOW_SIZE: u16 = 10;
    /// Challenge.
    pub const CHALLENGE: u16 = 11;
    /// Challenge Response: 16 octets.
    pub const CHALLENGE_RESPONSE: u16 = 13;
}

/// Octets before the value.
pub(super) const HEADER: usize = 6;
/// The longest value that a length of ten bits has room for.
pub(super) const VALUE_MAX: usize = LENGTH as usize - HEADER;

const MANDATORY: u16 = 0x8000;
const HIDDEN: u16 = 0x4000;
const RESERVED: u16 = 0x3c00;
const LENGTH: u16 = 0x03ff;

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avp<'a> {
    /// Whoever does not know it must end the tunnel. (A prober ends it in any case.)
    pub mandatory: bool,
    /// Its value says nothing to us: it is hidden (§4.3), or the attribute has reserved bits, and then counts as unknown (§4.1).
    pub opaque: bool,
    /// 0: the RFC's.
    pub vendor: u16,
    /// One of [`kind`], where the vendor is 0.
    pub kind: u16,
    /// The value.
    pub value: &'a [u8],
}

/// The attributes of a message, in order. After an error there are no more.
pub fn avps(octets: &[u8]) -> Avps<'_> {
    Avps { rest: octets }
}

/// Iterator of [`avps`].
#[derive(Clone, Debug)]
pub struct Avps<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Avps<'a> {
    type Item = Result<Avp<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((avp, rest)) = split(self.rest) else {
            self.rest = &[];
            return Some(Err(Malformed::Avp));
        };
        self.rest = rest;
        Some(Ok(avp))
    }
}

/// The first attribute, and what follows it.
fn split(octets: &[u8]) -> Option<(Avp<'_>, &[u8])> {
    let (header, _) = octets.split_first_chunk::<HEADER>()?;
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let flags = word(0);
    let (whole, rest) = octets.split_at_checked(usize::from(flags & LENGTH))?;
    let value = whole.get(HEADER..)?;
    let (mandatory, opaque) = (flags & MANDATORY != 0, flags & (HIDDEN | RESERVED) != 0);
    Some((Avp { mandatory, opaque, vendor: word(2), kind: word(4), value }, rest))
}

/// Appends a mandatory attribute of vendor 0. Of a value longer than 1017 octets the rest is left out.
pub(super) fn write(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let value = &value[..value.len().min(VALUE_MAX)];
    let length = (HEADER + value.len()) as u16;
    out.extend((MANDATORY | length).to_be_bytes());
    out.extend(0u16.to_be_bytes());
    out.extend(kind.to_be_bytes());
    out.extend(value);
}
