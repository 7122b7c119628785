//! A home server's reply on its way to the client.

use crate::attr;
use crate::attribute::{HEADER, attributes, proxy_states};
use crate::buf::Buf;
use crate::code::Code;
use crate::edit::{self, Fate};
use crate::forward::{MPPE_KEYS_LEN, RewriteError};
use crate::password;
use crate::salted::{self, Salted};
use crate::scan::Layout;
use crate::seal::Seal;
use crate::secret::Secret;
use crate::sign;
use crate::vendor::{self, MICROSOFT, MS_CHAP_MPPE_KEYS};
use crate::verify::VerifiedReply;

/// What [`restore_reply`] did beyond the ordinary: worth counting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplyEdits {
    /// Attributes whose secret was taken from the home server's key to the client's.
    pub reencrypted: u16,
    /// Attributes dropped because they do not decrypt: most often a home server with a wrong secret or encoder.
    pub undecryptable: u16,
    /// Attributes dropped because a packet of this code must not carry them.
    pub forbidden: u16,
    /// The home server had changed or lost the client's Proxy-States; they were put back.
    pub proxy_states_restored: bool,
}

/// The two hops that a reply passes between.
#[derive(Debug, Clone, Copy)]
pub struct Hops<'a> {
    /// The request as we sent it: its Request Authenticator keys what is encrypted, and its Proxy-States but for ours are the
    /// client's.
    pub upstream_request: &'a [u8],
    /// The home server's secret.
    pub from: &'a Secret,
    /// The client's secret.
    pub to: &'a Secret,
    /// Identifier of the client's request.
    pub client_id: u8,
    /// Request Authenticator of the client's request.
    pub client_ra: &'a [u8; 16],
    /// The Proxy-State that we added.
    pub own_proxy_state: &'a [u8],
    /// Which vendors' attributes are salt-encrypted.
    pub salted: &'a Salted,
}

/// Rewrites a verified reply for the client, in place.
///
/// Our Proxy-State goes, the client's come back in order (CONFORMANCE 2.7); every salt-encrypted attribute is
/// re-encrypted under a salt of its own, or dropped if it does not decrypt; `salts` is asked for one random value a
/// packet at most, the others count on from it, which makes them unique (RFC 2868 §3.5). A Tunnel-Password outside an
/// Accept goes. A Reject keeps what RFC 5080 §2.6.1 allows, and RFC 2548's error and password-change attributes. The
/// answers to an Access-Request get a Message-Authenticator as their first attribute, those to CoA and Disconnect where
/// request or answer came with one; all get their Response Authenticator. Every other attribute stays as it was, in its
/// place.
pub fn restore_reply(
    buf: &mut Buf,
    reply: &VerifiedReply,
    hops: &Hops<'_>,
    salts: &mut impl FnMut() -> u16,
) -> Result<ReplyEdits, RewriteError> {
    let (edits, seal) = rewrite_reply(buf, reply, hops, salts)?;
    seal.apply(buf.bytes_mut(), hops.to);
    Ok(edits)
}

/// Does what [`restore_reply`] does, but leaves the packet to be sealed with [`Hops::to`].
pub fn rewrite_reply(
    buf: &mut Buf,
    reply: &VerifiedReply,
    hops: &Hops<'_>,
    salts: &mut impl FnMut() -> u16,
) -> Result<(ReplyEdits, Seal), RewriteError> {
    let Hops { upstream_request, from, to, client_id, client_ra, own_proxy_state, salted } = *hops;
    let layout = reply.layout();
    let code = layout.code;
    let (request_code, upstream_ra) = request_header(upstream_request).ok_or(RewriteError::OtherPacket)?;
    if !code.answers(request_code) {
        return Err(RewriteError::Code(code));
    }
    if buf.len() < usize::from(layout.length) {
        return Err(RewriteError::OtherPacket);
    }
    buf.trim(usize::from(layout.length));

    // A NAS or its proxy that uses Message-Authenticator with RFC 5176 gets one, and so does one that asked with one.
    let signed = code.is_access_reply()
        || request_code.is_dynamic_authorization()
            && (layout.message_authenticator.is_some() || has_message_authenticator(upstream_request));
    let keep = proxy_states_to_keep(buf.bytes(), layout, upstream_request, own_proxy_state);
    let mut secrets = Secrets { from: (from, &upstream_ra), to: (to, client_ra), salts, salt: None };
    let mut edits = ReplyEdits { proxy_states_restored: keep.is_none(), ..ReplyEdits::default() };
    let mut keep_proxy_states = keep.unwrap_or(0);
    let mut keep_message_authenticator = signed && layout.message_authenticator_is_first();
    let stays = keep_message_authenticator;

    let len = edit::rewrite(buf.bytes_mut(), HEADER, |number, value| match number {
        attr::MESSAGE_AUTHENTICATOR => {
            // Only the first attribute is kept.
            if std::mem::take(&mut keep_message_authenticator) { Fate::Keep } else { Fate::Drop }
        }
        attr::PROXY_STATE if keep_proxy_states > 0 => {
            keep_proxy_states -= 1;
            Fate::Keep
        }
        attr::PROXY_STATE => Fate::Drop,
        attr::TUNNEL_PASSWORD if code == Code::ACCESS_ACCEPT => tunnel_password(value, &mut secrets, &mut edits),
        attr::TUNNEL_PASSWORD => edits.forbid(),
        attr::VENDOR_SPECIFIC => vendor_specific(code, value, salted, &mut secrets, &mut edits),
        attr::REPLY_MESSAGE | attr::EAP_MESSAGE | attr::ERROR_CAUSE => Fate::Keep,
        _ if code == Code::ACCESS_REJECT => edits.forbid(),
        _ => Fate::Keep,
    });
    buf.trim(len);

    if signed && !stays {
        edit::insert_message_authenticator(buf)?;
    }
    if keep.is_none() {
        for value in client_proxy_states(upstream_request, own_proxy_state) {
            buf.append_attribute(attr::PROXY_STATE, value)?;
        }
    }
    Ok((edits, address_reply(buf.bytes_mut(), code, client_id, client_ra, signed)))
}

/// Writes the header of a reply whose attributes are complete, and says what it still lacks; with `signed` its first
/// attribute is a Message-Authenticator.
pub(crate) fn address_reply(
    packet: &mut [u8],
    code: Code,
    id: u8,
    request_authenticator: &[u8; 16],
    signed: bool,
) -> Seal {
    sign::set_header(packet, code.0, id);
    sign::set_authenticator(packet, request_authenticator);
    Seal { message_authenticator: signed, authenticator: true }
}

/// Whether a packet carries a Message-Authenticator.
pub(crate) fn has_message_authenticator(packet: &[u8]) -> bool {
    attributes(packet).any(|it| it.number == attr::MESSAGE_AUTHENTICATOR)
}

fn request_header(request: &[u8]) -> Option<(Code, [u8; 16])> {
    let (header, _) = request.split_first_chunk::<HEADER>()?;
    Some((Code(header[0]), *header.last_chunk()?))
}

/// The Proxy-States that the client sent: those of our request but for the last, which is ours.
fn client_proxy_states<'a>(upstream_request: &'a [u8], own: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let count = proxy_states(upstream_request).count();
    let ours = proxy_states(upstream_request).last().is_some_and(|last| last == own);
    proxy_states(upstream_request).take(count - usize::from(ours))
}

/// How many of the reply's Proxy-States to keep, from the first, so that the client gets its own; `None` if the reply
/// does not have them.
fn proxy_states_to_keep(reply: &[u8], layout: &Layout, upstream_request: &[u8], own: &[u8]) -> Option<usize> {
    let ours = layout.last_proxy_state.is_some_and(|last| last.of(reply) == own);
    let keep = usize::from(layout.proxy_states) - usize::from(ours);
    proxy_states(reply).take(keep).eq(client_proxy_states(upstream_request, own)).then_some(keep)
}

/// The two hops' keys, and salts that do not repeat within a packet.
struct Secrets<'a, S> {
    from: (&'a Secret, &'a [u8; 16]),
    to: (&'a Secret, &'a [u8; 16]),
    salts: &'a mut S,
    salt: Option<u16>,
}

impl<S: FnMut() -> u16> Secrets<'_, S> {
    /// The next salt: top bit set (RFC 2868 §3.5).
    fn salt(&mut self) -> u16 {
        let salt = match self.salt {
            Some(last) => last.wrapping_add(1),
            None => (self.salts)(),
        } | 0x8000;
        self.salt = Some(salt);
        salt
    }

    fn reencrypt(&mut self, field: &mut [u8], edits: &mut ReplyEdits) -> Fate {
        let salt = self.salt();
        match salted::reencrypt(field, self.from, self.to, salt) {
            Ok(()) => edits.reencrypted(),
            Err(salted::Undecryptable) => edits.undecryptable(),
        }
    }

    fn rehide(&mut self, keys: &mut [u8], edits: &mut ReplyEdits) -> Fate {
        if keys.len() != MPPE_KEYS_LEN {
            return edits.undecryptable();
        }
        match password::rehide(keys, self.from, self.to) {
            Ok(()) => edits.reencrypted(),
            Err(password::BadLength) => edits.undecryptable(),
        }
    }
}

impl ReplyEdits {
    fn reencrypted(&mut self) -> Fate {
        self.reencrypted += 1;
        Fate::Keep
    }

    fn undecryptable(&mut self) -> Fate {
        self.undecryptable += 1;
        Fate::Drop
    }

    fn forbid(&mut self) -> Fate {
        self.forbidden += 1;
        Fate::Drop
    }
}

/// Tunnel-Password: a Tag octet, which stays, and a field.
fn tunnel_password(value: &mut [u8], secrets: &mut Secrets<'_, impl FnMut() -> u16>, edits: &mut ReplyEdits) -> Fate {
    match value {
        [_tag, field @ ..] => secrets.reencrypt(field, edits),
        [] => edits.undecryptable(),
    }
}

fn vendor_specific(
    code: Code,
    value: &mut [u8],
    salted: &Salted,
    secrets: &mut Secrets<'_, impl FnMut() -> u16>,
    edits: &mut ReplyEdits,
) -> Fate {
    let reject = code == Code::ACCESS_REJECT;
    let Some(vendor) = vendor::vendor(value).filter(|&v| v == MICROSOFT || salted.has_vendor(v)) else {
        return if reject { edits.forbid() } else { Fate::Keep };
    };
    if vendor::sub_attributes(value).is_none() {
        return if reject { edits.forbid() } else { Fate::Keep };
    }
    edit::rewrite_vendor(value, |kind, value| match (vendor, kind) {
        _ if reject && !vendor::is_allowed_in_reject(vendor, kind) => edits.forbid(),
        (MICROSOFT, MS_CHAP_MPPE_KEYS) => secrets.rehide(value, edits),
        _ => match salted.lead(vendor, kind).map(|lead| value.get_mut(lead..)) {
            Some(Some(field)) => secrets.reencrypt(field, edits),
            Some(None) => edits.undecryptable(),
            None => Fate::Keep,
        },
    })
}
