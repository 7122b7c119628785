//! What no rule may touch, and what not every rule may.

use crate::attr;
use crate::code::Code;
use crate::salted::Salted;
use crate::select::AttributeId::{self, Extended, Plain, Vendor};
use crate::vendor::{MICROSOFT, MS_CHAP_MPPE_KEYS, MS_MPPE_RECV_KEY, MS_MPPE_SEND_KEY};

/// No rule changes these: what carries the login and says whether it succeeded, what must pass a proxy unmodified
/// (State and Class, RFC 2865 §2.3), what finds the way back, and what an accounting record is known by; and ARAP, which
/// no proxy can carry.
const PROTECTED: [u8; 13] = [
    attr::USER_PASSWORD,
    attr::CHAP_PASSWORD,
    attr::CHAP_CHALLENGE,
    attr::STATE,
    attr::CLASS,
    attr::PROXY_STATE,
    attr::ACCT_STATUS_TYPE,
    attr::ACCT_SESSION_ID,
    attr::ARAP_PASSWORD,
    attr::ARAP_FEATURES,
    attr::ARAP_CHALLENGE_RESPONSE,
    attr::EAP_MESSAGE,
    attr::MESSAGE_AUTHENTICATOR,
];

/// An allow-list that leaves these out keeps them all the same, or no login would succeed: who wants in, which NAS asks
/// (RFC 2865 §4.1), and why something was refused (RFC 5176 §3.5). A rule that removes one by its name does.
const KEPT: [u8; 5] =
    [attr::USER_NAME, attr::NAS_IP_ADDRESS, attr::NAS_IDENTIFIER, attr::NAS_IPV6_ADDRESS, attr::ERROR_CAUSE];

/// The same of Microsoft's (RFC 2548): challenge, responses and their success or error, the password change that an
/// error may start, and the keys with their policy and types.
const KEPT_MICROSOFT: [u8; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 16, 17, 25, 26, 27];

/// Whether no rule changes this attribute: a configuration refuses a rule that names it.
pub fn is_protected(id: AttributeId) -> bool {
    match id {
        Plain(number) => PROTECTED.contains(&number),
        Vendor(..) => false,
        Extended(number, _) => !is_extended(number),
    }
}

/// Whether this attribute's value is hidden or encrypted for one hop, or is Vendor-Specific as a whole, which may hold
/// such: it is neither given a value nor is its value given to another, and a configuration refuses a rule that says so.
pub fn is_hidden(id: AttributeId, salted: &Salted) -> bool {
    match id {
        Vendor(vendor, kind) if salted.contains(vendor, kind) => true,
        _ => is_always_hidden(id),
    }
}

/// [`is_hidden`] without dictionaries.
pub(super) fn is_always_hidden(id: AttributeId) -> bool {
    match id {
        Plain(number) => matches!(
            number,
            attr::USER_PASSWORD
                | attr::CHAP_PASSWORD
                | attr::VENDOR_SPECIFIC
                | attr::TUNNEL_PASSWORD
                | attr::ARAP_PASSWORD
                | attr::ARAP_CHALLENGE_RESPONSE
        ),
        Vendor(MICROSOFT, kind) => matches!(kind, MS_CHAP_MPPE_KEYS | MS_MPPE_SEND_KEY | MS_MPPE_RECV_KEY),
        Vendor(..) | Extended(..) => false,
    }
}

/// Whether an allow-list keeps this attribute of a packet of this code without naming it.
pub(super) fn is_kept(id: AttributeId, code: Code) -> bool {
    match id {
        Plain(attr::REPLY_MESSAGE) => code == Code::ACCESS_REJECT,
        Plain(number) => PROTECTED.contains(&number) || KEPT.contains(&number),
        Vendor(vendor, kind) => vendor == MICROSOFT && KEPT_MICROSOFT.contains(&kind),
        Extended(..) => false,
    }
}

/// Whether a rule may put this attribute into a packet of this code: into what asks for and grants a session. A Reject
/// only explains itself (RFC 5080 §2.6.1); in a Challenge the same attributes mean other things (RFC 3579 §2.3 of
/// Session-Timeout); an Accounting-Response, a Disconnect-Request and their like have room for none.
pub(super) fn may_give(id: AttributeId, code: Code) -> bool {
    match code {
        Code::ACCESS_REQUEST | Code::ACCESS_ACCEPT | Code::COA_REQUEST => true,
        // RFC 2866 §5.13.
        Code::ACCOUNTING_REQUEST => id != Plain(attr::REPLY_MESSAGE),
        Code::ACCESS_REJECT => matches!(id, Plain(attr::REPLY_MESSAGE | attr::ERROR_CAUSE)),
        _ => false,
    }
}

/// Whether attributes of this number are extended ones (RFC 6929 §2).
pub(super) fn is_extended(number: u8) -> bool {
    (attr::EXTENDED_1..=attr::EXTENDED_6).contains(&number)
}

/// Whether attributes of this number are long extended ones (RFC 6929 §2.2), which may be fragmented.
pub(super) fn is_long(number: u8) -> bool {
    (attr::EXTENDED_5..=attr::EXTENDED_6).contains(&number)
}
