//! Control messages (RFC 2661 §3.1, §6): what a prober reads of them, and those that it writes.
//!
//! Reading is strict where lengths are wrong and lenient in everything else: attributes that are unknown, of other vendors or
//! hidden are skipped, mandatory or not, and octets beyond the message's length are none of it.

use super::avp::{self, avps, kind};

/// Octets of a control message's header: flags and version, length, tunnel, session, Ns, Nr.
pub const HEADER: usize = 12;

/// Type, Length and Sequence bits, version 2. Messages of control have them all (§3.1).
const FLAGS: u16 = 0xc802;
/// Those bits and the version, and the Offset and Priority bits, which are zero. The others are reserved: ignored.
const FLAGS_MASK: u16 = 0xcb0f;

/// Asynchronous and synchronous framing (§4.4.3).
const FRAMING: [u8; 4] = [0, 0, 0, 3];
const VERSION: [u8; 2] = [1, 0];
/// How many messages we take before we acknowledge (§5.8): we never have more than one of our own under way.
const WINDOW: [u8; 2] = [0, 4];

/// Why octets are no control message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Less than a header, or less than the header's length says.
    #[error("the datagram is shorter than its L2TP header says")]
    Short,
    /// Data, or another version of the protocol.
    #[error("not a control message of L2TP version 2")]
    NotControl,
    /// The length in the header leaves no room for the header.
    #[error("the length in the L2TP header is below 12")]
    Length,
    /// An attribute's length is below 6, or leads out of the message.
    #[error("an attribute's length is wrong")]
    Avp,
    /// The first attribute is not a Message Type (§4.4.1).
    #[error("the first attribute is not a Message Type")]
    NoMessageType,
    /// An attribute that matters to a prober has a value of a wrong length.
    #[error("the value of attribute {0} has a wrong length")]
    Value(u16),
}

/// The header's fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The receiver's tunnel, 0 before it has told its number.
    pub tunnel: u16,
    /// Number of this message.
    pub ns: u16,
    /// Number of the next message that the sender expects: those before it have arrived.
    pub nr: u16,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No attribute at all: an acknowledgement (zero-length body).
    Zlb,
    /// Start-Control-Connection-Request.
    Sccrq,
    /// Start-Control-Connection-Reply.
    Sccrp,
    /// Start-Control-Connection-Connected.
    Scccn,
    /// Stop-Control-Connection-Notification.
    StopCcn,
    /// Hello.
    Hello,
    /// Any other.
    Other(u16),
}

impl Kind {
    /// The Message Type; `None` for an acknowledgement.
    pub const fn number(self) -> Option<u16> {
        match self {
            Kind::Zlb => None,
            Kind::Sccrq => Some(1),
            Kind::Sccrp => Some(2),
            Kind::Scccn => Some(3),
            Kind::StopCcn => Some(4),
            Kind::Hello => Some(6),
            Kind::Other(number) => Some(number),
        }
    }

    const fn from_number(number: u16) -> Kind {
        match number {
            1 => Kind::Sccrq,
            2 => Kind::Sccrp,
            3 => Kind::Scccn,
            4 => Kind::StopCcn,
            6 => Kind::Hello,
            _ => Kind::Other(number),
        }
    }
}

/// A message that came, and those of its attributes that matter. Of a repeated attribute the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its header.
    pub header: Header,
    /// What it is.
    pub kind: Kind,
    /// Assigned Tunnel ID; never 0, which is no tunnel.
    pub assigned: Option<u16>,
    /// Challenge.
    pub challenge: Option<&'a [u8]>,
    /// Challenge Response.
    pub response: Option<[u8; 16]>,
    /// Result Code: result and error; error 0 where it has none.
    pub result: Option<(u16, u16)>,
}

impl<'a> Message<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    ///
    /// What about it is not as the RFC has it; see [`Malformed`].
    pub fn parse(datagram: &'a [u8]) -> Result<Message<'a>, Malformed> {
        let (fixed, _) = datagram.split_first_chunk::<HEADER>().ok_or(Malformed::Short)?;
        let word = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        if word(0) & FLAGS_MASK != FLAGS {
            return Err(Malformed::NotControl);
        }
        let length = usize::from(word(2));
        let whole = datagram.get(..length).ok_or(Malformed::Short)?;
        let body = whole.get(HEADER..).ok_or(Malformed::Length)?;
        let header = Header { tunnel: word(4), ns: word(8), nr: word(10) };
        let mut message =
            Message { header, kind: Kind::Zlb, assigned: None, challenge: None, response: None, result: None };
        for (place, avp) in avps(body).enumerate() {
            let avp = avp?;
            let known = (!avp.opaque && avp.vendor == 0).then_some(avp.kind);
            if place == 0 {
                let number = known.filter(|known| *known == kind::MESSAGE_TYPE).ok_or(Malformed::NoMessageType)?;
                message.kind = Kind::from_number(u16::from_be_bytes(exact(number, avp.value)?));
            } else if let Some(known) = known {
                message.take(known, avp.value)?;
            }
        }
        Ok(message)
    }

    fn take(&mut self, kind: u16, value: &'a [u8]) -> Result<(), Malformed> {
        match kind {
            kind::ASSIGNED_TUNNEL_ID => {
                let id = u16::from_be_bytes(exact(kind, value)?);
                self.assigned = self.assigned.or((id != 0).then_some(id));
            }
            kind::CHALLENGE if value.is_empty() => return Err(Malformed::Value(kind)),
            kind::CHALLENGE => self.challenge = self.challenge.or(Some(value)),
            kind::CHALLENGE_RESPONSE => self.response = self.response.or(Some(exact(kind, value)?)),
            kind::RESULT_CODE => {
                let codes = match *value {
                    [a, b] => (u16::from_be_bytes([a, b]), 0),
                    [a, b, c, d, ..] => (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
                    _ => return Err(Malformed::Value(kind)),
                };
                self.result = self.result.or(Some(codes));
            }
            _ => {}
        }
        Ok(())
    }
}

fn exact<const N: usize>(kind: u16, value: &[u8]) -> Result<[u8; N], Malformed> {
    value.try_into().map_err(|_| Malformed::Value(kind))
}

/// A request for a tunnel, `own` being our number of it. Of a host name longer than 1017 octets the rest is left out.
pub fn sccrq(own: u16, host_name: &str, challenge: Option<&[u8]>) -> Vec<u8> {
    build(Header::default(), Kind::Sccrq, |out| {
        avp::write(out, kind::PROTOCOL_VERSION, &VERSION);
        avp::write(out, kind::FRAMING_CAPABILITIES, &FRAMING);
        avp::write(out, kind::HOST_NAME, host_name.as_bytes());
        avp::write(out, kind::ASSIGNED_TUNNEL_ID, &own.to_be_bytes());
        avp::write(out, kind::RECEIVE_WINDOW_SIZE, &WINDOW);
        if let Some(challenge) = challenge {
            avp::write(out, kind::CHALLENGE, challenge);
        }
    })
}

/// The end of establishing a tunnel, with the answer to the peer's challenge where it has sent one.
pub fn scccn(header: Header, response: Option<[u8; 16]>) -> Vec<u8> {
    build(header, Kind::Scccn, |out| {
        if let Some(response) = response {
            avp::write(out, kind::CHALLENGE_RESPONSE, &response);
        }
    })
}

/// Asks whether the peer still has the tunnel.
pub fn hello(header: Header) -> Vec<u8> {
    build(header, Kind::Hello, |_| ())
}

/// The end of a tunnel; result 1, "general request to clear" (§4.4.2).
pub fn stop_ccn(header: Header, own: u16) -> Vec<u8> {
    build(header, Kind::StopCcn, |out| {
        avp::write(out, kind::ASSIGNED_TUNNEL_ID, &own.to_be_bytes());
        avp::write(out, kind::RESULT_CODE, &1u16.to_be_bytes());
    })
}

/// An acknowledgement. Its Ns is that of the next message, which it does not use up (§5.8).
pub fn zlb(header: Header) -> Vec<u8> {
    build(header, Kind::Zlb, |_| ())
}

fn build(header: Header, kind: Kind, attributes: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![0; HEADER];
    if let Some(number) = kind.number() {
        avp::write(&mut out, kind::MESSAGE_TYPE, &number.to_be_bytes());
    }
    attributes(&mut out);
    let fields = [FLAGS, out.len() as u16, header.tunnel, 0, header.ns, header.nr];
    for (place, field) in out.chunks_exact_mut(2).zip(fields) {
        place.copy_from_slice(&field.to_be_bytes());
    }
    out
}
