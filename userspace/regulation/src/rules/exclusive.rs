//! Art. 6: proxy and group are not used at the same time.

use super::Violation;
use crate::{
    book::Book,
    contract::Contract,
    period::Period,
    refusal::{Refusal, Rule},
    terms::{Kind, Verify},
};

/// A contract, or the part of a vpdn contract's life in which it verifies by one kind, as a use of that kind.
struct Use<'a> {
    contract: &'a Contract,
    /// The days of use, if its first day is known: an application for which it is not may begin on any day, and goes on from there.
    days: Option<Period>,
}

/// Days on which a customer would use both.
pub(super) fn violations(book: &Book, customer: &str) -> Vec<Violation> {
    let (mut proxies, mut groups) = (Vec::new(), Vec::new());
    for contract in book.contracts_of(customer) {
        for (verify, used) in uses(contract) {
            match verify {
                Verify::Proxy => proxies.push(used),
                Verify::Group => groups.push(used),
                Verify::Realm => {}
            }
        }
    }
    let both = proxies.iter().flat_map(|proxy| groups.iter().filter_map(|group| at_once(proxy, group)));
    both.collect()
}

fn uses(contract: &Contract) -> Vec<(Verify, Use<'_>)> {
    let kind = |kind: &Kind| match kind {
        Kind::Proxy => Some(Verify::Proxy),
        Kind::Group { .. } => Some(Verify::Group),
        Kind::Vpdn { verify, .. } => Some(*verify),
        Kind::Client => None,
    };
    let Some(used) = contract.used() else {
        // It may yet begin, unless it is over; it will be then what its newest terms say.
        let open = contract.last_day().is_none();
        let newest = contract.kind().and_then(kind).filter(|_| open);
        return newest.map(|verify| (verify, Use { contract, days: None })).into_iter().collect();
    };
    let agreed = contract.agreed().filter_map(|(days, terms)| Some((kind(&terms.kind)?, days.overlap(&used)?)));
    agreed.map(|(verify, days)| (verify, Use { contract, days: Some(days) })).collect()
}

fn at_once(proxy: &Use<'_>, group: &Use<'_>) -> Option<Violation> {
    let days = match (proxy.days, group.days) {
        (Some(proxy), Some(group)) => proxy.overlap(&group)?,
        // Beside one that ends, an application without a first day can still begin after it.
        (Some(days), None) | (None, Some(days)) if days.until.is_some() => return None,
        (Some(days), None) | (None, Some(days)) => days,
        (None, None) => proxy.contract.standing()?.overlap(&group.contract.standing()?)?,
    };
    let (later, other) = match (proxy.days, group.days) {
        (None, Some(_)) => (proxy, group),
        (Some(proxys), Some(groups)) if groups.from < proxys.from => (proxy, group),
        _ => (group, proxy),
    };
    let (name, other) = (&later.contract.name, &other.contract.name);
    let message = format!("proxy and group would be used at the same time, with contract {other}, {days}");
    let remedy = format!("end {other} first, by cancelling or withdrawing it, and let {name} begin after its last day");
    let refusal = Refusal::new(Rule::Exclusive, "Art. 6", name, message, remedy);
    Some(Violation { days, with: other.clone(), refusal })
}
