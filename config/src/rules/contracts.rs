//! Names of customers, contracts and servers, and whether contracts can be served (Art. 5.1).

use super::{Claim, once};
use crate::{
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
        let dynauth = customer.dynauth.iter();
        let dynauth = dynauth.map(|draft| Claim { what: draft.value.name.as_str(), site: &draft.site, key: "name" });
        clients.chain(proxies).chain(dynauth)
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
        fail_over_in_time(customer, report);
        for draft in &customer.proxies {
            both_kinds(draft, report);
            weights(draft, report);
            strips(draft, customer, report);
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

/// Warns of a carrier's suffix to be taken off that no terminal has.
fn strips(draft: &ProxyDraft, customer: &CustomerDraft, report: &Report) {
    let mut clients = customer.clients.iter();
    if draft.proxy.strip == Strip::Outer && clients.all(|client| client.value.outer_suffix.is_none()) {
        let message = "no terminal of this customer has an `outer_suffix`, so nothing is taken off";
        let problem = Problem::new(message, "Give it at the [[client]], or take this key out.");
        report.warn(draft.site.finding("strip", problem));
    }
}

/// Warns of a server that a client cannot be moved away from before it has stopped waiting.
fn fail_over_in_time(customer: &CustomerDraft, report: &Report) {
    let Some(patience) = customer.clients.iter().map(|client| client.value.answer_within).min() else { return };
    for draft in customer.proxies.iter().filter(|draft| draft.servers.len() > 1) {
        for (server, site) in draft.servers() {
            if server.response_window >= patience {
                let message = format!(
                    "{} is as long as a client of this customer waits ({}), so a request never fails over in time",
                    show_duration(server.response_window),
                    show_duration(patience),
                );
                let remedy = "Make it shorter than every client's `answer_within`.";
                report.warn(site.finding("response_window", Problem::new(message, remedy)));
            }
        }
    }
}
