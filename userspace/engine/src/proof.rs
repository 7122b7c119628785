//! By what a sender proves itself: a Message-Authenticator, and one of two secrets. What that teaches of it, and what it may not
//! do any more afterwards.

use sekisho_wire::{
    buf::Buf,
    code::Code,
    password,
    scan::Layout,
    secret::Secret,
    verify::{
        MessageAuthenticator, Refusal, ReplyRefusal, RequestPolicy, Verified, VerifiedReply, verify_reply,
        verify_request,
    },
};
use zeroize::Zeroize;

use crate::{
    snapshot::{Client, HomeServer, Require},
    time::Time,
};

impl Client {
    /// The secret in force, or the one before it where there is one.
    pub(crate) fn secret_of(&self, by_previous: bool) -> &Secret {
        match &self.previous_secret {
            Some(previous) if by_previous => previous,
            _ => &self.secret,
        }
    }
}

impl HomeServer {
    /// The secret in force, or the one before it where there is one.
    pub(crate) fn secret_of(&self, by_previous: bool) -> &Secret {
        match &self.previous_secret {
            Some(previous) if by_previous => previous,
            _ => &self.secret,
        }
    }
}

/// What is asked of this client's requests. `auto` is not among it: whether a request is a downgrade depends on those before it,
/// in the same batch too ([`is_downgrade`]).
pub(crate) fn policy(client: &Client) -> RequestPolicy {
    RequestPolicy {
        require_message_authenticator: client.require_message_authenticator == Require::Yes,
        limit_proxy_state: client.limit_proxy_state,
    }
}

/// Verifies one request, and says whether it took the previous secret.
pub(crate) fn verify_one(client: &Client, buf: &Buf, layout: &Layout) -> (Result<Verified, Refusal>, bool) {
    by_either(client, buf, layout, verify_request(buf, layout, &client.secret, policy(client)))
}

/// What verification by the secret in force found; where that is the wrong secret, what the one before it finds.
pub(crate) fn by_either(
    client: &Client,
    buf: &Buf,
    layout: &Layout,
    found: Result<Verified, Refusal>,
) -> (Result<Verified, Refusal>, bool) {
    if let Err(Refusal::AuthenticatorBad | Refusal::MessageAuthenticatorBad) = found
        && let Some(previous) = &client.previous_secret
        && let found @ Ok(_) = verify_request(buf, layout, previous, policy(client))
    {
        return (found, true);
    }
    (found, false)
}

/// The same for a reply to our request with this authenticator.
pub(crate) fn reply_by_either(
    home: &HomeServer,
    buf: &Buf,
    layout: &Layout,
    authenticator: &[u8; 16],
    found: Result<VerifiedReply, ReplyRefusal>,
) -> (Result<VerifiedReply, ReplyRefusal>, bool) {
    if let Err(ReplyRefusal::ResponseAuthenticatorBad | ReplyRefusal::MessageAuthenticatorBad) = found
        && let Some(previous) = &home.previous_secret
        && let found @ Ok(_) = verify_reply(buf, layout, authenticator, previous, requires(home))
    {
        return (found, true);
    }
    (found, false)
}

/// Whether replies without Message-Authenticator are refused at once.
pub(crate) fn requires(home: &HomeServer) -> bool {
    home.require_message_authenticator == Require::Yes
}

/// By which secret a verified request is to be taken, and answered: `true` for the previous one. `proved_by_previous` says what
/// its digest was made with.
///
/// An Access-Request without Message-Authenticator proves neither. Its User-Password does, nearly: under the wrong secret it
/// decrypts to random octets, not to text. Where there is none (CHAP), or where it is text under neither, the client's last
/// proof decides.
pub(crate) fn takes_previous(
    client: &Client,
    now: Time,
    verified: &Verified,
    packet: &[u8],
    proved_by_previous: bool,
) -> bool {
    let Some(previous) = &client.previous_secret else { return false };
    let learned = &client.state.learned;
    let by_previous = if is_proven(verified) {
        Some(proved_by_previous)
    } else if decrypts(verified.layout(), packet, &client.secret) {
        Some(false)
    } else {
        decrypts(verified.layout(), packet, previous).then_some(true)
    };
    match by_previous {
        Some(by_previous) => {
            learned.proved(now, by_previous);
            by_previous
        }
        None => learned.previous_secret_used() > learned.current_secret_used(),
    }
}

/// Whether a verified request can only have come from a holder of the secret.
pub(crate) fn is_proven(verified: &Verified) -> bool {
    verified.layout().code != Code::ACCESS_REQUEST || verified.message_authenticator() == MessageAuthenticator::Good
}

/// Whether the User-Password, decrypted with this secret, is text: UTF-8 without control characters, padded with zeros.
fn decrypts(layout: &Layout, packet: &[u8], secret: &Secret) -> bool {
    let (Some(hidden), Some(authenticator)) = (layout.user_password, layout.authenticator(packet)) else {
        return false;
    };
    let hidden = hidden.of(packet);
    let mut plain = [0; password::MAX_PASSWORD];
    let Some(plain) = plain.get_mut(..hidden.len()) else { return false };
    plain.copy_from_slice(hidden);
    let decrypted = password::unhide(plain, secret, &authenticator).is_ok();
    let text = str::from_utf8(password::without_padding(plain));
    let is_text = decrypted && text.is_ok_and(|text| !text.chars().any(char::is_control));
    plain.zeroize();
    is_text
}

/// Whether this is an Access-Request without Message-Authenticator from a client that has sent one that it did not have to
/// (`auto`): dropped before anything else is looked at, since a man in the middle would take it off (CVE-2024-3596).
pub(crate) fn is_downgrade(client: &Client, layout: &Layout) -> bool {
    client.require_message_authenticator == Require::Auto
        && layout.code == Code::ACCESS_REQUEST
        && layout.message_authenticator.is_none()
        && client.state.learned.message_authenticator()
}

/// The same for a home server's answer to an Access-Request.
pub(crate) fn is_reply_downgrade(home: &HomeServer, layout: &Layout) -> bool {
    home.require_message_authenticator == Require::Auto
        && layout.code.is_access_reply()
        && layout.message_authenticator.is_none()
        && home.state.learned.message_authenticator()
}

/// Learns from a verified Access-Request that its client sends Message-Authenticators. One that EAP demands says nothing of
/// the others (RFC 3579 §3.2).
pub(crate) fn learn(client: &Client, verified: &Verified) {
    let layout = verified.layout();
    if client.require_message_authenticator == Require::Auto
        && layout.code == Code::ACCESS_REQUEST
        && layout.eap_message.is_none()
        && verified.message_authenticator() == MessageAuthenticator::Good
    {
        client.state.learned.set_message_authenticator(true);
    }
}

/// Learns from a verified reply, of its Message-Authenticator and of the secret that it was made with.
pub(crate) fn learn_from_reply(home: &HomeServer, now: Time, reply: &VerifiedReply, by_previous: bool) {
    let layout = reply.layout();
    let learned = &home.state.learned;
    if home.require_message_authenticator == Require::Auto
        && layout.code.is_access_reply()
        && layout.eap_message.is_none()
        && reply.has_message_authenticator()
    {
        learned.set_message_authenticator(true);
    }
    if home.previous_secret.is_some() {
        learned.proved(now, by_previous);
    }
}

/// Tells the operator of a client's downgrade, once a minute.
pub(crate) fn warn_of_downgrade(client: &Client, now: Time) {
    if client.state.learned.may_warn(now) {
        tracing::warn!(
            client = client.contract,
            "dropped an Access-Request without Message-Authenticator, which this client has sent before: an attack \
             (CVE-2024-3596), or another NAS at its address?"
        );
    }
}

/// Tells the operator of a home server's downgrade, once a minute.
pub(crate) fn warn_of_reply_downgrade(home: &HomeServer, now: Time) {
    if home.state.learned.may_warn(now) {
        tracing::warn!(
            server = home.name,
            "dropped a reply without Message-Authenticator, which this server has sent before: an attack (CVE-2024-3596), or \
             another program at its address?"
        );
    }
}
