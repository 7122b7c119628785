//! When a contract was served.

use jiff::Timestamp;

use super::Book;
use crate::{contract::Contract, standing::standing};

impl Book {
    /// The times between two instants in which a contract is served, as far as that is its own matter: complete (Art. 5.7), eligible and not
    /// suspended. In order, with time between each two.
    pub(crate) fn served_within(
        &self,
        contract: &Contract,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<(Timestamp, Timestamp)> {
        let Some(customer) = self.customer(&contract.customer) else { return Vec::new() };
        let mut ends = self.might_change(customer, std::iter::once(contract), from);
        ends.retain(|end| *end < to);
        ends.push(to);
        ends.sort_unstable();
        let mut served: Vec<(Timestamp, Timestamp)> = Vec::new();
        let mut begin = from;
        for end in ends {
            let day = self.day(begin);
            let document = customer.document_on(day).map(|document| &*document.terms);
            let is_served = standing(contract, document, day, begin).is_some_and(|standing| standing.served);
            match served.last_mut() {
                _ if !is_served || begin >= end => {}
                Some((_, until)) if *until == begin => *until = end,
                _ => served.push((begin, end)),
            }
            begin = end;
        }
        served
    }
}
