//! Hiding a User-Password (RFC 2865 §5.2), and MS-CHAP-MPPE-Keys (RFC 2548 §2.4.1) in the same way.
//!
//! A hidden password has as many octets on every hop, so a proxy re-hides it where it stands.

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
