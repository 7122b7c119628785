//! What a peer says.

use super::{BadEap, code, kind, op};
use crate::chap;
use crate::mschap::v2;

/// A Response, RFC 3748 §4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The identifier: that of the Request it answers.
    pub id: u8,
    /// What it says.
    pub answer: Answer<'a>,
}

/// What a Response says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// Who the peer says it is, perhaps nobody (RFC 3748 §5.1).
    Identity(&'a [u8]),
    /// It will not have the method that was offered.
    Nak(Wanted<'a>),
    /// The answer to an MD5-Challenge.
    Md5(Md5Response<'a>),
    /// Its part in EAP-MSCHAPv2.
    MsChapV2(MsChapV2<'a>),
    /// Something else: this is its type, which this server never asks for.
    Other(u8),
}

/// The types that a peer would rather have (RFC 3748 §5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a>(&'a [u8]);

impl<'a> Wanted<'a> {
    /// The types, as the peer orders them; 0 stands for none.
    pub fn types(self) -> impl Iterator<Item = u8> + 'a {
        self.0.iter().copied().filter(|&wanted| wanted != 0)
    }
}

/// The answer to an MD5-Challenge (RFC 3748 §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Md5Response<'a> {
    /// The digest.
    pub value: &'a [u8; 16],
    /// The peer's name, which most leave out.
    pub name: &'a [u8],
}

impl Md5Response<'_> {
    /// Whether whoever answered `challenge` in the Response with the identifier `id` knows `password`.
    pub fn is_by(&self, id: u8, challenge: &[u8], password: &[u8]) -> bool {
        chap::verify(id, challenge, self.value, password)
    }
}

/// What a peer says in EAP-MSCHAPv2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MsChapV2<'a> {
    /// The answer to the Challenge, with the name that is part of its digest. It may have a `DOMAIN\` before it.
    Response(v2::Response<'a>, &'a [u8]),
    /// The server's proof was right: the conversation may end well.
    Success,
    /// The Failure was heard, or the server's proof was wrong: the conversation ends.
    Failure,
}

/// Reads the message of a peer. Octets behind its Length are padding (RFC 3748 §4).
///
/// # Errors
///
/// The message is no Response, or is of a type that this server knows, and not of its form.
pub fn parse(message: &[u8]) -> Result<Response<'_>, BadEap> {
    let [code, id, high, low, ..] = *message else { return Err(BadEap::Length) };
    if code != code::RESPONSE {
        return Err(BadEap::NotAResponse(code));
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    let body = message.get(4..length).ok_or(BadEap::Length)?;
    let (&kind, data) = body.split_first().ok_or(BadEap::Length)?;
    let answer = match kind {
        kind::IDENTITY => Answer::Identity(data),
        kind::NAK if data.is_empty() => return Err(BadEap::Nak),
        kind::NAK => Answer::Nak(Wanted(data)),
        kind::MD5_CHALLENGE => Answer::Md5(md5(data).ok_or(BadEap::Md5)?),
        kind::MSCHAPV2 => Answer::MsChapV2(mschapv2(data).ok_or(BadEap::MsChapV2)?),
        other => Answer::Other(other),
    };
    Ok(Response { id, answer })
}

/// Value-Size, Value, Name.
fn md5(data: &[u8]) -> Option<Md5Response<'_>> {
    let (16, rest) = data.split_first()? else { return None };
    let (value, name) = rest.split_first_chunk()?;
    Some(Md5Response { value, name })
}

/// OpCode, and in a Response: MS-CHAPv2-ID, MS-Length, Value-Size, the value (48), Flags, Name. An acknowledgement is the
/// OpCode alone; some peers put the identifier and an honest MS-Length behind it.
fn mschapv2(data: &[u8]) -> Option<MsChapV2<'_>> {
    let (&op, rest) = data.split_first()?;
    match (op, rest.split_first_chunk()) {
        (op::SUCCESS, None) if rest.is_empty() => Some(MsChapV2::Success),
        (op::FAILURE, None) if rest.is_empty() => Some(MsChapV2::Failure),
        (_, Some((&[ident, high, low], rest))) if usize::from(u16::from_be_bytes([high, low])) == data.len() => {
            match op {
                op::RESPONSE => {
                    let (49, rest) = rest.split_first()? else { return None };
                    let (value, rest) = rest.split_first_chunk()?;
                    let (_flags, name) = rest.split_first()?;
                    Some(MsChapV2::Response(v2::Response::of_peer(ident, value)?, name))
                }
                op::SUCCESS => Some(MsChapV2::Success),
                op::FAILURE => Some(MsChapV2::Failure),
                _ => None,
            }
        }
        _ => None,
    }
}
