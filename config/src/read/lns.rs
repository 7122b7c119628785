//! `[[lns]]`: where a customer's tunnels end.

use std::time::Duration;

use super::{
    idle,
    rates::{CLIENT, rate},
    secret::{PREVIOUS, SECRET},
    server::{STATES, host},
    surroundings::Surroundings,
    way,
};
use crate::{
    customer::{Host, ServerState},
    finding::Problem,
    node::Password,
    section::Section,
    value,
    vpdn::{AccountingSource, Lns, LnsProbe},
};

/// The longest text of a tunnel attribute: 255 octets less type, length, Tag and two to spare.
const TEXT_LEN: usize = 250;
const MOST_SESSIONS: u32 = 1_000_000;
/// What means something only where the LNS sends accounting, beside the secret itself.
const OF_ACCOUNTING: [&str; 3] = ["accounting_address", "client_rate", "client_burst"];
const OF_PROBE: [&str; 6] =
    ["probe_from", "probe_interval", "probe_timeout", "probe_rise", "probe_fall", "probe_refused"];
/// Whether there is a probe, and whether it is a deep one.
const PROBES: [(&str, Option<bool>); 3] = [("none", None), ("l2tp", Some(false)), ("l2tp-auth", Some(true))];
const REFUSED: [(&str, bool); 2] = [("up", true), ("down", false)];

/// Reads one LNS of the customer `owner`, whose name is `None` where it is faulty.
pub(super) fn lns(section: &Section<'_>, owner: Option<&str>, around: &Surroundings<'_>) -> Option<Lns> {
    let remedy = "Name the LNS; contracts, messages, logs and metrics call it so.";
    let name = section.parsed("name", value::name).required(section, "name", remedy);
    let remedy = "Give the LNS's address, such as \"192.0.2.1\", or its host name.";
    let address = section.parsed("address", endpoint).required(section, "address", remedy);
    let way = way(section, around.domains.as_deref());
    let weight = section.integer("weight", 1..=1_000u32).or(1);
    let max_sessions = section.integer("max_sessions", 0..=MOST_SESSIONS).or(0);
    let state = section.choice("state", &STATES).or(ServerState::Up);
    let client_endpoint = client_endpoint(section, address.as_ref());
    // Before any other secret of the section: the one before it is compared with the last one found.
    let accounting = accounting(section, address.as_ref(), around);
    let tunnel_password = around.vault.tunnel_password(section);
    let text = |key| section.parsed(key, |text| value::attribute_text(text, TEXT_LEN)).optional();
    let (client_auth_id, server_auth_id) = (text("client_auth_id"), text("server_auth_id"));
    let (private_group_id, assignment_id) = (text("private_group_id"), text("assignment_id"));
    let probe = probe(section, address.as_ref(), tunnel_password.as_ref().is_none_or(Option::is_some));
    if let (Some(None), Some(None)) = (&accounting, &probe) {
        let why = "where the LNS neither sends accounting nor is probed: nothing comes in from it";
        idle(section, &["ingress"], why, "Take it out.");
    }
    let (domain, ingresses) = way?;
    let name = name?;
    Some(Lns {
        assignment_id: assignment_id?.unwrap_or_else(|| format!("{}-{name}", owner.unwrap_or_default())),
        name,
        address: address?,
        domain,
        ingresses,
        weight: weight?,
        max_sessions: max_sessions?,
        state: state?,
        client_endpoint: client_endpoint?,
        tunnel_password: tunnel_password?.map(Password::new),
        client_auth_id: client_auth_id?,
        server_auth_id: server_auth_id?,
        private_group_id: private_group_id?,
        accounting: accounting?,
        probe: probe?,
    })
}

/// An address, or a name that has room in an attribute.
fn endpoint(text: &str) -> Result<Host, Problem> {
    match host(text)? {
        Host::Name(name) if name.len() > TEXT_LEN => {
            Err(Problem::new(format!("has {} octets", name.len()), format!("There is room for {TEXT_LEN}.")))
        }
        host => Ok(host),
    }
}

fn client_endpoint(section: &Section<'_>, server: Option<&Host>) -> Option<Option<Host>> {
    const KEY: &str = "client_endpoint";
    let endpoint = section.parsed(KEY, endpoint).optional()?;
    if let (Some(Host::Address(client)), Some(Host::Address(server))) = (&endpoint, server)
        && client.is_ipv4() != server.is_ipv4()
    {
        let message = format!("{client} is of another family than the LNS's address {server}");
        let remedy = "A tunnel has one medium: give both ends addresses of one family.";
        section.fault(KEY, Problem::new(message, remedy));
        return None;
    }
    Some(endpoint)
}

/// The LNS as a source of accounting, where it has a secret.
fn accounting(
    section: &Section<'_>,
    address: Option<&Host>,
    around: &Surroundings<'_>,
) -> Option<Option<AccountingSource>> {
    const KEY: &str = "accounting_address";
    let mut keys = SECRET.iter().chain(&PREVIOUS).chain(&OF_ACCOUNTING);
    if !keys.any(|key| section.has(key)) {
        return Some(None);
    }
    let secret = around.vault.secret(section);
    let previous = around.vault.previous_secret(section);
    let rate = rate(section, &CLIENT, around.rates.client);
    let source = section.parsed(KEY, |text| value::unicast(text).map_err(|fault| fault.problem(text)));
    let source = match (source.optional()?, address?) {
        (Some(source), _) => source,
        (None, Host::Address(address)) => *address,
        (None, Host::Name(_)) => {
            let message = "is missing: a source is known by its address, and `address` is a host name";
            section.fault(KEY, Problem::new(message, "Give the address that the LNS sends accounting from."));
            return None;
        }
    };
    Some(Some(AccountingSource { address: source, secret: secret?, previous_secret: previous?, rate: rate? }))
}

/// How it is asked whether it lives; `authenticates`: it has a tunnel password.
fn probe(section: &Section<'_>, address: Option<&Host>, authenticates: bool) -> Option<Option<LnsProbe>> {
    const SECOND: Duration = Duration::from_secs(1);
    let kind = section.choice("probe", &PROBES).or(None);
    let from = section.parsed("probe_from", |text| value::unicast(text).map_err(|fault| fault.problem(text)));
    let from = from.optional();
    let interval = section.duration("probe_interval", 10 * SECOND..=600 * SECOND).or(20 * SECOND);
    let timeout = section.duration("probe_timeout", SECOND..=8 * SECOND).or(4 * SECOND);
    let rise = section.integer("probe_rise", 1..=10u32).or(2);
    let fall = section.integer("probe_fall", 1..=10u32).or(3);
    let refused = section.choice("probe_refused", &REFUSED).or(true);
    let (kind, from) = (kind?, from?);
    let probe = (interval?, timeout?, rise?, fall?, refused?);
    let Some(deep) = kind else {
        idle(section, &OF_PROBE, "without a probe", "Set `probe = \"l2tp\"`, or take it out.");
        return Some(None);
    };
    if let Some(Host::Name(name)) = address {
        let message = format!("{name:?} is a host name, and a probe goes to an address");
        let remedy = "Give `address` the LNS's address, or take the probe out.";
        section.fault("probe", Problem::new(message, remedy));
        return None;
    }
    if deep && !authenticates {
        let message = "needs the LNS's tunnel password, and there is none";
        let remedy = "Give `tunnel_password`, or set `probe = \"l2tp\"`.";
        section.fault("probe", Problem::new(message, remedy));
        return None;
    }
    let (interval, timeout, rise, fall, refused_is_up) = probe;
    Some(Some(LnsProbe { deep, from, interval, timeout, rise, fall, refused_is_up }))
}
