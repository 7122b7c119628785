//! Datagrams that are right or nearly so, from and to addresses of all kinds, and a world in which some of them are limited.

use std::net::{IpAddr, SocketAddr};

use proptest::prelude::*;
use sekisho_abi::{BucketParams, Identity, Ingress, IngressKey, Limits, Prefix, Roles, Source};
use sekisho_kernel::{GateTable, testing::Frame};

use crate::world::*;

/// Addresses that may send, of either family. Some are registered, in one way or another.
const SOURCES: [&str; 15] = [
    CLIENT,
    CLIENT_V6,
    HOME_SERVER,
    DYNAUTH_CLIENT,
    STRANGER,
    STRANGER_V6,
    ELSEWHERE,
    ELSEWHERE_V6,
    OTHER_SERVICE,
    WITHIN,
    LIMITED,
    LIMITED_V6,
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

/// An address in the prefix of an access network.
const WITHIN: &str = "10.1.2.3:1812";
/// Clients with limits on all that can be limited.
const LIMITED: &str = "198.51.100.20:50000";
const LIMITED_V6: &str = "[2001:db8:100::20]:50000";

/// A datagram and the VLAN tags that it came with.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub vlans: Vec<u16>,
    pub payload: Vec<u8>,
    pub trailer: usize,
    /// Nanoseconds since the one before.
    pub after: u64,
}

impl Arrival {
    pub fn frame(&self) -> Vec<u8> {
        let frame = Frame::udp(self.from, self.to, self.payload.clone()).trailer(self.trailer);
        self.vlans.iter().fold(frame, |frame, tag| frame.vlan(*tag)).build()
    }
}

/// [`table`], with VLANs, another domain, a prefix, and limits.
pub fn world() -> GateTable {
    let mut table = table();
    let vlan = IngressKey { ifindex: LO, outer_vlan: 100, inner_vlan: 0 };
    table.ingresses.insert(vlan, Ingress { domain: DOMAIN, index: 1 });
    let customer = IngressKey { ifindex: LO, outer_vlan: 100, inner_vlan: 200 };
    table.ingresses.insert(customer, Ingress { domain: DOMAIN + 1, index: 2 });
    let client = table.sources[&source_key(DOMAIN, CLIENT)];
    table.sources.insert(source_key(DOMAIN + 1, STRANGER), client);
    let all = |client, session| Limits {
        client: BucketParams::per_second(client, 4),
        session: BucketParams::per_second(session, 1),
        new_session: BucketParams::per_second(1, 2),
    };
    let limited = |id, roles, identity, limits| Source { identity, limits, ..Source::unlimited(roles, id) };
    let client = limited(40, Roles::CLIENT.with(Roles::HOME_SERVER), Identity::CLIENT, all(1, 5));
    table.sources.insert(source_key(DOMAIN, LIMITED), client);
    let client = limited(41, Roles::CLIENT, Identity::CLIENT, all(0, 0));
    table.sources.insert(source_key(DOMAIN, LIMITED_V6), client);
    let network = limited(42, Roles::ACCESS_NETWORK, Identity::ACCESS_NETWORK, all(50, 1));
    assert!(table.prefixes.insert(Prefix::new(DOMAIN, octets(WITHIN), 16), network));
    table
}

pub fn arrival() -> impl Strategy<Value = Arrival> {
    let family = |v6: bool| move |text: &&str| at(text).is_ipv6() == v6;
    let pair = any::<bool>().prop_flat_map(move |v6| {
        let from: Vec<_> = SOURCES.into_iter().filter(family(v6)).collect();
        let to: Vec<_> = DESTINATIONS.into_iter().filter(family(v6)).collect();
        (proptest::sample::select(from), proptest::sample::select(to))
    });
    let limited = proptest::sample::select(vec![
        (LIMITED, AUTH),
        (LIMITED, ACCT),
        (WITHIN, AUTH),
        (WITHIN, ACCT),
        (LIMITED_V6, AUTH_V6),
        (CLIENT, ACCT),
    ]);
    let pair = prop_oneof![2 => pair, 1 => limited];
    let vlans = prop_oneof![
        6 => Just(vec![]),
        1 => Just(vec![100]),
        1 => Just(vec![100, 200]),
        1 => proptest::collection::vec(1_u16..4095, 0..=2),
    ];
    let after = prop_oneof![20 => Just(0), 6 => 0..20_000_000_u64, 1 => 0..SECOND / 2];
    let payload = prop_oneof![2 => near(), 3 => request_to(), 1 => noise()];
    (pair, vlans, payload, 0_usize..20, any::<Option<u8>>(), after).prop_map(
        |((from, to), vlans, (code, mut payload), trailer, flip, after)| {
            let (mut from, to) = (at(from), at(to));
            if let Some(flip) = flip.filter(|flip| *flip < 16) {
                from.set_ip(mutated(from.ip(), flip));
            }
            if let (None, Some(first)) = (code, payload.first_mut()) {
                *first = if to.port() == 1813 { 4 } else { 1 };
            }
            Arrival { from, to, vlans, payload, trailer, after }
        },
    )
}

/// Headers that are right or nearly so, with attributes of seven octets, the last of which may have no room for itself.
fn near() -> impl Strategy<Value = (Option<u8>, Vec<u8>)> {
    let code = prop_oneof![Just(1_u8), Just(4), Just(12), Just(40), Just(43), Just(2), Just(11), any::<u8>()];
    let octets =
        prop_oneof![18_usize..24, 0_usize..64, (0_usize..20).prop_map(|count| 20 + 7 * count), 4090_usize..4100];
    (code, -2_i32..=2, octets, any::<bool>()).prop_map(|(code, error, octets, exact)| {
        let attributes = [31, 7, b'0', b'9', b'0', b'1', b'2'].into_iter().cycle();
        let mut payload: Vec<u8> = [0xa5; 20].into_iter().chain(attributes).take(octets).collect();
        let length = if exact { octets as i32 } else { octets as i32 + error };
        let head = [&[code, 9], &(length.max(0) as u16).to_be_bytes()[..]].concat();
        for (octet, value) in payload.iter_mut().zip(head) {
            *octet = value;
        }
        (Some(code), payload)
    })
}

/// Requests with the code of the port that they go to, of a few sessions or none; some have an octet changed.
fn request_to() -> impl Strategy<Value = (Option<u8>, Vec<u8>)> {
    let name = || prop_oneof![2 => Just(0), 1 => 0_u8..16];
    let kind = proptest::sample::select(vec![1_u8, 31, 44]);
    let named = (kind, name()).prop_map(|(kind, name)| attribute(kind, [name]));
    let imsi = name().prop_map(|name| attribute(26, [0, 0, 0x28, 0xaf, 1, 3, name]));
    let status = (1_u32..4).prop_map(|status| attribute(40, status.to_be_bytes()));
    let other = proptest::collection::vec(any::<u8>(), 0..20).prop_map(|value| attribute(79, value));
    let attributes = proptest::collection::vec(prop_oneof![3 => named, 1 => imsi, 2 => status, 1 => other], 0..6);
    let change = prop::option::weighted(0.1, (any::<prop::sample::Index>(), any::<u8>()));
    (attributes, change).prop_map(|(attributes, change)| {
        let mut payload = radius_with(1, &attributes.concat());
        if let Some((place, value)) = change {
            let place = place.index(payload.len());
            payload[place] = value;
        }
        (None, payload)
    })
}

fn noise() -> impl Strategy<Value = (Option<u8>, Vec<u8>)> {
    proptest::collection::vec(any::<u8>(), 0..100).prop_map(|payload| (Some(0), payload))
}

/// One bit of an address turned over.
fn mutated(address: IpAddr, bit: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() ^ 1 << (bit % 32)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() ^ 1 << (bit % 128)).into()),
    }
}
