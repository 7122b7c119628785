//! One contract: everything recorded of it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::Date};

use crate::{
    event::{Ground, Part},
    option::OptionLife,
    period::{Period, before, earlier},
    prerequisites::{Prerequisite, prerequisites},
    state::State,
    terms::{ContractTerms, Fees, Kind},
};

/// One contract (契約): what was recorded of it. Days are local ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub customer: String,
    /// The day on which the document that applies for it was recorded.
    pub applied: Date,
    /// What was agreed, from when on, in order and never empty.
    pub terms: Vec<Agreed>,
    /// Its acceptance (承諾).
    pub accepted: Option<Acceptance>,
    /// The day on which it was rejected.
    pub rejected: Option<Date>,
    /// The day on which it was withdrawn.
    pub withdrawn: Option<Date>,
    /// The billing start date (課金開始日).
    pub billing_start: Option<Date>,
    /// Its end, once that is recorded.
    pub end: Option<End>,
    /// When it was suspended, in order; only the last may be without an end.
    pub suspensions: Vec<Period>,
    /// Its accepted changes (Art. 7), in the order recorded: a fee each.
    pub changes: Vec<Change>,
    /// The number of accounts of a `group` contract, and from when on, in order.
    pub accounts: Vec<(Date, u32)>,
    /// Which prerequisites were confirmed, and when.
    pub confirmed: BTreeMap<String, Timestamp>,
    /// Its load-balancing options, one after the other.
    pub options: Vec<OptionLife>,
    /// The incidents that affect it, in the order recorded.
    pub incidents: Vec<String>,
}

/// What a document says of a contract, from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The first day.
    pub from: Date,
    /// What it says.
    pub terms: Arc<ContractTerms>,
}

/// That an application was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The day of acceptance.
    pub on: Date,
    /// The first day of the test window.
    pub test_from: Option<Date>,
}

/// How a contract or an option ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its last day, served to its end.
    pub on: Date,
    /// By what right.
    pub ground: Ground,
    /// The day since which this is known: the notice arrived, or the operator recorded it.
    pub known: Date,
}

/// An accepted change of the number of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The day of acceptance.
    pub on: Date,
    /// In force from this day on.
    pub from: Date,
    /// The number of accounts before and after.
    pub accounts: (u32, u32),
}

impl Contract {
    /// Its kind, which never changes (Art. 4), as the newest terms have it.
    pub fn kind(&self) -> Option<&Kind> {
        self.terms.last().map(|agreed| &agreed.terms.kind)
    }

    /// What is agreed on `day`; before its first day, what will be then.
    pub fn terms_on(&self, day: Date) -> Option<&ContractTerms> {
        let after = self.terms.partition_point(|agreed| agreed.from <= day);
        self.terms.get(after.saturating_sub(1)).map(|agreed| &*agreed.terms)
    }

    /// What was agreed, with the days on which it is in force while the contract lives.
    pub fn agreed(&self) -> impl Iterator<Item = (Period, &ContractTerms)> {
        let last = self.last_day();
        self.terms.iter().enumerate().filter_map(move |(place, agreed)| {
            let until = self.terms.get(place + 1).and_then(|next| before(next.from));
            Some((Period::new(agreed.from, earlier(until, last))?, &*agreed.terms))
        })
    }

    /// The fees of a part over time: from each day on, until the next.
    pub fn fees(&self, part: Part) -> Vec<(Date, Fees)> {
        let mut over_time: Vec<(Date, Fees)> = Vec::new();
        for agreed in &self.terms {
            let fees = match part {
                Part::Basic => Some(agreed.terms.fees),
                Part::Option => agreed.terms.option.as_ref().map(|option| option.fees),
            };
            let Some(fees) = fees else { continue };
            if over_time.last().is_none_or(|(_, before)| *before != fees) {
                over_time.push((agreed.from, fees));
            }
        }
        over_time
    }

    /// Its last day, once that is known. A rejected or withdrawn application stands to the day before \[C\].
    pub fn last_day(&self) -> Option<Date> {
        let never = earlier(self.rejected, self.withdrawn).and_then(before);
        earlier(self.end.map(|end| end.on), never)
    }

    /// The days from the first day of its first document to its last: as long as the application or the contract stands.
    pub fn standing(&self) -> Option<Period> {
        Period::new(self.terms.first()?.from, self.last_day())
    }

    /// The days on which it is used: from its test window or its billing start date to its last day. `None`: no first day is recorded, or it
    /// never came to that.
    pub fn used(&self) -> Option<Period> {
        let first = earlier(self.accepted.and_then(|accepted| accepted.test_from), self.billing_start)?;
        Period::new(first.max(self.terms.first()?.from), self.last_day())
    }

    /// The days on which it is billed (Art. 10): suspended, incomplete and ineligible as well \[C\].
    pub fn billed(&self) -> Option<Period> {
        Period::new(self.billing_start?, self.last_day())
    }

    /// Its state on `day`; `None` before it was applied for.
    pub fn state_on(&self, day: Date) -> Option<State> {
        let reached = |fact: Option<Date>| fact.is_some_and(|fact| fact <= day);
        if day < self.applied {
            return None;
        }
        if reached(self.rejected) {
            return Some(State::Rejected);
        }
        if reached(self.withdrawn) {
            return Some(State::Withdrawn);
        }
        if let Some(end) = self.end.filter(|end| end.on < day) {
            let by_operator = end.ground == Ground::Operator;
            return Some(if by_operator { State::EndedByOperator } else { State::Ended });
        }
        let Some(accepted) = self.accepted.filter(|accepted| accepted.on <= day) else { return Some(State::Applied) };
        let tested = reached(accepted.test_from);
        if !reached(self.billing_start) && !tested {
            return Some(State::Accepted);
        }
        if self.is_suspended_on(day) {
            return Some(State::Suspended);
        }
        if self.end.is_some_and(|end| end.known <= day) {
            return Some(State::Cancelling);
        }
        Some(if reached(self.billing_start) { State::Serving } else { State::Testing })
    }

    /// The number of accounts (Art. 7(1)) in force on `day`; of a `group` contract only.
    pub fn accounts_on(&self, day: Date) -> Option<u32> {
        let after = self.accounts.partition_point(|(from, _)| *from <= day);
        self.accounts.get(after.saturating_sub(1)).map(|(_, number)| *number)
    }

    /// The smallest number of accounts agreed for `day` or a later one on which it has not ended, and the first day of that.
    pub fn fewest_accounts_from(&self, day: Date) -> Option<(Date, u32)> {
        let last = self.last_day();
        let to_come = |from: Date| from > day && last.is_none_or(|last| from <= last);
        let later = self.accounts.iter().copied().filter(|(from, _)| to_come(*from));
        let now = self.accounts_on(day).map(|number| (day, number));
        now.into_iter().chain(later).min_by_key(|(_, number)| *number)
    }

    /// What Art. 5.6 asks for it on the day of `at`, `day`, and is not confirmed at that instant, by name.
    pub fn missing(&self, day: Date, at: Timestamp) -> Vec<Prerequisite> {
        let Some(terms) = self.terms_on(day) else { return Vec::new() };
        let mut asked = prerequisites(terms);
        asked.retain(|asked| self.confirmed.get(&asked.name).is_none_or(|confirmed| *confirmed > at));
        asked
    }

    /// The option's life that `day` is in, or that went before; `None` before its first.
    pub fn option_on(&self, day: Date) -> Option<&OptionLife> {
        let after = self.options.partition_point(|option| option.from <= day);
        self.options.get(after.checked_sub(1)?).filter(|option| option.dropped.is_none_or(|dropped| day < dropped))
    }

    /// The day on which an option of this contract was accepted: with the contract, or on the first day of the document that added it \[C\], if
    /// the contract lives on that day.
    pub fn option_accepted(&self, option: &OptionLife) -> Option<Date> {
        let contract = self.accepted?.on;
        let day = contract.max(option.from);
        let lives = day == contract || self.last_day().is_none_or(|last| day <= last);
        (lives && option.dropped.is_none_or(|dropped| day < dropped)).then_some(day)
    }

    /// How an option of this contract ends: by a notice of its own, or with the contract, whichever is earlier.
    pub fn option_end(&self, option: &OptionLife) -> Option<End> {
        match (option.end, self.end) {
            (Some(own), Some(contract)) => Some(if own.on <= contract.on { own } else { contract }),
            (own, contract) => own.or(contract),
        }
    }

    fn is_suspended_on(&self, day: Date) -> bool {
        self.suspensions.iter().rev().any(|suspended| suspended.contains(day))
    }
}
