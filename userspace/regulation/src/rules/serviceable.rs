//! Art. 5.1: a proxy or group has a client, and a client something to ask for; and `verify` leads somewhere.

use super::Violation;
use crate::{
    book::Book,
    contract::Contract,
    period::{self, Period},
    refusal::{Refusal, Rule},
    terms::{Kind, Verify},
};

/// A customer's contracts that stand at all, by what they are to Art. 5.1, each with its days.
#[derive(Default)]
struct Standing<'a> {
    clients: Vec<(&'a Contract, Period)>,
    proxies: Vec<(&'a Contract, Period)>,
    groups: Vec<(&'a Contract, Period)>,
    vpdns: Vec<(&'a Contract, Period)>,
    by_proxy: Vec<(&'a Contract, Period)>,
    by_group: Vec<(&'a Contract, Period)>,
}

/// Days on which a proxy or group stands without a client, and on which a vpdn verifies by a kind that does not stand.
pub(super) fn violations(book: &Book, customer: &str) -> Vec<Violation> {
    let standing = standing(book, customer);
    let clients = days(&standing.clients);
    let mut violations = Vec::new();
    for (asked, verifying) in [(&standing.proxies, &standing.by_proxy), (&standing.groups, &standing.by_group)] {
        let enough: Vec<Period> = clients.iter().copied().chain(days(verifying)).collect();
        for (contract, days) in asked {
            let lacking = days.without(&enough).into_iter();
            violations.extend(lacking.map(|days| without_client(contract, days, &standing.clients)));
        }
    }
    for (kind, verifying, verifiers) in
        [("proxy", &standing.by_proxy, &standing.proxies), ("group", &standing.by_group, &standing.groups)]
    {
        let verifiers = days(verifiers);
        for (contract, days) in verifying {
            violations.extend(days.without(&verifiers).into_iter().map(|days| without_verifier(contract, kind, days)));
        }
    }
    violations
}

/// Clients that are applied for, and have nothing to ask for on any of their days. One whose proxy or group ends later may remain \[C\].
pub(super) fn clients_alone(before: &Book, after: &Book, customer: &str) -> Vec<Refusal> {
    let standing = standing(after, customer);
    let served = [&standing.proxies, &standing.groups, &standing.vpdns];
    let served: Vec<Period> = served.into_iter().flat_map(days).collect();
    let new = standing.clients.iter().filter(|(client, _)| before.contract(&client.name).is_none());
    let alone = new.filter(|(_, days)| !served.iter().any(|served| served.overlap(days).is_some()));
    let refusal = |(client, _): &(&Contract, Period)| {
        let message = "its customer has no group or proxy contract that it could ask for, and no vpdn";
        let remedy = "apply for a group or proxy contract in the same document";
        Refusal::new(Rule::Serviceable, "Art. 5.1", &client.name, message, remedy)
    };
    alone.map(refusal).collect()
}

fn standing<'a>(book: &'a Book, customer: &str) -> Standing<'a> {
    let mut standing = Standing::default();
    for contract in book.contracts_of(customer) {
        let (Some(days), Some(kind)) = (contract.standing(), contract.kind()) else { continue };
        match kind {
            Kind::Client => standing.clients.push((contract, days)),
            Kind::Proxy => standing.proxies.push((contract, days)),
            Kind::Group { .. } => standing.groups.push((contract, days)),
            Kind::Vpdn { .. } => standing.vpdns.push((contract, days)),
        }
        for (days, terms) in contract.agreed() {
            match terms.kind.verify() {
                Some(Verify::Proxy) => standing.by_proxy.push((contract, days)),
                Some(Verify::Group) => standing.by_group.push((contract, days)),
                Some(Verify::Realm) | None => {}
            }
        }
    }
    standing
}

fn days(contracts: &Vec<(&Contract, Period)>) -> Vec<Period> {
    contracts.iter().map(|(_, days)| *days).collect()
}

fn without_client(contract: &Contract, days: Period, clients: &[(&Contract, Period)]) -> Violation {
    let last = clients.iter().find(|(_, client)| client.until.and_then(period::after) == Some(days.from));
    let last = last.map(|(client, _)| format!(", after {}, the last of them", client.name)).unwrap_or_default();
    let message = format!("it would stand without any client contract of its customer {days}{last}");
    let remedy = format!("apply for a client for these days, or end {} too in the same command", contract.name);
    let refusal = Refusal::new(Rule::Serviceable, "Art. 5.1", &contract.name, message, remedy);
    Violation { days, with: String::new(), refusal }
}

fn without_verifier(contract: &Contract, kind: &str, days: Period) -> Violation {
    let message = format!("it verifies by {kind}, and would stand without a {kind} contract of its customer {days}");
    let remedy =
        format!("apply for a {kind} contract for these days, set another verify, or end it too in the same command");
    let refusal = Refusal::new(Rule::Verification, "Art. 1", &contract.name, message, remedy);
    Violation { days, with: String::new(), refusal }
}
