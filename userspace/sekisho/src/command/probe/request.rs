//! The request: attributes by the `radius` crate, authenticators by `sekisho-wire`.

use std::{fmt, net::IpAddr};

use radius::core::{code, packet::Packet, rfc2865, rfc2866, rfc3162};
use sekisho_wire::{
    attr,
    attribute::attributes,
    build::{RequestBuilder, chap_response},
    code::Code,
};

use super::{Record, target::Target};

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A login with User-Password.
    Pap,
    /// A login with CHAP-Password.
    Chap,
    /// An accounting record.
    Accounting(Record),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Pap => "Access-Request (PAP)",
            Kind::Chap => "Access-Request (CHAP)",
            Kind::Accounting(Record::Start) => "Accounting-Request (Start)",
            Kind::Accounting(Record::Interim) => "Accounting-Request (Interim-Update)",
            Kind::Accounting(Record::Stop) => "Accounting-Request (Stop)",
        })
    }
}

/// A signed request.
pub(super) struct Request {
    /// What it is.
    pub(super) kind: Kind,
    /// Its octets.
    pub(super) packet: Vec<u8>,
    /// Its Request Authenticator as sent: an accounting request's is computed.
    pub(super) authenticator: [u8; 16],
}

/// How we call ourselves in NAS-Identifier.
const NAS: &str = "sekisho-probe";

impl Request {
    /// Builds and signs it.
    pub(super) fn build(user: &str, kind: Kind, password: Option<&[u8]>, target: &Target) -> Result<Request, String> {
        let as_code = match kind {
            Kind::Pap | Kind::Chap => (code::Code::AccessRequest, Code::ACCESS_REQUEST),
            Kind::Accounting(_) => (code::Code::AccountingRequest, Code::ACCOUNTING_REQUEST),
        };
        // Signed further down: the secret never leaves `sekisho-wire`.
        let mut draft = Packet::new(as_code.0, b"-");
        rfc2865::add_user_name(&mut draft, user);
        rfc2865::add_nas_identifier(&mut draft, NAS);
        match target.from {
            IpAddr::V4(from) => rfc2865::add_nas_ip_address(&mut draft, &from),
            IpAddr::V6(from) => rfc3162::add_nas_ipv6_address(&mut draft, &from),
        }
        rfc2865::add_service_type(&mut draft, rfc2865::SERVICE_TYPE_FRAMED_USER);
        let authenticator: [u8; 16] =
            draft.get_authenticator().as_slice().try_into().map_err(|_| "no Request Authenticator".to_owned())?;
        match kind {
            Kind::Accounting(record) => account(&mut draft, record),
            Kind::Chap => {
                let id: u8 = rand::random();
                let response = chap_response(id, password.unwrap_or_default(), &authenticator);
                rfc2865::add_chap_password(&mut draft, &response);
            }
            Kind::Pap => {}
        }
        let id = draft.get_identifier();
        let octets = draft.encode().map_err(|error| error.to_string())?;
        let mut signed = RequestBuilder::new(as_code.1, id, authenticator);
        if as_code.1 == Code::ACCESS_REQUEST {
            // First, as every Access-Request should have it since BlastRADIUS.
            signed = signed.message_authenticator();
        }
        for attribute in attributes(&octets) {
            signed = signed.attribute(attribute.number, attribute.value);
        }
        if let (Kind::Pap, Some(password)) = (kind, password) {
            signed = signed.user_password(password, &target.secret);
        }
        let packet = signed.build(&target.secret).map_err(|error| error.to_string())?;
        let authenticator = packet.get(4..20).and_then(|octets| octets.try_into().ok()).unwrap_or(authenticator);
        Ok(Request { kind, packet, authenticator })
    }

    /// The realm of its User-Name, as it stands there.
    pub(super) fn realm<'a>(&self, user: &'a str) -> Option<&'a str> {
        user.rsplit_once('@').map(|(_, realm)| realm).or_else(|| user.split_once('/').map(|(realm, _)| realm))
    }
}

fn account(draft: &mut Packet, record: Record) {
    let status = match record {
        Record::Start => rfc2866::ACCT_STATUS_TYPE_START,
        Record::Interim => rfc2866::ACCT_STATUS_TYPE_INTERIM_UPDATE,
        Record::Stop => rfc2866::ACCT_STATUS_TYPE_STOP,
    };
    rfc2866::add_acct_status_type(draft, status);
    // The same for every record of a probe, so that a Start, an Interim-Update and a Stop are one session.
    rfc2866::add_acct_session_id(draft, NAS);
    if record != Record::Start {
        rfc2866::add_acct_session_time(draft, 60);
        rfc2866::add_acct_input_octets(draft, 1000);
        rfc2866::add_acct_output_octets(draft, 1000);
    }
}

/// Attributes of an answer that say nothing to a person, or that must not be shown.
pub(super) const fn is_plumbing(number: u8) -> bool {
    matches!(number, attr::MESSAGE_AUTHENTICATOR | attr::PROXY_STATE)
}
