//! The check of a RADIUS header that kernel and userspace share.

use crate::{PortKind, Reason};

/// Octets of a RADIUS header: code, identifier, Length, authenticator (RFC 2865 §3).
pub const HEADER_LEN: usize = 20;
/// The longest RADIUS packet (RFC 2865 §3).
pub const MAX_LEN: usize = 4096;

/// Checks code and Length of a packet that came to a port of this kind.
///
/// `head` is the datagram's first four octets (code, identifier, Length in network order), `datagram` the octets of UDP
/// payload. Octets beyond Length are padding. Returns Length.
///
/// # Errors
///
/// [`Reason::TooShort`], [`Reason::BadCode`], [`Reason::BadLength`], in this order.
#[inline(always)]
pub const fn check(kind: PortKind, head: [u8; 4], datagram: usize) -> Result<usize, Reason> {
    if datagram < HEADER_LEN {
        return Err(Reason::TooShort);
    }
    if !takes(kind, head[0]) {
        return Err(Reason::BadCode);
    }
    let length = u16::from_be_bytes([head[2], head[3]]) as usize;
    if length < HEADER_LEN || length > MAX_LEN || length > datagram {
        return Err(Reason::BadLength);
    }
    Ok(length)
}

/// Whether a port of this kind takes packets with this code.
#[inline(always)]
pub const fn takes(kind: PortKind, code: u8) -> bool {
    match kind {
        // Access-Request, Status-Server.
        PortKind::Auth => code == 1 || code == 12,
        // Accounting-Request, Status-Server.
        PortKind::Acct => code == 4 || code == 12,
        // Disconnect-Request, CoA-Request.
        PortKind::DynAuth => code == 40 || code == 43,
        // Access-Accept, -Reject, -Challenge, Accounting-Response; ACKs and NAKs of RFC 5176.
        PortKind::Upstream => matches!(code, 2 | 3 | 5 | 11 | 41 | 42 | 44 | 45),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_at_every_edge() {
        let check = |length: u16, datagram| {
            let [high, low] = length.to_be_bytes();
            check(PortKind::Auth, [1, 0, high, low], datagram)
        };
        assert_eq!(check(20, 19), Err(Reason::TooShort));
        assert_eq!(check(19, 20), Err(Reason::BadLength));
        assert_eq!(check(20, 20), Ok(20));
        assert_eq!(check(21, 20), Err(Reason::BadLength));
        assert_eq!(check(20, 24), Ok(20));
        assert_eq!(check(4096, 4096), Ok(4096));
        assert_eq!(check(4097, 5000), Err(Reason::BadLength));
    }

    #[test]
    fn a_code_belongs_to_its_port() {
        let head = |code| [code, 0, 0, 20];
        assert_eq!(check(PortKind::Auth, head(4), 20), Err(Reason::BadCode));
        assert_eq!(check(PortKind::Acct, head(1), 20), Err(Reason::BadCode));
        assert_eq!(check(PortKind::Upstream, head(1), 20), Err(Reason::BadCode));
        assert_eq!(check(PortKind::Auth, head(0), 20), Err(Reason::BadCode));
        assert_eq!(check(PortKind::Acct, head(12), 20), Ok(20));
    }
}
