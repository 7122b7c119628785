//! Vendor-Specific attributes (RFC 2865 §5.26), as far as a proxy has to look into them.

use crate::attr;
use crate::buf::{Buf, TooLong};

/// Microsoft's vendor number, RFC 2548.
pub const MICROSOFT: u32 = 311;

/// Cisco's vendor number.
pub const CISCO: u32 = 9;
/// Cisco-AVPair: text of the form `protocol:attribute=value`.
pub const CISCO_AVPAIR: u8 = 1;
/// The vendor number of the 3GPP, TS 29.061 §16.4.7.
pub const THREE_GPP: u32 = 10415;

/// MS-CHAP-Response, RFC 2548 §2.1.3: in a request.
pub const MS_CHAP_RESPONSE: u8 = 1;
/// MS-CHAP-Error, RFC 2548 §2.1.5: in a Reject.
pub const MS_CHAP_ERROR: u8 = 2;
/// MS-CHAP-CPW-1, RFC 2548 §2.1.6: a password change.
pub const MS_CHAP_CPW_1: u8 = 3;
/// MS-CHAP-CPW-2, RFC 2548 §2.1.7: a password change.
pub const MS_CHAP_CPW_2: u8 = 4;
/// MS-CHAP-LM-Enc-PW, RFC 2548 §2.1.7: a password change.
pub const MS_CHAP_LM_ENC_PW: u8 = 5;
/// MS-CHAP-NT-Enc-PW, RFC 2548 §2.1.8: a password change.
pub const MS_CHAP_NT_ENC_PW: u8 = 6;
/// MS-MPPE-Encryption-Policy, RFC 2548 §2.4.4: in an Accept.
pub const MS_MPPE_ENCRYPTION_POLICY: u8 = 7;
/// MS-MPPE-Encryption-Types, RFC 2548 §2.4.5: in an Accept.
pub const MS_MPPE_ENCRYPTION_TYPES: u8 = 8;
/// MS-CHAP-Challenge, RFC 2548 §2.1.2: in a request.
pub const MS_CHAP_CHALLENGE: u8 = 11;
/// MS-CHAP-MPPE-Keys, RFC 2548 §2.4.1: hidden as a User-Password is.
pub const MS_CHAP_MPPE_KEYS: u8 = 12;
/// MS-MPPE-Send-Key, RFC 2548 §2.4.2: salt-encrypted.
pub const MS_MPPE_SEND_KEY: u8 = 16;
/// MS-MPPE-Recv-Key, RFC 2548 §2.4.3: salt-encrypted.
pub const MS_MPPE_RECV_KEY: u8 = 17;
/// MS-CHAP2-Response, RFC 2548 §2.3.2: in a request.
pub const MS_CHAP2_RESPONSE: u8 = 25;
/// MS-CHAP2-Success, RFC 2548 §2.3.3: in an Accept.
pub const MS_CHAP2_SUCCESS: u8 = 26;
/// MS-CHAP2-CPW, RFC 2548 §2.3.4: a password change.
pub const MS_CHAP2_CPW: u8 = 27;

/// The vendor number of a Vendor-Specific value, where there is one.
pub fn vendor(value: &[u8]) -> Option<u32> {
    value.first_chunk().map(|v| u32::from_be_bytes(*v))
}

/// The sub-attributes of a Vendor-Specific value as `(vendor type, offset of its first octet in the value, its
/// value)`, for vendors that follow RFC 2865 §5.26. `None` if they do not fill the value exactly: vendors may put
/// anything there, and then it is opaque.
pub fn sub_attributes(value: &[u8]) -> Option<impl Iterator<Item = (u8, usize, &[u8])>> {
    let mut at = 4;
    while at < value.len() {
        match value.get(at + 1) {
            Some(&length) if length >= 2 => at += usize::from(length),
            _ => return None,
        }
    }
    (at == value.len() && at > 4).then(|| {
        let mut at = 4;
        std::iter::from_fn(move || {
            let rest = value.get(at..)?;
            let [kind, length, ..] = *rest else { return None };
            let found = (kind, at, rest.get(2..usize::from(length))?);
            at += usize::from(length);
            Some(found)
        })
    })
}

/// The longest value of a sub-attribute that is the only one of its attribute.
pub const MAX_SUB_VALUE: usize = 247;

/// Appends a Vendor-Specific attribute with one sub-attribute.
///
/// # Errors
///
/// The value has more than [`MAX_SUB_VALUE`] octets, or the packet would be longer than it may be: it is as it was.
pub fn append(buf: &mut Buf, vendor: u32, kind: u8, value: &[u8]) -> Result<(), TooLong> {
    let mut room = [0; 6 + MAX_SUB_VALUE];
    let (head, rest) = room.split_at_mut(6);
    let length = value.len() + 2;
    rest.get_mut(..value.len()).ok_or(TooLong)?.copy_from_slice(value);
    let [a, b, c, d] = vendor.to_be_bytes();
    head.copy_from_slice(&[a, b, c, d, kind, length as u8]);
    buf.append_attribute(attr::VENDOR_SPECIFIC, room.get(..4 + length).ok_or(TooLong)?)
}

/// Whether a Reject may carry this sub-attribute: the error that explains it and the password change it may start.
pub(crate) fn is_allowed_in_reject(vendor: u32, kind: u8) -> bool {
    let password_change = matches!(
        kind,
        MS_CHAP_ERROR | MS_CHAP_CPW_1 | MS_CHAP_CPW_2 | MS_CHAP_LM_ENC_PW | MS_CHAP_NT_ENC_PW | MS_CHAP2_CPW
    );
    vendor == MICROSOFT && password_change
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendor_sub_lengths_that_do_not_fit_make_the_value_opaque() {
        for length in [0, 1, 3, 5, 255] {
            let value = [0, 0, 1, 55, 16, length, 1, 2];
            assert!(sub_attributes(&value).is_none(), "sub-length {length}");
        }
        let value = [0, 0, 1, 55, 16, 4, 1, 2, 17, 2];
        let found: Vec<_> = sub_attributes(&value).unwrap().collect();
        assert_eq!(found, [(16, 4, &[1, 2][..]), (17, 8, &[][..])]);
        for short in 0..5 {
            assert!(sub_attributes(&value[..short]).is_none());
        }
    }
}
