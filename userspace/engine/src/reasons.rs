//! What the codec found wrong with a packet, as the reason that is counted.

use sekisho_abi::Reason;
use sekisho_wire::{forward::RewriteError, scan::Malformed, verify::Refusal};

pub(crate) fn malformed(fault: Malformed) -> Reason {
    match fault {
        Malformed::TooShort => Reason::TooShort,
        Malformed::BadLength => Reason::BadLength,
        Malformed::BadAttribute => Reason::BadAttribute,
    }
}

pub(crate) fn unwritable(fault: RewriteError) -> Reason {
    match fault {
        RewriteError::TooLong(_) => Reason::TooLong,
        RewriteError::Code(_) => Reason::ReplyCode,
        RewriteError::OtherPacket | RewriteError::Malformed(_) => Reason::BadAttribute,
    }
}

pub(crate) fn refused(refusal: Refusal) -> Reason {
    match refusal {
        Refusal::NotARequest => Reason::BadCode,
        Refusal::MessageAuthenticatorMissing => Reason::MessageAuthenticatorMissing,
        Refusal::MessageAuthenticatorBad => Reason::MessageAuthenticatorBad,
        Refusal::MessageAuthenticatorRepeated => Reason::MessageAuthenticatorRepeated,
        Refusal::EapWithoutMessageAuthenticator => Reason::EapWithoutMessageAuthenticator,
        Refusal::ProxyStateWithoutMessageAuthenticator => Reason::ProxyStateWithoutMessageAuthenticator,
        Refusal::AuthenticatorBad => Reason::AuthenticatorBad,
        Refusal::PasswordLength | Refusal::PasswordRepeated => Reason::PasswordLength,
        Refusal::Arap => Reason::Arap,
        Refusal::ForbiddenAttribute => Reason::ForbiddenAttribute,
        Refusal::SessionIdMissing => Reason::SessionIdMissing,
    }
}
