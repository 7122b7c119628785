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
    /// What the books say: active, pending, estimated; or how many records.
    pub books: [usize; 3],
    /// What the table has.
    pub table: [usize; 3],
}

/// What one session or reservation counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Lns(LnsId),
    Contract(ContractId),
    Customer(CustomerId),
}

/// Active, pending, estimated.
#[derive(Default)]
struct Recount(BTreeMap<Counted, [usize; 3]>);

impl Recount {
    fn add(&mut self, place: Place, column: usize) {
        let counted = [Counted::Contract(place.contract), Counted::Customer(place.customer)];
        for counted in counted.into_iter().chain(place.lns.id().map(Counted::Lns)) {
            self.0.entry(counted).or_default()[column] += 1;
        }
    }
}

impl Sessions {
    /// Where books and table differ: nowhere.
    pub fn check(&self) -> Vec<Mismatch> {
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
        }
        for shelf in 0..self.devices.count() {
            self.devices.view(shelf, |shelf| {
                shelf.reservations.iter().for_each(|reservation| recount.add(reservation.place, 1));
                records[1] += shelf.reservations.len();
                records[2] += shelf.devices.iter().filter(|it| it.session.is_none()).count();
            });
        }
        let counts = self.counts();
        let books = [counts.sessions, counts.reservations, counts.memories, counts.ended];
        let names = ["sessions", "reservations", "memories", "ended"];
        let records = names.into_iter().zip(books.into_iter().zip(records));
        let records = records.map(|(what, (books, table))| (what.to_owned(), [books, 0, 0], [table, 0, 0]));
        let loads = self.all_loads().map(|(counted, books)| {
            (format!("{counted:?}"), books, recount.0.get(&counted).copied().unwrap_or_default())
        });
        let all = records.chain(loads).filter(|(_, books, table)| books != table);
        all.map(|(what, books, table)| Mismatch { what, books, table }).collect()
    }

    fn all_loads(&self) -> impl Iterator<Item = (Counted, [usize; 3])> {
        let numbers = |load: &Load| [load.active(), load.pending(), load.estimated()].map(|number| number as usize);
        let loads = &self.books.loads;
        let lnss = loads.lnss().map(move |(lns, state)| (Counted::Lns(lns), numbers(&state.load)));
        let contracts = loads.contracts().map(move |(contract, load)| (Counted::Contract(contract), numbers(load)));
        let customers = loads.customers().map(move |(customer, load)| (Counted::Customer(customer), numbers(load)));
        lnss.chain(contracts).chain(customers)
    }
}
