//! A request on its way to a home server.

use crate::attr;
use crate::attribute::{HEADER, attributes};
use crate::buf::{Buf, TooLong};
use crate::code::Code;
use crate::dynauth;
use crate::edit::{self, Fate};
use crate::password;
use crate::scan::{Layout, Malformed, scan};
use crate::seal::Seal;
use crate::secret::Secret;
use crate::sign;
use crate::vendor::{MICROSOFT, MS_CHAP_MPPE_KEYS, sub_attributes, vendor};
use crate::verify::Verified;

/// Octets in MS-CHAP-MPPE-Keys as hidden, RFC 2548 §2.4.1.
pub(crate) const MPPE_KEYS_LEN: usize = 32;

/// Why a packet cannot be rewritten. It may have been changed in part and must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// With what a proxy adds the packet would exceed 4096 octets.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// Packets of this code are not forwarded, or the reply's code does not answer the request's.
    #[error("{0} cannot be forwarded here")]
    Code(Code),
    /// The buffer does not hold the packet that was verified.
    #[error("the buffer holds another packet than the one verified")]
    OtherPacket,
    /// A stored packet is not well-formed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Rewrites a verified Access-Request or Accounting-Request for a home server, in place.
///
/// `from` is the client's secret, `to` the home server's. The packet gets the identifier `id`; an Access-Request gets
/// the Request Authenticator `new_ra`, which has to be unpredictable (RFC 2865 §3), and a Message-Authenticator as its
/// first attribute; an Accounting-Request gets the computed one (RFC 2866 §3). User-Password is re-hidden, a
/// CHAP-Password that relied on the old Request Authenticator gets it as CHAP-Challenge (RFC 2865 §2.3), a
/// Tunnel-Password is dropped (RFC 2868 §3.5: only in an Accept), and `proxy_state` is appended after all others.
pub fn forward_request(
    buf: &mut Buf,
    verified: &Verified,
    from: &Secret,
    to: &Secret,
    id: u8,
    new_ra: &[u8; 16],
    proxy_state: &[u8],
) -> Result<(), RewriteError> {
    let seal = rewrite_request(buf, verified, from, to, id, new_ra, proxy_state)?;
    seal.apply(buf.bytes_mut(), to);
    Ok(())
}

/// Does what [`forward_request`] does, but leaves the packet to be sealed with `to`.
pub fn rewrite_request(
    buf: &mut Buf,
    verified: &Verified,
    from: &Secret,
    to: &Secret,
    id: u8,
    new_ra: &[u8; 16],
    proxy_state: &[u8],
) -> Result<Seal, RewriteError> {
    let layout = verified.layout();
    if !matches!(layout.code, Code::ACCESS_REQUEST | Code::ACCOUNTING_REQUEST) {
        return Err(RewriteError::Code(layout.code));
    }
    let old_ra = prepare(buf, layout)?;
    rehide_all(buf.bytes_mut(), layout, (from, &old_ra), (to, new_ra));

    let signed = layout.code == Code::ACCESS_REQUEST;
    if signed {
        place_message_authenticator(buf, layout)?;
    } else {
        remove_message_authenticators(buf, layout);
    }
    if layout.chap_password.is_some() && layout.chap_challenge.is_none() {
        buf.append_attribute(attr::CHAP_CHALLENGE, &old_ra)?;
    }
    buf.append_attribute(attr::PROXY_STATE, proxy_state)?;
    Ok(address(buf.bytes_mut(), layout.code, id, new_ra, signed))
}

/// Rewrites a stored request of ours, as [`forward_request`] or [`rewrite_dynauth`](crate::dynauth::rewrite_dynauth)
/// made it for the server with secret `from`, for another server with secret `to`: identifier, Request Authenticator
/// and all that depends on them are new, our Proxy-State stays.
pub fn redirect_request(
    buf: &mut Buf,
    from: &Secret,
    to: &Secret,
    id: u8,
    new_ra: &[u8; 16],
) -> Result<(), RewriteError> {
    let layout = scan(buf.bytes())?;
    let old_ra = prepare(buf, &layout)?;
    let signed = match layout.code {
        Code::ACCESS_REQUEST => {
            rehide_all(buf.bytes_mut(), &layout, (from, &old_ra), (to, new_ra));
            place_message_authenticator(buf, &layout)?;
            true
        }
        Code::ACCOUNTING_REQUEST => {
            rehide_all(buf.bytes_mut(), &layout, (from, &old_ra), (to, new_ra));
            false
        }
        _ => dynauth::place_message_authenticator(buf),
    };
    address(buf.bytes_mut(), layout.code, id, new_ra, signed).apply(buf.bytes_mut(), to);
    Ok(())
}

/// Checks that the packet is one to forward, cuts padding off, and returns its Request Authenticator.
pub(crate) fn prepare(buf: &mut Buf, layout: &Layout) -> Result<[u8; 16], RewriteError> {
    if layout.code != Code::ACCESS_REQUEST && !layout.code.has_computed_authenticator() {
        return Err(RewriteError::Code(layout.code));
    }
    if buf.len() < usize::from(layout.length) {
        return Err(RewriteError::OtherPacket);
    }
    buf.trim(usize::from(layout.length));
    layout.authenticator(buf.bytes()).ok_or(RewriteError::OtherPacket)
}

fn rehide_all(packet: &mut [u8], layout: &Layout, from: (&Secret, &[u8; 16]), to: (&Secret, &[u8; 16])) {
    if let Some(at) = layout.user_password {
        // A length that cannot be re-hidden was refused when the packet was verified.
        let _ = password::rehide(at.of_mut(packet), from, to);
    }
    if layout.mppe_keys {
        edit::rewrite(packet, HEADER, |number, value| {
            let microsoft = number == attr::VENDOR_SPECIFIC && vendor(value) == Some(MICROSOFT);
            if microsoft && sub_attributes(value).is_some() {
                edit::rewrite(value, 4, |kind, keys| {
                    if kind == MS_CHAP_MPPE_KEYS && keys.len() == MPPE_KEYS_LEN {
                        let _ = password::rehide(keys, from, to);
                    }
                    Fate::Keep
                });
            }
            Fate::Keep
        });
    }
}

/// Leaves exactly one Message-Authenticator, as the first attribute.
fn place_message_authenticator(buf: &mut Buf, layout: &Layout) -> Result<(), TooLong> {
    let mut at = layout.message_authenticator.map(|at| at.at());
    if layout.tunnel_password {
        let len = edit::rewrite(buf.bytes_mut(), HEADER, |number, _| match number {
            attr::TUNNEL_PASSWORD => Fate::Drop,
            _ => Fate::Keep,
        });
        buf.trim(len);
        at = attributes(buf.bytes()).find(|a| a.number == attr::MESSAGE_AUTHENTICATOR).map(|a| a.at + 2);
    }
    match at {
        Some(at) => edit::message_authenticator_to_front(buf.bytes_mut(), at),
        None => edit::insert_message_authenticator(buf)?,
    }
    Ok(())
}

/// RFC 2869 §5.19 gives Message-Authenticator no place in an Accounting-Request.
fn remove_message_authenticators(buf: &mut Buf, layout: &Layout) {
    if layout.message_authenticator.is_some() || layout.tunnel_password {
        let len = edit::rewrite(buf.bytes_mut(), HEADER, |number, _| match number {
            attr::MESSAGE_AUTHENTICATOR | attr::TUNNEL_PASSWORD => Fate::Drop,
            _ => Fate::Keep,
        });
        buf.trim(len);
    }
}

/// Writes the header of a request whose attributes are complete, and says what it still lacks; with `signed` its first
/// attribute is a Message-Authenticator. Where the Request Authenticator is computed, it is computed over the
/// Message-Authenticator, and that over zeros in its place (RFC 5176 §3.4).
pub(crate) fn address(packet: &mut [u8], code: Code, id: u8, new_ra: &[u8; 16], signed: bool) -> Seal {
    sign::set_header(packet, code.0, id);
    let computed = code.has_computed_authenticator();
    sign::set_authenticator(packet, if computed { &sign::ZEROS } else { new_ra });
    Seal { message_authenticator: signed, authenticator: computed }
}
