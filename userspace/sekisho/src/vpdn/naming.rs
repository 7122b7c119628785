//! Names for numbers: in what is kept on disk, and in what is shown.
//!
//! A name says whose the thing is: `acme/tokyo-1` is an LNS, `/carrier-d` an access network, which is nobody's. Names of documents
//! have no slash.

use std::collections::HashMap;

use sekisho_engine::snapshot::{ClientId, CustomerId, RoutingSnapshot, SourceId};
use sekisho_lns::{
    ContractId, LnsId,
    sessions::{Kind, Naming},
};

/// The names that a routing has.
pub(super) struct Names<'s> {
    snapshot: &'s RoutingSnapshot,
    numbers: HashMap<(Kind, String), u32>,
}

impl<'s> Names<'s> {
    pub(super) fn of(snapshot: &'s RoutingSnapshot) -> Names<'s> {
        let mut names = Names { snapshot, numbers: HashMap::new() };
        let kinds = [
            (Kind::Source, snapshot.clients.len()),
            (Kind::Customer, snapshot.customers.len()),
            (Kind::Contract, snapshot.vpdn.len()),
            (Kind::Lns, snapshot.lnss.len()),
        ];
        for (kind, count) in kinds {
            for number in 0..u32::try_from(count).unwrap_or(u32::MAX) {
                if let Some(name) = names.name(kind, number) {
                    names.numbers.insert((kind, name), number);
                }
            }
        }
        names
    }
}

impl Naming for Names<'_> {
    fn name(&self, kind: Kind, number: u32) -> Option<String> {
        let of = |owner, name: &str| format!("{}/{name}", self.snapshot.customer_name(owner));
        Some(match kind {
            Kind::Source => {
                let client = self.snapshot.client(ClientId(number))?;
                of(client.customer, &client.contract)
            }
            Kind::Customer => self.snapshot.customer(CustomerId(number))?.name.clone(),
            Kind::Contract => {
                let contract = self.snapshot.vpdn(ContractId(number))?;
                of(contract.customer, &contract.contract)
            }
            Kind::Lns => {
                let plan = self.snapshot.lns(LnsId(number))?;
                of(plan.customer, &plan.lns.name)
            }
        })
    }

    fn number(&self, kind: Kind, name: &str) -> Option<u32> {
        self.numbers.get(&(kind, name.to_owned())).copied()
    }
}

/// The name of an access network, or of an LNS that accounts.
pub(crate) fn source(snapshot: &RoutingSnapshot, id: SourceId) -> Option<String> {
    snapshot.client(ClientId(id.0)).map(|client| client.contract.clone())
}
