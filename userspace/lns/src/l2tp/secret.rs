//! The secret shared with an LNS, and what it proves (RFC 2661 §5.1.1).

use std::fmt;

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::packet::Kind;

/// A tunnel password. It is never shown: there is no `Display`, `Debug` says `TunnelSecret(..)`, and its memory is wiped when it
/// is dropped.
#[derive(Clone)]
pub struct TunnelSecret(Zeroizing<Box<[u8]>>);

impl TunnelSecret {
    /// Takes the password's octets; `None` where there are none: an empty password proves nothing.
    pub fn new(octets: &[u8]) -> Option<TunnelSecret> {
        (!octets.is_empty()).then(|| TunnelSecret(Zeroizing::new(octets.into())))
    }

    /// The answer to a challenge, in a message of this kind: MD5(type | secret | challenge), §4.4.3. `None` in an
    /// acknowledgement, which carries none.
    pub fn response(&self, kind: Kind, challenge: &[u8]) -> Option<[u8; 16]> {
        // The low octet of the type; all that carry a response are below 256.
        let [_, number] = kind.number()?.to_be_bytes();
        let digest = Md5::new().chain_update([number]).chain_update(&*self.0).chain_update(challenge);
        Some(digest.finalize().into())
    }

    /// Whether a message of this kind with this response answers the challenge; takes the same time wherever they differ.
    pub fn is_proved_by(&self, kind: Kind, challenge: &[u8], response: &[u8; 16]) -> bool {
        self.response(kind, challenge).is_some_and(|expected| expected.ct_eq(response).into())
    }
}

impl PartialEq for TunnelSecret {
    /// Takes the same time wherever the secrets differ.
    fn eq(&self, other: &TunnelSecret) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TunnelSecret {}

impl fmt::Debug for TunnelSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TunnelSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_password_is_none_and_no_password_is_ever_shown() {
        assert_eq!(TunnelSecret::new(b""), None);
        assert_eq!(format!("{:?}", TunnelSecret::new(b"hunter2").unwrap()), "TunnelSecret(..)");
    }
}
