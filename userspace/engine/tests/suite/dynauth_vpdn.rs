//! Disconnect of a `vpdn` session: a customer's server ends its own subscriber's session at the operator's access network, and nobody
//! else's (SERVICE verdicts; CONFORMANCE §5a).

use crate::common::{dynauth::*, vpdn::*, *};
use sekisho_engine::snapshot::{ClientId, HomeKind};
use sekisho_lns::balance::Strategy;
use sekisho_wire::{attr, code::Code};

/// Where the access network takes Disconnects.
const PGW_AT: &str = "203.0.113.5:3799";
const SECRET: usize = 50;

fn world() -> (World, Extra) {
    let nas = Extra::new(SECRET, PGW_AT, HomeKind::DynAuth);
    let mut plan = vpdn_plan(Strategy::RoundRobin, three());
    let own = nas.clone();
    plan.reshape(move |snapshot| {
        own.join(snapshot, u32::MAX);
        snapshot.nas_by_source.insert((ClientId(CARRIER), address(PGW).ip()), own.id());
        sender(snapshot, 3, SENDER, 0);
        sender(snapshot, 4, SENDER_B, 1);
    });
    let mut world = World::with(plan, sekisho_engine::Limits::default());
    world.account(&report(1, 1, "x@a.example").build(&nas_secret()).unwrap());
    world.keep_records(true);
    (world, nas)
}

/// What this sender gets or has forwarded for a request about session 1.
fn ask(world: &mut World, from: &str, request: &[u8]) -> Sent {
    let mut try_it = || world.receive(sekisho_engine::packet::Socket::Service(DYNAUTH), address(from), request).1;
    try_it().unwrap()
}

fn about(code: Code, id: u8, session: &[u8]) -> Vec<u8> {
    request(code, id, &[(attr::NAS_IDENTIFIER, b"pgw-1"), (attr::ACCT_SESSION_ID, session)])
}

#[test]
fn a_customers_server_ends_its_own_subscribers_session() {
    let (mut world, nas) = world();
    let asked = about(Code::DISCONNECT_REQUEST, 1, b"session-1");
    let sent = match ask(&mut world, SENDER, &asked) {
        // The first request to a NAS finds it without identifiers.
        refused if refused.bytes[0] == Code::DISCONNECT_NAK.0 => {
            ask(&mut world, SENDER, &about(Code::DISCONNECT_REQUEST, 2, b"session-1"))
        }
        sent => sent,
    };
    assert_eq!((sent.path.peer, sent.bytes[0]), (address(PGW_AT), Code::DISCONNECT_REQUEST.0));
    verified_at_home(&sent, SECRET);
    let ack = home_reply(&sent, SECRET, Code::DISCONNECT_ACK, &[]);
    assert_eq!(world.answer(&sent, &ack).1.unwrap().bytes[0], Code::DISCONNECT_ACK.0);
    assert_eq!(nas.count(|stats| &stats.replies.disconnect_ack), 1);
}

#[test]
fn another_customers_server_an_unknown_session_and_a_coa_get_a_nak() {
    let (mut world, _) = world();
    let cases = [
        (SENDER_B, Code::DISCONNECT_REQUEST, &b"session-1"[..], 502),
        (SENDER, Code::DISCONNECT_REQUEST, b"session-2", 502),
        (SENDER, Code::COA_REQUEST, b"session-1", 501),
    ];
    for (id, (from, code, session, expected)) in (1..).zip(cases) {
        let asked = about(code, id, session);
        let back = ask(&mut world, from, &asked);
        let nak = if code == Code::COA_REQUEST { Code::COA_NAK } else { Code::DISCONNECT_NAK };
        assert_eq!(cause(&back, &asked, nak), expected, "{from} {session:?}");
    }
}

#[test]
fn a_request_that_names_somebody_else_beside_its_own_session_goes_nowhere() {
    let (mut world, _) = world();
    let victims: [(u8, &[u8]); 4] = [
        (attr::ACCT_SESSION_ID, b"session-2"),
        (attr::FRAMED_IP_ADDRESS, &[10, 0, 0, 5]),
        (attr::CALLING_STATION_ID, b"819000000002"),
        (attr::USER_NAME, b"victim@b.example"),
    ];
    for (id, victim) in (1..).zip(victims) {
        let named = [(attr::NAS_IDENTIFIER, &b"pgw-1"[..]), (attr::ACCT_SESSION_ID, b"session-1"), victim];
        let asked = request(Code::DISCONNECT_REQUEST, id, &named);
        match world.receive(sekisho_engine::packet::Socket::Service(DYNAUTH), address(SENDER), &asked) {
            (_, Some(back)) => assert_eq!(cause(&back, &asked, Code::DISCONNECT_NAK), 503, "{victim:?}"),
            (action, None) => {
                assert_eq!(action, sekisho_engine::packet::Action::Drop(sekisho_abi::Reason::ReversePath))
            }
        }
    }
}
