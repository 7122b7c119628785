//! What keeps its name keeps its number, counters and health; what goes leaves a gap.

use std::sync::Arc;

use crate::common::{NODE, customer, documents, first, reload};
use sekisho_engine::snapshot::RoutingSnapshot;
use sekisho_service::Compiled;

fn number_of(snapshot: &RoutingSnapshot, contract: &str) -> Option<u32> {
    snapshot.clients.iter().flatten().find(|client| client.contract == contract).map(|client| client.id.0)
}

fn two() -> Compiled {
    let a = customer("alpha", "north", "192.0.2.1");
    let b = customer("beta", "south", "192.0.2.2");
    first(&documents(NODE, &[("alpha", &a), ("beta", &b)])).unwrap()
}

#[test]
fn a_customer_that_comes_first_in_the_alphabet_does_not_move_the_others_numbers() {
    let before = two();
    let a = customer("alpha", "north", "192.0.2.1");
    let b = customer("beta", "south", "192.0.2.2");
    let new = customer("aardvark", "south", "192.0.2.3").replace("10.0.0.1", "10.0.0.2");
    let after = reload(&before, &documents(NODE, &[("aardvark", &new), ("alpha", &a), ("beta", &b)])).unwrap();
    assert_eq!(after.snapshot.version, 2);
    for contract in ["alpha-nas", "beta-nas"] {
        assert_eq!(number_of(&before.snapshot, contract), number_of(&after.snapshot, contract));
    }
    assert_eq!(number_of(&after.snapshot, "aardvark-nas"), Some(2));
    for (key, source) in &before.snapshot.gate.sources {
        assert_eq!(after.snapshot.gate.sources.get(key), Some(source));
    }
    assert_eq!(after.snapshot.gate.ingresses, before.snapshot.gate.ingresses);
    assert_eq!(after.snapshot.gate.services, before.snapshot.gate.services);
}

#[test]
fn what_is_gone_leaves_a_gap_and_returns_to_it() {
    let before = two();
    let b = customer("beta", "south", "192.0.2.2");
    let without = reload(&before, &documents(NODE, &[("beta", &b)])).unwrap();
    let beta = number_of(&before.snapshot, "beta-nas");
    assert_eq!(number_of(&without.snapshot, "beta-nas"), beta);
    assert!(without.snapshot.clients[0].is_none() && without.snapshot.customers[0].is_none());
    let new = customer("gamma", "north", "192.0.2.3");
    let with_new = reload(&without, &documents(NODE, &[("beta", &b), ("gamma", &new)])).unwrap();
    assert_eq!(number_of(&with_new.snapshot, "gamma-nas"), Some(2), "alpha's number is not given away");
    let a = customer("alpha", "north", "192.0.2.1");
    let again = reload(&with_new, &documents(NODE, &[("alpha", &a), ("beta", &b)])).unwrap();
    assert_eq!(number_of(&again.snapshot, "alpha-nas"), number_of(&before.snapshot, "alpha-nas"));
}

#[test]
fn health_and_counters_go_on_over_a_reload() {
    let before = two();
    let a = customer("alpha", "north", "192.0.2.1").replace("secret of alpha's server", "another secret of theirs");
    let after = reload(&before, &documents(NODE, &[("alpha", &a)])).unwrap();
    let (old, new) = (before.snapshot.homes[0].as_ref().unwrap(), after.snapshot.homes[0].as_ref().unwrap());
    assert_ne!(old.secret, new.secret);
    assert!(Arc::ptr_eq(&old.state, &new.state) && Arc::ptr_eq(&old.stats, &new.stats));
    let stats = |compiled: &Compiled| compiled.snapshot.customers[0].as_ref().unwrap().stats.clone();
    assert!(Arc::ptr_eq(&stats(&before), &stats(&after)));
    let stats = |compiled: &Compiled| compiled.snapshot.realms[0].as_ref().unwrap().stats.clone();
    assert!(Arc::ptr_eq(&stats(&before), &stats(&after)));
}

#[test]
fn a_server_at_a_new_address_begins_alive_with_a_number_of_its_own() {
    let before = two();
    let a = customer("alpha", "north", "192.0.2.77");
    let after = reload(&before, &documents(NODE, &[("alpha", &a)])).unwrap();
    let moved = after.snapshot.homes.iter().flatten().next().unwrap();
    assert!(before.snapshot.home(moved.id).is_none());
    assert!(before.snapshot.homes.iter().flatten().all(|home| !Arc::ptr_eq(&home.state, &moved.state)));
}

#[test]
fn a_refused_reload_leaves_the_book_as_it_was() {
    let before = two();
    let node = NODE.replace("eth1", "wlan1");
    assert!(reload(&before, &documents(&node, &[])).is_err());
    let b = customer("beta", "south", "192.0.2.2");
    let after = reload(&before, &documents(NODE, &[("beta", &b)])).unwrap();
    assert_eq!(number_of(&after.snapshot, "beta-nas"), number_of(&before.snapshot, "beta-nas"));
    assert_eq!(after.snapshot.gate.ingresses, before.snapshot.gate.ingresses);
}

#[test]
fn the_rendezvous_seed_comes_from_the_pools_name_alone() {
    let before = two();
    let b = customer("beta", "south", "192.0.2.2");
    let alone = first(&documents(NODE, &[("beta", &b)])).unwrap();
    let seed = |compiled: &Compiled| {
        compiled.snapshot.pools.iter().find(|pool| pool.contract == "beta-proxy").map(|pool| pool.tiers[0].seed)
    };
    assert_eq!(seed(&before), seed(&alone));
    assert_ne!(seed(&before), before.snapshot.pools.first().map(|pool| pool.tiers[0].seed));
}
