//! Art. 7(1): an accepted contract's number of accounts changes by an accepted change, and by nothing else \[C\].

use crate::{
    book::Book,
    refusal::{Refusal, Rule},
    terms::Kind,
};

/// Numbers in the customer's new documents that no accepted change makes so.
pub(super) fn check(book: &Book, customer: &str, recorded: u64) -> Vec<Refusal> {
    let Some(documents) = book.customer(customer) else { return Vec::new() };
    let new = documents.documents.iter().filter(|document| document.number > recorded);
    let said = new.flat_map(|document| document.terms.contracts.iter().map(|terms| (document.from, terms)));
    let differs = said.filter_map(|(from, terms)| {
        let Kind::Group { accounts } = terms.kind else { return None };
        let contract = book.contract(&terms.contract).filter(|contract| contract.customer == *customer)?;
        let lives = contract.accepted.is_some() && contract.last_day().is_none_or(|last| last >= from);
        let agreed = contract.accounts_on(from).filter(|agreed| lives && *agreed != accounts)?;
        let message =
            format!("the document from {from} on says {accounts} accounts, and {agreed} are agreed for that day");
        let remedy = format!(
            "accept the change from {agreed} to {accounts} as of that day in the same command, or say {agreed}"
        );
        Some(Refusal::new(Rule::Accounts, "Art. 7(1)", &contract.name, message, remedy))
    });
    differs.collect()
}
