//! `[[proxy.server]]`: the customer's home servers.

use std::time::Duration;

use super::{
    customer::{Surroundings, message_authenticator},
    ports, way,
};
use crate::{
    customer::{Host, Server, ServerState},
    document::Placed,
    finding::Problem,
    node::Ports,
    schema,
    section::Section,
    value::{self, AddressFault},
};

/// The home servers of a proxy contract that are sound.
pub(super) fn servers(section: &Section<'_>, around: &Surroundings<'_>) -> Vec<Placed<Server>> {
    let before = section.report.count();
    let sections = section.tables("server", schema::SERVER);
    if sections.is_empty() && section.report.count() == before {
        let remedy = "Add [[proxy.server]] with the address of a server that the customer designated.";
        section.fault("server", Problem::new("is missing", remedy));
    }
    sections
        .iter()
        .filter_map(|section| Some(Placed { value: server(section, around)?, site: section.site.clone() }))
        .collect()
}

fn server(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Server> {
    const SECOND: Duration = Duration::from_secs(1);
    let remedy = "Name the server; messages, logs and metrics show it.";
    let name = section.parsed("name", value::name).required(section, "name", remedy);
    let address = section.parsed("address", |text| {
        value::unicast(text).map_err(|fault| match fault {
            AddressFault::NotAnAddress => Problem::new(
                format!("{text:?} is not an IP address, and names are not resolved here"),
                "Give one address, such as \"192.0.2.1\" or \"2001:db8::1\".",
            ),
            other => other.problem(text),
        })
    });
    let address = address.required(section, "address", "Give the server's address, such as \"192.0.2.1\".");
    let ports = ports(section, Some(Ports::Both { auth: 1812, accounting: 1813 }));
    let way = way(section, around.domains.as_deref());
    let secret = around.vault.secret(section);
    let require = message_authenticator(section);
    let window = section.duration("response_window", Duration::from_millis(100)..=60 * SECOND).or(3 * SECOND);
    let zombie = section.duration("zombie_period", SECOND..=300 * SECOND).or(20 * SECOND);
    let revive = section.duration("revive_interval", SECOND..=3_600 * SECOND).or(60 * SECOND);
    let max_outstanding = section.integer("max_outstanding", 1..=1_048_576u32).or(65_536);
    let (domain, ingresses) = way?;
    Some(Server {
        name: name?,
        address: Host::Address(address?),
        ports: ports?,
        domain,
        ingresses,
        secret: secret?,
        previous_secret: None,
        require_message_authenticator: require?,
        response_window: window?,
        response_timeouts: 1,
        zombie_period: zombie?,
        revive_interval: revive?,
        status_check: None,
        max_outstanding: max_outstanding?,
        weight: 1,
        state: ServerState::Up,
    })
}
