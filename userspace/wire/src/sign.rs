//! Authenticators: the digests that say who sent a packet. Verifying reads them, building writes them.

use std::ops::Range;

use subtle::ConstantTimeEq;

use crate::attribute::{HEADER, Span};
use crate::md5::Md5;
use crate::md5::batch::Message;
use crate::secret::Secret;

/// What stands in for an authenticator that is being computed.
pub(crate) const ZEROS: [u8; 16] = [0; 16];

/// What proves who sent a packet: a digest to compute, and the octets that it has to be.
#[derive(Clone, Copy)]
pub(crate) struct Proof<'a> {
    pub(crate) message: Message<'a>,
    expected: &'a [u8],
}

impl<'a> Proof<'a> {
    /// The authenticator field, which has to be MD5(packet with `authenticator` in that field | secret): the Response
    /// Authenticator (RFC 2865 §3), and with zeros the Request Authenticator of RFC 2866 §3 and RFC 5176 §2.3.
    pub(crate) fn authenticator(packet: &'a [u8], authenticator: &'a [u8; 16], secret: &'a Secret) -> Self {
        let (header, rest) = packet.split_at_checked(4).unwrap_or_default();
        let (expected, attributes) = rest.split_at_checked(16).unwrap_or_default();
        Self { message: Message::new([header, authenticator, attributes, secret.octets(), &[]]), expected }
    }

    /// The Message-Authenticator at `at`, which has to be HMAC-MD5(packet with `authenticator` in the authenticator
    /// field and zeros in the Message-Authenticator), RFC 3579 §3.2.
    pub(crate) fn message_authenticator(
        packet: &'a [u8],
        at: Span,
        authenticator: &'a [u8; 16],
        secret: &Secret,
    ) -> Self {
        let header = packet.get(..4).unwrap_or_default();
        let before = packet.get(HEADER..at.at()).unwrap_or_default();
        let after = packet.get(at.at() + 16..).unwrap_or_default();
        Self { message: secret.keyed([header, authenticator, before, &ZEROS, after]), expected: at.of(packet) }
    }

    /// Whether the packet has what was computed; nothing but sixteen octets is a proof.
    pub(crate) fn is(&self, digest: &[u8; 16]) -> bool {
        self.expected.ct_eq(digest).into()
    }

    /// Computes the digest here and now, and compares.
    pub(crate) fn holds(&self) -> bool {
        self.is(&self.message.digest())
    }
}

/// Where the value of a Message-Authenticator stands that is the first attribute.
pub(crate) const FIRST_MESSAGE_AUTHENTICATOR: Range<usize> = HEADER + 2..HEADER + 18;

/// Fills the Message-Authenticator that is the first attribute with zeros, for the digest over it.
pub(crate) fn clear_message_authenticator(packet: &mut [u8]) {
    set_message_authenticator(packet, &ZEROS);
}

/// Sets the Message-Authenticator that is the first attribute.
pub(crate) fn set_message_authenticator(packet: &mut [u8], code: &[u8; 16]) {
    if let Some(field) = packet.get_mut(FIRST_MESSAGE_AUTHENTICATOR) {
        field.copy_from_slice(code);
    }
}

/// Writes the Message-Authenticator that is the first attribute of `packet`, over the authenticator field as it is.
pub(crate) fn write_message_authenticator(packet: &mut [u8], secret: &Secret) {
    clear_message_authenticator(packet);
    let mut hmac = secret.hmac();
    hmac.update(packet);
    set_message_authenticator(packet, &hmac.finish());
}

/// Puts MD5(packet | secret) into the authenticator field, over the authenticator field as it is.
pub(crate) fn write_authenticator(packet: &mut [u8], secret: &Secret) {
    let mut md5 = Md5::new();
    md5.update(packet);
    md5.update(secret.octets());
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
