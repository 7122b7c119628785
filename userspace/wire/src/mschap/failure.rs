//! What a Reject says to whoever logged in with MS-CHAP: MS-CHAP-Error (RFC 2548 §2.1.5).
//!
//! It is always error 691, "authentication failure", without another try (R=0): which of name, password and account was at
//! fault is nobody's business, and with another try a NAS would guess on without a new login.

use super::hex;
use crate::vendor::{MICROSOFT, MS_CHAP_ERROR};

/// Octets in the text of the first version.
pub const V1_TEXT: usize = 12 + 16 + 4;
/// Octets in the text of the second version.
pub const V2_TEXT: usize = 12 + 32 + 4 + MESSAGE.len();

const BEGIN: &[u8; 12] = b"E=691 R=0 C=";
const MESSAGE: &[u8; 25] = b" M=Authentication failure";
/// A Vendor-Specific value's octets before the text: vendor, vendor type, length, Ident.
const HEAD: usize = 7;

/// The text for the first version (RFC 2433 §6), with the challenge for a next try, which has no meaning where there is none.
pub fn v1_text(challenge: &[u8; 8]) -> [u8; V1_TEXT] {
    join([BEGIN, &hex::<16>(challenge), b" V=2"])
}

/// The text for the second version (RFC 2759 §6), in a Failure of EAP-MSCHAPv2 as well.
pub fn v2_text(challenge: &[u8; 16]) -> [u8; V2_TEXT] {
    join([BEGIN, &hex::<32>(challenge), b" V=3", MESSAGE])
}

/// The whole value of the Vendor-Specific attribute for the first version. `ident` is the response's.
pub fn v1_attribute(ident: u8, challenge: &[u8; 8]) -> [u8; HEAD + V1_TEXT] {
    attribute(ident, &v1_text(challenge))
}

/// The whole value of the Vendor-Specific attribute for the second version. `ident` is the response's.
pub fn v2_attribute(ident: u8, challenge: &[u8; 16]) -> [u8; HEAD + V2_TEXT] {
    attribute(ident, &v2_text(challenge))
}

fn attribute<const N: usize>(ident: u8, text: &[u8]) -> [u8; N] {
    join([&MICROSOFT.to_be_bytes(), &[MS_CHAP_ERROR, (N - 4) as u8, ident], text])
}

/// Pieces that together have `N` octets.
fn join<const N: usize, const P: usize>(pieces: [&[u8]; P]) -> [u8; N] {
    let mut all = [0; N];
    for (to, from) in all.iter_mut().zip(pieces.into_iter().flatten()) {
        *to = *from;
    }
    all
}
