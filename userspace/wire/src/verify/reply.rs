//! Replies of home servers.

use crate::buf::Buf;
use crate::scan::Layout;
use crate::secret::Secret;
use crate::sign::Proof;

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
    let packet = layout.packet(buf.bytes());
    let at = layout.message_authenticator;
    if layout.message_authenticators > 1 {
        return Err(ReplyRefusal::MessageAuthenticatorRepeated);
    }
    if at.is_none() && layout.code.is_access_reply() {
        if require_ma {
            return Err(ReplyRefusal::MessageAuthenticatorMissing);
        }
        if layout.eap_message.is_some() {
            return Err(ReplyRefusal::EapWithoutMessageAuthenticator);
        }
    }
    if !Proof::authenticator(packet, request_authenticator, secret).holds() {
        return Err(ReplyRefusal::ResponseAuthenticatorBad);
    }
    if at.is_some_and(|at| !Proof::message_authenticator(packet, at, request_authenticator, secret).holds()) {
        return Err(ReplyRefusal::MessageAuthenticatorBad);
    }
    Ok(VerifiedReply { layout: *layout })
}
