//! Rule 1: over whole datagrams without options, kernel and userspace drop the same for the same reason.
//!
//! For what the gate checks the parity is exact in both directions: what userspace would drop, the kernel drops too, but for
//! attributes of packets that are not in one piece.

use std::net::{IpAddr, SocketAddr};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sekisho_abi::{Ingress, IngressKey, Outcome, PortKind, Reason, ServiceKey, address_bytes, gate::GateTable};
use sekisho_kernel::{
    Counters,
    testing::{Action, Frame},
};

use crate::world::*;

/// Addresses that may send, of either family. Some are registered, in one way or another.
const SOURCES: [&str; 12] = [
    CLIENT,
    CLIENT_V6,
    HOME_SERVER,
    DYNAUTH_CLIENT,
    STRANGER,
    STRANGER_V6,
    ELSEWHERE,
    ELSEWHERE_V6,
    OTHER_SERVICE,
    "0.0.0.0:0",
    "255.255.255.255:1812",
    "[::]:1",
];

/// Addresses that may be sent to: ours, and some that are not.
const DESTINATIONS: [&str; 10] = [
    AUTH,
    ACCT,
    DYNAUTH,
    DEDICATED,
    UPSTREAM,
    AUTH_V6,
    DEDICATED_V6,
    "192.0.2.1:53",
    "192.0.2.99:1812",
    "[2001:db8::1]:1813",
];

/// Octets of UDP payload that surely are in one piece in a BPF test run.
const ONE_PIECE: usize = 3000;

/// Whether attributes fill their room exactly (RFC 2865 §5).
fn are_whole(mut attributes: &[u8]) -> bool {
    while let [_, length @ 2..=255, ..] = *attributes {
        match attributes.split_at_checked(length as usize) {
            Some((_, rest)) => attributes = rest,
            None => return false,
        }
    }
    attributes.is_empty()
}

/// A datagram and the VLAN tags that it came with.
#[derive(Clone, Debug)]
struct Arrival {
    from: SocketAddr,
    to: SocketAddr,
    vlans: Vec<u16>,
    payload: Vec<u8>,
    trailer: usize,
}

impl Arrival {
    fn frame(&self) -> Vec<u8> {
        let frame = Frame::udp(self.from, self.to, self.payload.clone()).trailer(self.trailer);
        self.vlans.iter().fold(frame, |frame, tag| frame.vlan(*tag)).build()
    }

    /// What userspace would say, as the socket hands the datagram to it.
    fn judgement(&self, table: &GateTable) -> Outcome {
        let tag = |index: usize| self.vlans.get(index).copied().unwrap_or(0);
        let key = IngressKey { ifindex: LO, outer_vlan: tag(0), inner_vlan: tag(1) };
        let service = ServiceKey { address: address_bytes(self.to.ip()), port: u32::from(self.to.port()) };
        let Some(service) = table.services.get(&service) else { return Outcome::NotOurs };
        let head = self.payload.first_chunk().copied().unwrap_or_default();
        let from = address_bytes(self.from.ip());
        match table.judge(table.ingresses.get(&key).copied(), from, *service, head, self.payload.len()) {
            Ok(admitted) if service.kind != PortKind::Upstream as u32 && self.payload.len() <= ONE_PIECE => {
                let attributes = self.payload.get(20..admitted.length).unwrap_or_default();
                if are_whole(attributes) { Outcome::Passed } else { Outcome::Dropped(Reason::BadAttribute) }
            }
            Ok(_) => Outcome::Passed,
            Err(reason) => Outcome::Dropped(reason),
        }
    }
}

fn world() -> GateTable {
    let mut table = table();
    let vlan = IngressKey { ifindex: LO, outer_vlan: 100, inner_vlan: 0 };
    table.ingresses.insert(vlan, Ingress { domain: DOMAIN, index: 1 });
    let customer = IngressKey { ifindex: LO, outer_vlan: 100, inner_vlan: 200 };
    table.ingresses.insert(customer, Ingress { domain: DOMAIN + 1, index: 2 });
    let client = table.sources[&source_key(DOMAIN, CLIENT)];
    table.sources.insert(source_key(DOMAIN + 1, STRANGER), client);
    table
}

fn arrival() -> impl Strategy<Value = Arrival> {
    let family = |v6: bool| move |text: &&str| at(text).is_ipv6() == v6;
    let pair = any::<bool>().prop_flat_map(move |v6| {
        let from: Vec<_> = SOURCES.into_iter().filter(family(v6)).collect();
        let to: Vec<_> = DESTINATIONS.into_iter().filter(family(v6)).collect();
        (proptest::sample::select(from), proptest::sample::select(to))
    });
    let vlans = prop_oneof![
        4 => Just(vec![]),
        1 => Just(vec![100]),
        1 => Just(vec![100, 200]),
        1 => proptest::collection::vec(1_u16..4095, 0..=2),
    ];
    (pair, vlans, payload(), 0_usize..20, any::<Option<u8>>()).prop_map(
        |((from, to), vlans, payload, trailer, flip)| {
            let mut from = at(from);
            if let Some(flip) = flip.filter(|flip| *flip < 32) {
                from.set_ip(mutated(from.ip(), flip));
            }
            Arrival { from, to: at(to), vlans, payload, trailer }
        },
    )
}

/// Random octets, and RADIUS headers that are right or nearly so.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![Just(1_u8), Just(4), Just(12), Just(40), Just(43), Just(2), Just(11), any::<u8>()];
    let octets =
        prop_oneof![18_usize..24, 0_usize..64, (0_usize..20).prop_map(|count| 20 + 7 * count), 4090_usize..4100];
    let near = (code, -2_i32..=2, octets, any::<bool>());
    let near = near.prop_map(|(code, error, octets, exact)| {
        // Attributes of seven octets, the last of which may have no room for itself.
        let attributes = [31, 7, b'0', b'9', b'0', b'1', b'2'].into_iter().cycle();
        let mut payload: Vec<u8> = [0xa5; 20].into_iter().chain(attributes).take(octets).collect();
        let length = if exact { octets as i32 } else { octets as i32 + error };
        let head = [&[code, 9], &(length.max(0) as u16).to_be_bytes()[..]].concat();
        for (octet, value) in payload.iter_mut().zip(head) {
            *octet = value;
        }
        payload
    });
    prop_oneof![5 => near, 1 => proptest::collection::vec(any::<u8>(), 0..100)]
}

/// One bit of an address turned over.
fn mutated(address: IpAddr, bit: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() ^ 1 << (bit % 32)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() ^ 1 << (bit % 128)).into()),
    }
}

#[test]
fn kernel_and_userspace_drop_the_same_datagrams_for_the_same_reasons() {
    let table = world();
    let gate = gate(&table);
    let expected = std::cell::RefCell::new(std::collections::HashMap::<u32, u64>::new());
    let mut runner = TestRunner::new(Config { cases: 20_000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&arrival(), |arrival| {
        let judgement = arrival.judgement(&table);
        *expected.borrow_mut().entry(judgement.slot()).or_default() += 1;
        let action = gate.run(LO, &arrival.frame()).unwrap().action;
        let dropped = matches!(judgement, Outcome::Dropped(_));
        prop_assert_eq!(action == Action::Drop, dropped, "userspace: {:?}", judgement);
        Ok(())
    });
    result.unwrap();
    // Each run was compared by its action; all together are compared by their reasons.
    let counters = gate.counters().unwrap();
    assert_eq!(counters.get(Outcome::Seen), 20_000);
    assert_eq!(counters.ended(), 20_000);
    for (slot, count) in expected.into_inner() {
        assert_eq!(by_slot(&counters, slot), count, "slot {slot}");
    }
    for reason in [
        "unregistered",
        "wrong_ingress",
        "wrong_service_address",
        "wrong_role",
        "too_short",
        "bad_length",
        "bad_code",
        "bad_attribute",
    ] {
        let (_, count) = counters.dropped().find(|(candidate, _)| candidate.name() == reason).unwrap();
        assert!(count > 10, "the property must have met {reason}: {count}");
    }
}

#[test]
fn every_frame_is_counted_once_however_broken() {
    let gate = gate(&world());
    let broken = (arrival(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), any::<bool>());
    let mut runner = TestRunner::new(Config { cases: 20_000, failure_persistence: None, ..Config::default() });
    let result = runner.run(&broken, |(arrival, end, place, value, cut)| {
        let mut frame = arrival.frame();
        // Mostly headers: that is where damage matters.
        let headers = frame.len().min(80);
        frame[place.index(headers)] = value;
        if cut {
            frame.truncate(14.max(end.index(frame.len())));
        }
        gate.run(LO, &frame).unwrap();
        Ok(())
    });
    result.unwrap();
    let counters = gate.counters().unwrap();
    assert_eq!(counters.get(Outcome::Seen), 20_000);
    assert_eq!(counters.ended(), 20_000);
}

fn by_slot(counters: &Counters, slot: u32) -> u64 {
    let ends = [Outcome::Seen, Outcome::NotOurs, Outcome::Passed];
    let ends = ends.into_iter().chain(counters.dropped().map(|(reason, _)| Outcome::Dropped(reason)));
    ends.filter(|end| end.slot() == slot).map(|end| counters.get(end)).sum()
}
