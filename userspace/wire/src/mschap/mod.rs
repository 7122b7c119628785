//! MS-CHAP of both versions (RFC 2433, RFC 2759) as a RADIUS server answers it (RFC 2548), with the keys for MPPE (RFC 3079).
//!
//! [`MsChapLogin::find`] takes the login out of an Access-Request. The account's [`nt::NtHash`] proves it: with
//! [`v1::verify`], after which an Accept has [`mppe::append_v1_keys`]; or with [`v2::verify`], whose [`v2::Success`] knows
//! what tells the subscriber that the server has the password as well, and both keys. [`failure`] writes what a Reject says.
//!
//! The hash is as good as the password to whoever has it, so it is never shown, and wiped when dropped. LAN Manager's
//! half of the first version, which is broken by hand today, is refused.

pub mod failure;
pub mod mppe;
pub mod nt;
pub mod v1;
pub mod v2;

mod des;

use crate::attr;
use crate::attribute::attributes;
use crate::vendor::{MICROSOFT, MS_CHAP_CHALLENGE, MS_CHAP_RESPONSE, MS_CHAP2_RESPONSE, sub_attributes, vendor};

/// An MS-CHAP login that can be neither right nor wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadMsChap {
    /// A response without MS-CHAP-Challenge.
    #[error(
        "an MS-CHAP response has no MS-CHAP-Challenge beside it: the NAS is at fault, and the login is to be refused"
    )]
    NoChallenge,
    /// The challenge has not eight octets for the first version, or sixteen for the second.
    #[error(
        "the MS-CHAP-Challenge is not of its version's length: the NAS is at fault, and the login is to be refused"
    )]
    Challenge,
    /// A response has not fifty octets.
    #[error("an MS-CHAP response has not 50 octets: the NAS is at fault, and the login is to be refused")]
    Response,
    /// Only LAN Manager's response is there, or is to be looked at: RFC 2433 §6, flag 1 is not set.
    #[error("the MS-CHAP response is LAN Manager's: the subscriber's device has to be set to send the NT response")]
    LanManager,
    /// Two challenges or two responses: which one the NAS means, nobody can say.
    #[error("MS-CHAP attributes are repeated: the NAS is at fault, and the login is to be refused")]
    Repeated,
}

/// The MS-CHAP login in an Access-Request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MsChapLogin<'a> {
    /// The first version: MS-CHAP-Challenge and MS-CHAP-Response.
    V1(&'a [u8; 8], v1::Response<'a>),
    /// The second version: MS-CHAP-Challenge and MS-CHAP2-Response.
    V2(&'a [u8; 16], v2::Response<'a>),
}

impl<'a> MsChapLogin<'a> {
    /// The login in a well-formed packet: `None` where it has no response of MS-CHAP.
    ///
    /// # Errors
    ///
    /// See [`BadMsChap`].
    pub fn find(packet: &'a [u8]) -> Result<Option<Self>, BadMsChap> {
        let (mut challenge, mut first, mut second) = (None, None, None);
        for attribute in attributes(packet) {
            if attribute.number != attr::VENDOR_SPECIFIC || vendor(attribute.value) != Some(MICROSOFT) {
                continue;
            }
            for (kind, _, value) in sub_attributes(attribute.value).into_iter().flatten() {
                let slot = match kind {
                    MS_CHAP_CHALLENGE => &mut challenge,
                    MS_CHAP_RESPONSE => &mut first,
                    MS_CHAP2_RESPONSE => &mut second,
                    _ => continue,
                };
                if slot.replace(value).is_some() {
                    return Err(BadMsChap::Repeated);
                }
            }
        }
        let challenge = challenge.ok_or(BadMsChap::NoChallenge);
        match (first, second) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(BadMsChap::Repeated),
            (Some(value), None) => Ok(Some(Self::V1(sized(challenge?)?, v1::Response::parse(value)?))),
            (None, Some(value)) => Ok(Some(Self::V2(sized(challenge?)?, v2::Response::parse(value)?))),
        }
    }
}

fn sized<const N: usize>(challenge: &[u8]) -> Result<&[u8; N], BadMsChap> {
    challenge.try_into().map_err(|_| BadMsChap::Challenge)
}

/// Octets as upper-case hexadecimal digits.
fn hex<const N: usize>(octets: &[u8]) -> [u8; N] {
    let mut digits = [b'0'; N];
    for (pair, octet) in digits.as_chunks_mut().0.iter_mut().zip(octets) {
        *pair = [digit(octet >> 4), digit(octet & 15)];
    }
    digits
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'A' + value - 10 }
}
