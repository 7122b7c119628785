//! The secret shared with one peer.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::md5::batch::{Message, PIECES};
use crate::md5::{Hmac, HmacKey, Md5};

/// An empty secret is forbidden: RFC 2865 §3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shared secret must not be empty")]
pub struct EmptySecret;

/// A shared secret with what it costs to use one already paid.
///
/// It is never shown: there is no `Display`, `Debug` says `Secret(..)`, and its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret {
    octets: Box<[u8]>,
    key: HmacKey,
    /// A digest that has absorbed the secret: where hiding begins.
    absorbed: Md5,
}

impl Secret {
    /// Takes the secret's octets, at least one.
    pub fn new(octets: impl AsRef<[u8]>) -> Result<Self, EmptySecret> {
        let octets = octets.as_ref();
        if octets.is_empty() {
            return Err(EmptySecret);
        }
        let mut absorbed = Md5::new();
        absorbed.update(octets);
        Ok(Self { octets: octets.into(), key: HmacKey::new(octets), absorbed })
    }

    /// An HMAC-MD5 keyed with the secret.
    pub(crate) fn hmac(&self) -> Hmac {
        self.key.start()
    }

    /// The secret's octets, to end a digest with.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// A message whose HMAC-MD5 is keyed with the secret.
    pub(crate) fn keyed<'a>(&self, pieces: [&'a [u8]; PIECES]) -> Message<'a> {
        Message::keyed(&self.key, pieces)
    }

    /// `MD5(secret | octets)`.
    #[inline]
    pub(crate) fn prefixed(&self, octets: &[u8]) -> [u8; 16] {
        let mut md5 = self.absorbed.clone();
        md5.update(octets);
        md5.finish()
    }
}

impl PartialEq for Secret {
    /// Takes the same time wherever the secrets differ.
    fn eq(&self, other: &Self) -> bool {
        self.octets.ct_eq(&other.octets).into()
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        self.octets.zeroize();
        self.key.forget();
        self.absorbed.forget();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_secret_is_refused_and_none_is_ever_shown() {
        assert_eq!(Secret::new("").unwrap_err(), EmptySecret);
        assert_eq!(format!("{:?}", Secret::new("hunter2").unwrap()), "Secret(..)");
    }

    #[test]
    fn secrets_are_equal_when_their_octets_are() {
        let secret = |octets: &str| Secret::new(octets).unwrap();
        assert_eq!(secret("a"), secret("a"));
        assert_ne!(secret("a"), secret("b"));
        assert_ne!(secret("a"), secret("aa"));
    }
}
