//! What Windows keeps of a password, and how it answers a challenge with that.

use std::fmt;

use md4::{Digest, Md4};
use zeroize::Zeroize;

use super::des;

/// The longest password, in units of UTF-16 (RFC 2433 §A.1, RFC 2759 §8).
pub const MAX_UNITS: usize = 256;

/// A password that MS-CHAP cannot be answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoNtHash {
    /// It is no UTF-8, so nobody can say which characters it has.
    #[error(
        "the password is not UTF-8, and MS-CHAP needs its characters: give the account another, or forbid it MS-CHAP"
    )]
    NotUtf8,
    /// It has more than [`MAX_UNITS`] units of UTF-16.
    #[error("the password has more than 256 UTF-16 units, and MS-CHAP allows no more: give the account a shorter one")]
    TooLong,
}

/// The MD4 digest of a password in UTF-16, little end first (RFC 2433 §A.2, RFC 2759 §8.3).
///
/// Whoever has it needs no password for MS-CHAP. It is wiped when dropped, and never shown.
#[derive(Clone)]
pub struct NtHash([u8; 16]);

impl NtHash {
    /// Of a password in UTF-8.
    ///
    /// # Errors
    ///
    /// See [`NoNtHash`].
    pub fn of(password: &[u8]) -> Result<Self, NoNtHash> {
        let text = str::from_utf8(password).map_err(|_| NoNtHash::NotUtf8)?;
        let mut room = [[0; 2]; MAX_UNITS];
        let mut used = 0;
        let mut fits = true;
        for unit in text.encode_utf16() {
            match room.get_mut(used) {
                Some(place) => *place = unit.to_le_bytes(),
                None => fits = false,
            }
            used += 1;
        }
        let hash = room.get(..used).filter(|_| fits).map(|units| Self(Md4::digest(units.as_flattened()).into()));
        room.zeroize();
        hash.ok_or(NoNtHash::TooLong)
    }

    /// A hash that was computed elsewhere, as an imported account may have.
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        Self(octets)
    }

    /// The sixteen octets, to be kept as secretly as a password.
    pub const fn octets(&self) -> &[u8; 16] {
        &self.0
    }

    /// The hash of the hash (RFC 2759 §8.4): what keys, and the server's own proof, are made from.
    pub(super) fn again(&self) -> Self {
        Self(Md4::digest(self.0).into())
    }

    /// The answer to a challenge (RFC 2433 §A.5, RFC 2759 §8.5): the challenge under each third of the hash.
    pub fn challenge_response(&self, challenge: &[u8; 8]) -> [u8; 24] {
        let mut padded = [0; 21];
        padded[..16].copy_from_slice(&self.0);
        let mut response = [0; 24];
        for (part, key) in response.as_chunks_mut().0.iter_mut().zip(padded.as_chunks().0) {
            *part = des::encrypt(challenge, key);
        }
        padded.zeroize();
        response
    }
}

impl Drop for NtHash {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for NtHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NtHash(..)")
    }
}
