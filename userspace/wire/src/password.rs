//! Hiding a User-Password (RFC 2865 §5.2), and MS-CHAP-MPPE-Keys (RFC 2548 §2.4.1) in the same way.
//!
//! A hidden password has as many octets on every hop, so a proxy re-hides it where it stands.

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::secret::Secret;

/// The longest password that can be hidden, RFC 2865 §5.2.
pub const MAX_PASSWORD: usize = 128;

/// A hidden value must be of one or more blocks of sixteen octets, a password of at most eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hidden value's length is not a multiple of 16 from 16 to 128")]
pub struct BadLength;

/// Hides `value`, zero-padded to whole blocks, with the secret and Request Authenticator of a hop.
pub fn hide(value: &mut [u8], secret: &Secret, authenticator: &[u8; 16]) -> Result<(), BadLength> {
    let mut previous = *authenticator;
    for block in blocks(value)? {
        xor(block, &secret.prefixed(&previous));
        previous = *block;
    }
    Ok(())
}

/// Unhides `value`: the padding stays.
pub fn unhide(value: &mut [u8], secret: &Secret, authenticator: &[u8; 16]) -> Result<(), BadLength> {
    let mut previous = *authenticator;
    for block in blocks(value)? {
        let hidden = *block;
        xor(block, &secret.prefixed(&previous));
        previous = hidden;
    }
    Ok(())
}

/// Takes `value` from one hop's hiding to another's without ever laying it open as a whole.
pub fn rehide(
    value: &mut [u8],
    (from, from_authenticator): (&Secret, &[u8; 16]),
    (to, to_authenticator): (&Secret, &[u8; 16]),
) -> Result<(), BadLength> {
    let (mut before, mut after) = (*from_authenticator, *to_authenticator);
    for block in blocks(value)? {
        let hidden = *block;
        xor(block, &from.prefixed(&before));
        xor(block, &to.prefixed(&after));
        (before, after) = (hidden, *block);
    }
    Ok(())
}

/// Whether the User-Password `hidden` is `password`. NUL octets at its end are padding, on either side.
///
/// Of a `hidden` of one length it takes the same time whatever is in it. One that has no valid length is no password.
pub fn verify(hidden: &[u8], secret: &Secret, authenticator: &[u8; 16], password: &[u8]) -> bool {
    let password = without_padding(password);
    let (mut given, mut right) = ([0; MAX_PASSWORD], [0; MAX_PASSWORD]);
    let (Some(given), Some(right)) = (given.get_mut(..hidden.len()), right.get_mut(..hidden.len())) else {
        return false;
    };
    given.copy_from_slice(hidden);
    for (to, from) in right.iter_mut().zip(password) {
        *to = *from;
    }
    let unhidden = unhide(given, secret, authenticator);
    let equal: bool = given.ct_eq(&*right).into();
    given.zeroize();
    right.zeroize();
    unhidden.is_ok() && equal && password.len() <= hidden.len()
}

/// A password without the NUL octets it was padded with.
pub fn without_padding(password: &[u8]) -> &[u8] {
    let end = password.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    password.get(..end).unwrap_or_default()
}

pub(crate) fn has_valid_length(value: &[u8]) -> bool {
    !value.is_empty() && value.len() <= MAX_PASSWORD && value.len().is_multiple_of(16)
}

fn blocks(value: &mut [u8]) -> Result<&mut [[u8; 16]], BadLength> {
    if has_valid_length(value) { Ok(value.as_chunks_mut().0) } else { Err(BadLength) }
}

pub(crate) fn xor(block: &mut [u8; 16], with: &[u8; 16]) {
    for (octet, with) in block.iter_mut().zip(with) {
        *octet ^= with;
    }
}
