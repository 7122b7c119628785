//! What several tests need: a client, a home server, and the proxy's steps between them.

use sekisho_wire::attribute::attributes;
use sekisho_wire::buf::Buf;
use sekisho_wire::forward::RewriteError;
use sekisho_wire::reply::{Hops, ReplyEdits, restore_reply};
use sekisho_wire::salted::Salted;
use sekisho_wire::scan::{Layout, scan};
use sekisho_wire::secret::Secret;
use sekisho_wire::verify::{RequestPolicy, Verified, VerifiedReply, verify_reply, verify_request};

/// Nothing required: the legacy client.
pub const LENIENT: RequestPolicy = RequestPolicy { require_message_authenticator: false, limit_proxy_state: false };
/// The Request Authenticator of the client's requests.
pub const RA_DOWN: [u8; 16] = *b"\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff";
/// The Request Authenticator of ours.
pub const RA_UP: [u8; 16] = *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f";
/// Our Proxy-State.
pub const OURS: &[u8] = b"sekisho1";

pub fn secret(octets: impl AsRef<[u8]>) -> Secret {
    Secret::new(octets).unwrap()
}

pub fn nas() -> Secret {
    secret("nasSecret99")
}

pub fn home() -> Secret {
    secret("homeSecret01")
}

pub fn buf(packet: &[u8]) -> Buf {
    let mut buf = Buf::new();
    buf.load(packet).unwrap();
    buf
}

pub fn layout(packet: &[u8]) -> Layout {
    scan(packet).unwrap()
}

pub fn verified(buf: &Buf, secret: &Secret) -> Verified {
    verify_request(buf, &layout(buf.bytes()), secret, LENIENT).unwrap()
}

pub fn verified_reply(buf: &Buf, request_authenticator: &[u8; 16], secret: &Secret) -> VerifiedReply {
    verify_reply(buf, &layout(buf.bytes()), request_authenticator, secret, false).unwrap()
}

/// The packet's attributes as (number, value).
pub fn list(packet: &[u8]) -> Vec<(u8, Vec<u8>)> {
    attributes(packet).map(|a| (a.number, a.value.to_vec())).collect()
}

pub fn numbers(packet: &[u8]) -> Vec<u8> {
    attributes(packet).map(|a| a.number).collect()
}

/// The values of one attribute, in order.
pub fn values(packet: &[u8], number: u8) -> Vec<Vec<u8>> {
    attributes(packet).filter(|a| a.number == number).map(|a| a.value.to_vec()).collect()
}

pub fn array(octets: &[u8]) -> [u8; 16] {
    octets.try_into().unwrap()
}

pub fn authenticator(packet: &[u8]) -> [u8; 16] {
    array(&packet[4..20])
}

/// [`restore_reply`] between [`home`] and [`nas`], for a client's request with this identifier and [`RA_DOWN`].
pub fn restore(
    buf: &mut Buf,
    reply: &VerifiedReply,
    upstream_request: &[u8],
    client_id: u8,
    salts: &mut impl FnMut() -> u16,
    own_proxy_state: &[u8],
) -> Result<ReplyEdits, RewriteError> {
    let (from, to, salted) = (&home(), &nas(), &Salted::default());
    let hops = Hops { upstream_request, from, to, client_id, client_ra: &RA_DOWN, own_proxy_state, salted };
    restore_reply(buf, reply, &hops, salts)
}

/// [`restore_reply`] from one secret to another, for a request with identifier 7 and [`RA_DOWN`].
pub fn restore_between(buf: &mut Buf, reply: &VerifiedReply, upstream_request: &[u8], (from, to): (&Secret, &Secret)) {
    let salted = &Salted::default();
    let (client_id, client_ra, own_proxy_state) = (7, &RA_DOWN, OURS);
    let hops = Hops { upstream_request, from, to, client_id, client_ra, own_proxy_state, salted };
    restore_reply(buf, reply, &hops, &mut || 1).unwrap();
}
