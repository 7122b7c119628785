//! `[[access_network]]`: the operator's access networks, by address or prefix.

use std::{net::IpAddr, time::Duration};

use sekisho_wire::attr;

use super::{
    answers::{accept_form, accounting},
    identity::{IMSI_TYPE, session_identity},
    lookup::{keepalive, lookup},
    message_authenticator, open_to_forgery, patience,
    rates::{REALM, rate, rates},
    surroundings::Surroundings,
    way,
};
use crate::{
    access::{AccessNetwork, ItemType, Network},
    document::Placed,
    finding::Problem,
    rates::{Rate, Rates},
    schema,
    section::Section,
    value::{self, AddressFault},
};

pub(super) const TYPES: [(&str, ItemType); 3] = [("D", ItemType::D), ("K", ItemType::K), ("I", ItemType::I)];
/// A shorter prefix is wider than any carrier has, and was hardly meant.
const SHORTEST_V4: u8 = 8;
const SHORTEST_V6: u8 = 16;

/// Many customers' subscribers come through one access network.
const CLIENT: Rate = Rate { per_second: 50_000, burst: 100_000 };
const PER_REALM: Rate = Rate { per_second: 2_000, burst: 4_000 };

/// The access networks that are sound, and whether all are.
pub(super) fn access_networks(top: &Section<'_>, around: &Surroundings<'_>) -> (Vec<Placed<AccessNetwork>>, bool) {
    let before = top.report.count();
    let sections = top.tables("access_network", schema::ACCESS_NETWORK);
    let networks = sections
        .iter()
        .filter_map(|section| Some(Placed { value: access_network(section, around)?, site: section.site.clone() }))
        .collect();
    (networks, top.report.count() == before)
}

fn access_network(section: &Section<'_>, around: &Surroundings<'_>) -> Option<AccessNetwork> {
    const SECOND: Duration = Duration::from_secs(1);
    let remedy = "Name the access network; messages, logs and metrics show it.";
    let name = section.parsed("name", value::name).required(section, "name", remedy);
    let remedy = "Say \"D\", \"K\" or \"I\": which `vpdn` contracts it may ask for.";
    let kind = section.choice("type", &TYPES).required(section, "type", remedy);
    let remedy = "Give what it sends from, such as [\"192.0.2.1\", \"198.51.100.0/24\"].";
    let addresses = section.list("addresses", network).required(section, "addresses", remedy);
    if addresses.as_ref().is_some_and(Vec::is_empty) {
        section.fault("addresses", Problem::new("is an empty list", remedy));
    }
    let way = way(section, around.domains.as_deref());
    let secret = around.vault.secret(section);
    let previous = around.vault.previous_secret(section);
    let require = message_authenticator(section);
    let limit = section.boolean("limit_proxy_state").or(true);
    open_to_forgery(section, require, limit);
    let delay = section.duration("reject_delay", Duration::ZERO..=SECOND).or(SECOND / 2);
    let timeout = section.duration("timeout", SECOND..=60 * SECOND).or(10 * SECOND);
    let answer = answer_within(section, timeout);
    patience(section, delay, answer);
    // What is over them gets silence, and a few silent requests make a gateway take this node for dead, for all customers: the
    // realm's limit, which is answered, is what keeps customers apart.
    let unlimited = |rate: Rate| Rate { per_second: 0, ..rate };
    let (session, new_session) = (unlimited(around.rates.session), unlimited(around.rates.new_session));
    let rates = rates(section, Rates { client: CLIENT, session, new_session });
    let realm = rate(section, &REALM, PER_REALM);
    let identity = session_identity(section, around, &[attr::CALLING_STATION_ID, IMSI_TYPE]);
    if let Some(identity) = &identity {
        shared_by_many(section, identity);
    }
    let lookup = lookup(section);
    let keepalive = keepalive(section);
    let accept = accept_form(section);
    let accounting = accounting(section);
    let disconnect_port = section.port("disconnect_port").optional();
    let (domain, ingresses) = way?;
    Some(AccessNetwork {
        name: name?,
        kind: kind?,
        addresses: addresses?,
        domain,
        ingresses,
        secret: secret?,
        previous_secret: previous?,
        require_message_authenticator: require?,
        limit_proxy_state: limit?,
        reject_delay: delay?,
        timeout: timeout?,
        answer_within: answer?,
        rates: rates?,
        realm: realm?,
        session_identity: identity?,
        lookup: lookup?,
        keepalive: keepalive?,
        accept: accept?,
        accounting: accounting?,
        disconnect_port: disconnect_port?,
    })
}

/// By when there is an answer: a little before the network has given up.
fn answer_within(section: &Section<'_>, timeout: Option<Duration>) -> Option<Duration> {
    const SECOND: Duration = Duration::from_secs(1);
    let given = section.duration("answer_within", SECOND / 2..=60 * SECOND).optional()?;
    let (timeout, Some(answer)) = (timeout?, given) else { return Some(timeout? * 9 / 10) };
    if answer > timeout {
        let message = format!(
            "{} is longer than the network waits ({})",
            value::show_duration(answer),
            value::show_duration(timeout)
        );
        let remedy = "Make it as long as `timeout` at most, or raise that where the network waits longer.";
        section.fault("answer_within", Problem::new(message, remedy));
        return None;
    }
    Some(answer)
}

/// An identity that one device does not have to itself, or has anew in each attempt.
fn shared_by_many(section: &Section<'_>, identity: &[u8]) {
    match identity {
        [attr::USER_NAME] => {
            let message =
                "is User-Name alone, which a whole fleet of devices may share: one would use up the rate of all";
            let remedy = "Put what each device has to itself before it: [\"Calling-Station-Id\", \"User-Name\"].";
            section.fault("session_identity", Problem::new(message, remedy));
        }
        [attr::ACCT_SESSION_ID, ..] => {
            let message = "begins with Acct-Session-Id, which is a new one in each attempt: a device that attaches over \
                           and over is not held by `session_rate`";
            let remedy = "Put what stays with a device before it, such as \"Calling-Station-Id\".";
            section.warn("session_identity", Problem::new(message, remedy));
        }
        _ => {}
    }
}

/// Addresses of hosts that begin alike.
fn network(text: &str) -> Result<Network, Problem> {
    let network = value::network(text)?;
    value::one_hosts(network.address).map_err(|fault| fault.problem(text))?;
    let (shortest, remedy) = match network.address {
        IpAddr::V4(_) => (SHORTEST_V4, "An IPv4 prefix has 8 to 32 bits: name the carrier's networks one by one."),
        IpAddr::V6(_) => (SHORTEST_V6, "An IPv6 prefix has 16 to 128 bits: name the carrier's networks one by one."),
    };
    if network.length < shortest {
        return Err(Problem::new(format!("{text:?} is wider than any carrier has"), remedy));
    }
    // The gate has IPv4 addresses in this form, and would take all of them for this network's.
    let mapped = Network { address: IpAddr::V6(std::net::Ipv4Addr::UNSPECIFIED.to_ipv6_mapped()), length: 96 };
    if network.overlaps(&mapped) {
        return Err(AddressFault::Mapped.problem(text));
    }
    Ok(network)
}
