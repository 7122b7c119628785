//! The difference between two states of the documents, in an operator's words.

use std::collections::BTreeMap;

use sekisho_config::{Customer, Node};

use crate::documents::Documents;

/// What a reload changes, a line each; empty where nothing does.
///
/// # Errors
///
/// The keys whose change takes effect at the next start only, a line each.
pub fn between(old: &Documents, new: &Documents) -> Result<Vec<String>, Vec<String>> {
    let fixed = fixed(&old.node, &new.node);
    if !fixed.is_empty() {
        return Err(fixed);
    }
    let mut lines = Vec::new();
    if old.node.domains != new.node.domains {
        lines.push("domains changed".to_owned());
    }
    if old.node.limits != new.node.limits || old.node.upstream.max_ports != new.node.upstream.max_ports {
        lines.push("limits changed".to_owned());
    }
    let (before, after) = (by_name(&old.customers), by_name(&new.customers));
    compare("customer", &before, &after, &mut lines, |_| String::new(), |_, _| true);
    let none = Customer { name: String::new(), title: None, realms: vec![], clients: vec![], proxies: vec![] };
    let mut names: Vec<&str> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (one, other) = (before.get(name).copied().unwrap_or(&none), after.get(name).copied().unwrap_or(&none));
        contracts(name, one, other, &mut lines);
    }
    Ok(lines)
}

/// What cannot change while the sockets, the workers and the gate are up.
fn fixed(old: &Node, new: &Node) -> Vec<String> {
    let changes = [
        ("node.name", old.name != new.name),
        ("node.workers", old.workers != new.workers),
        ("node.log", old.log != new.log),
        ("listener", old.listeners != new.listeners),
        ("upstream.ipv4", old.upstream.ipv4 != new.upstream.ipv4),
        ("upstream.ipv6", old.upstream.ipv6 != new.upstream.ipv6),
        ("xdp.mode", old.xdp.mode != new.xdp.mode),
        ("xdp.interfaces", old.xdp.interfaces != new.xdp.interfaces),
        ("xdp.max_sources", old.xdp.max_sources != new.xdp.max_sources),
        ("admin.address", old.admin != new.admin),
    ];
    let changed = changes.iter().filter(|(_, changed)| *changed);
    changed.map(|(key, _)| format!("{key}: a change takes effect at the next start")).collect()
}

fn contracts(customer: &str, old: &Customer, new: &Customer, lines: &mut Vec<String>) {
    let mut found = Vec::new();
    let realms = |customer: &Customer| customer.realms.iter().map(|realm| (realm.to_string(), ())).collect();
    compare::<()>(
        "realm",
        &as_refs(&realms(old)),
        &as_refs(&realms(new)),
        &mut found,
        |()| String::new(),
        |(), ()| true,
    );
    compare(
        "client",
        &old.clients.iter().map(|client| (client.contract.as_str(), client)).collect(),
        &new.clients.iter().map(|client| (client.contract.as_str(), client)).collect(),
        &mut found,
        |client| format!(" ({})", client.address),
        |one, other| one == other,
    );
    compare(
        "proxy contract",
        &old.proxies.iter().map(|proxy| (proxy.contract.as_str(), proxy)).collect(),
        &new.proxies.iter().map(|proxy| (proxy.contract.as_str(), proxy)).collect(),
        &mut found,
        |_| String::new(),
        // Its servers are compared one by one, but their order is the contract's.
        |one, other| {
            let names = |proxy: &sekisho_config::Proxy| -> Vec<String> {
                proxy.servers.iter().map(|server| server.name.clone()).collect()
            };
            (&one.realms, one.pool, names(one)) == (&other.realms, other.pool, names(other))
        },
    );
    compare(
        "server",
        &servers(old),
        &servers(new),
        &mut found,
        |server| format!(" ({})", server.address),
        |one, other| one == other,
    );
    lines.extend(found.into_iter().map(|line| format!("{customer}: {line}")));
}

/// One line for each name that is in one of the two only, or whose value differs.
fn compare<T: Copy>(
    noun: &str,
    old: &BTreeMap<&str, T>,
    new: &BTreeMap<&str, T>,
    lines: &mut Vec<String>,
    detail: impl Fn(T) -> String,
    same: impl Fn(T, T) -> bool,
) {
    for (name, value) in old {
        match new.get(name) {
            None => lines.push(format!("- {noun} {name}{} removed", detail(*value))),
            Some(other) if !same(*value, *other) => {
                lines.push(format!("~ {noun} {name}{} changed", detail(*other)));
            }
            Some(_) => {}
        }
    }
    for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(**name)) {
        lines.push(format!("+ {noun} {name}{} added", detail(*value)));
    }
}

fn by_name(customers: &[Customer]) -> BTreeMap<&str, &Customer> {
    customers.iter().map(|customer| (customer.name.as_str(), customer)).collect()
}

fn servers(customer: &Customer) -> BTreeMap<&str, &sekisho_config::Server> {
    let servers = customer.proxies.iter().flat_map(|proxy| &proxy.servers);
    servers.map(|server| (server.name.as_str(), server)).collect()
}

fn as_refs(map: &BTreeMap<String, ()>) -> BTreeMap<&str, ()> {
    map.keys().map(|name| (name.as_str(), ())).collect()
}
