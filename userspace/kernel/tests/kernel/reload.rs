//! Changes while packets come in: added before removed, changed in place.

use std::{
    collections::HashSet,
    net::UdpSocket,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use sekisho_abi::{Ingress, IngressKey, Outcome, PortKind, Reason, Roles, Service, Source};
use sekisho_kernel::{Diff, Gate, GateError, GateOptions, GateTable, Mode, UpstreamPorts, testing::Frame};

use crate::world::*;

fn nobody() -> HashSet<sekisho_abi::SourceKey> {
    HashSet::new()
}

#[test]
fn a_reload_that_changes_nothing_touches_nothing() {
    let mut gate = gate(&table());
    assert_eq!(gate.add(&table()).unwrap(), Diff::default());
    assert_eq!(gate.remove(&nobody()).unwrap(), Diff::default());
}

#[test]
fn between_the_steps_old_and_new_hold_and_afterwards_the_new_alone() {
    let mut gate = gate(&table());
    let mut new = table();
    new.sources.remove(&source_key(DOMAIN, CLIENT));
    new.sources.insert(source_key(DOMAIN, STRANGER), Source::unlimited(Roles::CLIENT, 20));
    assert_eq!(gate.add(&new).unwrap(), Diff { added: 1, ..Diff::default() });
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &request(STRANGER, AUTH).build()), Outcome::Passed);
    assert_eq!(gate.remove(&nobody()).unwrap(), Diff { removed: 1, ..Diff::default() });
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).build()), dropped(Reason::Unregistered));
    assert_eq!(outcome(&gate, &request(STRANGER, AUTH).build()), Outcome::Passed);
}

#[test]
fn a_change_of_a_source_narrows_only_in_the_second_step() {
    let mut gate = gate(&table());
    let mut new = table();
    new.sources.insert(source_key(DOMAIN, CLIENT), Source::unlimited(Roles::DYNAUTH, 0));
    gate.add(&new).unwrap();
    let disconnect = Frame::udp(at(CLIENT), at(DYNAUTH), radius(40)).build();
    assert_eq!(outcome(&gate, &disconnect), Outcome::Passed);
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).build()), Outcome::Passed);
    assert_eq!(gate.remove(&nobody()).unwrap(), Diff { changed: 1, ..Diff::default() });
    assert_eq!(outcome(&gate, &disconnect), Outcome::Passed);
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).build()), dropped(Reason::WrongRole));
}

#[test]
fn a_retiring_home_server_answers_until_it_is_let_go() {
    let mut gate = gate(&table());
    let mut new = table();
    let key = source_key(DOMAIN, HOME_SERVER);
    new.sources.remove(&key);
    let accept = Frame::udp(at(HOME_SERVER), at(UPSTREAM), radius(2)).build();
    gate.add(&new).unwrap();
    assert_eq!(gate.remove(&HashSet::from([key])).unwrap(), Diff::default());
    assert_eq!(outcome(&gate, &accept), Outcome::Passed);
    assert_eq!(gate.remove(&nobody()).unwrap(), Diff { removed: 1, ..Diff::default() });
    assert_eq!(outcome(&gate, &accept), dropped(Reason::Unregistered));
}

#[test]
fn a_service_that_is_gone_is_no_longer_ours() {
    let mut gate = gate(&table());
    let mut new = table();
    new.services.remove(&service_key(ACCT));
    gate.add(&new).unwrap();
    gate.remove(&nobody()).unwrap();
    assert_eq!(outcome(&gate, &request(STRANGER, ACCT).build()), Outcome::NotOurs);
}

#[test]
fn a_registered_client_passes_all_through_a_storm_of_reloads() {
    in_namespace(|| {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = server.local_addr().unwrap();
        let key = source_key(DOMAIN, "127.0.0.1:1");
        let mut first = table();
        first.services.insert(service_key(&to.to_string()), Service::new(PortKind::Auth, 0));
        first.sources.insert(key, Source::unlimited(Roles::CLIENT, 1));
        // Everything about the client changes, but for what lets it in; the others come and go.
        let mut second = GateTable { ingresses: first.ingresses.clone(), ..GateTable::default() };
        second.services.insert(service_key(&to.to_string()), Service::new(PortKind::Auth, 0));
        second.services.insert(service_key("192.0.2.3:1812"), Service::new(PortKind::Auth, 5));
        second.sources.insert(key, Source { ingresses: 1, services: 1, ..Source::unlimited(Roles::CLIENT, 77) });
        second.ingresses.insert(IngressKey::untagged(4242), Ingress { domain: 9, index: 9 });

        let options = GateOptions { interfaces: vec!["lo".to_owned()], mode: Mode::Generic, ..GateOptions::default() };
        let mut gate = opened(Gate::open(&options, &first));
        let done = AtomicBool::new(false);
        let sent = std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                let mut sent = 0;
                while !done.load(Relaxed) {
                    client.send_to(&radius(1), to).unwrap();
                    sent += 1;
                }
                sent
            });
            for round in 0..500 {
                gate.add(if round % 2 == 0 { &second } else { &first }).unwrap();
                gate.remove(&nobody()).unwrap();
            }
            done.store(true, Relaxed);
            sender.join().unwrap()
        });
        let counters = gate.counters().unwrap();
        assert!(sent > 1000, "{sent}");
        assert_eq!(counters.get(Outcome::Passed), sent, "{counters:?}");
        assert_eq!(counters.get(Outcome::Seen), sent, "{counters:?}");
    });
}

#[test]
fn a_table_without_room_is_named_and_nothing_is_changed() {
    let mut gate = gate(&table());
    let mut new = table();
    for number in 0..1000_u16 {
        let [high, low] = number.to_be_bytes();
        let address = format!("10.0.{high}.{low}:1");
        new.sources.insert(source_key(DOMAIN, &address), Source::unlimited(Roles::CLIENT, 1));
    }
    let error = gate.add(&new).unwrap_err();
    assert!(matches!(error, GateError::TableFull { table: "sources", capacity: 1000, .. }), "{error:?}");
    assert!(error.to_string().contains("max_sources"), "{error}");
    assert_eq!(outcome(&gate, &request("10.0.0.1:1", AUTH).build()), dropped(Reason::Unregistered));

    let options = GateOptions { mode: Mode::Auto, max_sources: 1000, ..GateOptions::default() };
    let error = Gate::open(&options, &new).err().unwrap();
    assert!(matches!(error, GateError::TableFull { .. }), "auto does not hide a table that is too small: {error:?}");
}

#[test]
fn a_table_can_be_filled_to_the_last_entry_and_changed_when_full() {
    let mut full = table();
    full.sources.clear();
    for number in 0..1000_u16 {
        let [high, low] = number.to_be_bytes();
        let address = format!("10.0.{high}.{low}:1");
        full.sources.insert(source_key(DOMAIN, &address), Source::unlimited(Roles::CLIENT, 1));
    }
    let mut gate = gate(&full);
    for source in full.sources.values_mut() {
        source.roles = Roles::CLIENT.with(Roles::DYNAUTH);
    }
    assert_eq!(gate.add(&full).unwrap(), Diff { changed: 1000, ..Diff::default() });
}

#[test]
fn a_port_toward_home_servers_is_ours_while_it_is_open() {
    let gate = gate(&table());
    let ports: UpstreamPorts = gate.ports();
    let port = "192.0.2.1:40001";
    let accept = |from| Frame::udp(at(from), at(port), radius(2)).build();
    assert_eq!(outcome(&gate, &accept(STRANGER)), Outcome::NotOurs);
    ports.open(at(port)).unwrap();
    ports.clone().open(at(port)).unwrap();
    assert_eq!(outcome(&gate, &accept(HOME_SERVER)), Outcome::Passed);
    assert_eq!(outcome(&gate, &accept(STRANGER)), dropped(Reason::Unregistered));
    ports.close(at(port)).unwrap();
    ports.close(at(port)).unwrap();
    assert_eq!(outcome(&gate, &accept(STRANGER)), Outcome::NotOurs);
}

#[test]
fn an_upstream_port_outlives_a_reload() {
    let mut gate = gate(&table());
    let port = "192.0.2.1:40001";
    gate.ports().open(at(port)).unwrap();
    gate.add(&table()).unwrap();
    gate.remove(&nobody()).unwrap();
    let accept = Frame::udp(at(HOME_SERVER), at(port), radius(2)).build();
    assert_eq!(outcome(&gate, &accept), Outcome::Passed);
}

#[test]
fn a_port_for_requests_is_none_toward_home_servers_and_nowhere_is_no_address() {
    let gate = gate(&table());
    let ports = gate.ports();
    assert!(matches!(ports.open(at(AUTH)), Err(GateError::PortTaken { .. })));
    assert!(matches!(ports.close(at(AUTH)), Err(GateError::PortTaken { .. })));
    assert!(matches!(ports.open(at("0.0.0.0:40001")), Err(GateError::UnspecifiedAddress { .. })));
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).build()), Outcome::Passed);
}

#[test]
fn a_gate_without_any_port_takes_nothing_for_its_own() {
    let gate = gate(&GateTable::default());
    for (from, to) in [(STRANGER, "0.0.0.0:0"), (STRANGER_V6, "[::]:0"), (STRANGER_V6, "[::]:1"), (STRANGER, AUTH)] {
        assert_eq!(outcome(&gate, &request(from, to).build()), Outcome::NotOurs, "{to}");
    }
}

#[test]
fn a_port_that_takes_something_else_from_now_on_does_so_with_the_next_packet() {
    let mut gate = gate(&table());
    let frame = request(CLIENT, AUTH).build();
    for kind in [PortKind::Acct, PortKind::Auth, PortKind::Acct, PortKind::Auth] {
        let mut changed = table();
        changed.services.insert(service_key(AUTH), Service::new(kind, 0));
        gate.add(&changed).unwrap();
        gate.remove(&nobody()).unwrap();
        let expected = if kind == PortKind::Auth { Outcome::Passed } else { dropped(Reason::BadCode) };
        assert_eq!(outcome(&gate, &frame), expected);
    }
}

#[test]
fn the_handle_for_ports_goes_to_other_threads() {
    fn is_send<T: Send + Sync + Clone + 'static>(_: &T) {}
    is_send(&gate(&table()).ports());
    fn gate_is_send<T: Send>(_: &T) {}
    gate_is_send(&gate(&table()));
}
