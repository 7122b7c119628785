//! A customer's document: what it may say by itself, and what it may not leave out.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Now;
use crate::{
    contract::Contract,
    refusal::{Refusal, Rule},
    terms::{ContractTerms, Item, Kind, Terms},
};

impl Now<'_> {
    /// All that speaks against a document from `from` on, contract by contract in its order, then what it leaves out.
    pub(super) fn document(&self, from: Date, applied: Option<Date>, terms: &Terms) -> Vec<Refusal> {
        let mut refusals: Vec<Refusal> = match applied {
            None => self.not_past(from).err().into_iter().collect(),
            Some(applied) => self.back_dated(applied, from, terms).into_iter().collect(),
        };
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for contract in &terms.contracts {
            let name = &contract.contract;
            if !seen.insert(name) {
                let message = "the document has it twice";
                refusals.push(Refusal::new(
                    Rule::Names,
                    "Art. 4",
                    name,
                    message,
                    "give each contract a name of its own",
                ));
                continue;
            }
            let known = self.book.contract(name);
            if known.is_some_and(|known| known.customer != terms.customer) {
                // Whose it is, is none of this customer's business.
                let message = "the name is, or was, another customer's";
                refusals.push(Refusal::new(Rule::Names, "Art. 4", name, message, "choose another name"));
                continue;
            }
            refusals.extend(known.and_then(|known| other_kind(known, contract)));
            // What a document still says of a contract that is over has no effect.
            if known.and_then(Contract::last_day).is_none_or(|last| last >= from) {
                refusals.extend(accounts(contract));
                refusals.extend(option_of(contract));
                refusals.extend(lnss(known, from, contract));
                refusals.extend(known.and_then(|known| option_left_out(known, from, contract)));
                refusals.extend(
                    contract.kind.item().and_then(|item| self.mobile(item, known.is_some(), from, name, terms)),
                );
            }
        }
        refusals.extend(self.left_out(from, terms, &seen));
        refusals
    }

    /// A document of contracts that are older than the registry.
    fn back_dated(&self, applied: Date, from: Date, terms: &Terms) -> Option<Refusal> {
        let refuse = |message: String, remedy: &str| Some(Refusal::general(Rule::Life, "Art. 10", message, remedy));
        if self.book.customer(&terms.customer).is_some() {
            let message = format!("{} has a document already, and what has been in force stays so", terms.customer);
            return refuse(message, "apply it from today on; only a customer's first document is back-dated");
        }
        if applied > self.today {
            let message = format!("its applications are said to have arrived on {applied}, which is still to come");
            return refuse(message, "give the day on which they did");
        }
        if from < applied {
            let message = format!("it is to be in force from {from} on, before {applied}, when it was applied for");
            return refuse(message, "let it begin on that day or later");
        }
        None
    }

    /// Eligibility when it is applied for: a mobile contract of the right type that has not ended. Later it may end, and stays listed.
    fn mobile(&self, item: Item, known: bool, from: Date, name: &str, terms: &Terms) -> Option<Refusal> {
        let mut right = terms.mobile_for(item);
        let listed = right.any(|days| known || days.until.is_none_or(|until| until >= from));
        (!listed).then(|| {
            let classes = item.classes().join(", ");
            let message = format!("the document has no mobile contract of type {item} ({classes}) for it");
            let remedy = if known {
                "keep the mobile contract in the document, with its last day as `until`"
            } else {
                "add the customer's mobile contract to the document, or leave this contract out"
            };
            Refusal::new(Rule::Eligibility, item.article(), name, message, remedy)
        })
    }

    fn left_out(&self, from: Date, terms: &Terms, said: &BTreeSet<&str>) -> Vec<Refusal> {
        let left_out = self.book.contracts_of(&terms.customer).filter(|contract| !said.contains(&*contract.name));
        left_out.filter_map(|contract| self.must_stand(contract, from)).collect()
    }

    fn must_stand(&self, contract: &Contract, from: Date) -> Option<Refusal> {
        let remedy = match contract.last_day() {
            Some(last) if last < from => return None,
            Some(last) => format!("leave it in, or apply the document from the day after {last} on"),
            None => match contract.billing_start {
                Some(start) if start <= self.today => "leave it in, or cancel it first".to_owned(),
                _ => "leave it in, or withdraw it first".to_owned(),
            },
        };
        let message = format!("the document from {from} on leaves it out, and it is not over by then");
        Some(Refusal::new(Rule::Missing, "Art. 9", &contract.name, message, remedy))
    }
}

fn other_kind(known: &Contract, terms: &ContractTerms) -> Option<Refusal> {
    let (was, is) = (known.kind()?, &terms.kind);
    let same = std::mem::discriminant(was) == std::mem::discriminant(is) && was.item() == is.item();
    (!same).then(|| {
        let message = format!("it was applied for as {}, and the document says {}", was, is);
        let remedy = "apply for another contract under a name of its own, and end this one";
        Refusal::new(Rule::OneKind, "Art. 4", &terms.contract, message, remedy)
    })
}

fn accounts(terms: &ContractTerms) -> Option<Refusal> {
    matches!(terms.kind, Kind::Group { accounts: 0 }).then(|| {
        let message = "it is for no account at all";
        Refusal::new(Rule::Accounts, "Art. 7(1)", &terms.contract, message, "name one account or more")
    })
}

fn option_of(terms: &ContractTerms) -> Option<Refusal> {
    let fits = terms.option.is_none() || matches!(terms.kind, Kind::Vpdn { .. });
    (!fits).then(|| {
        let message = format!("it is a {} contract with the load-balancing option", terms.kind);
        Refusal::new(
            Rule::LoadBalancing,
            "Art. 8.2",
            &terms.contract,
            message,
            "take the option out: it is for vpdn only",
        )
    })
}

/// Several LNSs are what the option is for; without it there is exactly one \[C\].
fn lnss(known: Option<&Contract>, from: Date, terms: &ContractTerms) -> Option<Refusal> {
    let Kind::Vpdn { lnss, .. } = &terms.kind else { return None };
    let number = lnss.iter().collect::<BTreeSet<_>>().len();
    let refuse = |article, message: String, remedy: String| {
        Some(Refusal::new(Rule::LoadBalancing, article, &terms.contract, message, remedy))
    };
    if number == 0 {
        return refuse("Art. 5.6(3)", "it leads to no LNS".to_owned(), "name its LNS".to_owned());
    }
    if number == 1 {
        return None;
    }
    if terms.option.is_none() {
        return refuse(
            "Art. 8.2",
            format!("it leads to {number} LNSs without the load-balancing option"),
            "name one LNS, or add the option".to_owned(),
        );
    }
    // The option has ended, and its document goes on as before: what remains is named by the notice.
    let known = known?;
    let option = known.options.last().filter(|option| option.goes_on_in(from, had_option(known, from)))?;
    let survivor = option.survivor.as_ref()?;
    if lnss.contains(survivor) {
        return None;
    }
    refuse(
        "Art. 8.4",
        format!("its option was cancelled, {survivor} is to remain, and the document from {from} on leaves it out"),
        format!("keep {survivor}, or name one LNS without the option"),
    )
}

/// Whether the document before one from `from` on has the option.
fn had_option(known: &Contract, from: Date) -> bool {
    let before = known.terms.iter().take_while(|agreed| agreed.from < from);
    before.last().is_some_and(|agreed| agreed.terms.option.is_some())
}

fn option_left_out(known: &Contract, from: Date, terms: &ContractTerms) -> Option<Refusal> {
    let option = known.options.last().filter(|_| terms.option.is_none())?;
    option.billing_start?;
    let remedy = match option.end {
        Some(end) if end.on < from => return None,
        Some(end) => format!("leave it in, or apply the document from the day after {} on", end.on),
        None => "leave it in, or cancel the option first, naming the LNS that remains".to_owned(),
    };
    let message = format!("the document from {from} on leaves its option out, and that has not ended by then");
    Some(Refusal::new(Rule::LoadBalancing, "Art. 8.4", &terms.contract, message, remedy))
}
