//! Names of customers, contracts and servers, and whether contracts can be served (Art. 5.1).

use super::{
    Claim, once,
    vpdn::{networks, verifies_by},
};
use crate::{
    access::AccessNetwork,
    customer::{PoolType, Strip},
    finding::{Problem, Report},
    read::{
        customer::{CustomerDraft, ProxyDraft},
        node::NodeDraft,
    },
    value::show_duration,
};

/// Checks names over all documents, and each sound document for what it lacks.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    let named = customers.iter().filter(|customer| !customer.name.is_empty());
    once(
        named.map(|customer| Claim { what: customer.name.as_str(), site: &customer.site, key: "name" }),
        report,
        |name, other| {
            let message = format!("{name:?} is another customer's name, at {other}");
            Problem::new(message, "Give each customer one document and one name.")
        },
    );
    let contracts = customers.iter().flat_map(|customer| {
        let clients = customer.clients.iter().map(|client| (client.value.contract.as_str(), &client.site));
        let clients = clients.map(|(what, site)| Claim { what, site, key: "contract" });
        let proxies = customer.proxies.iter();
        let proxies =
            proxies.map(|draft| Claim { what: draft.proxy.contract.as_str(), site: &draft.site, key: "contract" });
        let groups = customer.groups.iter();
        let groups =
            groups.map(|draft| Claim { what: draft.value.contract.as_str(), site: &draft.site, key: "contract" });
        let dynauth = customer.dynauth.iter();
        let dynauth = dynauth.map(|draft| Claim { what: draft.value.name.as_str(), site: &draft.site, key: "name" });
        let vpdn = customer.vpdn.iter();
        let vpdn = vpdn.map(|draft| Claim { what: draft.vpdn.contract.as_str(), site: &draft.site, key: "contract" });
        clients.chain(proxies).chain(groups).chain(dynauth).chain(vpdn)
    });
    let networks = draft.access_networks.iter();
    let networks = networks.map(|it| Claim { what: it.value.name.as_str(), site: &it.site, key: "name" });
    once(networks.chain(contracts), report, |name, other| {
        let network = draft.access_networks.iter().any(|it| it.value.name == *name);
        let whose = if network { "an access network's" } else { "another contract's" };
        let message = format!("{name:?} is {whose} name, at {other}");
        Problem::new(message, "Give each contract a name of its own in the whole node.")
    });
    for customer in customers {
        let servers = customer.proxies.iter().flat_map(ProxyDraft::peers);
        once(
            servers.map(|(server, site)| Claim { what: server.name.as_str(), site, key: "name" }),
            report,
            |name, other| {
                let message = format!("{name:?} is another server of this customer, at {other}");
                Problem::new(message, "Give each server a name of its own.")
            },
        );
    }
    for customer in customers.iter().filter(|customer| customer.sound) {
        for proxy in &customer.proxies {
            fail_over_in_time(proxy, customer, draft, report);
            both_kinds(proxy, report);
            weights(proxy, report);
            strips(proxy, customer, draft, report);
        }
    }
}

/// Warns of a contract without any server for authentication, or any for accounting.
fn both_kinds(draft: &ProxyDraft, report: &Report) {
    let servers = || draft.proxy.servers();
    let lacks = [
        ("auth", "authentication is rejected", servers().all(|server| server.ports.auth().is_none())),
        ("accounting", "accounting gets no answer", servers().all(|server| server.ports.accounting().is_none())),
    ];
    for (key, outcome, _) in lacks.into_iter().filter(|(_, _, lacking)| *lacking) {
        let message = format!("no server of the contract has a port `{key}`, so {outcome}");
        let problem = Problem::new(message, format!("Give `{key}` at one of its servers, where that is not meant."));
        report.warn(draft.site.finding("server", problem));
    }
}

/// Warns of a weight where servers are not weighed.
fn weights(draft: &ProxyDraft, report: &Report) {
    let pools = draft.proxy.tiers.iter().flat_map(|tier| tier.servers.iter().map(|_| tier.pool));
    for ((server, site), _) in draft.servers().zip(pools).filter(|(_, pool)| *pool == PoolType::FailOver) {
        if server.weight != 1 {
            let remedy = "Take it out, or choose a `type` that balances.";
            report.warn(site.finding("weight", Problem::new("means nothing with `type = \"fail-over\"`", remedy)));
        }
    }
}

/// Warns of a carrier's suffix to be taken off that nobody has who asks.
fn strips(proxy: &ProxyDraft, customer: &CustomerDraft, draft: &NodeDraft, report: &Report) {
    let mut clients = customer.clients.iter();
    let of_network = asking(proxy, customer, draft).any(|network| network.lookup.outer_suffix.is_some());
    if proxy.proxy.strip == Strip::Outer && clients.all(|it| it.value.outer_suffix.is_none()) && !of_network {
        let message = "no terminal of this customer has an `outer_suffix`, so nothing is taken off";
        let problem = Problem::new(message, "Give it at the [[client]], or take this key out.");
        report.warn(proxy.site.finding("strip", problem));
    }
}

/// Warns of a server that who asks cannot be moved away from before having stopped waiting.
fn fail_over_in_time(proxy: &ProxyDraft, customer: &CustomerDraft, draft: &NodeDraft, report: &Report) {
    let clients = customer.clients.iter().map(|it| (it.value.answer_within, "a client of this customer", "client"));
    let networks = asking(proxy, customer, draft);
    let networks = networks.map(|it| (it.answer_within, "an access network", "access network"));
    let Some((patience, who, each)) = clients.chain(networks).min_by_key(|(patience, ..)| *patience) else { return };
    if proxy.servers.len() < 2 {
        return;
    }
    for (server, site) in proxy.servers().filter(|(server, _)| server.response_window >= patience) {
        let message = format!(
            "{} is as long as {who} waits ({}), so a request never fails over in time",
            show_duration(server.response_window),
            show_duration(patience),
        );
        let remedy = format!("Make it shorter than every {each}'s `answer_within`.");
        report.warn(site.finding("response_window", Problem::new(message, remedy)));
    }
}

/// The access networks whose logins a contract verifies.
fn asking<'a>(
    proxy: &'a ProxyDraft,
    customer: &'a CustomerDraft,
    draft: &'a NodeDraft,
) -> impl Iterator<Item = &'a AccessNetwork> {
    let verifying = customer.vpdn.iter().filter(move |vpdn| verifies_by(vpdn, proxy));
    verifying.flat_map(move |vpdn| networks(draft, vpdn)).map(|network| &network.value)
}
