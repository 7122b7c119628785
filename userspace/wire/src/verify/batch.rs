//! Requests that arrived together, verified together: their digests go side by side.

use super::{Refusal, RequestPolicy, Verified, conclude, first_proof};
use crate::buf::Buf;
use crate::md5::batch::{Message, PIECES, digest_all};
use crate::scan::Layout;
use crate::secret::Secret;

/// Digested at once; what their messages take is kept on the stack.
const CHUNK: usize = 16;

/// What [`verify_request`](super::verify_request) is given for one request.
#[derive(Debug, Clone, Copy)]
pub struct RequestToVerify<'a> {
    /// The packet.
    pub buf: &'a Buf,
    /// Its layout.
    pub layout: &'a Layout,
    /// Its client's secret.
    pub secret: &'a Secret,
    /// What is asked of its client.
    pub policy: RequestPolicy,
}

/// Verifies many requests: `verdict` is called for each in order, with its index and what
/// [`verify_request`](super::verify_request) would say.
pub fn verify_requests(requests: &[RequestToVerify<'_>], mut verdict: impl FnMut(usize, Result<Verified, Refusal>)) {
    for (chunk, requests) in requests.chunks(CHUNK).enumerate() {
        let mut proofs = [const { Ok(None) }; CHUNK];
        let mut messages = [Message::new([&[]; PIECES]); CHUNK];
        let mut digests = [[0; 16]; CHUNK];
        let mut count = 0;
        for (request, proof) in requests.iter().zip(&mut proofs) {
            let RequestToVerify { buf, layout, secret, policy } = *request;
            *proof = first_proof(layout.packet(buf.bytes()), layout, secret, policy);
            if let (Ok(Some(proof)), Some(message)) = (proof, messages.get_mut(count)) {
                *message = proof.message;
                count += 1;
            }
        }
        digest_all(messages.get(..count).unwrap_or_default(), &mut digests);

        let mut digests = digests.iter();
        for (i, (request, proof)) in requests.iter().zip(proofs).enumerate() {
            let RequestToVerify { buf, layout, secret, .. } = *request;
            let found = proof.and_then(|proof| {
                let held = proof.map(|proof| digests.next().is_some_and(|digest| proof.is(digest)));
                conclude(layout.packet(buf.bytes()), layout, secret, held)
            });
            verdict(chunk * CHUNK + i, found);
        }
    }
}
