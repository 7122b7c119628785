//! Replies of home servers.

use crate::buf::Buf;
use crate::edit;
use crate::forward::RewriteError;
use crate::md5::batch::{Message, PIECES, digest_all};
use crate::scan::Layout;
use crate::secret::Secret;
use crate::sign::Proof;

/// Verified at once; what their messages take is kept on the stack.
const CHUNK: usize = 32;

/// Why a reply is silently discarded: nothing else may change on its account (RFC 2865 §2.3 step 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ReplyRefusal {
    /// The Response Authenticator is not of this packet, request and secret.
    #[error("the Response Authenticator is wrong (often: the secrets differ)")]
    ResponseAuthenticatorBad,
    /// The home server requires a Message-Authenticator and there is none.
    #[error("a Message-Authenticator is required and absent")]
    MessageAuthenticatorMissing,
    /// The Message-Authenticator is not of this packet, request and secret.
    #[error("the Message-Authenticator is wrong")]
    MessageAuthenticatorBad,
    /// There are several Message-Authenticators.
    #[error("there is more than one Message-Authenticator")]
    MessageAuthenticatorRepeated,
    /// EAP-Message without Message-Authenticator, RFC 3579 §3.2.
    #[error("an EAP-Message without Message-Authenticator")]
    EapWithoutMessageAuthenticator,
}

/// A reply that only a holder of the secret can have made, to the request it was verified against.
#[derive(Debug, Clone, Copy)]
pub struct VerifiedReply {
    layout: Layout,
}

impl VerifiedReply {
    /// Where things are in the packet.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Gives the first attribute `number` of the reply in `buf` another value, of at most 253 octets, where it stands; one
    /// that is absent stays absent. Its authenticators in `buf` are no longer right until it is rewritten.
    pub fn set_first(&mut self, buf: &mut Buf, number: u8, value: &[u8]) -> Result<(), RewriteError> {
        edit::set_first(buf, self.layout_mut(), number, value)
    }

    /// For edits that leave what was verified as it is.
    pub(crate) fn layout_mut(&mut self) -> &mut Layout {
        &mut self.layout
    }

    /// Whether it carried a Message-Authenticator (and then a right one).
    pub fn has_message_authenticator(&self) -> bool {
        self.layout.message_authenticator.is_some()
    }
}

/// Verifies a reply against the Request Authenticator of the request that we sent.
///
/// `require_ma` holds for the answers to an Access-Request alone; a Message-Authenticator that is present has to be
/// right in every reply.
pub fn verify_reply(
    buf: &Buf,
    layout: &Layout,
    request_authenticator: &[u8; 16],
    secret: &Secret,
    require_ma: bool,
) -> Result<VerifiedReply, ReplyRefusal> {
    let request =
        ReplyToVerify { buf, layout, request_authenticator, secret, require_message_authenticator: require_ma };
    let [authenticator, message_authenticator] = request.proofs()?;
    let holds = |proof: Option<Proof<'_>>| proof.is_none_or(|proof| proof.holds());
    // The second digest is computed only where the first holds.
    let first = holds(authenticator);
    conclude_reply(layout, first, first && holds(message_authenticator))
}

/// What [`verify_reply`] is given for one reply.
#[derive(Debug, Clone, Copy)]
pub struct ReplyToVerify<'a> {
    /// The packet.
    pub buf: &'a Buf,
    /// Its layout.
    pub layout: &'a Layout,
    /// The authenticator of the request that we sent.
    pub request_authenticator: &'a [u8; 16],
    /// The home server's secret.
    pub secret: &'a Secret,
    /// Whether an answer to an Access-Request has to carry a Message-Authenticator.
    pub require_message_authenticator: bool,
}

impl<'a> ReplyToVerify<'a> {
    /// What has to be computed: the Response Authenticator, and the Message-Authenticator where there is one.
    fn proofs(&self) -> Result<[Option<Proof<'a>>; 2], ReplyRefusal> {
        let ReplyToVerify { buf, layout, request_authenticator, secret, require_message_authenticator } = *self;
        let packet = layout.packet(buf.bytes());
        let at = layout.message_authenticator;
        if layout.message_authenticators > 1 {
            return Err(ReplyRefusal::MessageAuthenticatorRepeated);
        }
        if at.is_none() && layout.code.is_access_reply() {
            if require_message_authenticator {
                return Err(ReplyRefusal::MessageAuthenticatorMissing);
            }
            if layout.eap_message.is_some() {
                return Err(ReplyRefusal::EapWithoutMessageAuthenticator);
            }
        }
        Ok([
            Some(Proof::authenticator(packet, request_authenticator, secret)),
            at.map(|at| Proof::message_authenticator(packet, at, request_authenticator, secret)),
        ])
    }
}

fn conclude_reply(
    layout: &Layout,
    authenticator: bool,
    message_authenticator: bool,
) -> Result<VerifiedReply, ReplyRefusal> {
    match (authenticator, message_authenticator) {
        (false, _) => Err(ReplyRefusal::ResponseAuthenticatorBad),
        (true, false) => Err(ReplyRefusal::MessageAuthenticatorBad),
        (true, true) => Ok(VerifiedReply { layout: *layout }),
    }
}

/// Verifies many replies: `verdict` is called for each in order, with its index and what [`verify_reply`] would say.
pub fn verify_replies(
    replies: &[ReplyToVerify<'_>],
    mut verdict: impl FnMut(usize, Result<VerifiedReply, ReplyRefusal>),
) {
    for (chunk, replies) in replies.chunks(CHUNK).enumerate() {
        let mut proofs = [const { Ok([None; 2]) }; CHUNK];
        let mut messages = [Message::new([&[]; PIECES]); 2 * CHUNK];
        let mut digests = [[0; 16]; 2 * CHUNK];
        let mut count = 0;
        for (reply, found) in replies.iter().zip(&mut proofs) {
            *found = reply.proofs();
            for (proof, message) in found.iter().flatten().flatten().zip(&mut messages[count..]) {
                *message = proof.message;
            }
            count += found.iter().flatten().flatten().count();
        }
        digest_all(messages.get(..count).unwrap_or_default(), &mut digests);
        let mut digests = digests.iter();
        for (i, (reply, proofs)) in replies.iter().zip(proofs).enumerate() {
            let found = proofs.and_then(|proofs| {
                let [first, second] =
                    proofs.map(|proof| proof.is_none_or(|proof| digests.next().is_some_and(|digest| proof.is(digest))));
                conclude_reply(reply.layout, first, second)
            });
            verdict(chunk * CHUNK + i, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr;
    use crate::build::write_reply;
    use crate::code::Code;
    use crate::scan::scan;

    #[test]
    fn many_replies_are_judged_as_each_would_be_alone() {
        let secrets = [Secret::new("one").unwrap(), Secret::new([7; 100]).unwrap()];
        let sent = [9; 16];
        let bufs: Vec<Buf> = (0..150u8)
            .map(|i| {
                let code = if i % 4 == 0 { Code::ACCOUNTING_RESPONSE } else { Code::ACCESS_ACCEPT };
                let mut buf = Buf::new();
                let text = vec![b'x'; usize::from(i)];
                let attrs = [(attr::REPLY_MESSAGE, &text[..])];
                write_reply(&mut buf, code, i, &sent, &secrets[usize::from(i % 2)], &[], &attrs).unwrap();
                if i % 5 == 0 {
                    let last = buf.len() - 1;
                    buf.bytes_mut()[if i % 10 == 0 { 6 } else { last }] ^= 1;
                }
                buf
            })
            .collect();
        let layouts: Vec<_> = bufs.iter().map(|buf| scan(buf.bytes()).ok()).collect();
        let replies: Vec<_> = bufs
            .iter()
            .zip(&layouts)
            .enumerate()
            .filter_map(|(i, (buf, layout))| {
                let (secret, layout) = (&secrets[(i + i % 7 / 6) % 2], layout.as_ref()?);
                let require_message_authenticator = i % 3 == 0;
                Some(ReplyToVerify { buf, layout, request_authenticator: &sent, secret, require_message_authenticator })
            })
            .collect();
        let mut seen = [0; 2];
        verify_replies(&replies, |i, found| {
            let ReplyToVerify { buf, layout, secret, require_message_authenticator, .. } = replies[i];
            let alone = verify_reply(buf, layout, &sent, secret, require_message_authenticator);
            assert_eq!(found.map(|_| ()), alone.map(|_| ()), "reply {i}");
            seen[usize::from(found.is_ok())] += 1;
        });
        assert_eq!(seen[0] + seen[1], replies.len());
        assert!(seen[0] > 20 && seen[1] > 20, "{seen:?}");
    }
}
