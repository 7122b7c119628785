//! Art. 14.3, 14.4: items I and K do not go with the large-scale private gateway.

use jiff::civil::Date;

use super::Violation;
use crate::{
    book::Book,
    refusal::{Refusal, Rule},
    terms::Item,
};

/// Days from today on, on which a customer would have both.
pub(super) fn violations(book: &Book, customer: &str, today: Date) -> Vec<Violation> {
    let Some(documents) = book.customer(customer) else { return Vec::new() };
    let barred: Vec<_> = book
        .contracts_of(customer)
        .filter_map(|contract| {
            let item = contract.kind()?.item().filter(|item| *item != Item::D)?;
            Some((contract, item, contract.standing()?))
        })
        .collect();
    if barred.is_empty() {
        return Vec::new();
    }
    let with_gateway = documents.documents_from(today).filter(|(_, document)| document.terms.private_gateway);
    let days: Vec<_> = with_gateway.map(|(days, _)| days).collect();
    let mut violations = Vec::new();
    for (contract, item, standing) in barred {
        violations.extend(days.iter().filter_map(|days| days.overlap(&standing)).map(|days| Violation {
            days,
            with: String::new(),
            refusal: refusal(&contract.name, item, &format!("the document has it {days}")),
        }));
    }
    violations
}

/// That a contract of item I or K does not go with the gateway.
pub(crate) fn refusal(contract: &str, item: Item, when: &str) -> Refusal {
    let article = match item {
        Item::K => "Art. 14.4",
        Item::I | Item::D => "Art. 14.3",
    };
    let message = format!("a vpdn of type {item} does not go with the large-scale private gateway, and {when}");
    let remedy = "give up the gateway, or let it begin after the contract's last day";
    Refusal::new(Rule::PrivateGateway, article, contract, message, remedy)
}
