//! When what is in force changes next.

use jiff::{Timestamp, civil::Date};

use super::Book;
use crate::{
    contract::{Contract, End},
    customer::CustomerBook,
    period::{self, Period},
};

impl Book {
    /// The first instant after `after` at which [`Book::in_force`] is another than just before: a local midnight, or the instant of a
    /// confirmation. `None`: never, as things stand.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let today = self.day(after);
        let now = self.operator_on(today);
        let operators = self.operator.iter().filter(|(from, number)| *from > today && Some(*number) != now);
        let operator = operators.map(|(from, _)| self.midnight(*from)).find(|at| *at > after);
        self.customers().filter_map(|customer| self.next_of(customer, after)).chain(operator).min()
    }

    /// The first instant at which a customer's part changes: of those at which it might, the first at which it does.
    fn next_of(&self, customer: &CustomerBook, after: Timestamp) -> Option<Timestamp> {
        let mut might = self.might_change(customer, self.contracts_of(&customer.name), after);
        if might.is_empty() {
            return None;
        }
        might.sort_unstable();
        might.dedup();
        let now = self.in_force_of(customer, self.day(after), after);
        might.into_iter().find(|at| self.in_force_of(customer, self.day(*at), *at) != now)
    }

    /// The instants after `after` at which these contracts of a customer, or its document, might change: in no order, some of them twice.
    pub(super) fn might_change<'a>(
        &self,
        customer: &CustomerBook,
        contracts: impl Iterator<Item = &'a Contract>,
        after: Timestamp,
    ) -> Vec<Timestamp> {
        let today = self.day(after);
        let mut days: Vec<Date> = Vec::new();
        let mut instants: Vec<Timestamp> = Vec::new();
        for (_, document) in customer.documents_from(today) {
            days.push(document.from);
            let mobile = document.terms.mobile.iter();
            days.extend(mobile.flat_map(|mobile| [mobile.from, mobile.until.and_then(period::after)]).flatten());
        }
        for contract in contracts {
            days.extend(days_of(contract).filter(|day| *day > today));
            instants.extend(contract.confirmed.values().filter(|at| **at > after));
        }
        let midnights = days.into_iter().filter(|day| *day > today).map(|day| self.midnight(day));
        instants.extend(midnights.filter(|at| *at > after));
        instants
    }
}

/// The days on which how a contract stands might change: what is recorded of it, and the days after its last ones.
fn days_of(contract: &Contract) -> impl Iterator<Item = Date> {
    let accepted = contract.accepted.map(|accepted| [Some(accepted.on), accepted.test_from]);
    let facts = [Some(contract.applied), contract.rejected, contract.withdrawn, contract.billing_start];
    let terms = contract.terms.iter().map(|agreed| agreed.from);
    let accounts = contract.accounts.iter().map(|(from, _)| *from);
    let suspended = contract.suspensions.iter().flat_map(|days| begin_and_after(*days));
    let options = contract.options.iter().flat_map(|option| {
        let own = [Some(option.from), option.dropped, option.billing_start];
        own.into_iter().flatten().chain(option.end.into_iter().flat_map(known_and_after))
    });
    let ends = contract.end.into_iter().flat_map(known_and_after);
    let facts = facts.into_iter().chain(accepted.into_iter().flatten()).flatten();
    facts.chain(terms).chain(accounts).chain(suspended).chain(options).chain(ends)
}

fn known_and_after(end: End) -> impl Iterator<Item = Date> {
    [Some(end.known), period::after(end.on)].into_iter().flatten()
}

fn begin_and_after(days: Period) -> impl Iterator<Item = Date> {
    [Some(days.from), days.until.and_then(period::after)].into_iter().flatten()
}
