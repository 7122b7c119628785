//! The book as money reads it.

use super::Book;
use crate::{
    contract::Contract,
    event::Part,
    money::{Account, Billed, Closed, CreditClaim},
};

impl Book {
    /// What has been recorded of a customer, as far as money asks; `None`: there is no such customer.
    pub fn account(&self, customer: &str) -> Option<Account> {
        let found = self.customer(customer)?;
        let mut parts = Vec::new();
        for contract in self.contracts_of(customer) {
            parts.push(self.basic(contract));
            parts.extend(self.options(contract));
        }
        let closed =
            found.closed.iter().map(|(month, statement)| Closed { month: *month, statement: (**statement).clone() });
        Some(Account {
            customer: customer.to_owned(),
            title: found.documents.last().and_then(|document| document.terms.title.clone()),
            parts,
            closed: closed.collect(),
        })
    }

    fn basic(&self, contract: &Contract) -> Billed {
        Billed {
            contract: contract.name.clone(),
            kind: contract.kind().map(ToString::to_string).unwrap_or_default(),
            part: Part::Basic,
            fees: contract.fees(Part::Basic),
            accepted: contract.accepted.map(|accepted| accepted.on),
            // Withdrawn before that day, it never began.
            billing_start: contract.billed().map(|days| days.from),
            end: contract.end.map(|end| (end.on, end.ground)),
            changes: contract.changes.iter().map(|change| change.on).collect(),
            credits: self.credits(contract, Part::Basic, None),
        }
    }

    /// Its options, one after the other: a later one has the fees of its own time.
    fn options(&self, contract: &Contract) -> Vec<Billed> {
        let (all, last) = (&contract.options, contract.last_day());
        let each = all.iter().enumerate().map(|(place, option)| {
            let until = all.get(place + 1).map(|next| next.from);
            let mut fees = contract.fees(Part::Option);
            // Of the fees before it only the last ones matter.
            let before = fees.partition_point(|(from, _)| *from <= option.from);
            fees.drain(..before.saturating_sub(1));
            fees.retain(|(from, _)| until.is_none_or(|until| *from < until));
            Billed {
                contract: contract.name.clone(),
                kind: contract.kind().map(ToString::to_string).unwrap_or_default(),
                part: Part::Option,
                fees,
                accepted: contract.option_accepted(option),
                billing_start: option.billing_start.filter(|start| last.is_none_or(|last| *start <= last)),
                end: contract.option_end(option).map(|end| (end.on, end.ground)),
                changes: Vec::new(),
                credits: self.credits(contract, Part::Option, Some((option.billing_start, until))),
            }
        });
        each.collect()
    }

    /// The claims for a part; of an option those whose time began in its life.
    fn credits(
        &self,
        contract: &Contract,
        part: Part,
        within: Option<(Option<jiff::civil::Date>, Option<jiff::civil::Date>)>,
    ) -> Vec<CreditClaim> {
        let outages = self.outages(&contract.name, part);
        let claims = outages.into_iter().filter_map(|outage| {
            let began = self.day(outage.began);
            if let Some((from, until)) = within
                && (from.is_none_or(|from| began < from) || until.is_some_and(|until| began >= until))
            {
                return None;
            }
            let seconds = outage.seconds();
            Some(CreditClaim {
                incident: outage.incident,
                began,
                seconds,
                claimed: outage.claimed?,
                claimable: outage.claimable?,
            })
        });
        claims.collect()
    }
}
