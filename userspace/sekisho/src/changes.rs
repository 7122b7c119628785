//! The difference between two states of the documents, in an operator's words.

use std::collections::BTreeMap;

use sekisho_config::{
    AccessNetwork, Client, Customer, Group, Lns, Node, Proxy, Realm, Server, Vpdn,
    customer::{DynAuth, Tier},
};

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
    if old.node.dictionary != new.node.dictionary {
        lines.push("dictionaries changed".to_owned());
    }
    if old.node.country_code != new.node.country_code {
        lines.push("country code changed".to_owned());
    }
    if old.node.sessions.save_interval != new.node.sessions.save_interval {
        lines.push("interval of saving sessions changed".to_owned());
    }
    if old.node.hosted != new.node.hosted {
        lines.push("locking of hosted accounts changed".to_owned());
    }
    if old.node.l2tp != new.node.l2tp {
        lines.push("our side toward LNSs changed".to_owned());
    }
    lines.extend(compare(&old.node.access_networks, &new.node.access_networks));
    lines.extend(compare(&old.customers, &new.customers));
    let none = Customer::default();
    let mut both: BTreeMap<&str, (&Customer, &Customer)> = BTreeMap::new();
    for customer in &old.customers {
        both.insert(&customer.name, (customer, &none));
    }
    for customer in &new.customers {
        both.entry(&customer.name).or_insert((&none, &none)).1 = customer;
    }
    for (name, (before, after)) in both {
        lines.extend(inside(before, after).map(|line| format!("{name}: {line}")));
    }
    Ok(lines)
}

/// What changes of the operator's access networks, a line each.
pub fn of_networks(old: &Node, new: &Node) -> Vec<String> {
    compare(&old.access_networks, &new.access_networks).collect()
}

/// What changes of a customer, a line each; the default is one that is not there.
pub fn of_customer(old: &Customer, new: &Customer) -> Vec<String> {
    inside(old, new).collect()
}

/// What cannot change while the sockets, the workers and the gate are up.
fn fixed(old: &Node, new: &Node) -> Vec<String> {
    let changes = [
        ("node.name", old.name != new.name),
        ("node.workers", old.workers != new.workers),
        ("node.log", old.log != new.log),
        ("node.state", old.state != new.state),
        ("listener", old.listeners != new.listeners),
        ("upstream.ipv4", old.upstream.ipv4 != new.upstream.ipv4),
        ("upstream.ipv6", old.upstream.ipv6 != new.upstream.ipv6),
        ("xdp.mode", old.xdp.mode != new.xdp.mode),
        ("xdp.interfaces", old.xdp.interfaces != new.xdp.interfaces),
        ("xdp.max_sources", old.xdp.max_sources != new.xdp.max_sources),
        ("xdp.max_replies", old.xdp.max_replies != new.xdp.max_replies),
        ("xdp.replies_on_veth", old.xdp.replies_on_veth != new.xdp.replies_on_veth),
        ("xdp.persist", old.xdp.persist != new.xdp.persist),
        ("xdp.directory", old.xdp.directory != new.xdp.directory),
        ("limits.max_sessions", old.limits.max_sessions != new.limits.max_sessions),
        ("journal.directory", old.journal.directory != new.journal.directory),
        ("journal.segment_size", old.journal.segment_size != new.journal.segment_size),
        ("journal.segment_age", old.journal.segment_age != new.journal.segment_age),
        ("journal.retention", old.journal.retention != new.journal.retention),
        ("journal.max_size", old.journal.max_size != new.journal.max_size),
        ("journal.reserve", old.journal.reserve != new.journal.reserve),
        ("journal.queue", old.journal.queue != new.journal.queue),
        ("sessions.max_tracked", old.sessions.max_tracked != new.sessions.max_tracked),
        ("sessions.reservation", old.sessions.reservation != new.sessions.reservation),
        ("sessions.short", old.sessions.short != new.sessions.short),
        ("sessions.customer_share", old.sessions.customer_share != new.sessions.customer_share),
        ("sessions.without_interims", old.sessions.without_interims != new.sessions.without_interims),
        ("registry", old.customers.registry() != new.customers.registry()),
        ("hosted.argon2_workers", old.hosted.argon2_workers != new.hosted.argon2_workers),
        ("hosted.argon2_queue", old.hosted.argon2_queue != new.hosted.argon2_queue),
        ("hosted.max_sessions", old.hosted.max_sessions != new.hosted.max_sessions),
        ("admin.address", old.admin != new.admin),
    ];
    let changed = changes.iter().filter(|(_, changed)| *changed);
    changed.map(|(key, _)| format!("{key}: a change takes effect at the next start")).collect()
}

/// What changes inside one customer.
fn inside(old: &Customer, new: &Customer) -> impl Iterator<Item = String> {
    let servers = |customer: &Customer| -> Vec<Server> {
        customer.proxies.iter().flat_map(|proxy| proxy.servers().chain(&proxy.copies).cloned()).collect()
    };
    // A customer that comes or goes is told of as such.
    let stays = !old.name.is_empty() && !new.name.is_empty();
    let policies = old.policies != new.policies && stays;
    let most = old.max_vpdn_sessions != new.max_vpdn_sessions && stays;
    let most = most.then(|| format!("max_vpdn_sessions is {}, was {}", new.max_vpdn_sessions, old.max_vpdn_sessions));
    let said = [
        ("title", old.title != new.title),
        ("mobile contracts", old.mobile != new.mobile),
        ("use of the private gateway", old.private_gateway != new.private_gateway),
        ("restrictions", old.restrictions != new.restrictions),
    ];
    let said = said.into_iter().filter(move |(_, changed)| *changed && stays);
    compare(&old.realms, &new.realms)
        .chain(policies.then(|| "policies of all clients changed".to_owned()))
        .chain(compare(&old.clients, &new.clients))
        .chain(compare(&old.dynauth, &new.dynauth))
        .chain(compare(&old.proxies, &new.proxies))
        .chain(compare(&servers(old), &servers(new)))
        .chain(most)
        .chain(compare(&old.groups, &new.groups))
        .chain(compare(&old.lnss, &new.lnss))
        .chain(compare(&old.vpdn, &new.vpdn))
        .chain(said.map(|(what, _)| format!("{what} changed")))
}

/// So many addresses of an access network, or LNSs of a contract, are told.
const SHOWN: usize = 3;

/// Something that keeps its name while it changes.
trait Thing {
    /// What it is.
    const NOUN: &str;

    /// Its name.
    fn name(&self) -> String;

    /// What is told beside the name.
    fn detail(&self) -> String {
        String::new()
    }

    /// Whether it has not changed in itself; what it contains is compared apart.
    fn same(&self, other: &Self) -> bool;
}

impl Thing for AccessNetwork {
    const NOUN: &str = "access network";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn detail(&self) -> String {
        let more = if self.addresses.len() > SHOWN { ", …" } else { "" };
        let shown: Vec<String> = self.addresses.iter().take(SHOWN).map(ToString::to_string).collect();
        format!(" ({}{more})", shown.join(", "))
    }

    fn same(&self, other: &AccessNetwork) -> bool {
        self == other
    }
}

impl Thing for Customer {
    const NOUN: &str = "customer";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn same(&self, _: &Customer) -> bool {
        true
    }
}

impl Thing for Realm {
    const NOUN: &str = "realm";

    fn name(&self) -> String {
        self.to_string()
    }

    fn same(&self, other: &Realm) -> bool {
        self.pattern == other.pattern
    }
}

impl Thing for Client {
    const NOUN: &str = "client";

    fn name(&self) -> String {
        self.contract.clone()
    }

    fn detail(&self) -> String {
        format!(" ({})", self.address)
    }

    fn same(&self, other: &Client) -> bool {
        self == other
    }
}

impl Thing for Proxy {
    const NOUN: &str = "proxy contract";

    fn name(&self) -> String {
        self.contract.clone()
    }

    fn same(&self, other: &Proxy) -> bool {
        // Servers are compared apart; what is a contract's own is which of them it has, and in which order.
        let outline = |proxy: &Proxy| Proxy {
            tiers: proxy.tiers.iter().map(|tier| Tier { pool: tier.pool, servers: vec![] }).collect(),
            copies: vec![],
            ..proxy.clone()
        };
        let names = |proxy: &Proxy| -> Vec<Vec<String>> {
            let tiers = proxy.tiers.iter().map(|tier| &tier.servers);
            let each = tiers.chain([&proxy.copies]);
            each.map(|servers| servers.iter().map(|server| server.name.clone()).collect()).collect()
        };
        outline(self) == outline(other) && names(self) == names(other)
    }
}

impl Thing for DynAuth {
    const NOUN: &str = "dynauth client";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn detail(&self) -> String {
        format!(" ({})", self.address)
    }

    fn same(&self, other: &DynAuth) -> bool {
        self == other
    }
}

impl Thing for Server {
    const NOUN: &str = "server";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn detail(&self) -> String {
        format!(" ({})", self.address)
    }

    fn same(&self, other: &Server) -> bool {
        self == other
    }
}

impl Thing for Lns {
    const NOUN: &str = "LNS";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn detail(&self) -> String {
        format!(" ({})", self.address)
    }

    fn same(&self, other: &Lns) -> bool {
        self == other
    }
}

impl Thing for Vpdn {
    const NOUN: &str = "vpdn contract";

    fn name(&self) -> String {
        self.contract.clone()
    }

    fn detail(&self) -> String {
        let more = if self.lnss().nth(SHOWN).is_some() { ", …" } else { "" };
        let shown: Vec<&str> = self.lnss().take(SHOWN).collect();
        format!(" ({}{more})", shown.join(", "))
    }

    fn same(&self, other: &Vpdn) -> bool {
        // LNSs are compared apart.
        self == other
    }
}

impl Thing for Group {
    const NOUN: &str = "group contract";

    fn name(&self) -> String {
        self.contract.clone()
    }

    fn detail(&self) -> String {
        format!(" ({} accounts)", self.accounts)
    }

    fn same(&self, other: &Group) -> bool {
        self == other
    }
}

/// One line for each thing that is in one of the two only, or is not the same in both.
fn compare<T: Thing>(old: &[T], new: &[T]) -> impl Iterator<Item = String> + use<T> {
    let by_name = |things| -> BTreeMap<String, &T> { <[T]>::iter(things).map(|thing| (thing.name(), thing)).collect() };
    let (before, after) = (by_name(old), by_name(new));
    let mut lines = Vec::new();
    for thing in old {
        match after.get(&thing.name()) {
            None => lines.push(format!("- {} {}{} removed", T::NOUN, thing.name(), thing.detail())),
            Some(other) if !thing.same(other) => {
                lines.push(format!("~ {} {}{} changed", T::NOUN, other.name(), other.detail()));
            }
            Some(_) => {}
        }
    }
    for thing in new.iter().filter(|thing| !before.contains_key(&thing.name())) {
        lines.push(format!("+ {} {}{} added", T::NOUN, thing.name(), thing.detail()));
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Lamp(&'static str, u32);

    impl Thing for Lamp {
        const NOUN: &str = "lamp";

        fn name(&self) -> String {
            self.0.to_owned()
        }

        fn detail(&self) -> String {
            format!(" ({})", self.1)
        }

        fn same(&self, other: &Lamp) -> bool {
            self.1 == other.1
        }
    }

    #[test]
    fn what_comes_goes_and_changes_is_told_and_what_stays_is_not() {
        let old = [Lamp("hall", 1), Lamp("attic", 2), Lamp("yard", 3)];
        let new = [Lamp("yard", 3), Lamp("attic", 5), Lamp("porch", 4)];
        let lines: Vec<String> = compare(&old, &new).collect();
        assert_eq!(lines, ["- lamp hall (1) removed", "~ lamp attic (5) changed", "+ lamp porch (4) added"]);
    }
}
