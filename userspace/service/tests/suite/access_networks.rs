//! Access networks: a client at many addresses, which may ask for realms of every customer.

use std::{sync::Arc, time::Duration};

use crate::common::{NODE, client, contract, customer, documents, first, reload};
use sekisho_abi::{BucketParams, Identity, Roles, Source, address_bytes, numbers};
use sekisho_engine::snapshot::{AccessType, ClientRole, CustomerId, Require, RoutingSnapshot, Verdict};
use sekisho_service::Compiled;

const CARRIER: &str = r#"
[[access_network]]
name = "carrier"
type = "K"
addresses = ["203.0.113.1", "198.18.0.0/24", "2001:db8:1::/48"]
domain = "north"
ingress = ["eth1"]
secret = "secret of the carrier"
reject_delay = "250ms"
answer_within = "3s"
realm_rate = 7
realm_burst = 8
"#;

/// Two customers, and the carrier with these keys beside its own.
fn compiled(keys: &str) -> Compiled {
    first(&two(keys)).unwrap()
}

fn two(keys: &str) -> (sekisho_config::Node, Vec<sekisho_config::Customer>) {
    let (a, b) = (customer("alpha", "north", "192.0.2.1"), customer("beta", "south", "192.0.2.2"));
    documents(&format!("{NODE}{CARRIER}{keys}"), &[("alpha", &a), ("beta", &b)])
}

/// Who an address is in a domain.
fn source(snapshot: &RoutingSnapshot, domain: &str, address: &str) -> Option<Source> {
    snapshot.gate.source(numbers::domain(domain), address_bytes(address.parse().unwrap())).copied()
}

#[test]
fn an_access_networks_keys_are_the_engines() {
    let compiled = compiled("previous_secret = \"the secret before it\"\nrequire_message_authenticator = \"yes\"\n");
    let carrier = client(&compiled.snapshot, "carrier");
    assert_eq!(carrier.role, ClientRole::AccessNetwork(AccessType::K));
    assert_eq!(carrier.customer, CustomerId::NOBODY);
    assert!(compiled.snapshot.customer(carrier.customer).is_none());
    assert_eq!(carrier.address.to_string(), "203.0.113.1");
    assert!(carrier.previous_secret.is_some());
    assert_eq!((carrier.require_message_authenticator, carrier.limit_proxy_state), (Require::Yes, true));
    assert_eq!(carrier.reject_delay, Duration::from_millis(250));
    assert_eq!((carrier.answer_within, carrier.when_unanswered), (Duration::from_secs(3), Verdict::Reject));
    assert_eq!(carrier.realm_limit, BucketParams::per_second(7, 8));
    assert!(!carrier.administrative && carrier.request_policies.is_empty() && carrier.reply_policies.is_empty());
    for (word, kind) in [("D", AccessType::D), ("I", AccessType::I)] {
        let text = format!("{NODE}{}", CARRIER.replace("\"K\"", &format!("{word:?}")));
        let snapshot = first(&documents(&text, &[])).unwrap().snapshot;
        assert_eq!(client(&snapshot, "carrier").role, ClientRole::AccessNetwork(kind));
    }
}

#[test]
fn all_its_addresses_are_one_client_with_one_set_of_buckets() {
    let snapshot = compiled("session_rate = 20\nnew_session_rate = 5000\n").snapshot;
    let exact = source(&snapshot, "north", "203.0.113.1").unwrap();
    assert_eq!((exact.roles, contract(&snapshot, exact.id)), (Roles::ACCESS_NETWORK, "carrier"));
    assert_eq!((exact.owner, exact.identity), (numbers::owner("", "carrier"), Identity::ACCESS_NETWORK));
    assert_eq!(exact.limits.client, BucketParams::per_second(50_000, 100_000));
    assert_eq!(exact.limits.session, BucketParams::per_second(20, 100));
    assert_eq!(exact.ingresses, 1 << snapshot.ingress(11).unwrap().index);
    for within in ["198.18.0.0", "198.18.0.255", "2001:db8:1:ffff::1"] {
        assert_eq!(source(&snapshot, "north", within), Some(exact), "{within}");
    }
    for without in ["203.0.113.2", "198.18.1.0", "2001:db8:2::1"] {
        assert_eq!(source(&snapshot, "north", without), None, "{without}");
    }
    assert_eq!(source(&snapshot, "south", "198.18.0.7"), None, "another domain");
}

#[test]
fn a_terminal_within_a_prefix_is_its_customers_and_the_addresses_around_it_are_not() {
    let a = customer("alpha", "north", "192.0.2.1").replace("\"10.0.0.1\"", "\"198.18.0.7\"");
    let snapshot = first(&documents(&format!("{NODE}{CARRIER}"), &[("alpha", &a)])).unwrap().snapshot;
    let terminal = source(&snapshot, "north", "198.18.0.7").unwrap();
    assert_eq!((terminal.roles, contract(&snapshot, terminal.id)), (Roles::CLIENT, "alpha-nas"));
    let neighbour = source(&snapshot, "north", "198.18.0.8").unwrap();
    assert_eq!((neighbour.roles, contract(&snapshot, neighbour.id)), (Roles::ACCESS_NETWORK, "carrier"));
}

#[test]
fn it_finds_the_realms_of_every_customer_by_suffix() {
    let snapshot = compiled("").snapshot;
    let found = |name: &str| {
        let realm = snapshot.access_realms.suffixes.get(name.as_bytes()).and_then(|id| snapshot.realm(*id))?;
        snapshot.customer(realm.customer).map(|customer| customer.name.as_str())
    };
    assert_eq!((found("alpha.example"), found("beta.example")), (Some("alpha"), Some("beta")));
    assert_eq!(found("alpha"), None, "a prefix");
    assert_eq!(snapshot.access_realms.suffixes.len(), 2);
}

#[test]
fn a_reload_keeps_its_number_and_what_was_learned_and_changes_the_rest() {
    let before = compiled("");
    client(&before.snapshot, "carrier").state.learned.set_message_authenticator(true);
    let (mut node, customers) = two("session_rate = 5\n");
    node.access_networks[0].addresses.remove(1);
    let after = reload(&before, &(node, customers)).unwrap();
    let (old, new) = (client(&before.snapshot, "carrier"), client(&after.snapshot, "carrier"));
    assert!(old.id == new.id && Arc::ptr_eq(&old.state, &new.state));
    let exact = source(&after.snapshot, "north", "203.0.113.1").unwrap();
    assert_eq!(exact.owner, source(&before.snapshot, "north", "203.0.113.1").unwrap().owner);
    assert_eq!(exact.limits.session, BucketParams::per_second(5, 100));
    assert_eq!(source(&after.snapshot, "north", "198.18.0.7"), None, "taken out");
    let (node, customers) = two("");
    let without = reload(&after, &(sekisho_config::Node { access_networks: vec![], ..node }, customers)).unwrap();
    assert!(without.snapshot.client(new.id).is_none() && without.snapshot.gate.prefixes.is_empty());
    let again = reload(&without, &two("")).unwrap();
    assert_eq!(client(&again.snapshot, "carrier").id, new.id);
}

#[test]
fn a_contract_and_an_access_network_are_told_apart_whatever_their_names() {
    assert_ne!(numbers::owner("", "carrier"), numbers::owner("carrier", ""));
    let snapshot = compiled("").snapshot;
    let ids: Vec<u32> = snapshot.clients.iter().flatten().map(|client| client.id.0).collect();
    assert_eq!(ids, [0, 1, 2]);
}
