//! CoA and Disconnect (RFC 5176): from a customer's server to that customer's NAS, and to nobody else's.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not tests to clippy")]

mod common;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use common::*;
use sekisho_abi::{Reason, Roles, Source, SourceKey, address_bytes};
use sekisho_engine::{
    Limits,
    health::Health,
    packet::{Action, Socket},
    snapshot::{ClientId, ClientRole, HomeKind, HomeService, NasKey, Require, RoutingSnapshot, Verdict},
};
use sekisho_wire::{
    attr,
    build::{RequestBuilder, salted_field},
    code::Code,
};

/// Where customer 0's home server sends from: the same host, another port.
const SENDER: &str = "198.51.100.1:45000";
/// Customer 1's.
const SENDER_B: &str = "198.51.100.99:45000";
/// A NAS that is a client as well; another of the same customer's; customer 1's.
const NAS_AT: &str = "192.0.2.10:3799";
const OTHER_NAS_AT: &str = "192.0.2.11:3799";
const NAS_B_AT: &str = "192.0.2.20:3799";
const NAS_SECRETS: [usize; 3] = [40, 41, 42];
const V4: [u8; 4] = [192, 0, 2, 10];
const V6: &str = "2001:db8::10";

struct Net {
    world: World,
    /// The NASes, in the order of their constants.
    nases: [Extra; 3],
}

impl Net {
    fn new() -> Net {
        Net::with(|_| {})
    }

    fn with(change: impl Fn(&mut RoutingSnapshot) + 'static) -> Net {
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

    fn send(&mut self, from: &str, request: &[u8]) -> (Action, Option<Sent>) {
        self.world.receive(Socket::Service(DYNAUTH), address(from), request)
    }

    /// Customer 0's server asks.
    fn ask(&mut self, request: &[u8]) -> Option<Sent> {
        self.send(SENDER, request).1
    }

    fn is_idle(&self) -> bool {
        let outstanding: u64 = self.nases.iter().map(|nas| nas.count(|stats| &stats.outstanding)).sum();
        self.world.engine.in_flight() == 0 && outstanding == 0
    }
}

/// Makes the host at this address a dynamic-authorization client of a customer's.
fn sender(snapshot: &mut RoutingSnapshot, number: u32, at: &str, customer: u32) {
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

type Attributes<'a> = &'a [(u8, &'a [u8])];

fn request(code: Code, id: u8, attrs: Attributes<'_>) -> Vec<u8> {
    let mut builder = RequestBuilder::new(code, id, [0; 16]);
    for (number, value) in attrs {
        builder = builder.attribute(*number, value);
    }
    builder.build(&nas_secret()).unwrap()
}

fn disconnect(id: u8, attrs: Attributes<'_>) -> Vec<u8> {
    request(Code::DISCONNECT_REQUEST, id, attrs)
}

fn v6() -> [u8; 16] {
    match V6.parse().unwrap() {
        IpAddr::V6(v6) => v6.octets(),
        IpAddr::V4(_) => [0; 16],
    }
}

/// The Error-Cause of a reply to this request, which has this code.
fn cause(reply: &Sent, request: &[u8], code: Code) -> u32 {
    assert_eq!(reply.bytes[0], code.0);
    let attrs = verified_at_nas(reply, request);
    let value = attrs.into_iter().find(|(number, _)| *number == attr::ERROR_CAUSE).unwrap().1;
    u32::from_be_bytes(value.try_into().unwrap())
}

#[test]
fn a_disconnect_and_a_coa_reach_the_nas_and_its_answers_come_back() {
    let mut net = Net::new();
    let kinds = [
        (Code::DISCONNECT_REQUEST, Code::DISCONNECT_ACK),
        (Code::DISCONNECT_REQUEST, Code::DISCONNECT_NAK),
        (Code::COA_REQUEST, Code::COA_ACK),
        (Code::COA_REQUEST, Code::COA_NAK),
    ];
    for (id, (code, answer)) in kinds.into_iter().enumerate() {
        let asked = request(
            code,
            id as u8,
            &[
                (attr::USER_NAME, b"alice@a.example"),
                (attr::PROXY_STATE, b"of the sender"),
                (attr::NAS_IP_ADDRESS, &V4),
                (attr::ACCT_SESSION_ID, b"17"),
            ],
        );
        let sent = net.ask(&asked).unwrap();
        assert_eq!(sent.path.peer, address(NAS_AT));
        let attrs = verified_at_home(&sent, NAS_SECRETS[0]);
        let numbers: Vec<u8> = attrs.iter().map(|(number, _)| *number).collect();
        let expected =
            [attr::USER_NAME, attr::PROXY_STATE, attr::NAS_IP_ADDRESS, attr::ACCT_SESSION_ID, attr::PROXY_STATE];
        assert_eq!(numbers, expected);
        assert_eq!(proxy_states(&attrs), [b"of the sender".to_vec(), b"this one".to_vec()]);
        let error = 503u32.to_be_bytes();
        let (_, reply) = net.world.answer(&sent, &home_reply(&sent, 40, answer, &[(attr::ERROR_CAUSE, &error)]));
        let reply = reply.unwrap();
        assert_eq!((reply.path.peer, reply.path.socket), (address(SENDER), Socket::Service(DYNAUTH)));
        assert_eq!(cause(&reply, &asked, answer), 503);
        assert_eq!(proxy_states(&verified_at_nas(&reply, &asked)), [b"of the sender".to_vec()]);
        assert_eq!(net.ask(&asked), Some(reply), "repeated, it gets the same octets");
    }
    assert!(net.is_idle());
    let (stats, replies) = (&net.world.stats, &net.world.stats.replies);
    assert_eq!((stats.disconnect.read(), stats.coa.read(), stats.forwarded.read()), (2, 2, 4));
    let counters = [&replies.disconnect_ack, &replies.disconnect_nak, &replies.coa_ack, &replies.coa_nak];
    assert_eq!(counters.map(|counter| counter.read()), [1; 4]);
    assert_eq!(net.nases[0].count(|stats| &stats.replies.coa_ack), 1);
}

#[test]
fn a_nas_is_named_by_address_or_identifier_and_all_that_is_given_has_to_agree() {
    let mut net = Net::new();
    let (v4, v6) = ((attr::NAS_IP_ADDRESS, &V4[..]), v6());
    let (v6, name) = ((attr::NAS_IPV6_ADDRESS, &v6[..]), (attr::NAS_IDENTIFIER, &b"bras-10"[..]));
    let framed = (attr::FRAMED_IP_ADDRESS, &[10, 0, 0, 5][..]);
    let named: [Attributes<'_>; 6] = [&[v4], &[v6], &[name], &[v4, v6, name], &[name, v4], &[framed, v4]];
    for (id, attrs) in named.into_iter().enumerate() {
        let sent = net.ask(&disconnect(id as u8, attrs)).unwrap();
        assert_eq!(sent.path.peer, address(NAS_AT), "{attrs:?}");
    }
    let other = (attr::NAS_IDENTIFIER, &b"bras-11"[..]);
    let sent = net.ask(&disconnect(7, &[other])).unwrap();
    assert_eq!(sent.path.peer, address(OTHER_NAS_AT));
    let stranger = (attr::NAS_IP_ADDRESS, &[10, 1, 2, 3][..]);
    let foreign = (attr::NAS_IDENTIFIER, &b"bras-20"[..]);
    let short = (attr::NAS_IP_ADDRESS, &[192, 0, 2][..]);
    let refused: [(Attributes<'_>, u32); 11] = [
        (&[stranger], 502),
        (&[foreign], 502),
        (&[(attr::NAS_IP_ADDRESS, &[192, 0, 2, 20])], 502),
        (&[short], 502),
        (&[stranger, foreign], 502),
        (&[], 503),
        (&[framed], 503),
        (&[(attr::ACCT_SESSION_ID, b"17")], 503),
        (&[v4, other], 503),
        (&[v4, foreign], 503),
        (&[v4, (attr::NAS_IP_ADDRESS, &[192, 0, 2, 11])], 503),
    ];
    for (id, (attrs, expected)) in refused.into_iter().enumerate() {
        for (code, nak) in [(Code::DISCONNECT_REQUEST, Code::DISCONNECT_NAK), (Code::COA_REQUEST, Code::COA_NAK)] {
            let asked = request(code, 100 + id as u8, attrs);
            let reply = net.ask(&asked).unwrap();
            assert!(reply.to_client(), "{attrs:?}");
            assert_eq!(cause(&reply, &asked, nak), expected, "{attrs:?}");
        }
    }
}

#[test]
fn the_same_address_in_two_customers_networks_is_each_ones_own() {
    let mut net = Net::new();
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &[10, 0, 0, 5])]);
    assert_eq!(net.send(SENDER, &asked).1.unwrap().path.peer, address(NAS_AT));
    assert_eq!(net.send(SENDER_B, &asked).1.unwrap().path.peer, address(NAS_B_AT));
}

#[test]
fn a_refusal_has_the_senders_proxy_states_and_is_remembered() {
    let mut net = Net::new();
    let attrs: [(u8, &[u8]); 3] =
        [(attr::PROXY_STATE, b"one"), (attr::NAS_IDENTIFIER, b"unknown"), (attr::PROXY_STATE, b"two")];
    let asked = disconnect(1, &attrs);
    let reply = net.ask(&asked).unwrap();
    assert_eq!(proxy_states(&verified_at_nas(&reply, &asked)), [b"one".to_vec(), b"two".to_vec()]);
    assert_eq!(net.ask(&asked), Some(reply.clone()));
    assert_eq!(net.world.stats.repeated.read(), 1);
    let signed = RequestBuilder::new(Code::COA_REQUEST, 2, [0; 16]).message_authenticator().build(&nas_secret());
    let reply = net.ask(&signed.unwrap()).unwrap();
    assert_eq!(reply.bytes[20], attr::MESSAGE_AUTHENTICATOR, "who asks with one is answered with one");
    assert!(net.is_idle());
    let customer = net.world.snapshot.customers[0].as_ref().unwrap();
    assert_eq!(customer.stats.sum(|stats| &stats.unroutable), 2);
    assert_eq!(customer.stats.sum(|stats| &stats.replies.disconnect_nak), 1);
}

#[test]
fn a_session_of_another_customers_realm_is_dropped_in_silence() {
    let mut net = Net::new();
    let (own, foreign) = ((attr::NAS_IP_ADDRESS, &V4[..]), (attr::NAS_IP_ADDRESS, &[192, 0, 2, 20][..]));
    let user = |name: &'static [u8]| (attr::USER_NAME, name);
    let dropped = [
        (SENDER, disconnect(1, &[own, user(b"bob@b.example")])),
        (SENDER, disconnect(2, &[foreign, user(b"bob@b.example")])),
        (SENDER, disconnect(3, &[own, user(b"carol@nowhere.example")])),
        (SENDER_B, disconnect(4, &[foreign, user(b"alice@a.example")])),
        (SENDER_B, disconnect(5, &[own, user(b"alice@A.Example.")])),
        // Customer 1's own realm, which nobody serves: no Access-Request for it is routed.
        (SENDER_B, disconnect(6, &[foreign, user(b"bob@b.example")])),
    ];
    for (from, asked) in &dropped {
        assert_eq!(net.send(from, asked), (Action::Drop(Reason::ReversePath), None));
        assert_eq!(net.send(from, asked).0, Action::Drop(Reason::ReversePath), "and again");
    }
    assert_eq!(net.world.dropped(Reason::ReversePath), 12);
    assert!(net.is_idle());
    assert_eq!(net.world.stats.remembered.read(), 0, "nothing is kept of it");
    for (id, name) in [&b"alice@a.example"[..], b"alice@A.EXAMPLE.", b"aabbccddeeff"].into_iter().enumerate() {
        assert!(net.ask(&disconnect(10 + id as u8, &[own, (attr::USER_NAME, name)])).is_some(), "{name:?}");
    }
}

#[test]
fn a_silent_nas_is_a_nak_when_the_senders_time_is_over() {
    let mut net = Net::new();
    let attrs: [(u8, &[u8]); 2] = [(attr::NAS_IP_ADDRESS, &V4), (attr::PROXY_STATE, b"of the sender")];
    let asked = disconnect(1, &attrs);
    let sent = net.ask(&asked).unwrap();
    assert_eq!(net.send(SENDER, &asked).0, Action::Drop(Reason::Absorbed));
    assert_eq!(net.world.pass(Duration::from_secs(4)), [], "there is no other NAS to ask");
    assert_eq!(net.ask(&asked), Some(sent.clone()), "the sender's repetition goes on as it was");
    assert_eq!(net.world.pass(Duration::from_millis(5_900)), []);
    let late = net.world.pass(Duration::from_millis(200));
    assert_eq!(late.len(), 1);
    let reply = &late[0].1;
    assert_eq!(reply.path.peer, address(SENDER));
    assert_eq!(cause(reply, &asked, Code::DISCONNECT_NAK), 505);
    assert_eq!(proxy_states(&verified_at_nas(reply, &asked)), [b"of the sender".to_vec()]);
    assert_eq!(net.ask(&asked).as_ref(), Some(reply), "and it is remembered");
    let ack = home_reply(&sent, 40, Code::DISCONNECT_ACK, &[]);
    assert_eq!(net.world.answer(&sent, &ack).0, Action::Drop(Reason::ReplyUnmatched));
    assert!(net.is_idle());
    let nas = &net.nases[0];
    assert_eq!((nas.state.health(), nas.count(|stats| &stats.timeouts)), (Health::Alive, 1));
    assert_eq!((net.world.stats.expired.read(), net.world.stats.replies.disconnect_nak.read()), (1, 1));
}

#[test]
fn a_nas_that_cannot_be_asked_now_is_a_nak_at_once() {
    let full = |snapshot: &mut RoutingSnapshot| home(snapshot, 40).max_outstanding = 1;
    let mut net = Net::with(full);
    assert!(!net.ask(&disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)])).unwrap().to_client());
    let asked = disconnect(2, &[(attr::NAS_IP_ADDRESS, &V4)]);
    assert_eq!(cause(&net.ask(&asked).unwrap(), &asked, Code::DISCONNECT_NAK), 505);
    assert_eq!(net.world.engine.in_flight(), 1);
}

#[test]
fn codes_belong_to_their_ports_and_senders_to_their_roles() {
    let mut net = Net::new();
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)]);
    let status = RequestBuilder::new(Code::STATUS_SERVER, 1, [1; 16]).message_authenticator().build(&nas_secret());
    let cases = [
        (AUTH, NAS, asked.clone(), Reason::BadCode),
        (ACCT, NAS, asked.clone(), Reason::BadCode),
        (DYNAUTH, SENDER, pap(1, "alice@a.example", 1), Reason::BadCode),
        (DYNAUTH, SENDER, accounting(1, "alice@a.example", 1), Reason::BadCode),
        (DYNAUTH, SENDER, status.unwrap(), Reason::BadCode),
        (DYNAUTH, NAS, asked.clone(), Reason::WrongRole),
        (DYNAUTH, HOME_2, asked.clone(), Reason::WrongRole),
        (DYNAUTH, "203.0.113.1:1000", asked.clone(), Reason::Unregistered),
        (AUTH, SENDER, pap(1, "alice@a.example", 1), Reason::WrongRole),
    ];
    for (socket, from, bytes, reason) in cases {
        let (action, _) = net.world.receive(Socket::Service(socket), address(from), &bytes);
        assert_eq!(action, Action::Drop(reason), "{from} on {socket}");
    }
    assert!(net.is_idle());
}

#[test]
fn what_does_not_verify_is_dropped_and_leaves_no_trace() {
    let mut net = Net::new();
    let named = (attr::NAS_IP_ADDRESS, &V4[..]);
    let mut forged = disconnect(1, &[named]);
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(net.send(SENDER, &forged).0, Action::Drop(Reason::AuthenticatorBad));
    // The Request Authenticator is right, over a Message-Authenticator that is not.
    let bad = disconnect(2, &[(attr::MESSAGE_AUTHENTICATOR, &[7; 16]), named]);
    assert_eq!(net.send(SENDER, &bad).0, Action::Drop(Reason::MessageAuthenticatorBad));
    let short = disconnect(3, &[(attr::MESSAGE_AUTHENTICATOR, &[7; 3]), named]);
    assert_eq!(net.send(SENDER, &short).0, Action::Drop(Reason::MessageAuthenticatorBad));
    let twice = disconnect(4, &[(attr::MESSAGE_AUTHENTICATOR, &[7; 16]), (attr::MESSAGE_AUTHENTICATOR, &[7; 16])]);
    assert_eq!(net.send(SENDER, &twice).0, Action::Drop(Reason::MessageAuthenticatorRepeated));
    assert!(net.is_idle());
    assert_eq!(net.nases[0].count(|stats| &stats.requests), 0);
}

#[test]
fn a_message_authenticator_is_made_anew_toward_the_nas_and_back() {
    let mut net = Net::new();
    let asked = RequestBuilder::new(Code::COA_REQUEST, 1, [0; 16])
        .attribute(attr::NAS_IP_ADDRESS, V4)
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    let sent = net.ask(&asked).unwrap();
    assert_eq!(verified_at_home(&sent, 40)[0].0, attr::MESSAGE_AUTHENTICATOR);
    let reply = net.world.answer(&sent, &home_reply(&sent, 40, Code::COA_ACK, &[])).1.unwrap();
    assert_eq!(verified_at_nas(&reply, &asked)[0].0, attr::MESSAGE_AUTHENTICATOR);
}

#[test]
fn one_host_may_be_home_server_sender_and_terminal_at_once() {
    // The NAS itself sends as well, with a secret that the terminal does not have.
    let mut net = Net::with(|snapshot| {
        sender(snapshot, 4, NAS, 0);
        client(snapshot, 4).secret = home_secret(77);
    });
    let asked = RequestBuilder::new(Code::DISCONNECT_REQUEST, 1, [0; 16]).attribute(attr::NAS_IDENTIFIER, "bras-11");
    let sent = net.send(NAS, &asked.build(&home_secret(77)).unwrap()).1.unwrap();
    assert_eq!(sent.path.peer, address(OTHER_NAS_AT));
    let with_the_terminals = disconnect(2, &[(attr::NAS_IDENTIFIER, b"bras-11")]);
    assert_eq!(net.send(NAS, &with_the_terminals).0, Action::Drop(Reason::AuthenticatorBad));
    assert!(net.world.ask(&pap(1, "alice@a.example", 1)).is_some(), "and the terminal logs in as ever");
}

#[test]
fn what_no_nas_could_read_and_what_is_private_to_proxies_stops_here() {
    let mut net = Net::new();
    let hidden = salted_field(b"tunnel secret", 0x8001, &nas_secret(), &[0; 16]).unwrap();
    let asked = RequestBuilder::new(Code::COA_REQUEST, 1, [0; 16])
        .attribute(attr::NAS_IP_ADDRESS, V4)
        .attribute(attr::TUNNEL_PASSWORD, [&[1], &hidden[..]].concat())
        .attribute(attr::OPERATOR_NAME, "1a.example")
        .attribute(attr::SESSION_TIMEOUT, [0, 0, 0, 60])
        .build(&nas_secret())
        .unwrap();
    let sent = net.ask(&asked).unwrap();
    let numbers: Vec<u8> = verified_at_home(&sent, 40).iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [attr::NAS_IP_ADDRESS, attr::SESSION_TIMEOUT, attr::PROXY_STATE]);
    assert_eq!(net.world.stats.hidden.read(), 1);
}

#[test]
fn a_loop_ends_in_a_nak() {
    let mut net = Net::new();
    let named = (attr::NAS_IP_ADDRESS, &V4[..]);
    let ours = disconnect(1, &[named, (attr::PROXY_STATE, b"this one")]);
    assert_eq!(cause(&net.ask(&ours).unwrap(), &ours, Code::DISCONNECT_NAK), 502);
    let many = disconnect(2, &[[named].as_slice(), &[(attr::PROXY_STATE, &b"x"[..]); 11]].concat());
    assert_eq!(cause(&net.ask(&many).unwrap(), &many, Code::DISCONNECT_NAK), 502);
    assert_eq!(net.world.stats.loops.read(), 2);
}

#[test]
fn a_sender_that_uses_its_identifier_again_ends_what_had_it() {
    let mut net = Net::new();
    let named = (attr::NAS_IP_ADDRESS, &V4[..]);
    let old = net.ask(&disconnect(1, &[named, (attr::ACCT_SESSION_ID, b"1")])).unwrap();
    let asked = disconnect(1, &[named, (attr::ACCT_SESSION_ID, b"2")]);
    let new = net.ask(&asked).unwrap();
    assert_eq!(net.world.stats.superseded.read(), 1);
    assert_ne!(old.bytes[1], new.bytes[1], "toward the NAS the old identifier rests");
    let ack = home_reply(&old, 40, Code::DISCONNECT_ACK, &[]);
    assert_eq!(net.world.answer(&old, &ack).0, Action::Drop(Reason::ReplyUnmatched));
    let reply = net.world.answer(&new, &home_reply(&new, 40, Code::DISCONNECT_ACK, &[])).1.unwrap();
    verified_at_nas(&reply, &asked);
}

#[test]
fn a_forged_answer_or_one_of_the_wrong_kind_changes_nothing() {
    let mut net = Net::new();
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)]);
    let sent = net.ask(&asked).unwrap();
    let forged = home_reply(&sent, 41, Code::DISCONNECT_ACK, &[]);
    assert_eq!(net.world.answer(&sent, &forged).0, Action::Drop(Reason::ReplyForged));
    let wrong = home_reply(&sent, 40, Code::COA_ACK, &[]);
    assert_eq!(net.world.answer(&sent, &wrong).0, Action::Drop(Reason::ReplyCode));
    let accept = home_reply(&sent, 40, Code::ACCESS_ACCEPT, &[]);
    assert_eq!(net.world.answer(&sent, &accept).0, Action::Drop(Reason::ReplyCode));
    let right = home_reply(&sent, 40, Code::DISCONNECT_ACK, &[]);
    verified_at_nas(&net.world.answer(&sent, &right).1.unwrap(), &asked);
}

#[test]
fn a_reload_in_the_middle_lets_requests_end_as_they_began() {
    let mut net = Net::new();
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)]);
    let silent = disconnect(2, &[(attr::NAS_IP_ADDRESS, &V4)]);
    let sent = net.ask(&asked).unwrap();
    net.ask(&silent).unwrap();
    // The NAS goes, its sender stays.
    net.world.reload(|plan| {
        plan.reshape(|snapshot| {
            snapshot.homes[40] = None;
            snapshot.home_by_address.remove(&address(NAS_AT));
            customer(snapshot, 0).nases.clear();
        });
    });
    let reply = net.world.answer(&sent, &home_reply(&sent, 40, Code::DISCONNECT_ACK, &[])).1.unwrap();
    verified_at_nas(&reply, &asked);
    let late = net.world.pass(Duration::from_secs(11));
    assert_eq!(late.len(), 1);
    assert_eq!(cause(&late[0].1, &silent, Code::DISCONNECT_NAK), 505);
    let asked = disconnect(3, &[(attr::NAS_IP_ADDRESS, &V4)]);
    assert_eq!(cause(&net.ask(&asked).unwrap(), &asked, Code::DISCONNECT_NAK), 502);
    // A sender that goes gets nothing any more.
    let sent = net.ask(&disconnect(4, &[])).unwrap();
    assert!(sent.to_client());
    net.world.reload(|plan| plan.reshape(|snapshot| snapshot.clients[2] = None));
    assert_eq!(net.send(SENDER, &asked).0, Action::Drop(Reason::Unregistered));
}

#[test]
fn a_sender_that_a_reload_removes_gets_no_answer() {
    let mut net = Net::new();
    let sent = net.ask(&disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)])).unwrap();
    net.ask(&disconnect(2, &[(attr::NAS_IP_ADDRESS, &V4)])).unwrap();
    net.world.reload(|plan| plan.reshape(|snapshot| snapshot.clients[2] = None));
    let ack = home_reply(&sent, 40, Code::DISCONNECT_ACK, &[]);
    assert_eq!(net.world.answer(&sent, &ack).0, Action::Drop(Reason::ReplyUnwanted));
    assert_eq!(net.world.pass(Duration::from_secs(11)), []);
    assert!(net.is_idle());
}

#[test]
fn a_nas_taken_out_of_service_is_not_asked() {
    let mut net = Net::with(|snapshot| home(snapshot, 40).service = HomeService::Down);
    net.world.pass(Duration::from_millis(200));
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)]);
    assert_eq!(cause(&net.ask(&asked).unwrap(), &asked, Code::DISCONNECT_NAK), 505);
}

#[test]
fn batches_have_the_effect_of_their_packets_one_by_one() {
    let named = (attr::NAS_IP_ADDRESS, &V4[..]);
    let requests = [
        disconnect(1, &[named]),
        disconnect(1, &[named]),
        request(Code::COA_REQUEST, 2, &[(attr::NAS_IDENTIFIER, b"bras-11")]),
        disconnect(3, &[(attr::NAS_IDENTIFIER, b"nobody's")]),
        disconnect(3, &[(attr::NAS_IDENTIFIER, b"nobody's")]),
        disconnect(4, &[named, (attr::USER_NAME, b"bob@b.example")]),
        disconnect(1, &[named, (attr::ACCT_SESSION_ID, b"1")]),
        pap(5, "alice@a.example", 1),
    ];
    let run = |size: usize| {
        let mut net = Net::new();
        let mut outcomes = Vec::new();
        let mut sent = Vec::new();
        let packets: Vec<(Socket, SocketAddr, Vec<u8>)> =
            requests.iter().map(|bytes| (Socket::Service(DYNAUTH), address(SENDER), bytes.clone())).collect();
        for chunk in packets.chunks(size) {
            for (action, packet) in net.world.receive_all(chunk) {
                outcomes.push((action, packet.as_ref().map(|it| it.bytes[0])));
                sent.extend(packet.filter(|it| !it.to_client()));
            }
        }
        let answers: Vec<_> = sent
            .iter()
            .map(|sent| {
                let index = if sent.path.peer == address(NAS_AT) { 40 } else { 41 };
                let code = if sent.bytes[0] == Code::COA_REQUEST.0 { Code::COA_ACK } else { Code::DISCONNECT_ACK };
                (sent.path.socket, sent.path.peer, home_reply(sent, index, code, &[]))
            })
            .collect();
        for chunk in answers.chunks(size) {
            let results = net.world.receive_all(chunk);
            outcomes.extend(results.into_iter().map(|(action, it)| (action, it.map(|it| it.bytes[0]))));
        }
        assert!(net.is_idle());
        outcomes
    };
    let alone = run(1);
    let repeated_refusal = 4;
    let without = |outcomes: Vec<(Action, Option<u8>)>| -> Vec<_> {
        outcomes.into_iter().enumerate().filter(|(place, _)| *place != repeated_refusal).map(|(_, it)| it).collect()
    };
    // Alone, the repetition gets the refusal a second time; in its batch it is absorbed, since the refusal leaves with it.
    let alone = without(alone);
    assert_eq!(without(run(3)), alone);
    assert_eq!(without(run(64)), alone);
}
