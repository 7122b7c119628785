//! What each entry does to the book. No rule is asked: what was recorded is so, and what makes no sense changes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;

use super::Book;
use crate::{
    choices::last_day,
    contract::{Acceptance, Agreed, Change, Contract, End},
    customer::{CustomerBook, Document},
    event::{Affected, Entry, Event, Part, Source},
    incident::Incident,
    option::OptionLife,
    period::Period,
    terms::{ContractTerms, Kind, Terms},
};

impl Book {
    /// What was recorded is so: no rule is asked. Entries come in the order of their numbers.
    pub fn replay(&mut self, entry: &Entry) {
        self.last = entry.number;
        let today = self.day(entry.at);
        match &entry.event {
            Event::Document { from, applied, terms } => {
                self.document(entry.number, applied.unwrap_or(today), *from, terms);
            }
            Event::Operator { from } => supersede(&mut self.operator, *from, |(from, _)| *from, (*from, entry.number)),
            Event::Accepted { contract, on, test_from } => self
                .change(contract, |contract| contract.accepted = Some(Acceptance { on: *on, test_from: *test_from })),
            Event::Rejected { contract, on } => self.change(contract, |contract| contract.rejected = Some(*on)),
            Event::Withdrawn { contract, on } => self.change(contract, |contract| contract.withdrawn = Some(*on)),
            Event::Confirmed { contract, prerequisite, at } => self.change(contract, |contract| {
                let confirmed = contract.confirmed.entry(prerequisite.clone()).or_insert(*at);
                *confirmed = (*confirmed).min(*at);
            }),
            Event::Started { contract, part, on } => self.change(contract, |contract| started(contract, *part, *on)),
            Event::Changed { contract, on, from, accounts } => self.change(contract, |contract| {
                contract.changes.push(Change { on: *on, from: *from, accounts: *accounts });
                supersede(&mut contract.accounts, *from, |(from, _)| *from, (*from, accounts.1));
            }),
            Event::Suspended { contract, from } => {
                self.change(contract, |contract| contract.suspensions.push(Period { from: *from, until: None }))
            }
            Event::Resumed { contract, from } => self.change(contract, |contract| resumed(contract, *from)),
            Event::Cancelled { contract, part, arrived, requested, ground, survivor } => {
                let end = End { on: last_day(*ground, *arrived, *requested), ground: *ground, known: *arrived };
                self.change(contract, |contract| cancelled(contract, *part, end, survivor.clone()));
            }
            Event::Ended { contract, on, ground } => self.change(contract, |contract| {
                let known = contract.end.map_or(today, |end| end.known.min(today));
                contract.end = Some(End { on: *on, ground: *ground, known });
            }),
            Event::IncidentOpened { incident, affects, known, source, draft } => {
                let opened = Incident {
                    name: incident.clone(),
                    affects: affects.clone(),
                    reports: vec![(*known, *source)],
                    draft: *draft,
                    closed: None,
                    claims: BTreeMap::new(),
                };
                self.opened(opened);
            }
            Event::IncidentReported { incident, known, source } => self.about(incident, |incident| {
                incident.reports.push((*known, *source));
                // An alert that fires again is nobody's confirmation.
                incident.draft &= *source == Source::Alert;
            }),
            Event::IncidentClosed { incident, ended, fault } => {
                self.about(incident, |incident| incident.closed = Some((*ended, *fault)));
            }
            Event::Claimed { incident, contract, arrived } => self.about(incident, |incident| {
                incident.claims.insert(contract.clone(), *arrived);
            }),
            Event::MonthClosed { customer, month, statement } => {
                if let Some(customer) = self.customers.get_mut(customer) {
                    Arc::make_mut(customer).closed.insert(*month, Arc::new(statement.clone()));
                }
            }
            // The accounts themselves are in the registry; here it is only known that somebody changed them.
            Event::Accounts { .. } => {}
        }
    }

    fn document(&mut self, number: u64, arrived: Date, from: Date, terms: &Terms) {
        let name = &terms.customer;
        let customer = self.customers.entry(name.clone()).or_insert_with(|| {
            Arc::new(CustomerBook {
                name: name.clone(),
                documents: Vec::new(),
                contracts: BTreeSet::new(),
                closed: BTreeMap::new(),
            })
        });
        let customer = Arc::make_mut(customer);
        let document = Document { number, from, terms: Arc::new(terms.clone()) };
        supersede(&mut customer.documents, from, |document| document.from, document);
        for terms in &terms.contracts {
            let contract = self.contracts.entry(terms.contract.clone()).or_insert_with(|| {
                customer.contracts.insert(terms.contract.clone());
                Arc::new(applied(name, &terms.contract, arrived))
            });
            if contract.customer != *name {
                continue;
            }
            for realm in &terms.realms {
                if !self.realms.get(realm).is_some_and(|contracts| contracts.contains(&terms.contract)) {
                    self.realms.entry(realm.clone()).or_default().insert(terms.contract.clone());
                }
            }
            agreed(Arc::make_mut(contract), from, terms);
        }
    }

    fn opened(&mut self, incident: Incident) {
        for Affected { contract, .. } in &incident.affects {
            self.change(contract, |contract| {
                if contract.incidents.last() != Some(&incident.name) {
                    contract.incidents.push(incident.name.clone());
                }
            });
        }
        self.incidents.insert(incident.name.clone(), Arc::new(incident));
    }

    fn change(&mut self, contract: &str, change: impl FnOnce(&mut Contract)) {
        if let Some(contract) = self.contracts.get_mut(contract) {
            change(Arc::make_mut(contract));
        }
    }

    fn about(&mut self, incident: &str, change: impl FnOnce(&mut Incident)) {
        if let Some(incident) = self.incidents.get_mut(incident) {
            change(Arc::make_mut(incident));
        }
    }
}

/// Puts what begins on `from` at the end of what is in order of first days, in the place of all that begins no earlier \[C\].
fn supersede<T>(over_time: &mut Vec<T>, from: Date, first: impl Fn(&T) -> Date, item: T) {
    let kept = over_time.partition_point(|item| first(item) < from);
    over_time.truncate(kept);
    over_time.push(item);
}

fn applied(customer: &str, name: &str, arrived: Date) -> Contract {
    Contract {
        name: name.to_owned(),
        customer: customer.to_owned(),
        applied: arrived,
        terms: Vec::new(),
        accepted: None,
        rejected: None,
        withdrawn: None,
        billing_start: None,
        end: None,
        suspensions: Vec::new(),
        changes: Vec::new(),
        accounts: Vec::new(),
        confirmed: BTreeMap::new(),
        options: Vec::new(),
        incidents: Vec::new(),
    }
}

/// From `from` on a document says `terms` of the contract.
fn agreed(contract: &mut Contract, from: Date, terms: &ContractTerms) {
    let kept = contract.terms.partition_point(|agreed| agreed.from < from);
    contract.terms.truncate(kept);
    let before = contract.terms.last();
    option_agreed(&mut contract.options, from, before.is_some_and(|agreed| agreed.terms.option.is_some()), terms);
    match (&terms.kind, contract.accepted) {
        (Kind::Group { accounts }, None) => {
            supersede(&mut contract.accounts, from, |(from, _)| *from, (from, *accounts));
        }
        // Numbers for later days stood in documents that this one takes the place of. The first is for the days before it, too.
        (Kind::Group { .. }, Some(_)) => {
            let kept = contract.accounts.partition_point(|(day, _)| *day <= from);
            contract.accounts.truncate(kept.max(1));
        }
        _ => {}
    }
    if before.is_none_or(|agreed| *agreed.terms != *terms) {
        contract.terms.push(Agreed { from, terms: Arc::new(terms.clone()) });
    }
}

/// From `from` on a document has the option, or has it not; the document before it had it or not.
fn option_agreed(options: &mut Vec<OptionLife>, from: Date, had: bool, terms: &ContractTerms) {
    // Applied for by a document whose place this one takes: that application was never made.
    if options.last().is_some_and(|last| last.from >= from && last.billing_start.is_none()) {
        options.pop();
    }
    let last = options.last_mut();
    match (last, &terms.option) {
        (Some(last), None) if last.billing_start.is_none() => {
            last.dropped = Some(last.dropped.map_or(from, |dropped| dropped.min(from)));
        }
        (Some(last), Some(_)) if last.dropped.is_some_and(|dropped| dropped >= from) => last.dropped = None,
        (Some(last), Some(_)) if last.is_open() || last.goes_on_in(from, had) => {}
        (_, Some(_)) => options.push(OptionLife::new(from)),
        (_, None) => {}
    }
}

fn started(contract: &mut Contract, part: Part, on: Date) {
    match part {
        Part::Basic => contract.billing_start = Some(on),
        Part::Option => {
            if let Some(option) = contract.options.last_mut() {
                option.billing_start = Some(on);
            }
        }
    }
}

fn resumed(contract: &mut Contract, from: Date) {
    let Some(suspended) = contract.suspensions.last().filter(|suspended| suspended.until.is_none()) else { return };
    let days = from.yesterday().ok().and_then(|until| Period::new(suspended.from, Some(until)));
    contract.suspensions.pop();
    // Resumed on the day of its suspension, it was never suspended.
    contract.suspensions.extend(days);
}

fn cancelled(contract: &mut Contract, part: Part, end: End, survivor: Option<String>) {
    match part {
        Part::Basic => contract.end = Some(end),
        Part::Option => {
            if let Some(option) = contract.options.last_mut() {
                option.end = Some(end);
                option.survivor = survivor;
            }
        }
    }
}
