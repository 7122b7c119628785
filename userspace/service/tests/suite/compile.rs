//! A configuration becomes what the engine and the gate work by.

use std::net::SocketAddr;

use crate::common::{NODE, contract, customer, documents, examples, first};
use sekisho_abi::{IngressKey, PortKind, Roles, Service, ServiceKey, SourceKey, address_bytes, mapped_v4, numbers};
use sekisho_engine::snapshot::{HomeKind, Member, RealmService};
use sekisho_service::{CompileError, RoutingSnapshot};

fn source(snapshot: &RoutingSnapshot, domain: u32, address: &str) -> Option<sekisho_abi::Source> {
    snapshot.gate.sources.get(&SourceKey { domain, address: address_bytes(address.parse().unwrap()) }).copied()
}

fn north_and_south() -> RoutingSnapshot {
    let north = customer("north", "north", "192.0.2.1");
    let south = customer("south", "south", "192.0.2.2");
    first(&documents(NODE, &[("north", &north), ("south", &south)])).unwrap().snapshot
}

#[test]
fn the_examples_compile_into_a_client_for_each_terminal_and_one_home_server_for_each_port() {
    let snapshot = first(&examples()).unwrap().snapshot;
    assert_eq!(snapshot.version, 1);
    assert_eq!(snapshot.clients.iter().flatten().count(), 2);
    let homes: Vec<_> = snapshot.homes.iter().flatten().map(|home| (home.kind, home.address.to_string())).collect();
    assert_eq!(homes, [(HomeKind::Auth, "127.0.0.1:1912".into()), (HomeKind::Acct, "127.0.0.1:1913".into())]);
    let terminal = source(&snapshot, numbers::domain("default"), "::1").unwrap();
    assert_eq!(terminal.roles, Roles::CLIENT);
    assert_eq!(contract(&snapshot, terminal.id), "acme-nas-2");
}

#[test]
fn one_address_that_is_client_and_home_server_has_both_roles_and_the_clients_number() {
    let snapshot = first(&examples()).unwrap().snapshot;
    let both = source(&snapshot, numbers::domain("default"), "127.0.0.1").unwrap();
    assert_eq!(both.roles, Roles::CLIENT.with(Roles::HOME_SERVER));
    assert_eq!(contract(&snapshot, both.id), "acme-nas-1");
}

#[test]
fn the_same_address_in_two_domains_is_two_terminals() {
    let snapshot = north_and_south();
    let by_tag = |outer_vlan| snapshot.gate.ingresses[&IngressKey { ifindex: 10, outer_vlan, inner_vlan: 0 }];
    let (north, south) = (by_tag(100), by_tag(200));
    assert_ne!(north.domain, south.domain);
    let name = |domain| contract(&snapshot, source(&snapshot, domain, "10.0.0.1").unwrap().id).to_owned();
    assert_eq!((name(north.domain), name(south.domain)), ("north-nas".into(), "south-nas".into()));
}

#[test]
fn a_source_may_come_in_by_every_ingress_of_its_domain_and_no_other() {
    let snapshot = north_and_south();
    let bit = |key: &IngressKey| 1u64 << snapshot.gate.ingresses[key].index;
    let north = bit(&IngressKey { ifindex: 10, outer_vlan: 100, inner_vlan: 0 }) | bit(&IngressKey::untagged(11));
    let domain = snapshot.gate.ingresses[&IngressKey::untagged(11)].domain;
    assert_eq!(source(&snapshot, domain, "10.0.0.1").unwrap().ingresses, north);
    assert_eq!(source(&snapshot, domain, "192.0.2.1").unwrap().ingresses, north);
    assert_eq!(source(&snapshot, domain, "192.0.2.2"), None);
}

#[test]
fn naming_an_ingress_shuts_the_others_of_the_domain() {
    let text = customer("acme", "north", "192.0.2.1").replacen("domain =", "ingress = [\"eth1\"]\ndomain =", 1);
    let snapshot = first(&documents(NODE, &[("acme", &text)])).unwrap().snapshot;
    let ingress = snapshot.gate.ingresses[&IngressKey::untagged(11)];
    assert_eq!(source(&snapshot, ingress.domain, "10.0.0.1").unwrap().ingresses, 1 << ingress.index);
}

#[test]
fn a_vlan_is_known_by_its_tag_in_frames_and_by_its_own_interface_in_sockets() {
    let snapshot = north_and_south();
    let tagged = snapshot.gate.ingresses[&IngressKey { ifindex: 10, outer_vlan: 200, inner_vlan: 0 }];
    assert_eq!(snapshot.ingress(200), Some(tagged));
    assert_eq!(snapshot.ingress(10), None);
    assert_eq!(snapshot.ingress(11).map(|ingress| ingress.domain), snapshot.ingress(100).map(|i| i.domain));
}

#[test]
fn each_port_of_a_listener_is_a_service_and_the_address_has_one_index() {
    let snapshot = north_and_south();
    let first = mapped_v4([198, 51, 100, 1]);
    let second = mapped_v4([198, 51, 100, 2]);
    let at = |address, port| snapshot.gate.services.get(&ServiceKey { address, port }).copied();
    let auth = at(first, 1812).unwrap();
    assert_eq!(auth, Service::new(PortKind::Auth, auth.index));
    assert_eq!(at(first, 1813), Some(Service::new(PortKind::Acct, auth.index)));
    assert_eq!(at(second, 1812), None);
    assert_ne!(at(second, 1813).unwrap().index, auth.index);
    assert_eq!(snapshot.gate.dedicated, [second]);
}

#[test]
fn a_realm_is_found_by_its_selector_and_leads_to_its_contracts_servers() {
    let snapshot = north_and_south();
    let north = snapshot.customers.iter().flatten().find(|customer| customer.name == "north").unwrap();
    let id = north.suffixes[b"north.example".as_slice()];
    let Some(RealmService::Proxy(pool)) = snapshot.realm(id).unwrap().service else { panic!("not served") };
    let pool = snapshot.pool(pool).unwrap();
    let address = |member: &Member| snapshot.home(member.home).unwrap().address;
    let [tier] = pool.tiers.as_slice() else { panic!("one tier: {pool:?}") };
    assert_eq!(tier.auth.iter().map(address).collect::<Vec<_>>(), ["192.0.2.1:1812".parse().unwrap()]);
    assert_eq!(tier.acct.iter().map(address).collect::<Vec<_>>(), ["192.0.2.1:1813".parse().unwrap()]);
    assert_eq!(snapshot.home_by_address.len(), 4);
    let reply_from: SocketAddr = "192.0.2.2:1813".parse().unwrap();
    assert_eq!(snapshot.home(snapshot.home_by_address[&reply_from]).unwrap().customer.0, 1);
}

#[test]
fn a_realm_that_no_contract_names_is_known_but_not_served() {
    let snapshot = north_and_south();
    let north = snapshot.customers.iter().flatten().find(|customer| customer.name == "north").unwrap();
    let realm = snapshot.realm(north.prefixes[b"north".as_slice()]).unwrap();
    assert_eq!((realm.name.as_str(), realm.service), ("prefix:north", None));
}

#[test]
fn a_customer_without_a_client_is_known_and_nothing_of_it_is_served() {
    let text = customer("acme", "north", "192.0.2.1");
    let (head, rest) = text.split_once("[[client]]").unwrap();
    let (_, proxy) = rest.split_once("[[proxy]]").unwrap();
    let text = format!("{head}[[proxy]]{proxy}");
    let snapshot = first(&documents(NODE, &[("acme", &text)])).unwrap().snapshot;
    assert_eq!(snapshot.customers.iter().flatten().count(), 1);
    assert!(snapshot.gate.sources.is_empty());
    assert!(snapshot.homes.is_empty() && snapshot.home_by_address.is_empty());
    assert!(snapshot.realms.iter().flatten().all(|realm| realm.service.is_none()));
}

#[test]
fn a_customer_without_a_service_has_no_client_either() {
    let text = customer("acme", "north", "192.0.2.1");
    let text = text.split_once("[[proxy]]").unwrap().0;
    let snapshot = first(&documents(NODE, &[("acme", text)])).unwrap().snapshot;
    assert!(snapshot.gate.sources.is_empty() && snapshot.clients.is_empty());
}

#[test]
fn every_interface_that_the_host_lacks_is_named() {
    let node = NODE.replace("eth0", "wlan0").replace("vlan = 100", "vlan = 100\nvlan_interface = \"access\"");
    let errors = first(&documents(&node, &[])).unwrap_err();
    let missing: Vec<&str> = errors
        .0
        .iter()
        .map(|error| match error {
            CompileError::NoSuchInterface { interface, .. } => interface.as_str(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(missing, ["wlan0", "access", "wlan0", "wlan0.200"]);
    assert!(errors.to_string().contains("`ip link`"), "{errors}");
}
