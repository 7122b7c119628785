//! What of a customer's document is served: its contracts begin, change and end at days of their own.

use std::collections::HashMap;

use crate::{
    customer::{Customer, Realm, Selector},
    vpdn::{LnsTier, Strategy, Verify, Vpdn},
};

/// What contradicts itself in what was to be served of a customer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Two contracts that would answer for the same realm are served at once.
    #[error(
        "customer \"{customer}\": contracts {first:?} and {second:?} would both answer for \"{realm}\" (service regulation, \
         Art. 6). Let one end before the other begins, or take the realm out of `realms` of one of them."
    )]
    TwoAnswers {
        /// The customer.
        customer: String,
        /// The realm, as it shows itself.
        realm: String,
        /// The contract that comes first: of a `proxy` and a `group` the `proxy`.
        first: String,
        /// The other contract.
        second: String,
    },
    /// What remains of a load-balancing option is no LNS of its contract.
    #[error(
        "customer \"{customer}\": {lns:?} is no LNS of contract {contract:?}, and nothing else remains of its load-balancing \
         option (負荷分散, Art. 8.2). Name it as `lns` of the [[vpdn]], or cancel the contract as well."
    )]
    NoSurvivor {
        /// The customer.
        customer: String,
        /// The contract.
        contract: String,
        /// The LNS that was to remain.
        lns: String,
    },
}

impl Customer {
    /// The customer with nothing but the contracts that are served: `served` is asked of each by its name, and of a `vpdn`
    /// contract `survivor` names the one LNS that remains where its load-balancing option has ended.
    ///
    /// Realms stay known, so that whoever asks for one gets its customer's Reject, and so do LNSs, on which sessions may
    /// go on. A realm of a `vpdn` contract that is verified by a contract which is not served is not served either: nobody
    /// could say who may in.
    ///
    /// # Errors
    ///
    /// A realm that both a `proxy` and a `group` contract, or two of either, would answer for; a survivor that is no LNS of
    /// its contract.
    pub fn only(
        &self,
        served: &dyn Fn(&str) -> bool,
        survivor: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Customer, Contradiction> {
        let mut only = self.clone();
        only.clients.retain(|it| served(&it.contract));
        only.proxies.retain(|it| served(&it.contract));
        only.groups.retain(|it| served(&it.contract));
        only.vpdn.retain(|it| served(&it.contract));
        let proxies = only.proxies.iter().map(|it| (it.contract.as_str(), it.realms.as_slice()));
        let groups = only.groups.iter().map(|it| (it.contract.as_str(), it.realms.as_slice()));
        one_answer(&only.name, proxies.chain(groups))?;
        let (proxies, groups) = (&only.proxies, &only.groups);
        for contract in &mut only.vpdn {
            match contract.verify {
                Verify::Realm => {}
                Verify::Proxy { .. } => {
                    contract.realms.retain(|realm| proxies.iter().any(|it| it.realms.contains(realm)))
                }
                Verify::Group => contract.realms.retain(|realm| groups.iter().any(|it| it.realms.contains(realm))),
            }
            if let Some(lns) = survivor(&contract.contract) {
                reduce(&self.name, contract, lns)?;
            }
        }
        only.vpdn.retain(|contract| !contract.realms.is_empty());
        Ok(only)
    }
}

/// Each way of asking for a realm leads to one contract.
fn one_answer<'a>(
    customer: &str,
    contracts: impl Iterator<Item = (&'a str, &'a [Realm])>,
) -> Result<(), Contradiction> {
    let mut first: HashMap<(Selector, &str), &str> = HashMap::new();
    for (contract, realm) in contracts.flat_map(|(contract, realms)| realms.iter().map(move |it| (contract, it))) {
        if let Some(other) = first.insert((realm.selector, realm.name.as_str()), contract) {
            return Err(Contradiction::TwoAnswers {
                customer: customer.to_owned(),
                realm: realm.to_string(),
                first: other.to_owned(),
                second: contract.to_owned(),
            });
        }
    }
    Ok(())
}

/// Leaves a contract with one LNS, and without the option.
fn reduce(customer: &str, contract: &mut Vpdn, lns: String) -> Result<(), Contradiction> {
    if !contract.lnss().any(|name| name == lns) {
        return Err(Contradiction::NoSurvivor {
            customer: customer.to_owned(),
            contract: contract.contract.clone(),
            lns,
        });
    }
    contract.tiers = vec![LnsTier { strategy: Strategy::RoundRobin, lns: vec![lns] }];
    contract.balancing = None;
    Ok(())
}
