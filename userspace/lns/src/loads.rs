//! The loads of all LNSs, contracts and customers, by their numbers.
//!
//! A session has numbers in it, not pointers, and a reload asks for a number again and gets what was there before. Finding one takes
//! no lock: pages, each twice as large as the one before, that are made on first use and never move.

use std::sync::{Arc, OnceLock};

use crate::{ContractId, CustomerId, LnsId, LnsState, load::Load};

/// Entries of the first page.
const FIRST: u64 = 64;
/// As many pages as it takes to have all 2³² numbers.
const PAGES: usize = 27;

/// What is counted of every LNS, contract and customer. One for the life of a process; its numbers are small, and not used again for
/// something else.
#[derive(Debug, Default)]
pub struct Loads {
    lnss: Pages<LnsState>,
    contracts: Pages<Load>,
    customers: Pages<Load>,
}

impl Loads {
    /// Nobody's.
    pub fn new() -> Loads {
        Loads::default()
    }

    /// An LNS's.
    pub fn lns(&self, lns: LnsId) -> &Arc<LnsState> {
        self.lnss.at(lns.0)
    }

    /// A contract's.
    pub fn contract(&self, contract: ContractId) -> &Arc<Load> {
        self.contracts.at(contract.0)
    }

    /// A customer's.
    pub fn customer(&self, customer: CustomerId) -> &Arc<Load> {
        self.customers.at(customer.0)
    }

    /// All LNSs that were asked for.
    pub fn lnss(&self) -> impl Iterator<Item = (LnsId, &Arc<LnsState>)> {
        self.lnss.all().map(|(number, state)| (LnsId(number), state))
    }

    /// All contracts that were asked for.
    pub fn contracts(&self) -> impl Iterator<Item = (ContractId, &Arc<Load>)> {
        self.contracts.all().map(|(number, load)| (ContractId(number), load))
    }

    /// All customers that were asked for.
    pub fn customers(&self) -> impl Iterator<Item = (CustomerId, &Arc<Load>)> {
        self.customers.all().map(|(number, load)| (CustomerId(number), load))
    }

    /// Does the same to all that one session counts for.
    pub(crate) fn each(&self, lns: Option<LnsId>, contract: ContractId, customer: CustomerId, change: impl Fn(&Load)) {
        if let Some(lns) = lns {
            change(&self.lns(lns).load);
        }
        change(self.contract(contract));
        change(self.customer(customer));
    }
}

type Page<T> = OnceLock<Box<[OnceLock<Arc<T>>]>>;

#[derive(Debug)]
struct Pages<T>([Page<T>; PAGES]);

impl<T> Default for Pages<T> {
    fn default() -> Pages<T> {
        Pages([const { OnceLock::new() }; PAGES])
    }
}

impl<T: Default> Pages<T> {
    fn at(&self, number: u32) -> &Arc<T> {
        let place = u64::from(number) + FIRST;
        let page = (place / FIRST).ilog2();
        let entries = self.0[page as usize].get_or_init(|| (0..FIRST << page).map(|_| OnceLock::new()).collect());
        entries[(place - (FIRST << page)) as usize].get_or_init(Arc::default)
    }

    fn all(&self) -> impl Iterator<Item = (u32, &Arc<T>)> {
        let pages = self.0.iter().enumerate().filter_map(|(page, entries)| Some((page, entries.get()?)));
        pages.flat_map(|(page, entries)| {
            let first = (FIRST << page) - FIRST;
            let entries = entries.iter().enumerate();
            entries.filter_map(move |(place, entry)| Some((first as u32 + place as u32, entry.get()?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own_and_keeps_it() {
        let loads = Loads::new();
        let numbers = (0..2_000).chain([65_535, 65_536, 1_000_000]);
        let made: Vec<_> = numbers.clone().map(|number| loads.contract(ContractId(number)).clone()).collect();
        assert!(loads.contracts().map(|(contract, _)| contract.0).eq(numbers.clone()));
        for (number, made) in numbers.zip(&made) {
            made.enter();
            assert_eq!(loads.contract(ContractId(number)).active(), 1, "{number}");
            assert_eq!(loads.customer(CustomerId(number)).active(), 0, "{number}");
        }
    }

    #[test]
    fn the_last_number_has_a_page() {
        let place = u64::from(u32::MAX) + FIRST;
        assert_eq!((place / FIRST).ilog2() as usize, PAGES - 1);
    }
}
