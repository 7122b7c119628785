//! Authenticators: the digests that say who sent a packet. Verifying reads them, building writes them.

use subtle::ConstantTimeEq;

use crate::attribute::{HEADER, Span};
use crate::md5::Md5;
use crate::secret::Secret;

/// What stands in for an authenticator that is being computed.
pub(crate) const ZEROS: [u8; 16] = [0; 16];

/// Whether the authenticator field is MD5(packet with `authenticator` in that field | secret): the Response
/// Authenticator (RFC 2865 §3), and with zeros the Request Authenticator of RFC 2866 §3 and RFC 5176 §2.3.
pub(crate) fn authenticator_is_right(packet: &[u8], authenticator: &[u8; 16], secret: &Secret) -> bool {
    let Some((header, attributes)) = packet.split_first_chunk::<HEADER>() else { return false };
    let mut start = *header;
    start[4..].copy_from_slice(authenticator);
    let mut md5 = Md5::new();
    md5.update(&start);
    md5.update(attributes);
    secret.append_to(&mut md5);
    md5.finish().ct_eq(&header[4..]).into()
}

/// Whether the Message-Authenticator at `at` is HMAC-MD5(packet with `authenticator` in the authenticator field and
/// zeros in the Message-Authenticator), RFC 3579 §3.2.
pub(crate) fn message_authenticator_is_right(
    packet: &[u8],
    at: Span,
    authenticator: &[u8; 16],
    secret: &Secret,
) -> bool {
    let Some((header, _)) = packet.split_first_chunk::<HEADER>() else { return false };
    let (Some(before), Some(after)) = (packet.get(HEADER..at.at()), packet.get(at.at() + 16..)) else {
        return false;
    };
    if at.len() != 16 {
        return false;
    }
    let mut start = *header;
    start[4..].copy_from_slice(authenticator);
    let mut hmac = secret.hmac();
    hmac.update(&start);
    hmac.update(before);
    hmac.update(&ZEROS);
    hmac.update(after);
    hmac.finish().ct_eq(at.of(packet)).into()
}

/// Writes the Message-Authenticator that is the first attribute of `packet`, over the authenticator field as it is.
pub(crate) fn write_message_authenticator(packet: &mut [u8], secret: &Secret) {
    let Some(field) = packet.get_mut(HEADER + 2..HEADER + 18) else { return };
    field.fill(0);
    let mut hmac = secret.hmac();
    hmac.update(packet);
    let code = hmac.finish();
    if let Some(field) = packet.get_mut(HEADER + 2..HEADER + 18) {
        field.copy_from_slice(&code);
    }
}

/// Puts MD5(packet | secret) into the authenticator field, over the authenticator field as it is.
pub(crate) fn write_authenticator(packet: &mut [u8], secret: &Secret) {
    let mut md5 = Md5::new();
    md5.update(packet);
    secret.append_to(&mut md5);
    set_authenticator(packet, &md5.finish());
}

/// Sets the authenticator field.
pub(crate) fn set_authenticator(packet: &mut [u8], authenticator: &[u8; 16]) {
    if let Some(field) = packet.get_mut(4..HEADER) {
        field.copy_from_slice(authenticator);
    }
}

/// Sets code, identifier and Length.
pub(crate) fn set_header(packet: &mut [u8], code: u8, id: u8) {
    // A `Buf` never holds more than 4096 octets.
    let length = (packet.len() as u16).to_be_bytes();
    if let Some(field) = packet.first_chunk_mut() {
        *field = [code, id, length[0], length[1]];
    }
}
