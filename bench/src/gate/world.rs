//! What the gate knows, and the packets that meet it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use sekisho_abi::cached::Flow;
use sekisho_abi::{
    BucketParams, Ingress, IngressKey, Limits, Outcome, PortKind, Prefix, Reason, Roles, Service, ServiceKey, Source,
    SourceKey, address_bytes,
};
use sekisho_kernel::testing::{Changes, Frame, reference, reference_value};
use sekisho_kernel::{Gate, GateOptions, GateTable, Mode};

use super::GateBenchError;
use super::keys::{self, ACTIVE, ONE, UNIFORM, ZIPF};
use super::measure::{Effort, Figure, LO, Packet, driven, repeated};

/// A registered packet with everything on.
pub const PASSED: &str = "registered, everything on: passes";
/// A published request that was answered.
pub const ANSWERED: &str = "retransmit of an answered request: replied";
const IN_FLIGHT: &str = "retransmit of a request in flight: dropped";
const STRANGE: &str = "unregistered: dropped";
const STRANGE_V6: &str = "unregistered, IPv6: dropped";
const STRANGE_PREFIXES: &str = "unregistered, prefixes: dropped";
const STRANGE_PREFIXES_V6: &str = "unregistered, prefixes, IPv6: dropped";
const PASSED_V6: &str = "registered, everything on, IPv6: passes";

const DOMAIN: u32 = 1;
const AUTH: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 1812);
const AUTH_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 1812);
const CLIENT_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 7)), PORT);
const STRANGER_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 666, 0, 0, 0, 0, 1)), PORT);
/// Every NAS sends from this port.
const PORT: u16 = 50_000;

/// Where an IPv4 source address and the RADIUS packet stand in an untagged frame.
const ADDRESS_AT: usize = 26;
const PACKET_AT: usize = 42;
const ACCT_SESSION_ID: u8 = 44;

/// Room for published requests: four places for each active key, so that hardly any set overflows.
const REPLIES: u32 = 8 * ACTIVE;
/// An Access-Accept with a few attributes.
const REPLY_LEN: usize = 120;
/// As long as it may take to measure.
const LASTS: Duration = Duration::from_secs(3600);

type Keep<'k> = &'k mut dyn FnMut(Figure) -> Result<(), GateBenchError>;

/// [`ACTIVE`] sources, no prefixes. Gives the number of instructions that the verifier walked through.
pub fn small(effort: Effort, keep: Keep<'_>) -> Result<u32, GateBenchError> {
    let gate = open(&table(ACTIVE), ACTIVE)?;
    // The look-up of published requests is to find something in its tables.
    publish(&gate, ACTIVE + 1, None)?;
    let registered = frame(client(0), AUTH);
    let strange = frame(stranger(0), AUTH);
    let dropped = Outcome::Dropped(Reason::Unregistered);
    let one = |name, frame: &[u8], outcome| repeated(&gate, effort, &Packet { name, keys: ONE, frame, outcome });

    keep(one(STRANGE, &strange, dropped)?)?;
    keep(one(STRANGE_V6, &frame(STRANGER_V6, AUTH_V6), dropped)?)?;
    keep(one(PASSED, &registered, Outcome::Passed)?)?;
    keep(one(PASSED_V6, &frame(CLIENT_V6, AUTH_V6), Outcome::Passed)?)?;

    let active = keys::zipf(ACTIVE);
    let driven = |name, keys, turns: &[u32], of: fn(u32) -> Ipv4Addr, outcome, is_restored| {
        let octets: Vec<[u8; 4]> = turns.iter().map(|turn| of(*turn).octets()).collect();
        let changes = Changes { keys: &octets, places: &places(), restored: is_restored };
        driven(&gate, effort, &Packet { name, keys, frame: &registered, outcome }, &changes)
    };
    // The same packet as above, for the two ways to be compared.
    keep(driven(STRANGE, ONE, &[0], stranger, dropped, None)?)?;
    keep(driven(PASSED, ONE, &[0], client, Outcome::Passed, None)?)?;
    keep(driven(STRANGE, ZIPF, &active, stranger, dropped, None)?)?;
    keep(driven(PASSED, ZIPF, &active, client, Outcome::Passed, None)?)?;

    (0..ACTIVE).try_for_each(|key| publish(&gate, key, None))?;
    let in_flight = Outcome::Dropped(Reason::DuplicateInFlight);
    keep(one(IN_FLIGHT, &keyed(0), in_flight)?)?;
    keep(driven(IN_FLIGHT, ZIPF, &active, client, in_flight, None)?)?;
    gate.publisher().ok_or(GateBenchError::NoPublisher)?.flush();

    let mut reply = vec![b'a'; REPLY_LEN];
    reply.splice(..4, [2, 0, 0, REPLY_LEN as u8]);
    (0..ACTIVE).try_for_each(|key| publish(&gate, key, Some(&reply)))?;
    let restored = Some(&registered[..]);
    keep(driven(ANSWERED, ONE, &[0], client, Outcome::Replied, restored)?)?;
    keep(driven(ANSWERED, ZIPF, &active, client, Outcome::Replied, restored)?)?;
    Ok(gate.verified_instructions()?)
}

/// As [`small`], with prefixes of access networks: a stranger is looked for among them.
pub fn prefixes(effort: Effort, keep: Keep<'_>) -> Result<(), GateBenchError> {
    let mut table = table(ACTIVE);
    for number in 0..32 {
        let source = Source::unlimited(Roles::ACCESS_NETWORK, 2 * ACTIVE + number);
        let v4 = address_bytes(Ipv4Addr::new(100, 64 + number as u8, 0, 0).into());
        let v6 = address_bytes(Ipv6Addr::new(0x2001, 0xdb8, 0x4000 + number as u16, 0, 0, 0, 0, 0).into());
        table.prefixes.insert(Prefix::new(DOMAIN, v4, 16), source);
        table.prefixes.insert(Prefix::new(DOMAIN, v6, 48), source);
    }
    let gate = open(&table, ACTIVE)?;
    let outcome = Outcome::Dropped(Reason::Unregistered);
    for (name, frame) in
        [(STRANGE_PREFIXES, frame(stranger(0), AUTH)), (STRANGE_PREFIXES_V6, frame(STRANGER_V6, AUTH_V6))]
    {
        keep(repeated(&gate, effort, &Packet { name, keys: ONE, frame: &frame, outcome })?)?;
    }
    Ok(())
}

/// Many sources, each with a contract and a session of its own.
pub fn many(effort: Effort, sources: u32, keep: Keep<'_>) -> Result<(), GateBenchError> {
    let gate = open(&table(sources), sources)?;
    publish(&gate, sources + 1, None)?;
    let registered = frame(client(0), AUTH);
    let turns = keys::uniform(sources);
    let keys = format!("{sources} {UNIFORM}");
    for (name, of, outcome) in [
        (STRANGE, stranger as fn(u32) -> Ipv4Addr, Outcome::Dropped(Reason::Unregistered)),
        (PASSED, client, Outcome::Passed),
    ] {
        let octets: Vec<[u8; 4]> = turns.iter().map(|turn| of(*turn).octets()).collect();
        let changes = Changes { keys: &octets, places: &places(), restored: None };
        keep(driven(&gate, effort, &Packet { name, keys: &keys, frame: &registered, outcome }, &changes)?)?;
    }
    Ok(())
}

fn open(table: &GateTable, sources: u32) -> Result<Gate, GateBenchError> {
    let options = GateOptions {
        mode: Mode::Native,
        // No interface: the program is loaded, and only test runs call it.
        interfaces: Vec::new(),
        max_sources: sources + 64,
        max_sessions: 2 * sources.max(131_072),
        max_replies: REPLIES,
        ..GateOptions::default()
    };
    Ok(Gate::open(&options, table)?)
}

/// Our address and port in both families, and this many clients, and one by IPv6.
fn table(clients: u32) -> GateTable {
    let mut table = GateTable::default();
    table.ingresses.insert(IngressKey::untagged(LO), Ingress { domain: DOMAIN, index: 0 });
    for (index, address) in (0..).zip([AUTH, AUTH_V6]) {
        let key = ServiceKey { address: address_bytes(address.ip()), port: u32::from(address.port()) };
        table.services.insert(key, Service::new(PortKind::Auth, index));
    }
    // Charged and never reached.
    let open = BucketParams { increment: 1, tolerance: u64::MAX / 4 };
    let limits = Limits { client: open, session: open, new_session: open };
    let addresses = (0..clients).map(|number| client(number).into()).chain([CLIENT_V6.ip()]);
    for (id, address) in (0..).zip(addresses) {
        let key = SourceKey { domain: DOMAIN, address: address_bytes(address) };
        table.sources.insert(key, Source { limits, ..Source::unlimited(Roles::CLIENT, id) });
    }
    table
}

fn client(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0x0a00_0000 + number)
}

fn stranger(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(0xac00_0000 + number)
}

fn frame(from: impl Into<Sender>, to: SocketAddr) -> Vec<u8> {
    let Sender(from) = from.into();
    Frame::udp(from, to, reference()).build()
}

/// Who sends.
struct Sender(SocketAddr);

impl From<SocketAddr> for Sender {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl From<Ipv4Addr> for Sender {
    fn from(address: Ipv4Addr) -> Self {
        Self(SocketAddr::from((address, PORT)))
    }
}

/// Where a driver writes a key: source address and session identity.
fn places() -> [usize; 2] {
    [ADDRESS_AT, PACKET_AT + reference_value(ACCT_SESSION_ID).unwrap_or_default()]
}

/// The frame of a client as a driver makes it.
fn keyed(number: u32) -> Vec<u8> {
    let mut frame = frame(client(number), AUTH);
    for place in places() {
        frame.splice(place..place + 4, client(number).octets());
    }
    frame
}

/// Publishes the request of a client as a driver makes it.
fn publish(gate: &Gate, number: u32, reply: Option<&[u8]>) -> Result<(), GateBenchError> {
    let flow = Flow {
        source: address_bytes(client(number).into()),
        destination: address_bytes(AUTH.ip()),
        domain: DOMAIN,
        source_port: PORT,
        destination_port: AUTH.port(),
    };
    let publisher = gate.publisher().ok_or(GateBenchError::NoPublisher)?;
    let request = keyed(number).split_off(PACKET_AT);
    publisher.publish(None, &flow, Some(&request), reply, LASTS).map(drop).ok_or(GateBenchError::NoPublisher)
}
