//! What must hold on every day, the future included.
//!
//! Each rule finds the days on which it does not hold. A change is refused for days on which it did hold before, or for a contract that was not
//! there before: what was once recorded, under whatever rules, never bars what comes later.

mod accounts;
mod exclusive;
pub(crate) mod gateway;
mod realms;
mod serviceable;

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::{
    book::Book,
    period::Period,
    refusal::{Refusal, Rule},
};

/// Days on which a rule does not hold.
struct Violation {
    days: Period,
    /// What else it is about: the other contract, the realm.
    with: String,
    refusal: Refusal,
}

impl Violation {
    fn about(&self) -> (Rule, &'static str, Option<&str>, &str) {
        (self.refusal.rule, self.refusal.article, self.refusal.contract.as_deref(), &self.with)
    }

    fn is_part_of(&self, known: &Violation) -> bool {
        self.about() == known.about() && known.days.covers(&self.days)
    }
}

/// What `after` does not allow and `before` did, for these customers, whose documents from `recorded` on are new. One refusal a rule, contract and
/// counterpart: that of its first day.
pub(crate) fn check(
    before: &Book,
    after: &Book,
    customers: &BTreeSet<String>,
    recorded: u64,
    today: Date,
) -> Vec<Refusal> {
    let mut refusals: Vec<Refusal> = Vec::new();
    for customer in customers {
        let known = violations(before, customer, today);
        let new = violations(after, customer, today).into_iter();
        let mut new: Vec<Violation> = new.filter(|new| !known.iter().any(|known| new.is_part_of(known))).collect();
        new.dedup_by(|later, first| later.about() == first.about());
        refusals.extend(new.into_iter().map(|violation| violation.refusal));
        refusals.extend(serviceable::clients_alone(before, after, customer));
        refusals.extend(realms::check(after, customer, recorded));
        refusals.extend(accounts::check(after, customer, recorded));
    }
    refusals
}

/// By rule, contract and day.
fn violations(book: &Book, customer: &str, today: Date) -> Vec<Violation> {
    let mut violations = serviceable::violations(book, customer);
    violations.extend(exclusive::violations(book, customer));
    violations.extend(gateway::violations(book, customer, today));
    violations
}
