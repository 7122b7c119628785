//! Packets of our own making: replies on the packet path, requests for tools and tests.

use crate::attr;
use crate::attribute::{HEADER, proxy_states};
use crate::buf::{Buf, MAX_PACKET, TooLong};
use crate::code::Code;
use crate::edit::{self, Fate};
use crate::forward::RewriteError;
use crate::md5::Md5;
use crate::password::{self, MAX_PASSWORD};
use crate::reply::{address_reply, has_message_authenticator};
use crate::salted;
use crate::seal::Seal;
use crate::secret::Secret;
use crate::sign;
use crate::verify::Verified;

/// Writes a reply of our own (a Reject, the answer to a Status-Server) into `buf`.
///
/// `request` is the request that is answered, from which the Proxy-States are copied in order (RFC 2865 §5.33);
/// `attrs` are numbers and values of at most 253 octets. The answer to an Access-Request or a Status-Server begins
/// with a Message-Authenticator, that to a CoA- or Disconnect-Request where the request has one.
pub fn write_reply(
    buf: &mut Buf,
    code: Code,
    id: u8,
    client_ra: &[u8; 16],
    secret: &Secret,
    request: &[u8],
    attrs: &[(u8, &[u8])],
) -> Result<(), TooLong> {
    write_reply_with(buf, code, id, client_ra, secret, request, |buf| {
        attrs.iter().try_for_each(|(number, value)| buf.append_attribute(*number, value))
    })
}

/// The same with attributes that `write` appends.
pub fn write_reply_with(
    buf: &mut Buf,
    code: Code,
    id: u8,
    client_ra: &[u8; 16],
    secret: &Secret,
    request: &[u8],
    write: impl FnOnce(&mut Buf) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    write_reply_unsealed(buf, code, id, client_ra, request, write).map(|seal| seal.apply(buf.bytes_mut(), secret))
}

/// The same without the authenticators.
///
/// # Errors
///
/// As [`write_reply`].
pub fn write_reply_unsealed(
    buf: &mut Buf,
    code: Code,
    id: u8,
    client_ra: &[u8; 16],
    request: &[u8],
    write: impl FnOnce(&mut Buf) -> Result<(), TooLong>,
) -> Result<Seal, TooLong> {
    let asked = request.first().copied().map(Code);
    let signed = is_signed(code, asked, || has_message_authenticator(request));
    buf.load(&[0; HEADER])?;
    if signed {
        edit::insert_message_authenticator(buf)?;
    }
    for value in proxy_states(request) {
        buf.append_attribute(attr::PROXY_STATE, value)?;
    }
    write(buf)?;
    Ok(address_reply(buf.bytes_mut(), code, id, client_ra, signed))
}

/// Turns the verified request in `buf` into our reply to it, as [`write_reply`] would write it elsewhere.
pub fn turn_into_reply(
    buf: &mut Buf,
    verified: &Verified,
    code: Code,
    secret: &Secret,
    attrs: &[(u8, &[u8])],
) -> Result<(), RewriteError> {
    turn_into_reply_with(buf, verified, code, secret, |buf| {
        attrs.iter().try_for_each(|(number, value)| buf.append_attribute(*number, value))
    })
}

/// The same with attributes that `write` appends.
pub fn turn_into_reply_with(
    buf: &mut Buf,
    verified: &Verified,
    code: Code,
    secret: &Secret,
    write: impl FnOnce(&mut Buf) -> Result<(), TooLong>,
) -> Result<(), RewriteError> {
    turn_into_reply_unsealed(buf, verified, code, write)?.apply(buf.bytes_mut(), secret);
    Ok(())
}

/// The same without the authenticators, which are left to be written for many replies side by side.
///
/// # Errors
///
/// As [`turn_into_reply_with`].
pub fn turn_into_reply_unsealed(
    buf: &mut Buf,
    verified: &Verified,
    code: Code,
    write: impl FnOnce(&mut Buf) -> Result<(), TooLong>,
) -> Result<Seal, RewriteError> {
    let layout = verified.layout();
    let client_ra = layout.authenticator(buf.bytes()).ok_or(RewriteError::OtherPacket)?;
    buf.trim(usize::from(layout.length));
    let len = edit::rewrite(buf.bytes_mut(), HEADER, |number, _| match number {
        attr::PROXY_STATE => Fate::Keep,
        _ => Fate::Drop,
    });
    buf.trim(len);
    let signed = is_signed(code, Some(layout.code), || layout.message_authenticator.is_some());
    if signed {
        edit::insert_message_authenticator(buf)?;
    }
    write(buf)?;
    Ok(address_reply(buf.bytes_mut(), code, layout.id, &client_ra, signed))
}

/// Lets `write` append attributes to a reply that is complete but for its seal.
pub fn extend_reply(buf: &mut Buf, write: impl FnOnce(&mut Buf) -> Result<(), TooLong>) -> Result<(), TooLong> {
    write(buf)?;
    if let Some([code, id]) = buf.bytes().first_chunk().copied() {
        sign::set_header(buf.bytes_mut(), code, id);
    }
    Ok(())
}

/// An answer to CoA or Disconnect carries a Message-Authenticator where the request did (RFC 5176 §3.4).
fn is_signed(code: Code, request: Option<Code>, asked_with_one: impl Fn() -> bool) -> bool {
    code.is_access_reply()
        || request.is_some_and(|request| {
            request == Code::STATUS_SERVER || request.is_dynamic_authorization() && asked_with_one()
        })
}

/// Why a request cannot be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The packet has more than 4096 octets.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// A value has more than 253 octets.
    #[error("attribute {0} has a value of more than 253 octets")]
    Value(u8),
    /// A password has more than 128 octets, RFC 2865 §5.2.
    #[error("a User-Password has at most 128 octets")]
    Password,
}

/// Builds a request, attribute by attribute, in the order of the calls. For tools and tests: it allocates.
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    packet: Vec<u8>,
    message_authenticator: Option<usize>,
    error: Option<BuildError>,
}

impl RequestBuilder {
    /// Begins a request. Accounting, CoA and Disconnect compute their own authenticator in place of `authenticator`.
    pub fn new(code: Code, id: u8, authenticator: [u8; 16]) -> Self {
        let mut packet = vec![code.0, id, 0, 0];
        packet.extend(authenticator);
        Self { packet, message_authenticator: None, error: None }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, number: u8, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        match u8::try_from(value.len() + 2) {
            Ok(length) => {
                self.packet.extend([number, length]);
                self.packet.extend(value);
            }
            Err(_) => self.error = self.error.or(Some(BuildError::Value(number))),
        }
        self
    }

    /// Adds a Vendor-Specific attribute with one sub-attribute.
    #[must_use]
    pub fn vendor(self, vendor: u32, kind: u8, value: impl AsRef<[u8]>) -> Self {
        self.attribute(attr::VENDOR_SPECIFIC, vendor_value(vendor, kind, value.as_ref()))
    }

    /// Adds a User-Password, hidden (RFC 2865 §5.2).
    #[must_use]
    pub fn user_password(mut self, password: &[u8], secret: &Secret) -> Self {
        let mut hidden = padded(password, password.len().max(1).next_multiple_of(16));
        if password::hide(&mut hidden, secret, &self.authenticator()).is_err() || password.len() > MAX_PASSWORD {
            self.error = self.error.or(Some(BuildError::Password));
        }
        self.attribute(attr::USER_PASSWORD, hidden)
    }

    /// Adds a CHAP-Password (RFC 2865 §5.3) whose challenge is the Request Authenticator.
    #[must_use]
    pub fn chap_password(self, chap_id: u8, password: &[u8]) -> Self {
        let challenge = self.authenticator();
        let response = chap_response(chap_id, password, &challenge);
        self.attribute(attr::CHAP_PASSWORD, response)
    }

    /// Adds a Message-Authenticator at this place; [`build`](Self::build) computes it.
    #[must_use]
    pub fn message_authenticator(mut self) -> Self {
        self.message_authenticator = Some(self.packet.len() + 2);
        self.attribute(attr::MESSAGE_AUTHENTICATOR, [0; 16])
    }

    /// The finished packet.
    pub fn build(mut self, secret: &Secret) -> Result<Vec<u8>, BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.packet.len() > MAX_PACKET {
            return Err(TooLong.into());
        }
        let [code, id] = [0, 1].map(|i| self.packet.get(i).copied().unwrap_or_default());
        let computed = Code(code).has_computed_authenticator();
        sign::set_header(&mut self.packet, code, id);
        if computed {
            sign::set_authenticator(&mut self.packet, &sign::ZEROS);
        }
        if let Some(at) = self.message_authenticator {
            let mut hmac = secret.hmac();
            hmac.update(&self.packet);
            if let Some(field) = self.packet.get_mut(at..at + 16) {
                field.copy_from_slice(&hmac.finish());
            }
        }
        if computed {
            sign::write_authenticator(&mut self.packet, secret);
        }
        Ok(self.packet)
    }

    fn authenticator(&self) -> [u8; 16] {
        self.packet.get(4..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
    }
}

/// The value of a CHAP-Password: `chap_id`, then MD5(chap_id | password | challenge), RFC 1994 §4.1.
pub fn chap_response(chap_id: u8, password: &[u8], challenge: &[u8]) -> [u8; 17] {
    let mut md5 = Md5::new();
    md5.update(&[chap_id]);
    md5.update(password);
    md5.update(challenge);
    let mut value = [chap_id; 17];
    value[1..].copy_from_slice(&md5.finish());
    value
}

/// A salt-encrypted field (see [`salted`]) of `data`, at most 239 octets. For tools and tests: it allocates.
pub fn salted_field(data: &[u8], salt: u16, secret: &Secret, authenticator: &[u8; 16]) -> Result<Vec<u8>, TooLong> {
    let length = u8::try_from(data.len()).ok().filter(|&length| length < 240).ok_or(TooLong)?;
    let plain = [&[length], data].concat();
    let plain = padded(&plain, plain.len().next_multiple_of(16));
    let mut field = [&salt.to_be_bytes()[..], &plain].concat();
    salted::encrypt(&mut field, secret, authenticator).map_err(|_| TooLong)?;
    Ok(field)
}

/// A Vendor-Specific value (RFC 2865 §5.26) with one sub-attribute. For tools and tests: it allocates.
pub fn vendor_value(vendor: u32, kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len() + 2).unwrap_or(u8::MAX);
    [&vendor.to_be_bytes()[..], &[kind, length], value].concat()
}

fn padded(octets: &[u8], len: usize) -> Vec<u8> {
    let mut padded = octets.to_vec();
    padded.resize(len, 0);
    padded
}
