//! Packets as a peer of another make would write them, and as one would that has not heard of BlastRADIUS.
//!
//! MD5 and HMAC-MD5 are RustCrypto's here, not sekisho's own: what these packets prove does not rest on the code that is
//! tested.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

use crate::nas::fresh_authenticator;

/// Where a packet has its Message-Authenticator (RFC 2869 §5.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Before everything else.
    First,
    /// After everything else.
    Last,
    /// Nowhere.
    Absent,
    /// Before everything else, and wrong.
    Bad,
    /// Twice, both right in themselves.
    Twice,
}

/// An Access-Request with a name and a password of at most 16 octets, and further attributes.
pub fn login(id: u8, secret: &str, proof: Proof, user: &str, password: &str, more: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let authenticator = fresh_authenticator();
    let first = [(1, user.as_bytes().to_vec()), (2, hidden(password, secret, &authenticator))];
    let attributes: Vec<_> = first.into_iter().chain(more.iter().cloned()).collect();
    let mut packet = unsigned(1, id, &authenticator, proof, &attributes);
    prove(&mut packet, secret, proof);
    packet
}

/// A request whose authenticator is its digest: accounting, CoA, Disconnect.
pub fn digested(code: u8, id: u8, secret: &str, proof: Proof, attributes: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut packet = unsigned(code, id, &[0; 16], proof, attributes);
    prove(&mut packet, secret, proof);
    let digest = Md5::new().chain_update(&packet).chain_update(secret).finalize();
    packet[4..20].copy_from_slice(&digest);
    packet
}

/// Whether a request's authenticator is its digest under this secret.
pub fn digest_is_right(request: &[u8], secret: &str) -> bool {
    let parts = [&request[..4], &[0; 16], &request[20..], secret.as_bytes()];
    let digest = parts.iter().fold(Md5::new(), |md5, part| md5.chain_update(part)).finalize();
    digest.as_slice() == &request[4..20]
}

/// A reply to `request`, with its Proxy-States before the attributes.
pub fn reply(code: u8, request: &[u8], secret: &str, proof: Proof, attributes: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let states = sekisho_wire::attribute::proxy_states(request).map(|value| (33, value.to_vec()));
    let attributes: Vec<_> = states.chain(attributes.iter().cloned()).collect();
    let authenticator = request[4..20].try_into().expect("sixteen octets");
    let mut packet = unsigned(code, request[1], &authenticator, proof, &attributes);
    prove(&mut packet, secret, proof);
    let digest = Md5::new().chain_update(&packet).chain_update(secret).finalize();
    packet[4..20].copy_from_slice(&digest);
    packet
}

/// A User-Password as it is hidden under an authenticator (RFC 2865 §5.2).
fn hidden(password: &str, secret: &str, authenticator: &[u8; 16]) -> Vec<u8> {
    assert!(password.len() <= 16, "one block is all that is asked for here");
    let pad = Md5::new().chain_update(secret).chain_update(authenticator).finalize();
    password.bytes().chain(std::iter::repeat(0)).zip(pad).map(|(octet, pad)| octet ^ pad).collect()
}

fn unsigned(code: u8, id: u8, authenticator: &[u8; 16], proof: Proof, attributes: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let proofs = |wanted: &[Proof]| if wanted.contains(&proof) { vec![(80, vec![0; 16])] } else { Vec::new() };
    let first = proofs(&[Proof::First, Proof::Bad, Proof::Twice]);
    let last = proofs(&[Proof::Last, Proof::Twice]);
    let mut packet = [&[code, id, 0, 0][..], authenticator].concat();
    for (number, value) in first.iter().chain(attributes).chain(&last) {
        packet.extend([*number, u8::try_from(value.len() + 2).expect("at most 253 octets")]);
        packet.extend(value);
    }
    let length = u16::try_from(packet.len()).expect("a short packet");
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet
}

fn prove(packet: &mut [u8], secret: &str, proof: Proof) {
    let places: Vec<usize> = attribute_places(packet).filter(|at| packet[*at] == 80).collect();
    let mut mac = Hmac::<Md5>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(packet);
    let mut mac: [u8; 16] = mac.finalize().into_bytes().into();
    if proof == Proof::Bad {
        mac[0] ^= 1;
    }
    for at in places {
        packet[at + 2..at + 18].copy_from_slice(&mac);
    }
}

fn attribute_places(packet: &[u8]) -> impl Iterator<Item = usize> {
    let next = |at: &usize| Some(at + usize::from(packet[at + 1])).filter(|at| *at < packet.len());
    std::iter::successors(Some(20).filter(|at| *at < packet.len()), next)
}
