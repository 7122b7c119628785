//! Packet codes (RFC 2865 §3 and the IANA registry).

use std::fmt;

/// The first octet of a packet: what kind of message it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u8);

impl Code {
    /// Access-Request, RFC 2865 §4.1.
    pub const ACCESS_REQUEST: Self = Self(1);
    /// Access-Accept, RFC 2865 §4.2.
    pub const ACCESS_ACCEPT: Self = Self(2);
    /// Access-Reject, RFC 2865 §4.3.
    pub const ACCESS_REJECT: Self = Self(3);
    /// Accounting-Request, RFC 2866 §4.1.
    pub const ACCOUNTING_REQUEST: Self = Self(4);
    /// Accounting-Response, RFC 2866 §4.2.
    pub const ACCOUNTING_RESPONSE: Self = Self(5);
    /// Access-Challenge, RFC 2865 §4.4.
    pub const ACCESS_CHALLENGE: Self = Self(11);
    /// Status-Server, RFC 5997 §3.
    pub const STATUS_SERVER: Self = Self(12);
    /// Disconnect-Request, RFC 5176 §2.1.
    pub const DISCONNECT_REQUEST: Self = Self(40);
    /// Disconnect-ACK, RFC 5176 §2.1.
    pub const DISCONNECT_ACK: Self = Self(41);
    /// Disconnect-NAK, RFC 5176 §2.1.
    pub const DISCONNECT_NAK: Self = Self(42);
    /// CoA-Request, RFC 5176 §2.2.
    pub const COA_REQUEST: Self = Self(43);
    /// CoA-ACK, RFC 5176 §2.2.
    pub const COA_ACK: Self = Self(44);
    /// CoA-NAK, RFC 5176 §2.2.
    pub const COA_NAK: Self = Self(45);

    /// The name used in the RFCs, or `"unknown"`: a bounded set, fit for a metric's label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ACCESS_REQUEST => "Access-Request",
            Self::ACCESS_ACCEPT => "Access-Accept",
            Self::ACCESS_REJECT => "Access-Reject",
            Self::ACCOUNTING_REQUEST => "Accounting-Request",
            Self::ACCOUNTING_RESPONSE => "Accounting-Response",
            Self::ACCESS_CHALLENGE => "Access-Challenge",
            Self::STATUS_SERVER => "Status-Server",
            Self::DISCONNECT_REQUEST => "Disconnect-Request",
            Self::DISCONNECT_ACK => "Disconnect-ACK",
            Self::DISCONNECT_NAK => "Disconnect-NAK",
            Self::COA_REQUEST => "CoA-Request",
            Self::COA_ACK => "CoA-ACK",
            Self::COA_NAK => "CoA-NAK",
            _ => "unknown",
        }
    }

    /// Whether this is one of the answers to an Access-Request: Accept, Reject or Challenge.
    pub const fn is_access_reply(self) -> bool {
        matches!(self, Self::ACCESS_ACCEPT | Self::ACCESS_REJECT | Self::ACCESS_CHALLENGE)
    }

    /// Whether a packet of this code is an answer to a request of code `request`. A Status-Server is answered with
    /// Access-Accept or Accounting-Response on either port (RFC 5997 §4.1).
    pub const fn answers(self, request: Self) -> bool {
        match request {
            Self::ACCESS_REQUEST => self.is_access_reply(),
            Self::ACCOUNTING_REQUEST => matches!(self, Self::ACCOUNTING_RESPONSE),
            Self::STATUS_SERVER => matches!(self, Self::ACCESS_ACCEPT | Self::ACCOUNTING_RESPONSE),
            Self::DISCONNECT_REQUEST => matches!(self, Self::DISCONNECT_ACK | Self::DISCONNECT_NAK),
            Self::COA_REQUEST => matches!(self, Self::COA_ACK | Self::COA_NAK),
            _ => false,
        }
    }

    /// Whether this is a request of RFC 5176: CoA or Disconnect.
    pub const fn is_dynamic_authorization(self) -> bool {
        matches!(self, Self::DISCONNECT_REQUEST | Self::COA_REQUEST)
    }

    /// Whether the Request Authenticator of this code is a digest of the packet (RFC 2866 §3,
    /// RFC 5176 §2.3) rather than sixteen random octets.
    pub const fn has_computed_authenticator(self) -> bool {
        matches!(self, Self::ACCOUNTING_REQUEST | Self::DISCONNECT_REQUEST | Self::COA_REQUEST)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "unknown" => write!(f, "code {}", self.0),
            name => f.write_str(name),
        }
    }
}
