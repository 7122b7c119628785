//! Numbers that stay the same over reloads.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    net::{IpAddr, SocketAddr},
};

use sekisho_config::Selector;
use sekisho_engine::snapshot::{ClientId, ContractId, CustomerId, GroupId, HomeId, HomeKind, LnsId, RealmId};

/// Which number belongs to which name. It starts empty and lives as long as the process.
///
/// A number is never given to another name: a request in flight may still hold it. Ingresses and service addresses are
/// bits of one word in the kernel, 64 each; theirs are given again, those that nobody has had first.
#[derive(Clone, Debug, Default)]
pub struct IdBook {
    customers: Numbers<String>,
    clients: Numbers<(CustomerId, String)>,
    realms: Numbers<(CustomerId, Selector, String)>,
    homes: Numbers<(CustomerId, String, HomeKind, SocketAddr)>,
    lnss: Numbers<(CustomerId, String)>,
    contracts: Numbers<(CustomerId, String)>,
    groups: Numbers<(CustomerId, String)>,
    pub(crate) ingresses: Slots<String>,
    pub(crate) services: Slots<IpAddr>,
}

impl IdBook {
    pub(crate) fn customer(&mut self, name: &str) -> CustomerId {
        CustomerId(self.customers.number(name.to_owned()))
    }

    /// A contract that passes to another customer is another contract.
    pub(crate) fn client(&mut self, customer: CustomerId, contract: &str) -> ClientId {
        ClientId(self.clients.number((customer, contract.to_owned())))
    }

    pub(crate) fn realm(&mut self, customer: CustomerId, selector: Selector, name: &str) -> RealmId {
        RealmId(self.realms.number((customer, selector, name.to_owned())))
    }

    pub(crate) fn lns(&mut self, customer: CustomerId, name: &str) -> LnsId {
        LnsId(self.lnss.number((customer, name.to_owned())))
    }

    /// A `vpdn` contract.
    pub(crate) fn contract(&mut self, customer: CustomerId, contract: &str) -> ContractId {
        ContractId(self.contracts.number((customer, contract.to_owned())))
    }

    /// A `group` contract.
    pub(crate) fn group(&mut self, customer: CustomerId, contract: &str) -> GroupId {
        GroupId(self.groups.number((customer, contract.to_owned())))
    }

    /// A server that moves to another address is another server: neither the old one's health nor the requests that
    /// went there are its own.
    pub(crate) fn home(&mut self, customer: CustomerId, name: &str, kind: HomeKind, address: SocketAddr) -> HomeId {
        HomeId(self.homes.number((customer, name.to_owned(), kind, address)))
    }
}

/// Numbers from 0, one for each name ever seen.
#[derive(Clone, Debug)]
struct Numbers<K>(HashMap<K, u32>);

impl<K> Default for Numbers<K> {
    fn default() -> Self {
        Numbers(HashMap::new())
    }
}

impl<K: Hash + Eq> Numbers<K> {
    fn number(&mut self, name: K) -> u32 {
        // A process does not see four thousand million names.
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(name).or_insert(next)
    }
}

/// The bits of a 64-bit word, given to names.
#[derive(Clone, Debug)]
pub(crate) struct Slots<K> {
    given: HashMap<K, u32>,
    /// Bits up to here have been given before.
    used: u32,
}

impl<K> Default for Slots<K> {
    fn default() -> Self {
        Slots { given: HashMap::new(), used: 0 }
    }
}

impl<K: Hash + Eq + Clone> Slots<K> {
    /// Gives every one of `names` a bit, and takes back the bits of all others. `false` if there are more than 64.
    pub(crate) fn assign(&mut self, names: &[K]) -> bool {
        let wanted: HashSet<&K> = names.iter().collect();
        self.given.retain(|name, _| wanted.contains(name));
        for name in names {
            if self.given.contains_key(name) {
                continue;
            }
            let taken: HashSet<u32> = self.given.values().copied().collect();
            let Some(bit) = (self.used..64).chain(0..self.used).find(|bit| !taken.contains(bit)) else { return false };
            self.used = self.used.max(bit + 1);
            self.given.insert(name.clone(), bit);
        }
        true
    }

    /// The bit of a name that has been assigned one.
    pub(crate) fn bit(&self, name: &K) -> Option<u32> {
        self.given.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_for_ever_and_nobody_else_gets_it() {
        let mut book = IdBook::default();
        let acme = book.customer("acme");
        let other = book.customer("other");
        assert_ne!(acme, other);
        assert_eq!(book.customer("acme"), acme);
        assert_ne!(book.customer("third"), acme);
    }

    #[test]
    fn a_server_that_moves_is_another_server() {
        let mut book = IdBook::default();
        let at = |book: &mut IdBook, address: &str| {
            book.home(CustomerId(0), "home", HomeKind::Auth, address.parse().unwrap())
        };
        let first = at(&mut book, "192.0.2.1:1812");
        assert_ne!(at(&mut book, "192.0.2.2:1812"), first);
        assert_eq!(at(&mut book, "192.0.2.1:1812"), first);
    }

    #[test]
    fn a_bit_is_given_again_only_when_no_fresh_one_is_left() {
        let mut slots = Slots::default();
        let names = |range: std::ops::Range<u32>| range.collect::<Vec<u32>>();
        assert!(slots.assign(&names(0..2)));
        assert!(slots.assign(&names(1..3)));
        assert_eq!((slots.bit(&0), slots.bit(&1), slots.bit(&2)), (None, Some(1), Some(2)));
        assert!(slots.assign(&names(1..65)));
        assert_eq!(slots.bit(&64), Some(0));
        assert!(!slots.assign(&names(1..66)));
    }
}
