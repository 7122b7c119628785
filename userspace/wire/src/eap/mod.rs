//! EAP (RFC 3748) as far as a small server needs it, which knows MD5-Challenge and MSCHAPv2 and answers over RADIUS
//! (RFC 3579).
//!
//! [`gather`] takes the message out of a packet's EAP-Messages, [`response::parse`] reads what the peer says, and [`request`]
//! writes what the server says next. What was said before is the server's to know.
//!
//! EAP-MSCHAPv2 is that of draft-kamath-pppext-eap-mschapv2: the server's Challenge, the peer's Response, then Success or
//! Failure, which the peer acknowledges before the conversation ends.

pub mod request;
pub mod response;

use crate::attr;
use crate::attribute::attributes;

/// The longest message that is put together from several attributes: four full ones. Nothing that this server knows is as long.
pub const MAX_MESSAGE: usize = 4 * 253;

/// The kinds of Request and Response, RFC 3748 §5.
pub mod kind {
    /// Identity, §5.1.
    pub const IDENTITY: u8 = 1;
    /// Legacy Nak, §5.3.1: in Responses only.
    pub const NAK: u8 = 3;
    /// MD5-Challenge, §5.4.
    pub const MD5_CHALLENGE: u8 = 4;
    /// MSCHAPv2, draft-kamath-pppext-eap-mschapv2.
    pub const MSCHAPV2: u8 = 26;
}

/// The numbers of RFC 3748 §4.
mod code {
    pub(super) const REQUEST: u8 = 1;
    pub(super) const RESPONSE: u8 = 2;
    pub(super) const SUCCESS: u8 = 3;
    pub(super) const FAILURE: u8 = 4;
}

/// What EAP-MSCHAPv2 calls OpCodes, §2 of the draft.
mod op {
    pub(super) const CHALLENGE: u8 = 1;
    pub(super) const RESPONSE: u8 = 2;
    pub(super) const SUCCESS: u8 = 3;
    pub(super) const FAILURE: u8 = 4;
}

/// Why EAP-Messages are none that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadEap {
    /// Other attributes stand between the EAP-Messages (RFC 3579 §3.1).
    #[error("the packet's EAP-Messages do not follow each other: the NAS is at fault, and the packet is to be dropped")]
    Scattered,
    /// More than [`MAX_MESSAGE`] octets: of a method that is not known here.
    #[error("the EAP message has more than 1012 octets, as no method of ours has: the login is to be refused")]
    TooLong,
    /// Fewer octets than the Length field says, or a Length without room for what every Response has.
    #[error("the EAP message's Length is below 5 or beyond its octets: the packet is to be dropped")]
    Length,
    /// Code is another than Response: peers send nothing else.
    #[error("the EAP message has Code {0} where a peer sends 2: the packet is to be dropped")]
    NotAResponse(u8),
    /// A Nak that names no type at all, not even 0 (RFC 3748 §5.3.1).
    #[error("the EAP Nak names no type: the peer is at fault, and the login is to be refused")]
    Nak,
    /// The Value of MD5-Challenge has not sixteen octets.
    #[error("the EAP MD5 response has no value of 16 octets: the peer is at fault, and the login is to be refused")]
    Md5,
    /// An MSCHAPv2 message whose lengths contradict each other, or with an OpCode that no peer sends.
    #[error(
        "the EAP MSCHAPv2 response has a wrong length or OpCode: the peer is at fault, and the login is to be refused"
    )]
    MsChapV2,
}

/// The EAP message of a well-formed packet, put together in `room` where it stands in several attributes.
///
/// `None` where there is no EAP-Message. An empty message is EAP-Start (RFC 3579 §2.1), which is answered with
/// [`request::identity`].
///
/// # Errors
///
/// [`BadEap::Scattered`] or [`BadEap::TooLong`].
pub fn gather<'a>(packet: &'a [u8], room: &'a mut [u8; MAX_MESSAGE]) -> Result<Option<&'a [u8]>, BadEap> {
    let mut found = attributes(packet).skip_while(|it| it.number != attr::EAP_MESSAGE);
    let Some(first) = found.next() else { return Ok(None) };
    let mut used = 0;
    let mut alone = true;
    let mut over = false;
    for attribute in found {
        if attribute.number != attr::EAP_MESSAGE {
            over = true;
            continue;
        }
        if over {
            return Err(BadEap::Scattered);
        }
        if alone {
            used = put(room, 0, first.value)?;
            alone = false;
        }
        used = put(room, used, attribute.value)?;
    }
    Ok(if alone { Some(first.value) } else { room.get(..used) })
}

/// Puts `octets` at `at`, and says where they end.
fn put(room: &mut [u8; MAX_MESSAGE], at: usize, octets: &[u8]) -> Result<usize, BadEap> {
    let end = at + octets.len();
    room.get_mut(at..end).ok_or(BadEap::TooLong)?.copy_from_slice(octets);
    Ok(end)
}
