//! Is a packet from who it says, and is it one that may be sent at all?
//!
//! [`Verified`] and [`VerifiedReply`] can be made only here: what takes one cannot be given an unchecked packet.

use crate::attribute::Span;
use crate::buf::Buf;
use crate::code::Code;
use crate::password;
use crate::scan::Layout;
use crate::secret::Secret;
use crate::sign::{ZEROS, authenticator_is_right, message_authenticator_is_right};

/// What is asked of a client's Access-Requests, draft-ietf-radext-deprecating-radius (against CVE-2024-3596). Neither
/// has an effect on other codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestPolicy {
    /// Every one has to carry a Message-Authenticator.
    pub require_message_authenticator: bool,
    /// One that carries a Proxy-State has to.
    pub limit_proxy_state: bool,
}

/// Why a request is silently discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The code is none that a server is sent.
    #[error("the code is not a request's")]
    NotARequest,
    /// The client, or the code Status-Server, requires a Message-Authenticator and there is none.
    #[error("a Message-Authenticator is required and absent")]
    MessageAuthenticatorMissing,
    /// The Message-Authenticator is not of this packet and secret.
    #[error("the Message-Authenticator is wrong (often: the secrets differ)")]
    MessageAuthenticatorBad,
    /// There are several Message-Authenticators.
    #[error("there is more than one Message-Authenticator")]
    MessageAuthenticatorRepeated,
    /// EAP-Message without Message-Authenticator, RFC 3579 §3.2.
    #[error("an EAP-Message without Message-Authenticator")]
    EapWithoutMessageAuthenticator,
    /// Proxy-State without Message-Authenticator from a client that is not a proxy.
    #[error("a Proxy-State without Message-Authenticator")]
    ProxyStateWithoutMessageAuthenticator,
    /// The Request Authenticator is not of this packet and secret (Accounting, CoA, Disconnect).
    #[error("the Request Authenticator is wrong (often: the secrets differ)")]
    AuthenticatorBad,
    /// User-Password is not of 16, 32, … 128 octets, RFC 2865 §5.2.
    #[error("the User-Password's length is not a multiple of 16 from 16 to 128")]
    PasswordLength,
    /// There are several User-Passwords, RFC 2865 §5.44.
    #[error("there is more than one User-Password")]
    PasswordRepeated,
    /// An ARAP attribute: it depends on the Request Authenticator, which a proxy replaces.
    #[error("ARAP cannot be proxied")]
    Arap,
    /// An Accounting-Request with User-Password, CHAP-Password, Reply-Message or State, RFC 2866 §4.1.
    #[error("an attribute that an Accounting-Request must not have")]
    ForbiddenAttribute,
    /// An Accounting-Request without Acct-Session-Id, RFC 2866 §5.5.
    #[error("an Accounting-Request without Acct-Session-Id")]
    SessionIdMissing,
}

/// What became of a packet's Message-Authenticator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageAuthenticator {
    /// There was none.
    Absent,
    /// There was one and it is right.
    Good,
    /// There was one in an Accounting-Request and it is wrong: RFC 2869 §5.19 does not allow one there, the Request
    /// Authenticator counts.
    Ignored,
}

/// A request that came from a holder of the secret, or that policy lets pass unproven (an Access-Request without
/// Message-Authenticator), and that breaks no rule for its code.
#[derive(Debug, Clone, Copy)]
pub struct Verified {
    layout: Layout,
    message_authenticator: MessageAuthenticator,
}

impl Verified {
    /// Where things are in the packet.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What became of the Message-Authenticator.
    pub fn message_authenticator(&self) -> MessageAuthenticator {
        self.message_authenticator
    }
}

/// Verifies a request that [`scan`](crate::scan::scan) found well-formed.
pub fn verify_request(buf: &Buf, layout: &Layout, secret: &Secret, policy: RequestPolicy) -> Result<Verified, Refusal> {
    let packet = layout.packet(buf.bytes());
    let message_authenticator = match layout.code {
        Code::ACCESS_REQUEST => access_request(packet, layout, secret, policy)?,
        Code::ACCOUNTING_REQUEST => accounting_request(packet, layout, secret)?,
        Code::STATUS_SERVER => status_server(packet, layout, secret)?,
        Code::COA_REQUEST | Code::DISCONNECT_REQUEST => dynamic_authorization(packet, layout, secret)?,
        _ => return Err(Refusal::NotARequest),
    };
    Ok(Verified { layout: *layout, message_authenticator })
}

fn access_request(
    packet: &[u8],
    layout: &Layout,
    secret: &Secret,
    policy: RequestPolicy,
) -> Result<MessageAuthenticator, Refusal> {
    if layout.message_authenticator.is_none() {
        if policy.require_message_authenticator {
            return Err(Refusal::MessageAuthenticatorMissing);
        }
        if layout.eap_message.is_some() {
            return Err(Refusal::EapWithoutMessageAuthenticator);
        }
        if policy.limit_proxy_state && layout.proxy_states > 0 {
            return Err(Refusal::ProxyStateWithoutMessageAuthenticator);
        }
    }
    if layout.arap {
        return Err(Refusal::Arap);
    }
    if layout.user_password_repeated {
        return Err(Refusal::PasswordRepeated);
    }
    if layout.user_password.is_some_and(|password| !password::has_valid_length(password.of(packet))) {
        return Err(Refusal::PasswordLength);
    }
    with_own_authenticator(packet, layout, secret)
}

fn status_server(packet: &[u8], layout: &Layout, secret: &Secret) -> Result<MessageAuthenticator, Refusal> {
    // RFC 5997 §3: the only proof that a Status-Server has.
    match with_own_authenticator(packet, layout, secret)? {
        MessageAuthenticator::Absent => Err(Refusal::MessageAuthenticatorMissing),
        good => Ok(good),
    }
}

fn accounting_request(packet: &[u8], layout: &Layout, secret: &Secret) -> Result<MessageAuthenticator, Refusal> {
    if !authenticator_is_right(packet, &ZEROS, secret) {
        return Err(Refusal::AuthenticatorBad);
    }
    let forbidden = layout.user_password.is_some()
        || layout.chap_password.is_some()
        || layout.reply_message
        || layout.state.is_some();
    if forbidden {
        return Err(Refusal::ForbiddenAttribute);
    }
    if layout.acct_session_id.is_none() {
        return Err(Refusal::SessionIdMissing);
    }
    Ok(match only_message_authenticator(layout) {
        Ok(None) => MessageAuthenticator::Absent,
        Ok(Some(at)) if message_authenticator_is_right(packet, at, &ZEROS, secret) => MessageAuthenticator::Good,
        _ => MessageAuthenticator::Ignored,
    })
}

fn dynamic_authorization(packet: &[u8], layout: &Layout, secret: &Secret) -> Result<MessageAuthenticator, Refusal> {
    if !authenticator_is_right(packet, &ZEROS, secret) {
        return Err(Refusal::AuthenticatorBad);
    }
    // RFC 5176 §3.4: sixteen zeros stand for the Request Authenticator, which is computed afterwards.
    request_message_authenticator(packet, layout, &ZEROS, secret)
}

fn with_own_authenticator(packet: &[u8], layout: &Layout, secret: &Secret) -> Result<MessageAuthenticator, Refusal> {
    let authenticator = layout.authenticator(packet).ok_or(Refusal::MessageAuthenticatorBad)?;
    request_message_authenticator(packet, layout, &authenticator, secret)
}

fn request_message_authenticator(
    packet: &[u8],
    layout: &Layout,
    authenticator: &[u8; 16],
    secret: &Secret,
) -> Result<MessageAuthenticator, Refusal> {
    match only_message_authenticator(layout) {
        Err(Repeated) => Err(Refusal::MessageAuthenticatorRepeated),
        Ok(None) => Ok(MessageAuthenticator::Absent),
        Ok(Some(at)) if message_authenticator_is_right(packet, at, authenticator, secret) => {
            Ok(MessageAuthenticator::Good)
        }
        Ok(Some(_)) => Err(Refusal::MessageAuthenticatorBad),
    }
}

struct Repeated;

fn only_message_authenticator(layout: &Layout) -> Result<Option<Span>, Repeated> {
    if layout.message_authenticators > 1 { Err(Repeated) } else { Ok(layout.message_authenticator) }
}

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
    let at = only_message_authenticator(layout).map_err(|Repeated| ReplyRefusal::MessageAuthenticatorRepeated)?;
    if at.is_none() && layout.code.is_access_reply() {
        if require_ma {
            return Err(ReplyRefusal::MessageAuthenticatorMissing);
        }
        if layout.eap_message.is_some() {
            return Err(ReplyRefusal::EapWithoutMessageAuthenticator);
        }
    }
    if !authenticator_is_right(packet, request_authenticator, secret) {
        return Err(ReplyRefusal::ResponseAuthenticatorBad);
    }
    if at.is_some_and(|at| !message_authenticator_is_right(packet, at, request_authenticator, secret)) {
        return Err(ReplyRefusal::MessageAuthenticatorBad);
    }
    Ok(VerifiedReply { layout: *layout })
}
