//! Customers with NASes that take CoA and Disconnect, and with servers that send them.

use std::{net::IpAddr, sync::Arc};

use sekisho_abi::{Roles, Source, SourceKey, address_bytes};
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

use super::*;

/// Where customer 0's home server sends from: the same host, another port.
pub const SENDER: &str = "198.51.100.1:45000";
/// Customer 1's.
pub const SENDER_B: &str = "198.51.100.99:45000";
/// A NAS that is a client as well; another of the same customer's; customer 1's.
pub const NAS_AT: &str = "192.0.2.10:3799";
pub const OTHER_NAS_AT: &str = "192.0.2.11:3799";
pub const NAS_B_AT: &str = "192.0.2.20:3799";
pub const NAS_SECRETS: [usize; 3] = [40, 41, 42];
pub const V4: [u8; 4] = [192, 0, 2, 10];
pub const V6: &str = "2001:db8::10";

pub struct Net {
    pub world: World,
    /// The NASes, in the order of their constants.
    pub nases: [Extra; 3],
}

impl Net {
    pub fn new() -> Net {
        Net::with(|_| {})
    }

    pub fn with(change: impl Fn(&mut RoutingSnapshot) + 'static) -> Net {
        let places = [(40, NAS_AT), (41, OTHER_NAS_AT), (42, NAS_B_AT)];
        let nases = places.map(|(number, at)| Extra::new(number, at, HomeKind::DynAuth));
        let all = nases.clone();
        let shape = move |snapshot: &mut RoutingSnapshot| {
            for (nas, owner) in all.iter().zip([0, 0, 1]) {
                nas.join(snapshot, owner);
            }
            let [own, other, foreign] = [0, 1, 2].map(|n| all[n].id());
            let name = |text: &str| NasKey::Identifier(text.as_bytes().into());
            let at = |text: &str| NasKey::Address(text.parse().unwrap());
            customer(snapshot, 0).nases = [
                (at("192.0.2.10"), own),
                (at(V6), own),
                (name("bras-10"), own),
                (at("192.0.2.11"), other),
                (name("bras-11"), other),
                // Both customers have a network 10.0.0.0.
                (at("10.0.0.5"), own),
            ]
            .into();
            customer(snapshot, 1).nases =
                [(at("192.0.2.20"), foreign), (name("bras-20"), foreign), (at("10.0.0.5"), foreign)].into();
            sender(snapshot, 2, SENDER, 0);
            sender(snapshot, 3, SENDER_B, 1);
            change(snapshot);
        };
        Net { world: World::with(Plan::shaped(shape), Limits::default()), nases }
    }

    pub fn send(&mut self, from: &str, request: &[u8]) -> (Action, Option<Sent>) {
        self.world.receive(Socket::Service(DYNAUTH), address(from), request)
    }

    /// Customer 0's server asks.
    pub fn ask(&mut self, request: &[u8]) -> Option<Sent> {
        self.send(SENDER, request).1
    }

    pub fn is_idle(&self) -> bool {
        let outstanding: u64 = self.nases.iter().map(|nas| nas.count(|stats| &stats.outstanding)).sum();
        self.world.engine.in_flight() == 0 && outstanding == 0
    }
}

/// Makes the host at this address a dynamic-authorization client of a customer's.
pub fn sender(snapshot: &mut RoutingSnapshot, number: u32, at: &str, customer: u32) {
    let mut client = Plan::default().client(number, at, customer);
    client.role = ClientRole::DynAuth;
    client.require_message_authenticator = Require::No;
    client.limit_proxy_state = false;
    client.when_unanswered = Verdict::Reject;
    if snapshot.clients.len() <= number as usize {
        snapshot.clients.resize(number as usize + 1, None);
    }
    snapshot.clients[number as usize] = Some(Arc::new(client));
    let key = SourceKey { domain: 0, address: address_bytes(address(at).ip()) };
    snapshot.dynauth.insert(key, ClientId(number));
    let source = snapshot.gate.sources.entry(key).or_insert(Source::unlimited(Roles::NONE, Source::NO_ID));
    source.roles = source.roles.with(Roles::DYNAUTH);
}

pub type Attributes<'a> = &'a [(u8, &'a [u8])];

pub fn request(code: Code, id: u8, attrs: Attributes<'_>) -> Vec<u8> {
    let mut builder = RequestBuilder::new(code, id, [0; 16]);
    for (number, value) in attrs {
        builder = builder.attribute(*number, value);
    }
    builder.build(&nas_secret()).unwrap()
}

pub fn disconnect(id: u8, attrs: Attributes<'_>) -> Vec<u8> {
    request(Code::DISCONNECT_REQUEST, id, attrs)
}

pub fn v6() -> [u8; 16] {
    match V6.parse().unwrap() {
        IpAddr::V6(v6) => v6.octets(),
        IpAddr::V4(_) => [0; 16],
    }
}

/// The Error-Cause of a reply to this request, which has this code.
pub fn cause(reply: &Sent, request: &[u8], code: Code) -> u32 {
    assert_eq!(reply.bytes[0], code.0);
    let attrs = verified_at_nas(reply, request);
    let value = attrs.into_iter().find(|(number, _)| *number == attr::ERROR_CAUSE).unwrap().1;
    u32::from_be_bytes(value.try_into().unwrap())
}
