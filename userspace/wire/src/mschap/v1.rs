//! The first version, RFC 2433: the challenge under the hash of the password, and nothing about the server.

use subtle::ConstantTimeEq;

use super::BadMsChap;
use super::nt::NtHash;

/// What MS-CHAP-Response says (RFC 2548 §2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The identifier of the CHAP exchange, which MS-CHAP-Error repeats.
    pub ident: u8,
    /// The NT response.
    pub nt: &'a [u8; 24],
}

impl<'a> Response<'a> {
    /// From the value of an MS-CHAP-Response: Ident, Flags, LM-Response (24), NT-Response (24).
    ///
    /// # Errors
    ///
    /// It has not fifty octets, or says that the NT response is not to be used.
    pub fn parse(value: &'a [u8]) -> Result<Self, BadMsChap> {
        let ([ident, flags], rest) = value.split_first_chunk().ok_or(BadMsChap::Response)?;
        let (_lan_manager, nt) = rest.split_first_chunk::<24>().ok_or(BadMsChap::Response)?;
        let nt = nt.try_into().map_err(|_| BadMsChap::Response)?;
        if flags & 1 == 0 { Err(BadMsChap::LanManager) } else { Ok(Self { ident: *ident, nt }) }
    }
}

/// Whether whoever answered `challenge` knows the password that `hash` is of. The comparison takes the same time wherever
/// they differ.
pub fn verify(challenge: &[u8; 8], response: &Response<'_>, hash: &NtHash) -> bool {
    hash.challenge_response(challenge).ct_eq(response.nt).into()
}
