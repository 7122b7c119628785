//! The second version, RFC 2759: both sides challenge, and both prove that they know the password.

use std::fmt;

use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use super::mppe::Keys;
use super::nt::NtHash;
use super::{BadMsChap, hex};
use crate::buf::{Buf, TooLong};
use crate::vendor::{self, MICROSOFT, MS_CHAP2_SUCCESS};

/// What the digests of the server's proof are told apart by, RFC 2759 §8.7.
const SIGNING: &[u8] = b"Magic server to client signing constant";
const ITERATION: &[u8] = b"Pad to make it do more than one iteration";

/// What MS-CHAP2-Response says (RFC 2548 §2.3.2), or the Response of EAP-MSCHAPv2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The identifier of the exchange, which MS-CHAP2-Success and MS-CHAP-Error repeat.
    pub ident: u8,
    /// The peer's own challenge.
    pub peer_challenge: &'a [u8; 16],
    /// The NT response.
    pub nt: &'a [u8; 24],
}

impl<'a> Response<'a> {
    /// From the value of an MS-CHAP2-Response: Ident, Flags, Peer-Challenge (16), Reserved (8), Response (24).
    ///
    /// Flags and Reserved should be zero; no digest covers them, so they are not looked at.
    ///
    /// # Errors
    ///
    /// It has not fifty octets.
    pub fn parse(value: &'a [u8]) -> Result<Self, BadMsChap> {
        let ([ident, _flags], rest) = value.split_first_chunk().ok_or(BadMsChap::Response)?;
        let rest = rest.try_into().map_err(|_| BadMsChap::Response)?;
        Self::of_peer(*ident, rest).ok_or(BadMsChap::Response)
    }

    /// From the peer's own 48 octets: Peer-Challenge (16), Reserved (8), Response (24).
    pub(crate) fn of_peer(ident: u8, octets: &'a [u8; 48]) -> Option<Self> {
        let (peer_challenge, rest) = octets.split_first_chunk()?;
        Some(Self { ident, peer_challenge, nt: rest.last_chunk()? })
    }
}

/// A login that was right: what the Accept has to say. Nothing else makes one.
#[derive(Clone)]
pub struct Success {
    proof: [u8; 20],
    keys: Keys,
}

impl Success {
    /// The octets of `S=` and forty hexadecimal digits (RFC 2759 §5), which prove to the peer that the server has the password.
    pub fn message(&self) -> [u8; 42] {
        let mut message = [0; 42];
        message[..2].copy_from_slice(b"S=");
        message[2..].copy_from_slice(&hex::<40>(&self.proof));
        message
    }

    /// Appends MS-CHAP2-Success (RFC 2548 §2.3.3): the response's identifier, and the [`message`](Self::message).
    ///
    /// # Errors
    ///
    /// The packet would be longer than it may be.
    pub fn append(&self, buf: &mut Buf, ident: u8) -> Result<(), TooLong> {
        let mut value = [ident; 43];
        value[1..].copy_from_slice(&self.message());
        vendor::append(buf, MICROSOFT, MS_CHAP2_SUCCESS, &value)
    }

    /// The keys of the session.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}

impl fmt::Debug for Success {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Success(..)")
    }
}

/// Whether whoever answered `challenge` as `name` knows the password that `hash` is of; the comparison takes the same time
/// wherever they differ.
///
/// `name` is the name as the peer typed it, with its realm: that of User-Name, or in EAP the one that the peer puts beside
/// its response. A `DOMAIN\` before it is taken off here (RFC 2759 §8.2).
pub fn verify(challenge: &[u8; 16], response: &Response<'_>, name: &[u8], hash: &NtHash) -> Option<Success> {
    let digest = challenge_hash(challenge, response.peer_challenge, name);
    let right: bool = hash.challenge_response(&digest).ct_eq(response.nt).into();
    right.then(|| {
        let again = hash.again();
        Success { proof: proof(&again, response.nt, &digest), keys: Keys::derive(&again, response.nt) }
    })
}

/// The answer of a peer that knows the password (RFC 2759 §8.1): for tools and tests.
pub fn nt_response(challenge: &[u8; 16], peer_challenge: &[u8; 16], name: &[u8], hash: &NtHash) -> [u8; 24] {
    hash.challenge_response(&challenge_hash(challenge, peer_challenge, name))
}

/// A name without the `DOMAIN\` before it, which is no part of the digest (RFC 2759 §8.2). A realm behind the name is.
pub fn without_domain(name: &[u8]) -> &[u8] {
    let domain = name.iter().position(|&octet| octet == b'\\').map_or(0, |at| at + 1);
    name.get(domain..).unwrap_or_default()
}

/// RFC 2759 §8.2.
fn challenge_hash(challenge: &[u8; 16], peer_challenge: &[u8; 16], name: &[u8]) -> [u8; 8] {
    let digest = sha1(&[peer_challenge, challenge, without_domain(name)]);
    digest.first_chunk().copied().unwrap_or_default()
}

/// RFC 2759 §8.7, from the hash of the hash.
fn proof(again: &NtHash, nt_response: &[u8; 24], challenge_hash: &[u8; 8]) -> [u8; 20] {
    let digest = sha1(&[again.octets(), nt_response, SIGNING]);
    sha1(&[&digest, challenge_hash, ITERATION])
}

pub(super) fn sha1(pieces: &[&[u8]]) -> [u8; 20] {
    let mut digest = Sha1::new();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize().into()
}
