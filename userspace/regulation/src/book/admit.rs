//! New entries, checked against everything recorded.

use std::collections::BTreeSet;

use super::Book;
use crate::{
    event::{Entry, Event},
    life,
    refusal::{Refusal, Refusals, Rule},
    rules,
};

impl Book {
    /// Checks new entries, in order, against everything recorded, on all days, the future included. All are admitted together or none is: what
    /// one of them lacks, another may bring, as a last client and its proxy that are cancelled at once.
    ///
    /// # Errors
    ///
    /// All that was found, in the order of the entries; what holds over days only where the order of things is in order.
    pub fn admit(&self, entries: &[Entry]) -> Result<Book, Refusals> {
        let mut book = self.clone();
        let mut refusals = Vec::new();
        let mut refused: BTreeSet<String> = BTreeSet::new();
        for entry in entries {
            let subjects = life::subjects(&entry.event);
            if subjects.iter().any(|subject| refused.contains(subject)) {
                continue;
            }
            let mut found = life::check(&book, entry);
            found.extend(self.out_of_order(&book, entry));
            if found.is_empty() {
                book.replay(entry);
            } else {
                refused.extend(subjects);
                refusals.extend(found);
            }
        }
        if refusals.is_empty() {
            refusals = self.over_days(&book, entries);
        }
        if refusals.is_empty() { Ok(book) } else { Err(Refusals(refusals)) }
    }

    fn out_of_order(&self, book: &Book, entry: &Entry) -> Option<Refusal> {
        let next = book.last() + 1;
        // After a refused entry numbers are missing, which is not this one's fault.
        (entry.number < next).then(|| {
            let message = format!("entry {} would follow entry {}", entry.number, book.last());
            Refusal::general(Rule::Life, "history", message, "record entries in the order of their numbers")
        })
    }

    fn over_days(&self, book: &Book, entries: &[Entry]) -> Vec<Refusal> {
        let mut customers: BTreeSet<String> = BTreeSet::new();
        for entry in entries {
            match &entry.event {
                Event::Document { terms, .. } => {
                    customers.insert(terms.customer.clone());
                }
                event => {
                    customers.extend(moved(event).and_then(|name| book.contract(name)).map(|it| it.customer.clone()))
                }
            }
        }
        let Some(today) = entries.iter().map(|entry| self.day(entry.at)).min() else { return Vec::new() };
        rules::check(self, book, &customers, self.last, today)
    }
}

/// The contract whose days an event moves.
fn moved(event: &Event) -> Option<&str> {
    match event {
        Event::Accepted { contract, .. }
        | Event::Rejected { contract, .. }
        | Event::Withdrawn { contract, .. }
        | Event::Started { contract, .. }
        | Event::Changed { contract, .. }
        | Event::Cancelled { contract, .. }
        | Event::Ended { contract, .. } => Some(contract),
        _ => None,
    }
}
