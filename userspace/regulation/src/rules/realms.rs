//! Art. 5.6(1): a realm is of one customer at a time \[C\].

use std::collections::BTreeSet;

use crate::{
    book::Book,
    contract::Contract,
    period::Period,
    refusal::{Refusal, Rule},
};

/// Realms of the customer's new documents that are another customer's on one of the same days.
pub(super) fn check(book: &Book, customer: &str, recorded: u64) -> Vec<Refusal> {
    let Some(documents) = book.customer(customer) else { return Vec::new() };
    let new = documents.documents.iter().rev().take_while(|document| document.number > recorded);
    let contracts: BTreeSet<&str> =
        new.flat_map(|document| &document.terms.contracts).map(|terms| &*terms.contract).collect();
    let mut refusals = Vec::new();
    for contract in contracts.into_iter().filter_map(|name| book.contract(name)) {
        let realms: BTreeSet<&String> = contract.agreed().flat_map(|(_, terms)| &terms.realms).collect();
        for realm in realms {
            let mine = held(contract, realm);
            let others = book.contracts_naming(realm).filter(|other| other.customer != *customer);
            let taken = others
                .flat_map(|other| held(other, realm))
                .filter_map(|days| mine.iter().filter_map(|mine| mine.overlap(&days)).min());
            refusals.extend(taken.min().map(|days| another(contract, realm, days)));
        }
    }
    refusals
}

/// The days on which a contract holds a realm.
fn held(contract: &Contract, realm: &str) -> Vec<Period> {
    let naming = contract.agreed().filter(|(_, terms)| terms.realms.iter().any(|name| name == realm));
    naming.map(|(days, _)| days).collect()
}

/// Whose the realm is, is not said: customers do not learn of one another.
fn another(contract: &Contract, realm: &str, days: Period) -> Refusal {
    let message = format!("realm {realm} is another customer's {days}");
    let remedy = "name a realm of this customer, or apply from a day on which it is free";
    Refusal::new(Rule::Realm, "Art. 5.6(1)", &contract.name, message, remedy)
}
