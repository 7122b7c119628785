//! CoA- and Disconnect-Requests on their way to a NAS (RFC 5176).

use crate::attr;
use crate::attribute::{HEADER, attributes};
use crate::buf::Buf;
use crate::edit::{self, Fate};
use crate::forward::{RewriteError, address, prepare};
use crate::salted::Salted;
use crate::seal::Seal;
use crate::sign::ZEROS;
use crate::vendor::{self, MICROSOFT, MS_CHAP_MPPE_KEYS};
use crate::verify::Verified;

/// What [`rewrite_dynauth`] did beyond the ordinary: worth counting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DynAuthEdits {
    /// Hidden and encrypted attributes that were dropped: no NAS could read them.
    pub hidden: u16,
}

/// Rewrites a verified CoA- or Disconnect-Request for a NAS, in place; it is to be sealed with the NAS's secret.
///
/// The packet gets the identifier `id` and a computed Request Authenticator (RFC 5176 §2.3), `proxy_state` after all
/// other attributes, and a Message-Authenticator as its first attribute where it came with one. What is hidden or
/// encrypted with the Request Authenticator of a hop is dropped and counted (CONFORMANCE 2.6), and so is what a
/// subscriber proves himself with. What is between proxies goes too: Operator-Name and Operator-NAS-Identifier
/// (RFC 8559).
pub fn rewrite_dynauth(
    buf: &mut Buf,
    verified: &Verified,
    id: u8,
    proxy_state: &[u8],
    salted: &Salted,
) -> Result<(DynAuthEdits, Seal), RewriteError> {
    let layout = verified.layout();
    if !layout.code.is_dynamic_authorization() {
        return Err(RewriteError::Code(layout.code));
    }
    prepare(buf, layout)?;
    let mut edits = DynAuthEdits::default();
    let len = edit::rewrite(buf.bytes_mut(), HEADER, |number, value| match number {
        attr::USER_PASSWORD
        | attr::CHAP_PASSWORD
        | attr::CHAP_CHALLENGE
        | attr::TUNNEL_PASSWORD
        | attr::ARAP_PASSWORD
        | attr::ARAP_CHALLENGE_RESPONSE => edits.hide(),
        attr::VENDOR_SPECIFIC => vendor_specific(value, salted, &mut edits),
        attr::OPERATOR_NAME => Fate::Drop,
        attr::EXTENDED_1 if value.first() == Some(&attr::EXTENDED_1_OPERATOR_NAS_IDENTIFIER) => Fate::Drop,
        _ => Fate::Keep,
    });
    buf.trim(len);
    let signed = place_message_authenticator(buf);
    buf.append_attribute(attr::PROXY_STATE, proxy_state)?;
    Ok((edits, address(buf.bytes_mut(), layout.code, id, &ZEROS, signed)))
}

/// Makes the Message-Authenticator the first attribute, and says whether there is one.
pub(crate) fn place_message_authenticator(buf: &mut Buf) -> bool {
    let found = attributes(buf.bytes()).find(|it| it.number == attr::MESSAGE_AUTHENTICATOR && it.value.len() == 16);
    let Some(at) = found.map(|it| it.at + 2) else { return false };
    edit::message_authenticator_to_front(buf.bytes_mut(), at);
    true
}

impl DynAuthEdits {
    fn hide(&mut self) -> Fate {
        self.hidden += 1;
        Fate::Drop
    }
}

/// Takes the encrypted parts out of a Vendor-Specific value.
fn vendor_specific(value: &mut [u8], salted: &Salted, edits: &mut DynAuthEdits) -> Fate {
    let Some(vendor) = vendor::vendor(value).filter(|&v| v == MICROSOFT || salted.has_vendor(v)) else {
        return Fate::Keep;
    };
    if vendor::sub_attributes(value).is_none() {
        return Fate::Keep;
    }
    edit::rewrite_vendor(value, |kind, _| match (vendor, kind) {
        (MICROSOFT, MS_CHAP_MPPE_KEYS) => edits.hide(),
        _ if salted.contains(vendor, kind) => edits.hide(),
        _ => Fate::Keep,
    })
}
