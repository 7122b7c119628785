//! One pass over a datagram: is it well-formed, and where is what we care for?

use crate::attr;
use crate::attribute::{Attributes, HEADER, Span, attributes};
use crate::buf::MAX_PACKET;
use crate::code::Code;
use crate::vendor::{MICROSOFT, MS_CHAP_MPPE_KEYS, sub_attributes, vendor};

/// Why a datagram is no RADIUS packet: silently discarded (RFC 2865 §3, RFC 6613 §2.6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Malformed {
    /// Fewer than the twenty octets of a header.
    #[error("the datagram is shorter than a RADIUS header")]
    TooShort,
    /// The Length field is below 20, above 4096, or more than was received.
    #[error("the Length field is below 20, above 4096, or beyond the datagram")]
    BadLength,
    /// An attribute's length is 0 or 1, or the attributes do not fill the packet exactly.
    #[error("an attribute's length is wrong")]
    BadAttribute,
}

/// What [`scan`] found. Offsets count from the packet's first octet and hold for that packet only.
///
/// Where an attribute stands several times, the span is that of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// What kind of message it is.
    pub code: Code,
    /// The identifier.
    pub id: u8,
    /// The Length field, 20 to 4096: octets beyond it are padding.
    pub length: u16,
    /// User-Name (1).
    pub user_name: Option<Span>,
    /// User-Password (2).
    pub user_password: Option<Span>,
    /// More than one User-Password: only one is allowed (RFC 2865 §5.44), and only one is re-hidden.
    pub user_password_repeated: bool,
    /// CHAP-Password (3).
    pub chap_password: Option<Span>,
    /// CHAP-Challenge (60).
    pub chap_challenge: Option<Span>,
    /// NAS-IP-Address (4).
    pub nas_ip: Option<Span>,
    /// NAS-IPv6-Address (95).
    pub nas_ipv6: Option<Span>,
    /// Service-Type (6).
    pub service_type: Option<Span>,
    /// State (24).
    pub state: Option<Span>,
    /// Called-Station-Id (30).
    pub called_station: Option<Span>,
    /// Calling-Station-Id (31).
    pub calling_station: Option<Span>,
    /// NAS-Identifier (32).
    pub nas_identifier: Option<Span>,
    /// Acct-Status-Type (40).
    pub acct_status_type: Option<Span>,
    /// Acct-Session-Id (44).
    pub acct_session_id: Option<Span>,
    /// EAP-Message (79).
    pub eap_message: Option<Span>,
    /// Message-Authenticator (80), whatever its length.
    pub message_authenticator: Option<Span>,
    /// How many Message-Authenticators there are: more than one is never valid (RFC 3579 §3.2). Stops at 255.
    pub message_authenticators: u8,
    /// How many Proxy-States (33) there are; at most 2038 fit in a packet.
    pub proxy_states: u16,
    /// The first Proxy-State.
    pub first_proxy_state: Option<Span>,
    /// The last Proxy-State.
    pub last_proxy_state: Option<Span>,
    /// Reply-Message (18) is present.
    pub reply_message: bool,
    /// An ARAP attribute (70, 71, 84) is present.
    pub arap: bool,
    /// Tunnel-Password (69) is present.
    pub tunnel_password: bool,
    /// MS-CHAP-MPPE-Keys (26/311/12, RFC 2548 §2.4.1) is present.
    pub mppe_keys: bool,
}

impl Layout {
    fn empty(code: Code, id: u8, length: u16) -> Self {
        Self {
            code,
            id,
            length,
            user_name: None,
            user_password: None,
            user_password_repeated: false,
            chap_password: None,
            chap_challenge: None,
            nas_ip: None,
            nas_ipv6: None,
            service_type: None,
            state: None,
            called_station: None,
            calling_station: None,
            nas_identifier: None,
            acct_status_type: None,
            acct_session_id: None,
            eap_message: None,
            message_authenticator: None,
            message_authenticators: 0,
            proxy_states: 0,
            first_proxy_state: None,
            last_proxy_state: None,
            reply_message: false,
            arap: false,
            tunnel_password: false,
            mppe_keys: false,
        }
    }

    /// The packet's octets without padding; empty if `datagram` is not what was scanned.
    pub fn packet<'a>(&self, datagram: &'a [u8]) -> &'a [u8] {
        datagram.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// The packet's authenticator field; `None` if `datagram` is not what was scanned.
    pub fn authenticator(&self, datagram: &[u8]) -> Option<[u8; 16]> {
        datagram.get(4..)?.first_chunk().copied()
    }

    /// The value of Acct-Status-Type (RFC 2866 §5.1), if it is there and has four octets.
    pub fn acct_status(&self, datagram: &[u8]) -> Option<u32> {
        Some(u32::from_be_bytes(self.acct_status_type?.of(datagram).try_into().ok()?))
    }

    /// Whether the Message-Authenticator is the first attribute, as it has to be in what we send.
    pub fn message_authenticator_is_first(&self) -> bool {
        self.message_authenticator.is_some_and(|s| s.at() == HEADER + 2)
    }

    /// Iterates over all attributes of the scanned packet.
    pub fn attributes<'a>(&self, datagram: &'a [u8]) -> Attributes<'a> {
        attributes(self.packet(datagram))
    }
}

/// Looks a datagram through once.
///
/// Everything that RFC 2865 §3 and RFC 6613 §2.6.4 call malformed is refused; unknown attributes, values of an
/// unexpected length, and Vendor-Specific attributes of any inner shape are not.
pub fn scan(datagram: &[u8]) -> Result<Layout, Malformed> {
    let [code, id, high, low, ..] = *datagram else { return Err(Malformed::TooShort) };
    if datagram.len() < HEADER {
        return Err(Malformed::TooShort);
    }
    let length = u16::from_be_bytes([high, low]);
    if !(HEADER..=MAX_PACKET).contains(&usize::from(length)) {
        return Err(Malformed::BadLength);
    }
    let packet = datagram.get(..usize::from(length)).ok_or(Malformed::BadLength)?;

    let mut layout = Layout::empty(Code(code), id, length);
    let mut at = HEADER;
    while let Some(rest) = packet.get(at..).filter(|rest| !rest.is_empty()) {
        let [number, size, ..] = *rest else { return Err(Malformed::BadAttribute) };
        let value = rest.get(2..usize::from(size)).ok_or(Malformed::BadAttribute)?;
        layout.note(number, value, at + 2);
        at += usize::from(size);
    }
    Ok(layout)
}

impl Layout {
    #[inline]
    fn note(&mut self, number: u8, value: &[u8], at: usize) {
        let first = |slot: &mut Option<Span>| {
            if slot.is_none() {
                *slot = Span::new(at, value.len());
            }
        };
        match number {
            attr::USER_NAME => first(&mut self.user_name),
            attr::USER_PASSWORD => {
                self.user_password_repeated |= self.user_password.is_some();
                first(&mut self.user_password);
            }
            attr::CHAP_PASSWORD => first(&mut self.chap_password),
            attr::CHAP_CHALLENGE => first(&mut self.chap_challenge),
            attr::NAS_IP_ADDRESS => first(&mut self.nas_ip),
            attr::NAS_IPV6_ADDRESS => first(&mut self.nas_ipv6),
            attr::SERVICE_TYPE => first(&mut self.service_type),
            attr::STATE => first(&mut self.state),
            attr::CALLED_STATION_ID => first(&mut self.called_station),
            attr::CALLING_STATION_ID => first(&mut self.calling_station),
            attr::NAS_IDENTIFIER => first(&mut self.nas_identifier),
            attr::ACCT_STATUS_TYPE => first(&mut self.acct_status_type),
            attr::ACCT_SESSION_ID => first(&mut self.acct_session_id),
            attr::EAP_MESSAGE => first(&mut self.eap_message),
            attr::MESSAGE_AUTHENTICATOR => {
                self.message_authenticators = self.message_authenticators.saturating_add(1);
                first(&mut self.message_authenticator);
            }
            attr::PROXY_STATE => {
                self.proxy_states += 1;
                first(&mut self.first_proxy_state);
                self.last_proxy_state = Span::new(at, value.len());
            }
            attr::REPLY_MESSAGE => self.reply_message = true,
            attr::ARAP_PASSWORD | attr::ARAP_FEATURES | attr::ARAP_CHALLENGE_RESPONSE => self.arap = true,
            attr::TUNNEL_PASSWORD => self.tunnel_password = true,
            attr::VENDOR_SPECIFIC => self.note_vendor(value),
            _ => {}
        }
    }

    fn note_vendor(&mut self, value: &[u8]) {
        if vendor(value) != Some(MICROSOFT) {
            return;
        }
        for (kind, _, _) in sub_attributes(value).into_iter().flatten() {
            self.mppe_keys |= kind == MS_CHAP_MPPE_KEYS;
        }
    }
}
