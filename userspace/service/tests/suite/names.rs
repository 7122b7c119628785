//! Home servers that have a name instead of an address.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use crate::common::{NODE, customer, documents, first_where, home, reload_where};
use sekisho_abi::{Roles, SourceKey, address_bytes, numbers};
use sekisho_config::{Customer, Node};
use sekisho_engine::snapshot::{HomeKind, RoutingSnapshot};
use sekisho_service::{Compiled, Why};

/// Two customers: alpha's server has a name, beta's an address.
fn two() -> (Node, Vec<Customer>) {
    let alpha = customer("alpha", "north", "radius.alpha.example");
    let beta = customer("beta", "south", "192.0.2.2");
    documents(NODE, &[("alpha", &alpha), ("beta", &beta)])
}

fn at(address: &'static str) -> impl Fn(&str) -> Option<IpAddr> {
    move |name| (name == "radius.alpha.example").then(|| address.parse().unwrap())
}

fn servers(snapshot: &RoutingSnapshot) -> Vec<String> {
    snapshot.homes.iter().flatten().map(|home| home.address.to_string()).collect()
}

/// What is said of the one server that is left out.
fn refusal(compiled: &Compiled) -> String {
    let [one] = compiled.unresolved.as_slice() else { panic!("{:?}", compiled.unresolved) };
    assert_eq!((one.customer.as_str(), one.server.as_str()), ("alpha", "home"));
    assert_eq!(servers(&compiled.snapshot), ["192.0.2.2:1812", "192.0.2.2:1813"], "beta's are served");
    assert_eq!(compiled.snapshot.home_by_address.len(), 2);
    one.to_string()
}

#[test]
fn a_name_is_asked_for_and_its_address_is_the_servers() {
    let compiled = first_where(&two(), &at("192.0.2.1")).unwrap();
    assert!(compiled.unresolved.is_empty());
    let snapshot = &compiled.snapshot;
    let server = home(snapshot, "home", HomeKind::Auth);
    assert_eq!(server.address, "192.0.2.1:1812".parse().unwrap());
    assert_eq!(snapshot.home_by_address.get(&server.address), Some(&server.id));
    let roles = |address: &str| {
        let address = address_bytes(address.parse().unwrap());
        let found = snapshot.gate.sources.iter().find(|(key, _)| key.address == address);
        found.map(|(SourceKey { domain, .. }, source)| (*domain, source.roles))
    };
    assert_eq!(roles("192.0.2.1"), Some((numbers::domain("north"), Roles::HOME_SERVER)), "the gate admits its replies");
}

#[test]
fn a_server_without_an_address_is_left_out_and_its_realm_stays() {
    let compiled = first_where(&two(), &|_| None).unwrap();
    assert_eq!(refusal(&compiled), "home of alpha: radius.alpha.example has no address");
    assert_eq!(compiled.unresolved[0].why, Why::Unknown);
    let realm = compiled.snapshot.realms.iter().flatten().find(|realm| realm.name == "alpha.example").unwrap();
    let pool = compiled.snapshot.pools.iter().find(|pool| pool.contract.starts_with("alpha")).unwrap();
    assert!(pool.auth_awaited && pool.acct_awaited, "it is down, and not without servers");
    assert!(realm.service.is_some(), "so that its clients are told no, or nothing, as the contract says");
}

#[test]
fn an_address_that_could_not_stand_in_the_documents_is_refused() {
    for (address, why) in [
        ("0.0.0.0", "is 0.0.0.0, which is no host's own"),
        ("224.0.0.1", "is 224.0.0.1, which is no host's own"),
        ("255.255.255.255", "is 255.255.255.255, which is no host's own"),
        ("198.51.100.1", "is 198.51.100.1, which is our own listener: requests would go round for ever"),
        ("127.0.0.1", "is 127.0.0.1, which is this host's loopback, where a customer has no server"),
        ("2001:db8::1", "is 2001:db8::1, and this node has no address of that family under [upstream]"),
        ("192.0.2.2", "is 192.0.2.2, and 192.0.2.2:1812 is in use for another server or terminal"),
        ("::ffff:192.0.2.2", "is 192.0.2.2, and 192.0.2.2:1812 is in use for another server or terminal"),
    ] {
        let compiled = first_where(&two(), &at(address)).unwrap();
        assert_eq!(refusal(&compiled), format!("home of alpha: radius.alpha.example {why}"));
    }
}

#[test]
fn a_host_that_comes_in_another_way_is_refused() {
    let alpha = customer("alpha", "north", "radius.alpha.example")
        .replace("address = \"10.0.0.1\"", "address = \"10.0.0.1\"\ningress = [\"eth1\"]");
    let beta = customer("beta", "south", "192.0.2.2");
    let documents = documents(NODE, &[("alpha", &alpha), ("beta", &beta)]);
    let compiled = first_where(&documents, &at("10.0.0.1")).unwrap();
    let said = refusal(&compiled);
    assert!(said.ends_with("is 10.0.0.1, which the documents name with other ingresses"), "{said}");
}

#[test]
fn an_access_networks_address_is_no_servers_in_its_domain() {
    let carrier = |domain: &str| {
        format!(
            "{NODE}[[access_network]]\nname = \"carrier\"\ntype = \"D\"\naddresses = [\"203.0.113.1\", \"198.18.0.0/24\"]\n\
             domain = \"{domain}\"\nsecret = \"secret of the carrier\"\n"
        )
    };
    let alpha = customer("alpha", "north", "radius.alpha.example");
    let beta = customer("beta", "south", "192.0.2.2");
    let within = |domain: &str| documents(&carrier(domain), &[("alpha", &alpha), ("beta", &beta)]);
    let compiled = first_where(&within("north"), &at("203.0.113.1")).unwrap();
    let says = "home of alpha: radius.alpha.example is 203.0.113.1, which is an access network's";
    assert_eq!(refusal(&compiled), says);
    assert!(first_where(&within("south"), &at("203.0.113.1")).unwrap().unresolved.is_empty());
    let compiled = first_where(&within("north"), &at("198.18.0.7")).unwrap();
    assert!(compiled.unresolved.is_empty(), "an exact address goes before a prefix");
}

#[test]
fn of_two_names_with_one_address_the_first_has_it() {
    let alpha = customer("alpha", "north", "radius.alpha.example");
    let beta = customer("beta", "south", "radius.beta.example");
    let documents = documents(NODE, &[("alpha", &alpha), ("beta", &beta)]);
    let compiled = first_where(&documents, &|_| Some("192.0.2.7".parse().unwrap())).unwrap();
    let [one] = compiled.unresolved.as_slice() else { panic!("{:?}", compiled.unresolved) };
    assert_eq!(one.customer, "beta");
    assert_eq!(servers(&compiled.snapshot), ["192.0.2.7:1812", "192.0.2.7:1813"]);
}

#[test]
fn a_name_that_moves_is_another_server_and_others_keep_numbers_and_health() {
    let documents = two();
    let before = first_where(&documents, &at("192.0.2.1")).unwrap();
    let after = reload_where(&before, &documents, &at("192.0.2.9")).unwrap();
    let of = |compiled: &Compiled, address: &str| {
        let id = compiled.snapshot.home_by_address.get(&address.parse::<SocketAddr>().unwrap())?;
        compiled.snapshot.home(*id).cloned()
    };
    let (old, new) = (of(&before, "192.0.2.1:1812").unwrap(), of(&after, "192.0.2.9:1812").unwrap());
    assert!(old.id != new.id && !Arc::ptr_eq(&old.state, &new.state));
    assert!(of(&after, "192.0.2.1:1812").is_none() && after.snapshot.home(old.id).is_none());
    let stays = |compiled: &Compiled| of(compiled, "192.0.2.2:1812").unwrap();
    assert!(stays(&before).id == stays(&after).id && Arc::ptr_eq(&stays(&before).state, &stays(&after).state));
}
