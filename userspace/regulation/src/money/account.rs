//! What money asks of the history: one customer's contracts and options, with their fees and days.

use std::{collections::BTreeSet, ops::RangeInclusive};

use jiff::{ToSpan as _, civil::Date};

use super::{
    error::MoneyError,
    statement::{FORMAT, Statement},
};
use crate::{
    event::{Ground, Part},
    terms::Fees,
};

/// One customer, as far as money asks. Days are the operator's local days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its name, unique in the registry.
    pub customer: String,
    /// Its name as people write it.
    pub title: Option<String>,
    /// What it pays for, in the order in which statements show it.
    pub parts: Vec<Billed>,
    /// The months that have been closed, in any order.
    pub closed: Vec<Closed>,
}

/// A contract, or the option of one: each has its own fees, start, minimum term and end (Art. 8.3, annex 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Billed {
    /// The contract's name.
    pub contract: String,
    /// What kind of contract it is, as statements show it: `vpdn D`.
    pub kind: String,
    /// The contract, or its option.
    pub part: Part,
    /// The fees agreed, each from a day on, ascending; of several from the same day the last counts. Before the first, the first counts.
    pub fees: Vec<(Date, Fees)>,
    /// The day on which the application was accepted: the initial fee is owed.
    pub accepted: Option<Date>,
    /// The billing start date (課金開始日): the first day of the monthly fee and of the minimum term.
    pub billing_start: Option<Date>,
    /// The last day, which is billed, and by what right it ends. An option ends with its contract at the latest, whether that stands here or
    /// not.
    pub end: Option<(Date, Ground)>,
    /// The days on which changes were accepted (Art. 7), or happened where they need no acceptance (Art. 10): one fee for each.
    pub changes: Vec<Date>,
    /// The credit claimed for it (Art. 12).
    pub credits: Vec<CreditClaim>,
}

/// A customer's claim for one incident that was the operator's fault (Art. 12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditClaim {
    /// The incident's name.
    pub incident: String,
    /// The local day on which the unusable time began: that of the instant from which the operator knew.
    pub began: Date,
    /// For how long it was wholly unusable in a row from that instant, in seconds; no time that another claim counts is among them.
    pub seconds: u64,
    /// The day on which the claim arrived.
    pub claimed: Date,
    /// The days on which it could be claimed; a claim outside of them gives nothing.
    pub claimable: RangeInclusive<Date>,
}

/// A month that was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Its first day.
    pub month: Date,
    /// Its statement, as it will be for ever.
    pub statement: Statement,
}

impl Account {
    /// Refuses what the rest could only answer wrongly.
    pub(super) fn check(&self) -> Result<(), MoneyError> {
        for part in &self.parts {
            part.check()?;
        }
        let mut months = BTreeSet::new();
        for Closed { month, statement } in &self.closed {
            let (customer, month) = (self.customer.clone(), *month);
            if statement.format != FORMAT {
                return Err(MoneyError::Format { customer, month, found: statement.format, known: FORMAT });
            }
            if statement.customer != customer || statement.month != month || month.day() != 1 {
                let (found_customer, found_month) = (statement.customer.clone(), statement.month);
                return Err(MoneyError::ForeignStatement { customer, month, found_customer, found_month });
            }
            if !months.insert(month) {
                return Err(MoneyError::ClosedTwice { customer, month });
            }
        }
        Ok(())
    }

    /// The last month that was closed. Every month before it is closed too: one without a statement had no lines.
    pub(super) fn closed_through(&self) -> Option<Date> {
        self.closed.iter().map(|closed| closed.month).max()
    }

    /// The statement with which a month was closed.
    pub(super) fn frozen(&self, month: Date) -> Option<&Statement> {
        self.closed.iter().find(|closed| closed.month == month).map(|closed| &closed.statement)
    }

    /// The last day of a part: its own, or its contract's where that is earlier (Art. 8.1: there is no option without its service).
    pub(super) fn end_of(&self, billed: &Billed) -> Option<(Date, Ground)> {
        let of_contract = match billed.part {
            Part::Basic => None,
            Part::Option => self.parts.iter().find(|it| it.part == Part::Basic && it.contract == billed.contract),
        };
        // The first of equal ones: its own ground counts on the same day.
        [billed.end, of_contract.and_then(|contract| contract.end)].into_iter().flatten().min_by_key(|(day, _)| *day)
    }
}

impl Billed {
    /// The fees in force on a day.
    pub(super) fn fees_on(&self, day: Date) -> Result<Fees, MoneyError> {
        let begun = self.fees.partition_point(|(from, _)| *from <= day);
        let found = self.fees.get(begun.saturating_sub(1));
        found
            .map(|(_, fees)| *fees)
            .ok_or_else(|| MoneyError::NoFees { contract: self.contract.clone(), part: self.part })
    }

    /// An amount of this part as statements hold it.
    pub(super) fn yen(&self, amount: u128) -> Result<i64, MoneyError> {
        i64::try_from(amount).map_err(|_| MoneyError::TooLarge { of: self.contract.clone() })
    }

    fn check(&self) -> Result<(), MoneyError> {
        let late = self.fees.windows(2).find(|pair| pair[1].0 < pair[0].0);
        late.map_or(Ok(()), |pair| {
            Err(MoneyError::FeesOutOfOrder { contract: self.contract.clone(), part: self.part, day: pair[1].0 })
        })
    }
}

/// The months from one to another, both included, by their first days.
pub(super) fn months(first: Date, last: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first.first_of_month()), |month| next_month(*month))
        .take_while(move |month| *month <= last)
}

/// The month after one, by their first days; `None` at the end of the calendar.
pub(super) fn next_month(month: Date) -> Option<Date> {
    month.checked_add(1.month()).ok()
}
