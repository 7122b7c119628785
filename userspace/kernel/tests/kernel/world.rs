//! A small world to test in: our addresses, our sources, and a network namespace for each test that needs interfaces.

use std::{net::SocketAddr, process::Command};

use sekisho_abi::{
    AddressBytes, Ingress, IngressKey, Outcome, PortKind, Reason, Roles, Service, ServiceKey, Source, SourceKey,
    address_bytes,
};
use sekisho_kernel::{
    Counters, Gate, GateError, GateOptions, GateTable, Mode, interface_index,
    testing::{Action, Frame},
};

/// The loopback interface, which every namespace has.
pub const LO: u32 = 1;
/// A second, in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;
/// When the clock of [`timed`] begins.
pub const START: u64 = 10 * SECOND;
/// The domain of untagged frames on `lo`.
pub const DOMAIN: u32 = 5;

pub const AUTH: &str = "192.0.2.1:1812";
pub const ACCT: &str = "192.0.2.1:1813";
pub const DYNAUTH: &str = "192.0.2.1:3799";
pub const AUTH_V6: &str = "[2001:db8::1]:1812";
/// A service address that carries nothing but RADIUS, and its index is 1.
pub const DEDICATED: &str = "192.0.2.2:1812";
pub const DEDICATED_V6: &str = "[2001:db8::2]:1812";
/// Our port toward home servers.
pub const UPSTREAM: &str = "192.0.2.1:40000";

pub const CLIENT: &str = "198.51.100.7:50000";
pub const CLIENT_V6: &str = "[2001:db8:100::7]:50000";
pub const HOME_SERVER: &str = "203.0.113.9:1812";
pub const DYNAUTH_CLIENT: &str = "198.51.100.8:50000";
pub const STRANGER: &str = "198.51.100.66:50000";
pub const STRANGER_V6: &str = "[2001:db8:666::1]:50000";
/// Registered, but for ingress 1 alone.
pub const ELSEWHERE: &str = "198.51.100.9:50000";
pub const ELSEWHERE_V6: &str = "[2001:db8:100::9]:50000";
/// Registered, but for the service address with index 1 alone.
pub const OTHER_SERVICE: &str = "198.51.100.10:50000";

pub fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address and port")
}

pub fn service_key(text: &str) -> ServiceKey {
    ServiceKey { address: address_bytes(at(text).ip()), port: u32::from(at(text).port()) }
}

pub fn source_key(domain: u32, text: &str) -> SourceKey {
    SourceKey { domain, address: octets(text) }
}

pub fn octets(text: &str) -> AddressBytes {
    address_bytes(at(text).ip())
}

/// The tables that the tests begin with.
pub fn table() -> GateTable {
    let mut table = GateTable::default();
    table.ingresses.insert(IngressKey::untagged(LO), Ingress { domain: DOMAIN, index: 0 });
    let services = [
        (AUTH, PortKind::Auth, 0),
        (ACCT, PortKind::Acct, 0),
        (DYNAUTH, PortKind::DynAuth, 0),
        (DEDICATED, PortKind::Auth, 1),
        (AUTH_V6, PortKind::Auth, 2),
        (DEDICATED_V6, PortKind::Auth, 3),
        (UPSTREAM, PortKind::Upstream, 0),
    ];
    for (address, kind, index) in services {
        table.services.insert(service_key(address), Service::new(kind, index));
    }
    table.dedicated = vec![octets(DEDICATED), octets(DEDICATED_V6)];
    let everywhere = u64::MAX;
    let sources = [
        (CLIENT, Roles::CLIENT, everywhere, everywhere),
        (CLIENT_V6, Roles::ACCESS_NETWORK, everywhere, everywhere),
        (HOME_SERVER, Roles::HOME_SERVER, everywhere, 0),
        (DYNAUTH_CLIENT, Roles::DYNAUTH, everywhere, everywhere),
        (ELSEWHERE, Roles::CLIENT, 2, everywhere),
        (ELSEWHERE_V6, Roles::CLIENT, 2, everywhere),
        (OTHER_SERVICE, Roles::CLIENT, everywhere, 2),
    ];
    for (id, (address, roles, ingresses, services)) in (0..).zip(sources) {
        let source = Source { ingresses, services, ..Source::unlimited(roles, id) };
        table.sources.insert(source_key(DOMAIN, address), source);
    }
    table
}

/// A RADIUS packet of this code and no attributes.
pub fn radius(code: u8) -> Vec<u8> {
    radius_with(code, &[])
}

/// A RADIUS packet of this code with these octets of attributes.
pub fn radius_with(code: u8, attributes: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 20];
    packet[0] = code;
    packet.extend(attributes);
    let length = packet.len() as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet
}

/// An attribute.
pub fn attribute(kind: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [&[kind, value.len() as u8 + 2], value].concat()
}

/// An Access-Request from one to the other.
pub fn request(from: &str, to: &str) -> Frame {
    Frame::udp(at(from), at(to), radius(1))
}

/// A gate that is loaded and not attached.
pub fn gate(table: &GateTable) -> Gate {
    opened(Gate::open(&GateOptions { mode: Mode::Generic, max_sources: 1000, ..GateOptions::default() }, table))
}

/// As [`gate`], and a test tells the time: it begins with ten seconds.
pub fn timed(table: &GateTable) -> Gate {
    let options = GateOptions {
        mode: Mode::Generic,
        max_sources: 1000,
        max_sessions: 10_000,
        injected_clock: true,
        ..GateOptions::default()
    };
    let gate = opened(Gate::open(&options, table));
    gate.set_clock(START);
    gate
}

/// The gate, or a failure that says what to do.
pub fn opened(result: Result<Gate, GateError>) -> Gate {
    match result {
        Ok(gate) => gate,
        Err(error @ (GateError::Capability { .. } | GateError::Refused { .. })) => {
            panic!("the tests of the kernel part need root (try `sudo -E cargo test`): {error}")
        }
        Err(error) => panic!("{error:?}: {error}"),
    }
}

/// Where the gate lets this frame end, by its own counters; every frame must be counted once.
pub fn outcome_by(gate: &Gate, ifindex: u32, frame: &[u8]) -> Outcome {
    let before = gate.counters().unwrap();
    let ran = gate.run(ifindex, frame).unwrap();
    let after = gate.counters().unwrap();
    assert_eq!(after.get(Outcome::Seen), before.get(Outcome::Seen) + 1);
    assert_eq!(after.ended(), before.ended() + 1, "every packet ends once");
    let outcome = changed(&before, &after);
    let expected = match outcome {
        Outcome::Dropped(_) => Action::Drop,
        Outcome::Replied => Action::Reply,
        _ => Action::Pass,
    };
    assert_eq!(ran.action, expected, "{outcome:?}");
    outcome
}

/// As [`outcome_by`], on `lo`.
pub fn outcome(gate: &Gate, frame: &[u8]) -> Outcome {
    outcome_by(gate, LO, frame)
}

fn changed(before: &Counters, after: &Counters) -> Outcome {
    let ends = [Outcome::NotOurs, Outcome::Passed, Outcome::Redirected, Outcome::Replied];
    let ends = ends.into_iter().chain(Reason::ALL.iter().map(|reason| Outcome::Dropped(*reason)));
    let mut ends = ends.filter(|end| after.get(*end) != before.get(*end));
    ends.next().expect("a counter that changed")
}

/// Index of an interface in this namespace.
pub fn index(interface: &str) -> u32 {
    interface_index(interface).unwrap()
}

/// An end at a drop.
pub fn dropped(reason: Reason) -> Outcome {
    Outcome::Dropped(reason)
}

/// Runs a test on a thread in a network namespace of its own, which ends with it.
pub fn in_namespace(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(|| {
        // SAFETY: a system call without pointers; only this thread changes its namespace.
        let failed = unsafe { libc::unshare(libc::CLONE_NEWNET) };
        assert_eq!(failed, 0, "the tests of the kernel part need root: {}", std::io::Error::last_os_error());
        ip("link set lo up");
        test();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// The `ip` command, in this thread's namespace.
pub fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split_whitespace()).status().expect("`ip` of the package iproute2");
    assert!(status.success(), "ip {arguments}");
}
