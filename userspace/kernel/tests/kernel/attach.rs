//! Attaching, in network namespaces of the tests' own.

use std::{net::UdpSocket, process::Command, time::Duration};

use sekisho_abi::{Ingress, IngressKey, Outcome, PortKind, Reason, Roles, Service, Source};
use sekisho_kernel::{Attached, Gate, GateError, GateOptions, GateTable, Mode};

use crate::{
    raw::{Raw, eventually, up, veth},
    world::*,
};

/// What the gate needs (capabilities(7)).
const CAPABILITIES: [(&str, u32); 3] = [("CAP_NET_ADMIN", 12), ("CAP_PERFMON", 38), ("CAP_BPF", 39)];

fn options(interfaces: &[&str], mode: Mode) -> GateOptions {
    let interfaces = interfaces.iter().map(|interface| interface.to_string()).collect();
    GateOptions { interfaces, mode, max_sources: 100, ..GateOptions::default() }
}

/// A table with one auth port on 127.0.0.1, and no source.
fn loopback(socket: &UdpSocket) -> GateTable {
    let mut table = GateTable::default();
    table.ingresses.insert(IngressKey::untagged(LO), Ingress { domain: DOMAIN, index: 0 });
    let to = socket.local_addr().unwrap().to_string();
    table.services.insert(service_key(&to), Service::new(PortKind::Auth, 0));
    table
}

fn socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    socket
}

fn arrives(server: &UdpSocket) -> bool {
    server.recv(&mut [0; 100]).is_ok()
}

#[test]
fn generic_on_lo_drops_a_stranger_and_passes_a_client() {
    in_namespace(|| {
        let server = socket("127.0.0.1:0");
        let client = socket("127.0.0.1:0");
        let to = server.local_addr().unwrap();
        let mut table = loopback(&server);
        let mut gate = opened(Gate::open(&options(&["lo"], Mode::Generic), &table));
        assert_eq!(gate.attached()[0].attached, Attached::Generic);
        for _ in 0..10 {
            client.send_to(&radius(1), to).unwrap();
        }
        assert!(!arrives(&server));
        assert_eq!(gate.counters().unwrap().get(Outcome::Dropped(Reason::Unregistered)), 10);

        table.sources.insert(source_key(DOMAIN, "127.0.0.1:1"), Source::unlimited(Roles::CLIENT, 1));
        gate.add(&table).unwrap();
        client.send_to(&radius(1), to).unwrap();
        assert!(arrives(&server));
        assert_eq!(gate.counters().unwrap().get(Outcome::Passed), 1);
    });
}

#[test]
fn dropping_the_gate_detaches_it() {
    in_namespace(|| {
        let server = socket("127.0.0.1:0");
        let client = socket("127.0.0.1:0");
        let gate = opened(Gate::open(&options(&["lo"], Mode::Generic), &loopback(&server)));
        client.send_to(&radius(1), server.local_addr().unwrap()).unwrap();
        assert!(!arrives(&server));
        drop(gate);
        // A child that another test has just forked may hold a copy of the link until it executes its program.
        assert!(eventually(|| {
            client.send_to(&radius(1), server.local_addr().unwrap()).unwrap();
            arrives(&server)
        }));
    });
}

#[test]
fn off_attaches_nothing_and_works_without_privileges_or_interfaces() {
    let mut gate = Gate::open(&options(&["nonesuch0"], Mode::Off), &table()).unwrap();
    assert_eq!(gate.attached()[0].attached, Attached::Off);
    assert_eq!(gate.attached()[0].reason, None);
    assert_eq!(gate.counters().unwrap().get(Outcome::Seen), 0);
    gate.add(&table()).unwrap();
    gate.remove(&Default::default()).unwrap();
    gate.ports().open(at(UPSTREAM)).unwrap();
    gate.ports().close(at(UPSTREAM)).unwrap();
}

#[test]
fn auto_is_generic_on_lo_and_says_why() {
    in_namespace(|| {
        let gate = opened(Gate::open(&options(&["lo"], Mode::Auto), &table()));
        assert_eq!(gate.attached()[0].attached, Attached::Generic);
        let reason = gate.attached()[0].reason.as_deref().unwrap();
        assert_eq!(reason, "lo has no native XDP");
    });
}

#[test]
fn native_on_lo_is_refused_in_the_operators_words() {
    in_namespace(|| {
        let error = Gate::open(&options(&["lo"], Mode::Native), &table()).err().unwrap();
        assert!(matches!(error, GateError::NoNative { .. }), "{error:?}");
        assert!(error.to_string().contains("set xdp.mode to generic or auto"), "{error}");
    });
}

#[test]
fn auto_is_native_on_veth_and_a_packet_from_a_peer_without_a_program_passes() {
    in_namespace(|| {
        // Both ends in one namespace: traffic between them must not go by lo, so the far end is fed raw frames.
        veth("near", "far");
        up(&["near", "far"]);
        ip("addr add 192.0.2.1/24 dev near");
        let server = socket("192.0.2.1:1812");
        let mut table = table();
        let near = index("near");
        table.ingresses.insert(IngressKey::untagged(near), Ingress { domain: DOMAIN, index: 0 });
        table.sources.insert(source_key(DOMAIN, "192.0.2.7:1"), Source::unlimited(Roles::CLIENT, 1));
        let gate = opened(Gate::open(&options(&["near"], Mode::Auto), &table));
        assert_eq!(gate.attached()[0].attached, Attached::Native);
        assert_eq!(gate.attached()[0].reason, None);

        let mac = mac_of("near");
        up(&["near", "far"]);
        let far = Raw::new("far");
        far.send(&addressed(request("192.0.2.66:1", AUTH).build(), mac));
        far.send(&addressed(request("192.0.2.7:1", AUTH).build(), mac));
        assert!(arrives(&server));
        let counters = gate.counters().unwrap();
        assert_eq!(counters.get(Outcome::Dropped(Reason::Unregistered)), 1);
        assert_eq!(counters.get(Outcome::Passed), 1);
    });
}

#[test]
fn the_same_source_at_another_interface_is_at_the_wrong_ingress() {
    in_namespace(|| {
        veth("right", "right-far");
        veth("wrong", "wrong-far");
        up(&["right", "right-far", "wrong", "wrong-far"]);
        let mut table = table();
        for (interface, bit) in [("right", 3), ("wrong", 4)] {
            let key = IngressKey::untagged(index(interface));
            table.ingresses.insert(key, Ingress { domain: DOMAIN, index: bit });
        }
        let source = Source { ingresses: 1 << 3, ..Source::unlimited(Roles::CLIENT, 1) };
        table.sources.insert(source_key(DOMAIN, CLIENT), source);
        let gate = opened(Gate::open(&options(&["right", "wrong"], Mode::Native), &table));
        let frame = request(CLIENT, AUTH).build();
        assert_eq!(outcome_by(&gate, index("right"), &frame), Outcome::Passed);
        assert_eq!(outcome_by(&gate, index("wrong"), &frame), dropped(Reason::WrongIngress));

        up(&["wrong", "wrong-far"]);
        Raw::new("wrong-far").send(&frame);
        let counted = || gate.counters().unwrap().get(Outcome::Dropped(Reason::WrongIngress)) == 2;
        assert!(eventually(counted));
    });
}

#[test]
fn another_program_on_the_interface_is_told() {
    in_namespace(|| {
        let _first = opened(Gate::open(&options(&["lo"], Mode::Generic), &table()));
        let error = Gate::open(&options(&["lo"], Mode::Generic), &table()).err().unwrap();
        assert!(matches!(error, GateError::Occupied { .. }), "{error:?}");
        let gate = Gate::open(&options(&["lo"], Mode::Auto), &table()).unwrap();
        assert_eq!(gate.attached()[0].attached, Attached::Off);
        let reason = gate.attached()[0].reason.as_deref().unwrap();
        assert!(reason.contains("another XDP program is attached to lo"), "{reason}");
    });
}

#[test]
fn one_bad_interface_leaves_the_good_one_as_it_was() {
    in_namespace(|| {
        veth("near", "far");
        ip("link set near up");
        let error = Gate::open(&options(&["near", "lo"], Mode::Native), &table()).err().unwrap();
        assert!(matches!(error, GateError::NoNative { .. }), "{error:?}");
        assert!(eventually(|| Gate::open(&options(&["near"], Mode::Native), &table()).is_ok()));
    });
}

#[test]
fn a_missing_interface_is_an_error_even_for_auto() {
    let error = Gate::open(&options(&["nonesuch0"], Mode::Auto), &table()).err().unwrap();
    assert!(matches!(error, GateError::NoInterface { .. }), "{error:?}");
}

#[test]
fn a_process_without_capabilities_is_told_which_it_lacks() {
    for (name, number) in CAPABILITIES {
        let thread = std::thread::spawn(move || {
            // CAP_SYS_ADMIN (21) stands in for the newer ones.
            drop_capability(21);
            drop_capability(number);
            Gate::open(&options(&["lo"], Mode::Generic), &table()).err().unwrap().to_string()
        });
        let error = thread.join().unwrap();
        assert!(error.contains(&format!("capability {name}:")), "{error}");
    }
}

#[test]
fn auto_without_capabilities_is_off_and_says_why() {
    let thread = std::thread::spawn(|| {
        drop_capability(12);
        let gate = Gate::open(&options(&["lo"], Mode::Auto), &table()).unwrap();
        (gate.attached()[0].attached, gate.attached()[0].reason.clone())
    });
    let (attached, reason) = thread.join().unwrap();
    assert_eq!(attached, Attached::Off);
    assert!(reason.unwrap().contains("CAP_NET_ADMIN"));
}

#[test]
fn three_capabilities_are_enough() {
    in_namespace(|| {
        for capability in 0..=40 {
            if CAPABILITIES.iter().all(|(_, number)| *number != capability) {
                drop_capability(capability);
            }
        }
        opened(Gate::open(&options(&["lo"], Mode::Generic), &table()));
    });
}

/// Takes a capability from this thread's effective set.
fn drop_capability(capability: u32) {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::from_bits_retain(1 << capability));
    set_capabilities(None, sets).unwrap();
}

/// The frame, sent to this station.
fn addressed(mut frame: Vec<u8>, mac: [u8; 6]) -> Vec<u8> {
    frame[..6].copy_from_slice(&mac);
    frame
}

/// Through a socket: `/sys` may show another namespace than this thread's.
fn mac_of(interface: &str) -> [u8; 6] {
    let output = Command::new("ip").args(["-o", "link", "show", "dev", interface]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mac = text.split_whitespace().skip_while(|word| *word != "link/ether").nth(1).unwrap();
    let octets: Vec<u8> = mac.split(':').map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect();
    octets.try_into().unwrap()
}
