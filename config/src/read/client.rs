//! `[[client]]`: a customer's terminals.

use std::{net::IpAddr, time::Duration};

use sekisho_wire::attr;

use super::{
    agreement::agreement,
    contract,
    identity::session_identity,
    message_authenticator, open_to_forgery, patience,
    policy::{PolicyBook, with_operator_name},
    rates::rates,
    surroundings::{Surroundings, unanswered},
    way,
};
use crate::{
    customer::{Client, Realm},
    document::Placed,
    finding::Problem,
    section::Section,
    value::{self, AddressFault},
};

/// Reads one terminal. `realms` is `None` where the customer's are not all known.
pub(super) fn client(
    section: &Section<'_>,
    realms: Option<&[Placed<Realm>]>,
    policies: &PolicyBook,
    around: &Surroundings<'_>,
) -> Option<Client> {
    let contract = contract(section);
    let address = section.parsed("address", |text| {
        value::unicast(text).map_err(|fault| match fault {
            AddressFault::Network => Problem::new(
                format!(
                    "{text:?} is a network; a client contract is one terminal with one address (service regulation, Art. 5.2)"
                ),
                "Give one address, and a contract of its own for each further terminal.",
            ),
            other => other.problem(text),
        })
    });
    let address = address.required(section, "address", "Give the terminal's address, such as \"192.0.2.1\".");
    let way = way(section, around.domains.as_deref());
    let secret = around.vault.secret(section);
    let previous = around.vault.previous_secret(section);
    let require = message_authenticator(section);
    let limit = section.boolean("limit_proxy_state").or(true);
    let delay = section.duration("reject_delay", Duration::ZERO..=Duration::from_secs(5)).or(Duration::from_secs(1));
    let answer =
        section.duration("answer_within", Duration::from_secs(1)..=Duration::from_secs(60)).or(Duration::from_secs(10));
    patience(section, delay, answer);
    open_to_forgery(section, require, limit);
    let when_unanswered = unanswered(section, "when_unanswered");
    let check_nas = section.boolean("check_nas").or(false);
    let nas_addresses = section.list("nas_addresses", nas_address).or(Vec::new());
    let nas_identifiers = section.list("nas_identifiers", nas_identifier).or(Vec::new());
    let operator_name = section.parsed("operator_name", operator_name).optional();
    let default_realm = section.parsed("default_realm", value::realm).optional();
    if let (Some(Some(name)), Some(realms)) = (&default_realm, realms)
        && !realms.iter().any(|realm| realm.value.name == *name)
    {
        let problem = Problem::new(format!("\"{name}\" is no realm of this customer"), "Add it as [[realm]] first.");
        section.fault("default_realm", problem);
    }
    let bare_domain = section.boolean("bare_domain").or(false);
    let outer_suffix = section.parsed("outer_suffix", value::realm).optional();
    let administrative = section.boolean("administrative").or(false);
    let dynauth = section.port("dynauth").optional();
    if let (Some(false), Some(None)) = (check_nas, dynauth) {
        for key in ["nas_addresses", "nas_identifiers"].into_iter().filter(|key| section.has(key)) {
            let remedy = "Set `check_nas = true`, or give the port `dynauth`, or take this key out.";
            section.warn(key, Problem::new("is given, but nothing is checked and no CoA finds the way by it", remedy));
        }
    }
    let rates = rates(section, around.rates);
    let identity = [attr::ACCT_SESSION_ID, attr::CALLING_STATION_ID, attr::USER_NAME];
    let session_identity = session_identity(section, around, &identity);
    let policies = policies.chosen(section);
    let agreement = agreement(section);
    let (domain, ingresses) = way?;
    let operator_name = operator_name?;
    Some(Client {
        contract: contract?,
        address: address?,
        domain,
        ingresses,
        secret: secret?,
        previous_secret: previous?,
        require_message_authenticator: require?,
        limit_proxy_state: limit?,
        reject_delay: delay?,
        answer_within: answer?,
        when_unanswered: when_unanswered?,
        check_nas: check_nas?,
        nas_addresses: nas_addresses?,
        nas_identifiers: nas_identifiers?,
        default_realm: default_realm?,
        bare_domain: bare_domain?,
        outer_suffix: outer_suffix?,
        administrative: administrative?,
        dynauth: dynauth?,
        rates: rates?,
        session_identity: session_identity?,
        policies: with_operator_name(policies?, operator_name.as_deref()),
        agreement: agreement?,
        operator_name,
    })
}

fn nas_address(text: &str) -> Result<IpAddr, Problem> {
    value::address(text).map_err(|fault| fault.problem(text))
}

fn nas_identifier(text: &str) -> Result<String, Problem> {
    match text.len() {
        1..=253 => Ok(text.to_owned()),
        n => Err(Problem::new(format!("has {n} octets"), "A NAS-Identifier has 1 to 253.")),
    }
}

fn operator_name(text: &str) -> Result<String, Problem> {
    let remedy = "Begin with the namespace's digit: \"1carrier.example\" for a realm, \"4EXAMPLE:JP\" for an ICC (RFC 5580 §4.1).";
    match text.as_bytes() {
        [b'0'..=b'9', _, ..] if text.len() <= 253 => Ok(text.to_owned()),
        _ => Err(Problem::new(format!("{text:?} is no Operator-Name"), remedy)),
    }
}
