//! `[[dynauth]]`: who may send CoA and Disconnect to a customer's terminals.

use std::time::Duration;

use super::{
    rates::{CLIENT, rate},
    surroundings::Surroundings,
    way,
};
use crate::{customer::DynAuth, section::Section, value};

/// Reads one dynamic-authorization client.
pub(super) fn dynauth(section: &Section<'_>, around: &Surroundings<'_>) -> Option<DynAuth> {
    const SECOND: Duration = Duration::from_secs(1);
    let remedy = "Name the server; messages, logs and metrics show it.";
    let name = section.parsed("name", value::name).required(section, "name", remedy);
    let address = section.parsed("address", |text| value::unicast(text).map_err(|fault| fault.problem(text)));
    let address = address.required(section, "address", "Give the server's address, such as \"192.0.2.1\".");
    let way = way(section, around.domains.as_deref());
    let secret = around.vault.secret(section);
    let previous = around.vault.previous_secret(section);
    let answer = section.duration("answer_within", SECOND..=60 * SECOND).or(5 * SECOND);
    let rate = rate(section, &CLIENT, around.rates.client);
    let (domain, ingresses) = way?;
    Some(DynAuth {
        name: name?,
        address: address?,
        domain,
        ingresses,
        secret: secret?,
        previous_secret: previous?,
        answer_within: answer?,
        rate: rate?,
    })
}
