//! Everything recorded so far, and what follows from it.

mod admit;
mod fold;
mod next;
mod owed;
mod served;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{contract::Contract, customer::CustomerBook, incident::Incident};

/// Everything recorded so far. Cheap to clone: what has not changed is shared.
#[derive(Clone, Debug)]
pub struct Book {
    zone: TimeZone,
    last: u64,
    customers: BTreeMap<String, Arc<CustomerBook>>,
    contracts: BTreeMap<String, Arc<Contract>>,
    incidents: BTreeMap<String, Arc<Incident>>,
    /// The operator's documents: first day and entry number, in order; a later one takes the place of those that begin no earlier.
    operator: Vec<(Date, u64)>,
    /// The contracts that any document ever named a realm for.
    realms: BTreeMap<String, BTreeSet<String>>,
}

impl Book {
    /// With nothing recorded yet. A day begins and ends at midnight in `zone`.
    pub fn new(zone: TimeZone) -> Book {
        Book {
            zone,
            last: 0,
            customers: BTreeMap::new(),
            contracts: BTreeMap::new(),
            incidents: BTreeMap::new(),
            operator: Vec::new(),
            realms: BTreeMap::new(),
        }
    }

    /// Where the days are.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The number of the last entry; 0 before the first.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The local day of an instant.
    pub fn day(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The first instant of a local day. Where the clock is put forward over midnight, that is the instant at which it is.
    pub fn midnight(&self, day: Date) -> Timestamp {
        let Ok(midnight) = self.zone.to_timestamp(day.at(0, 0, 0, 0)) else {
            return if day < Date::constant(1970, 1, 1) { Timestamp::MIN } else { Timestamp::MAX };
        };
        // A gap that began the evening before: the day's first instant is the end of the gap, which is earlier.
        let jump = self.zone.preceding(midnight).next().map(|transition| transition.timestamp());
        jump.filter(|jump| self.day(*jump) == day).unwrap_or(midnight)
    }

    /// The first instant after a local day.
    pub fn end_of(&self, day: Date) -> Timestamp {
        day.tomorrow().map_or(Timestamp::MAX, |next| self.midnight(next))
    }

    /// All customers, by name.
    pub fn customers(&self) -> impl Iterator<Item = &CustomerBook> {
        self.customers.values().map(|customer| &**customer)
    }

    /// One customer.
    pub fn customer(&self, name: &str) -> Option<&CustomerBook> {
        self.customers.get(name).map(|customer| &**customer)
    }

    /// All contracts, by name; those that are over as well.
    pub fn contracts(&self) -> impl Iterator<Item = &Contract> {
        self.contracts.values().map(|contract| &**contract)
    }

    /// One contract.
    pub fn contract(&self, name: &str) -> Option<&Contract> {
        self.contracts.get(name).map(|contract| &**contract)
    }

    /// A customer's contracts, by name; none where there is no such customer.
    pub fn contracts_of(&self, customer: &str) -> impl Iterator<Item = &Contract> {
        let names = self.customer(customer).into_iter().flat_map(|customer| &customer.contracts);
        names.filter_map(|name| self.contract(name))
    }

    /// The contracts that documents ever named this realm for, by name.
    pub fn contracts_naming(&self, realm: &str) -> impl Iterator<Item = &Contract> {
        self.realms.get(realm).into_iter().flatten().filter_map(|name| self.contract(name))
    }

    /// All incidents, by name.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values().map(|incident| &**incident)
    }

    /// One incident.
    pub fn incident(&self, name: &str) -> Option<&Incident> {
        self.incidents.get(name).map(|incident| &**incident)
    }

    /// The entry numbers of all documents that are in force on `day` or later, as things stand.
    pub fn documents_from(&self, day: Date) -> Vec<u64> {
        let customers = self.customers().flat_map(|customer| customer.documents_from(day));
        let operator = self.operator.partition_point(|(from, _)| *from <= day).saturating_sub(1);
        let operators = self.operator.iter().skip(operator).map(|(_, number)| *number);
        customers.map(|(_, document)| document.number).chain(operators).collect()
    }

    /// The first day after `day` from which on another document is planned: of a customer, or the operator's (`None`).
    pub fn planned_after(&self, day: Date, customer: Option<&str>) -> Option<Date> {
        match customer {
            Some(name) => self.customer(name)?.scheduled(day).first().map(|document| document.from),
            None => self.operator.iter().map(|(from, _)| *from).find(|from| *from > day),
        }
    }

    /// The entry number of the operator's document in force on `day`.
    pub fn operator_on(&self, day: Date) -> Option<u64> {
        let after = self.operator.partition_point(|(from, _)| *from <= day);
        self.operator.get(after.checked_sub(1)?).map(|(_, number)| *number)
    }
}
