//! `[[proxy.server]]`, `[[proxy.fallback.server]]` and `[[proxy.copy]]`: the customer's home servers.

use std::time::Duration;

use super::{message_authenticator, ports, surroundings::Surroundings, way};
use crate::{
    customer::{Host, Require, Server, ServerState, StatusCheck},
    document::Placed,
    finding::Problem,
    node::Ports,
    schema,
    section::Section,
    value,
};

const SECOND: Duration = Duration::from_secs(1);
pub(super) const STATES: [(&str, ServerState); 3] =
    [("up", ServerState::Up), ("draining", ServerState::Draining), ("down", ServerState::Down)];
const CHECKS: [(&str, bool); 2] = [("none", false), ("status-server", true)];

/// The home servers of a tier that are sound.
pub(super) fn servers(section: &Section<'_>, around: &Surroundings<'_>) -> Vec<Placed<Server>> {
    let before = section.report.count();
    let sections = section.tables("server", schema::SERVER);
    if sections.is_empty() && section.report.count() == before {
        let table = if section.site.path.contains("fallback") { "proxy.fallback.server" } else { "proxy.server" };
        let remedy = format!("Add [[{table}]] with the address of a server that the customer designated.");
        section.fault("server", Problem::new("is missing", remedy));
    }
    sections
        .iter()
        .filter_map(|section| Some(Placed { value: server(section, around)?, site: section.site.clone() }))
        .collect()
}

/// The servers that accounting is copied to, and that are sound.
pub(super) fn copies(section: &Section<'_>, around: &Surroundings<'_>) -> Vec<Placed<Server>> {
    section
        .tables("copy", schema::COPY)
        .iter()
        .filter_map(|section| Some(Placed { value: copy(section, around)?, site: section.site.clone() }))
        .collect()
}

fn server(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Server> {
    let ports = ports(section, Some(Ports::Both { auth: 1812, accounting: 1813 }));
    let require = message_authenticator(section);
    let window = section.duration("response_window", Duration::from_millis(100)..=60 * SECOND).or(3 * SECOND);
    let timeouts = section.integer("response_timeouts", 1..=100u32).or(1);
    let zombie = section.duration("zombie_period", SECOND..=300 * SECOND).or(20 * SECOND);
    let revive = section.duration("revive_interval", SECOND..=3_600 * SECOND).or(60 * SECOND);
    let check = status_check(section);
    let weight = section.integer("weight", 1..=1_000u32).or(1);
    let state = section.choice("state", &STATES).or(ServerState::Up);
    let common = common(section, around);
    Some(Server {
        ports: ports?,
        require_message_authenticator: require?,
        response_window: window?,
        response_timeouts: timeouts?,
        zombie_period: zombie?,
        revive_interval: revive?,
        status_check: check?,
        weight: weight?,
        state: state?,
        ..common?
    })
}

/// A server that nobody waits for: of the keys only those that say where it is and how much it may owe.
fn copy(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Server> {
    let port = section.port("accounting").or(1813);
    let common = common(section, around);
    Some(Server { ports: Ports::Accounting(port?), ..common? })
}

/// What every server has, with the defaults of all the rest.
fn common(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Server> {
    let remedy = "Name the server; messages, logs and metrics show it.";
    let name = section.parsed("name", value::name).required(section, "name", remedy);
    let remedy = "Give the server's address, such as \"192.0.2.1\", or its host name.";
    let address = section.parsed("address", host).required(section, "address", remedy);
    let way = way(section, around.domains.as_deref());
    let secret = around.vault.secret(section);
    let previous = around.vault.previous_secret(section);
    let max_outstanding = section.integer("max_outstanding", 1..=1_048_576u32).or(65_536);
    let (domain, ingresses) = way?;
    Some(Server {
        name: name?,
        address: address?,
        ports: Ports::Both { auth: 1812, accounting: 1813 },
        domain,
        ingresses,
        secret: secret?,
        previous_secret: previous?,
        require_message_authenticator: Require::Auto,
        response_window: 3 * SECOND,
        response_timeouts: 1,
        zombie_period: 20 * SECOND,
        revive_interval: 60 * SECOND,
        status_check: None,
        max_outstanding: max_outstanding?,
        weight: 1,
        state: ServerState::Up,
    })
}

fn status_check(section: &Section<'_>) -> Option<Option<StatusCheck>> {
    let wanted = section.choice("status_check", &CHECKS).or(false);
    let interval = section.duration("check_interval", Duration::from_millis(100)..=600 * SECOND).or(30 * SECOND);
    // Shorter than any interval that is written down with it.
    let default = interval.map_or(4 * SECOND, |interval| (4 * SECOND).min(interval / 2));
    let timeout = section.duration("check_timeout", Duration::from_millis(50)..=10 * SECOND).or(default);
    let answers = section.integer("num_answers_to_alive", 1..=10u32).or(3);
    let (wanted, interval, timeout, answers) = (wanted?, interval?, timeout?, answers?);
    if !wanted {
        for key in ["check_interval", "check_timeout", "num_answers_to_alive"] {
            if section.has(key) {
                let remedy = "Set `status_check = \"status-server\"`, or take it out.";
                section.warn(key, Problem::new("means nothing without a status check", remedy));
            }
        }
        return Some(None);
    }
    if timeout >= interval {
        let message = format!(
            "{} is as long as it takes to the next probe ({})",
            value::show_duration(timeout),
            value::show_duration(interval),
        );
        section.fault("check_timeout", Problem::new(message, "Make it shorter than `check_interval`."));
        return None;
    }
    if section.has("revive_interval") {
        let message = "means nothing with a status check: the server is alive again when it answers";
        section.warn("revive_interval", Problem::new(message, "Take it out."));
    }
    Some(Some(StatusCheck { interval, timeout, answers_to_alive: answers }))
}

/// An address, or the name that one is found by.
pub(super) fn host(text: &str) -> Result<Host, Problem> {
    match value::unicast(text) {
        Ok(address) => Ok(Host::Address(address)),
        Err(value::AddressFault::NotAnAddress) => value::host_name(text).map(Host::Name),
        Err(fault) => Err(fault.problem(text)),
    }
}
