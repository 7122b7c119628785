//! Documents on their way into the registry: what they change, and whether that may be.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use sekisho_config::{Contradiction, Customer, Kind as DocumentKind, Text, Warning, kind_of};
use sekisho_regulation::{
    Book, Event, InForce,
    terms::{Kind, Terms},
};
use zeroize::Zeroizing;

use super::{
    desk::{Author, Desk, DeskError, Proposal, numbers},
    papers::{Papers, called},
};
use crate::changes;

/// A document to be applied, and where it was read.
pub struct File {
    /// What messages call it.
    pub name: String,
    /// What it says.
    pub text: Zeroizing<String>,
}

/// What applying documents comes to.
pub struct Applied {
    /// To be recorded; empty where nothing changes.
    pub proposal: Proposal,
    /// The difference, a line each.
    pub lines: Vec<String>,
    /// What works, and should be known.
    pub warnings: Vec<Warning>,
}

/// Makes a proposal of documents that are to be in force from a day on.
///
/// # Errors
///
/// Every fault of the documents, alone and beside those in force on that day and after it; every rule that stands against them.
pub async fn apply(
    desk: &mut Desk,
    files: &[File],
    (from, applied_on): (Date, Option<Date>),
    author: &Author,
) -> Result<Applied, DeskError> {
    let at = desk.book.midnight(from).max(desk.now);
    let before = desk.papers_at(at).await?;
    let mut after = before.clone();
    let mut applied: Vec<(Option<String>, &File)> = Vec::new();
    for file in files {
        let of = match kind_of(&Text { name: file.name.clone(), text: file.text.clone() })? {
            DocumentKind::Customer(name) => Some(name),
            DocumentKind::Operator => None,
        };
        if applied.iter().any(|(other, _)| *other == of) {
            let whose = of.as_deref().unwrap_or("the operator");
            return Err(DeskError::Words(format!(
                "{}: another file is a document of {whose} as well: give one",
                file.name
            )));
        }
        after.set(of.as_deref(), &file.name, file.text.clone());
        applied.push((of, file));
    }
    let (old_node, old, _) = desk.load(&before)?;
    let (new_node, new, warnings) = desk.load(&after)?;
    let mut proposal = Proposal::default();
    let mut lines = Vec::new();
    for (of, file) in applied {
        // Also the document that is in force takes the place of those planned behind it.
        let planned = desk.book.planned_after(from, of.as_deref());
        if planned.is_none() && before.text(of.as_deref()).is_some_and(|text| *text == *file.text) {
            continue;
        }
        match &of {
            None => {
                proposal.events.push(Event::Operator { from });
                lines.extend(changes::of_networks(&old_node, &new_node));
            }
            Some(name) => {
                let none = Customer::default();
                let find = |all: &[Customer]| all.iter().find(|customer| customer.name == *name).cloned();
                let (was, is) = (find(&old).unwrap_or_else(|| none.clone()), find(&new).unwrap_or(none));
                let terms = is.terms();
                lines.extend(changes::of_customer(&was, &is).into_iter().map(|line| format!("{name}: {line}")));
                lines.extend(contracts(&desk.book, &terms).map(|line| format!("{name}: {line}")));
                changed(desk, &was.terms(), &terms, from, &mut proposal, &mut lines);
                proposal.events.push(Event::Document { from, applied: applied_on, terms });
            }
        }
        if let Some(day) = planned {
            let whose = of.as_deref().unwrap_or("the operator");
            lines.push(format!("{whose}: what was planned from {day} on is taken back"));
        }
        proposal.documents.push((proposal.events.len() - 1, of, file.text.clone()));
    }
    let book = desk.admit(&proposal.events, author)?;
    later(desk, &book, &after, &proposal, at).await?;
    if proposal.events.is_empty() {
        lines.clear();
    }
    Ok(Applied { proposal, lines, warnings })
}

/// Contracts that are new to the registry: the customer thereby applies for them.
fn contracts<'a>(book: &'a Book, terms: &'a Terms) -> impl Iterator<Item = String> + 'a {
    let new = terms.contracts.iter().filter(|contract| book.contract(&contract.contract).is_none());
    new.map(|contract| format!("{} is applied for: accept or reject it", contract.contract))
}

/// Changes of the contracts' content (Art. 7), each of which is one fee; and how many accounts there may be then.
fn changed(desk: &Desk, was: &Terms, is: &Terms, from: Date, proposal: &mut Proposal, lines: &mut Vec<String>) {
    let accounts = |kind: &Kind| match kind {
        Kind::Group { accounts } => Some(*accounts),
        _ => None,
    };
    for contract in &is.contracts {
        let Some(new) = accounts(&contract.kind) else { continue };
        let accepted = desk.book.contract(&contract.contract).filter(|it| it.accepted.is_some());
        let old = match accepted {
            // What a document still says of a contract that is over has no effect.
            Some(it) if it.last_day().is_some_and(|last| last < from) => None,
            Some(it) => it.accounts_on(from),
            None => was.contracts.iter().find(|it| it.contract == contract.contract).and_then(|it| accounts(&it.kind)),
        };
        let Some(old) = old.filter(|old| *old != new) else { continue };
        proposal.account_limits.insert(contract.contract.clone(), new);
        // What has only been applied for is applied for otherwise, and costs nothing.
        let Some(accepted) = accepted else { continue };
        let on = desk.today();
        proposal.events.push(Event::Changed { contract: contract.contract.clone(), on, from, accounts: (old, new) });
        let stays = accepted.terms.first().is_some_and(|first| from > on && from > first.from);
        // The fee is the one agreed for today, the day of acceptance.
        let fee = accepted.terms_on(on).filter(|_| stays).map_or(contract.fees.change, |terms| terms.fees.change);
        lines.push(format!(
            "{}: {new} accounts from {from}, {old} before: one change (Art. 7(1)), {fee} yen",
            contract.contract
        ));
    }
}

/// The entry numbers of documents, by whose they are.
type Numbers = BTreeMap<Option<String>, u64>;

/// Looks at every later day on which other documents come into force, or other contracts are served: they have to fit together then, too.
async fn later(
    desk: &mut Desk,
    book: &Book,
    after: &Papers,
    proposal: &Proposal,
    mut at: Timestamp,
) -> Result<(), DeskError> {
    let first = desk.seen + 1;
    let new: BTreeMap<u64, &Zeroizing<String>> =
        proposal.documents.iter().map(|(index, _, text)| (first + *index as u64, text)).collect();
    // Who is served changes on more days than documents do, and these are read once.
    let mut read: Option<(Numbers, Vec<Customer>)> = None;
    loop {
        let in_force = book.in_force(at);
        let documents: Numbers = numbers(&in_force).map(|(of, number)| (of.map(str::to_owned), number)).collect();
        let customers = match read {
            Some((before, customers)) if before == documents => customers,
            _ => {
                let mut papers = Papers::default();
                for (of, number) in &documents {
                    let of = of.as_deref();
                    match new.get(number) {
                        Some(text) => papers.set(of, after.name(of).unwrap_or_default(), (*text).clone()),
                        None => papers.set(of, &called(of, *number), desk.text(*number).await?),
                    }
                }
                let (_, customers, _) = desk.load(&papers)?;
                customers
            }
        };
        served(&in_force, &customers).map_err(|why| {
            let day = book.day(at);
            DeskError::Words(format!("as of {day}: {why}"))
        })?;
        read = Some((documents, customers));
        match book.next_change(at) {
            Some(next) => at = next,
            None => return Ok(()),
        }
    }
}

/// Customers with what is served of them.
///
/// # Errors
///
/// Two contracts that would answer for one realm, or a surviving LNS that the contract does not have.
pub fn served(in_force: &InForce, customers: &[Customer]) -> Result<Vec<Customer>, Contradiction> {
    let standing = |contract: &str| in_force.contracts.get(contract);
    let is_served = |contract: &str| standing(contract).is_some_and(|standing| standing.served);
    let survivor = |contract: &str| standing(contract)?.option.as_ref()?.survivor.clone();
    customers.iter().map(|customer| customer.only(&is_served, &survivor)).collect()
}
