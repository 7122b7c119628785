//! Is a packet from who it says, and is it one that may be sent at all?
//!
//! [`Verified`] and [`VerifiedReply`] can be made only here: what takes one cannot be given an unchecked packet.

mod batch;
mod reply;

use crate::buf::Buf;
use crate::code::Code;
use crate::edit;
use crate::forward::RewriteError;
use crate::password;
use crate::scan::Layout;
use crate::secret::Secret;
use crate::sign::{Proof, ZEROS};

pub use batch::{RequestToVerify, verify_requests};
pub use reply::{ReplyRefusal, ReplyToVerify, VerifiedReply, verify_replies, verify_reply};

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

    /// Gives the first attribute `number` of the request in `buf` another value, of at most 253 octets, where it stands;
    /// one that is absent stays absent. What was verified stays verified: this is for names and the like, not for what
    /// is hidden or proves something. The Message-Authenticator in `buf` is no longer right, nor is any authenticator
    /// that was computed, until the request is rewritten.
    pub fn set_first(&mut self, buf: &mut Buf, number: u8, value: &[u8]) -> Result<(), RewriteError> {
        edit::set_first(buf, self.layout_mut(), number, value)
    }

    /// For edits that leave what was verified as it is.
    pub(crate) fn layout_mut(&mut self) -> &mut Layout {
        &mut self.layout
    }

    /// What became of the Message-Authenticator.
    pub fn message_authenticator(&self) -> MessageAuthenticator {
        self.message_authenticator
    }
}

/// Verifies a request that [`scan`](crate::scan::scan) found well-formed.
pub fn verify_request(buf: &Buf, layout: &Layout, secret: &Secret, policy: RequestPolicy) -> Result<Verified, Refusal> {
    let packet = layout.packet(buf.bytes());
    let held = first_proof(packet, layout, secret, policy)?.map(|proof| proof.holds());
    conclude(packet, layout, secret, held)
}

/// The rules that cost nothing, then what the rest depends on: the Message-Authenticator of an Access-Request or
/// Status-Server, the Request Authenticator of the others.
fn first_proof<'a>(
    packet: &'a [u8],
    layout: &Layout,
    secret: &'a Secret,
    policy: RequestPolicy,
) -> Result<Option<Proof<'a>>, Refusal> {
    match layout.code {
        Code::ACCESS_REQUEST => access_rules(packet, layout, policy)?,
        // RFC 5997 §3: the only proof that a Status-Server has.
        Code::STATUS_SERVER if layout.message_authenticator.is_none() => {
            return Err(Refusal::MessageAuthenticatorMissing);
        }
        Code::STATUS_SERVER => {}
        Code::ACCOUNTING_REQUEST | Code::COA_REQUEST | Code::DISCONNECT_REQUEST => {
            return Ok(Some(Proof::authenticator(packet, &ZEROS, secret)));
        }
        _ => return Err(Refusal::NotARequest),
    }
    let authenticator = packet.get(4..).and_then(|rest| rest.first_chunk()).unwrap_or(&ZEROS);
    message_authenticator_proof(packet, layout, authenticator, secret)
}

/// The verdict, once it is known whether the first proof held (`None` if there was none).
fn conclude(packet: &[u8], layout: &Layout, secret: &Secret, held: Option<bool>) -> Result<Verified, Refusal> {
    let message_authenticator = match (layout.code, held) {
        (Code::ACCESS_REQUEST | Code::STATUS_SERVER, held) => message_authenticator(held)?,
        (_, None | Some(false)) => return Err(Refusal::AuthenticatorBad),
        (Code::ACCOUNTING_REQUEST, _) => {
            accounting_rules(layout)?;
            let proof = message_authenticator_proof(packet, layout, &ZEROS, secret);
            let held = proof.map(|proof| proof.map(|proof| proof.holds()));
            held.and_then(message_authenticator).unwrap_or(MessageAuthenticator::Ignored)
        }
        _ => {
            // RFC 5176 §3.4: sixteen zeros stand for the Request Authenticator, which is computed afterwards.
            let proof = message_authenticator_proof(packet, layout, &ZEROS, secret)?;
            message_authenticator(proof.map(|proof| proof.holds()))?
        }
    };
    Ok(Verified { layout: *layout, message_authenticator })
}

fn message_authenticator(held: Option<bool>) -> Result<MessageAuthenticator, Refusal> {
    match held {
        None => Ok(MessageAuthenticator::Absent),
        Some(true) => Ok(MessageAuthenticator::Good),
        Some(false) => Err(Refusal::MessageAuthenticatorBad),
    }
}

fn access_rules(packet: &[u8], layout: &Layout, policy: RequestPolicy) -> Result<(), Refusal> {
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
    Ok(())
}

fn accounting_rules(layout: &Layout) -> Result<(), Refusal> {
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
    Ok(())
}

fn message_authenticator_proof<'a>(
    packet: &'a [u8],
    layout: &Layout,
    authenticator: &'a [u8; 16],
    secret: &Secret,
) -> Result<Option<Proof<'a>>, Refusal> {
    if layout.message_authenticators > 1 {
        return Err(Refusal::MessageAuthenticatorRepeated);
    }
    Ok(layout.message_authenticator.map(|at| Proof::message_authenticator(packet, at, authenticator, secret)))
}
