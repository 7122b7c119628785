//! What the server says: each message fits in one EAP-Message.

use super::{code, kind, op};
use crate::buf::TooLong;
use crate::mschap::failure::{V2_TEXT, v2_text};
use crate::mschap::v2::Success;

/// What an EAP-Message can hold.
const MAX: usize = 253;

/// A message to a peer.
#[derive(Debug, Clone, Copy)]
pub struct Message {
    octets: [u8; MAX],
    len: usize,
}

impl Message {
    /// The value of the EAP-Message.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }

    fn new(code: u8, id: u8) -> Self {
        let mut message = Self { octets: [0; MAX], len: 4 };
        message.octets[..4].copy_from_slice(&[code, id, 0, 4]);
        message
    }

    /// Appends `octets`; the Length is right after each.
    fn with(mut self, octets: &[u8]) -> Result<Self, TooLong> {
        let end = self.len + octets.len();
        self.octets.get_mut(self.len..end).ok_or(TooLong)?.copy_from_slice(octets);
        self.len = end;
        self.octets[3] = end as u8;
        Ok(self)
    }
}

/// Asks who the peer is (RFC 3748 §5.1).
pub fn identity(id: u8) -> [u8; 5] {
    [code::REQUEST, id, 0, 5, kind::IDENTITY]
}

/// Challenges with MD5 (RFC 3748 §5.4).
///
/// # Errors
///
/// `name`, which is the server's, has more than 231 octets.
pub fn md5_challenge(id: u8, challenge: &[u8; 16], name: &[u8]) -> Result<Message, TooLong> {
    Message::new(code::REQUEST, id).with(&[kind::MD5_CHALLENGE, 16])?.with(challenge)?.with(name)
}

/// Challenges with MSCHAPv2. `ident` is the MS-CHAPv2-ID, which the peer's Response has as well; `id` serves as one.
///
/// # Errors
///
/// `name`, which is the server's, has more than 227 octets.
pub fn mschapv2_challenge(id: u8, ident: u8, challenge: &[u8; 16], name: &[u8]) -> Result<Message, TooLong> {
    mschapv2(id, op::CHALLENGE, ident, 17 + name.len())?.with(&[16])?.with(challenge)?.with(name)
}

/// Proves to the peer that the server knows its password; `ident` is that of the peer's Response.
///
/// # Errors
///
/// None in fact: the message is of 56 octets.
pub fn mschapv2_success(id: u8, ident: u8, success: &Success) -> Result<Message, TooLong> {
    let message = success.message();
    mschapv2(id, op::SUCCESS, ident, message.len() + WELCOME.len())?.with(&message)?.with(WELCOME)
}

/// Tells the peer that it has failed for good; `ident` is that of its Response.
///
/// # Errors
///
/// None in fact: the message is of 82 octets.
pub fn mschapv2_failure(id: u8, ident: u8, challenge: &[u8; 16]) -> Result<Message, TooLong> {
    mschapv2(id, op::FAILURE, ident, V2_TEXT)?.with(&v2_text(challenge))
}

/// Ends the conversation well; `id` is that of the Response that it answers (RFC 3748 §4.2).
pub fn success(id: u8) -> [u8; 4] {
    [code::SUCCESS, id, 0, 4]
}

/// Ends the conversation; `id` is that of the Response that it answers (RFC 3748 §4.2).
pub fn failure(id: u8) -> [u8; 4] {
    [code::FAILURE, id, 0, 4]
}

const WELCOME: &[u8] = b" M=OK";

/// Type, OpCode, MS-CHAPv2-ID, and the MS-Length of a message that has `rest` octets behind it.
fn mschapv2(id: u8, op: u8, ident: u8, rest: usize) -> Result<Message, TooLong> {
    let [high, low] = u16::try_from(4 + rest).map_err(|_| TooLong)?.to_be_bytes();
    Message::new(code::REQUEST, id).with(&[kind::MSCHAPV2, op, ident, high, low])
}
