//! The table counted anew, and the difference to the books. For tests: it looks through everything, and means something only while
//! no call is under way.

use std::collections::BTreeMap;

use super::{
    Sessions,
    record::{Flags, Place},
};
use crate::{ContractId, CustomerId, LnsId, load::Load};

/// A number that the books have otherwise than the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Of what.
    pub what: String,
    /// What the books say.
    pub books: [u64; 3],
    /// What the table has.
    pub table: [u64; 3],
}

/// Active, pending, estimated.
type Numbers = [u64; 3];

#[derive(Default)]
struct Recount {
    lnss: BTreeMap<LnsId, Numbers>,
    contracts: BTreeMap<ContractId, Numbers>,
    customers: BTreeMap<CustomerId, Numbers>,
}

impl Recount {
    fn add(&mut self, place: Place, column: usize) {
        if let Some(lns) = place.lns.id() {
            self.lnss.entry(lns).or_default()[column] += 1;
        }
        self.contracts.entry(place.contract).or_default()[column] += 1;
        self.customers.entry(place.customer).or_default()[column] += 1;
    }
}

impl Sessions {
    /// Where books and table differ: nowhere. Of LNSs, contracts and customers up to these numbers.
    pub fn check(&self, lnss: u32, contracts: u32, customers: u32) -> Vec<Mismatch> {
        let mut recount = Recount::default();
        let mut records = [0; 4];
        for shelf in 0..self.sessions.count() {
            self.sessions.view(shelf, |shelf| {
                for session in &shelf.sessions {
                    recount.add(session.place, 0);
                    if session.flags.has(Flags::ESTIMATE) {
                        recount.add(session.place, 2);
                    }
                }
                records[0] += shelf.sessions.len();
                records[3] += shelf.ended.len();
            });
            self.devices.view(shelf, |shelf| {
                shelf.reservations.iter().for_each(|reservation| recount.add(reservation.place, 1));
                records[1] += shelf.reservations.len();
                records[2] += shelf.devices.iter().filter(|it| it.session.is_none()).count();
            });
        }
        let loads = &self.books.loads;
        let numbers = |load: &Load| [load.active(), load.pending(), load.estimated()].map(u64::from);
        let mut pairs = Vec::new();
        for lns in (0..lnss).map(LnsId) {
            let table = recount.lnss.remove(&lns).unwrap_or_default();
            pairs.push((format!("{lns:?}"), numbers(&loads.lns(lns).load), table));
        }
        for contract in (0..contracts).map(ContractId) {
            let table = recount.contracts.remove(&contract).unwrap_or_default();
            pairs.push((format!("{contract:?}"), numbers(loads.contract(contract)), table));
        }
        for customer in (0..customers).map(CustomerId) {
            let table = recount.customers.remove(&customer).unwrap_or_default();
            pairs.push((format!("{customer:?}"), numbers(loads.customer(customer)), table));
        }
        let counts = self.counts();
        let books = [counts.sessions, counts.reservations, counts.memories, counts.ended];
        for (what, (books, table)) in ["sessions", "reservations", "memories", "ended"].into_iter().zip(books.into_iter().zip(records)) {
            pairs.push((what.to_owned(), [books as u64, 0, 0], [table as u64, 0, 0]));
        }
        let beyond = recount.lnss.len() + recount.contracts.len() + recount.customers.len();
        pairs.push(("beyond those numbers".to_owned(), [0; 3], [beyond as u64, 0, 0]));
        let pairs = pairs.into_iter().filter(|(_, books, table)| books != table);
        pairs.map(|(what, books, table)| Mismatch { what, books, table }).collect()
    }
}
