//! CHAP (RFC 1994) as a server checks it: RFC 2865 §5.3 and §5.40.
//!
//! EAP's MD5-Challenge (RFC 3748 §5.4) is checked in the same way, with the EAP identifier as the CHAP identifier.

use subtle::ConstantTimeEq;

use crate::build::chap_response;
use crate::scan::Layout;

/// A CHAP login that does not have the form of RFC 2865.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadChap {
    /// CHAP-Password is not the CHAP identifier and sixteen octets.
    #[error("the CHAP-Password has not 17 octets: the NAS is at fault, and the login is to be refused")]
    Password,
    /// CHAP-Challenge is there, and empty: then every response would be as good the next time.
    #[error("the CHAP-Challenge is empty: the NAS is at fault, and the login is to be refused")]
    Challenge,
}

/// The CHAP login in an Access-Request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChapLogin<'a> {
    /// The CHAP identifier.
    pub id: u8,
    /// The value that the NAS challenged the subscriber with, not empty.
    pub challenge: &'a [u8],
    /// What the subscriber answered.
    pub response: &'a [u8; 16],
}

impl<'a> ChapLogin<'a> {
    /// The login in `packet`, which `layout` is of: `None` where it has no CHAP-Password.
    ///
    /// The challenge is the CHAP-Challenge; without one it is the Request Authenticator (RFC 2865 §5.3).
    ///
    /// # Errors
    ///
    /// See [`BadChap`].
    pub fn find(packet: &'a [u8], layout: &Layout) -> Result<Option<Self>, BadChap> {
        let Some(password) = layout.chap_password else { return Ok(None) };
        let (&id, response) = password.of(packet).split_first().ok_or(BadChap::Password)?;
        let response = response.try_into().map_err(|_| BadChap::Password)?;
        let challenge = match layout.chap_challenge {
            Some(challenge) => challenge.of(packet),
            None => packet.get(4..20).unwrap_or_default(),
        };
        if challenge.is_empty() { Err(BadChap::Challenge) } else { Ok(Some(Self { id, challenge, response })) }
    }

    /// Whether whoever answered knows `password`.
    pub fn is_by(&self, password: &[u8]) -> bool {
        verify(self.id, self.challenge, self.response, password)
    }
}

/// Whether `response` is MD5(`id` | `password` | `challenge`), RFC 1994 §4.1. The comparison takes the same time wherever
/// they differ.
pub fn verify(id: u8, challenge: &[u8], response: &[u8; 16], password: &[u8]) -> bool {
    let [_, right @ ..] = chap_response(id, password, challenge);
    right.ct_eq(response).into()
}
