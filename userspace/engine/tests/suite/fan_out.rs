//! Accounting-On and -Off go to every pool of the client's customer, and to nobody else (RFC 2607 §5.2).

use std::{net::SocketAddr, time::Duration};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits, Time,
    health::Health,
    packet::{Action, Socket},
    snapshot::{HomeKind, PoolId, RoutingSnapshot},
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const ON: u32 = 7;
const OFF: u32 = 8;

/// Three pools of customer 0, the second with two servers, and one of customer 1. Pool `n` is served from `servers[n - 1]` on.
struct Net {
    world: World,
    /// Of the second pool, of the second pool again, of the third, of customer 1's.
    servers: [Extra; 4],
}

const SECOND: &str = "198.51.100.11:1813";
const SECOND_STANDBY: &str = "198.51.100.12:1813";
const THIRD: &str = "198.51.100.13:1813";
const FOREIGN: &str = "198.51.100.14:1813";

impl Net {
    fn new() -> Net {
        Net::within(Duration::from_secs(10))
    }

    fn within(answer_within: Duration) -> Net {
        let servers = [(10, SECOND), (11, SECOND_STANDBY), (12, THIRD), (13, FOREIGN)]
            .map(|(number, at)| Extra::new(number, at, HomeKind::Acct));
        let all = servers.clone();
        let shape = move |snapshot: &mut RoutingSnapshot| {
            all[..3].iter().for_each(|server| server.join(snapshot, 0));
            all[3].join(snapshot, 1);
            snapshot.pools.push(acct_pool("second", 0, &[&all[0], &all[1]]));
            snapshot.pools.push(acct_pool("third", 0, &[&all[2]]));
            snapshot.pools.push(acct_pool("foreign", 1, &[&all[3]]));
            customer(snapshot, 0).acct_pools = vec![PoolId(0), PoolId(1), PoolId(2)];
            customer(snapshot, 1).acct_pools = vec![PoolId(3)];
        };
        let plan = Plan { answer_within, ..Plan::shaped(shape) };
        Net { world: World::with(plan, Limits::default()), servers }
    }

    /// The NAS sends this to the accounting socket.
    fn ask(&mut self, request: &[u8]) -> Action {
        self.world.receive(Socket::Service(ACCT), address(NAS), request).0
    }

    fn pass(&mut self, ms: u64) -> Vec<(Time, Sent)> {
        self.world.pass(Duration::from_millis(ms))
    }

    /// The server that got this acknowledges it.
    fn acknowledge(&mut self, sent: &Sent) -> Option<Sent> {
        let reply = home_reply(sent, secret_of(sent.path.peer), Code::ACCOUNTING_RESPONSE, &[]);
        self.world.answer(sent, &reply).1
    }
}

/// The number of the secret that the server at this address has.
fn secret_of(peer: SocketAddr) -> usize {
    let known = [(ACCT_1, 2), (SECOND, 10), (SECOND_STANDBY, 11), (THIRD, 12), (FOREIGN, 13)];
    known.iter().find(|(at, _)| address(at) == peer).unwrap().1
}

fn receivers(sent: &[(Time, Sent)]) -> Vec<String> {
    sent.iter().map(|(_, sent)| sent.path.peer.to_string()).collect()
}

fn only(sent: Vec<(Time, Sent)>) -> Sent {
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.into_iter().next().unwrap().1
}

#[test]
fn an_accounting_on_goes_to_every_pool_of_the_customer_and_is_answered_once_all_have_it() {
    let mut net = Net::new();
    let request = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 9, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, ON.to_be_bytes())
        .attribute(attr::PROXY_STATE, "of the client")
        .attribute(attr::ACCT_SESSION_ID, "boot-17")
        .attribute(attr::NAS_IDENTIFIER, "bras-17")
        .build(&nas_secret())
        .unwrap();
    assert_eq!(net.ask(&request), Action::Hold);
    let sent = net.pass(200);
    assert_eq!(receivers(&sent), [ACCT_1, SECOND, THIRD], "one server of each pool, and no other customer's");
    for (_, part) in &sent {
        let attrs = verified_at_home(part, secret_of(part.path.peer));
        let numbers: Vec<u8> = attrs.iter().map(|(number, _)| *number).collect();
        assert_eq!(
            numbers,
            [attr::ACCT_STATUS_TYPE, attr::PROXY_STATE, attr::ACCT_SESSION_ID, attr::NAS_IDENTIFIER, attr::PROXY_STATE]
        );
        assert_eq!(proxy_states(&attrs), [b"of the client".to_vec(), b"this one".to_vec()]);
    }
    assert_eq!(net.acknowledge(&sent[2].1), None);
    assert_eq!(net.acknowledge(&sent[0].1), None);
    assert_eq!(net.world.engine.in_flight(), 1, "one request of a client");
    let reply = net.acknowledge(&sent[1].1).unwrap();
    assert_eq!((reply.bytes[0], reply.path.peer), (Code::ACCOUNTING_RESPONSE.0, address(NAS)));
    assert_eq!(verified_at_nas(&reply, &request), [(attr::PROXY_STATE, b"of the client".to_vec())]);
    assert_eq!(net.world.engine.in_flight(), 0);
    let stats = &net.world.stats;
    assert_eq!((stats.fanned_out.read(), stats.forwarded.read(), stats.replies.accounting.read()), (1, 1, 1));
    assert_eq!(net.world.ask_acct(&request), Some(reply), "repeated, it gets the same octets");
    assert_eq!(net.pass(20_000), []);
}

#[test]
fn parts_leave_one_after_another() {
    let servers: Vec<Extra> =
        (0..50).map(|n| Extra::new(10 + n, &format!("198.51.100.{}:1813", 10 + n), HomeKind::Acct)).collect();
    let all = servers.clone();
    let plan = Plan::shaped(move |snapshot| {
        for server in &all {
            server.join(snapshot, 0);
            snapshot.pools.push(acct_pool("one of many", 0, &[server]));
        }
        customer(snapshot, 0).acct_pools = (1..=50).map(PoolId).collect();
    });
    let mut world = World::with(plan, Limits::default());
    let began = world.now;
    assert_eq!(world.ask_acct(&accounting(1, "", OFF)), None);
    let sent = world.pass(Duration::from_secs(2));
    assert_eq!(sent.len(), 50);
    for (place, pair) in sent.windows(2).enumerate() {
        let apart = pair[1].0 - pair[0].0;
        // The engine keeps 20 ms and a tick of its wheel; this clock looks every 10 ms.
        assert!((10..=40).contains(&apart.as_millis()), "after {place}: {apart:?}");
    }
    assert!(sent[49].0 - began > Duration::from_millis(49 * 20));
}

#[test]
fn while_a_pool_is_silent_the_nas_gets_nothing_and_its_repetition_asks_that_pool_only() {
    let mut net = Net::new();
    let request = accounting(1, "", ON);
    net.ask(&request);
    let first = net.pass(200);
    net.acknowledge(&first[0].1);
    net.acknowledge(&first[1].1);
    assert_eq!(net.ask(&request), Action::Drop(Reason::Absorbed), "within the retransmit window");
    assert_eq!(net.pass(1_000), []);
    assert_eq!(net.ask(&request), Action::Hold);
    let again = only(net.pass(200));
    assert_eq!(again, first[2].1, "the same octets to the same server");
    assert_eq!(net.world.stats.retransmitted.read(), 1);
    let reply = net.acknowledge(&again).unwrap();
    verified_at_nas(&reply, &request);
    assert_eq!(net.world.stats.forwarded.read(), 1);
}

#[test]
fn a_pool_that_stays_silent_keeps_the_answer_back_for_ever() {
    let mut net = Net::new();
    let request = accounting(1, "", ON);
    net.ask(&request);
    let first = net.pass(200);
    net.acknowledge(&first[0].1);
    net.acknowledge(&first[1].1);
    assert_eq!(net.pass(12_000), []);
    let stats = &net.world.stats;
    assert_eq!((net.world.engine.in_flight(), stats.expired.read(), stats.replies.accounting.read()), (0, 1, 0));
    assert_eq!(net.servers[2].count(|stats| &stats.timeouts), 1);
    assert_eq!(net.servers[2].state.health(), Health::Zombie);
    // Whoever answers now is late; the NAS begins anew, with another Acct-Delay-Time and so another identifier.
    let late = home_reply(&first[2].1, 12, Code::ACCOUNTING_RESPONSE, &[]);
    assert_eq!(net.world.answer(&first[2].1, &late).0, Action::Drop(Reason::ReplyUnmatched));
    net.ask(&accounting(2, "", ON));
    assert_eq!(net.pass(200).len(), 3);
}

#[test]
fn a_part_fails_over_inside_its_pool() {
    let mut net = Net::new();
    let request = accounting(1, "", ON);
    net.ask(&request);
    let first = net.pass(200);
    net.acknowledge(&first[0].1);
    net.acknowledge(&first[2].1);
    let other = only(net.pass(3_100));
    assert_eq!(other.path.peer, address(SECOND_STANDBY));
    verified_at_home(&other, 11);
    assert_ne!(other.bytes[4..20], first[1].1.bytes[4..20], "another request to the other server");
    let reply = net.acknowledge(&other).unwrap();
    verified_at_nas(&reply, &request);
}

#[test]
fn a_pool_that_could_not_be_asked_is_asked_when_the_nas_repeats_itself() {
    let mut net = Net::new();
    net.world.reload(|plan| {
        plan.reshape(move |snapshot| {
            home(snapshot, 12).max_outstanding = 1;
        });
    });
    net.world.receive(Socket::Service(ACCT), address("192.0.2.10:40001"), &accounting(1, "", ON));
    let other = net.pass(200);
    let request = accounting(1, "", ON);
    net.ask(&request);
    let first = net.pass(200);
    assert_eq!(receivers(&first), [ACCT_1, SECOND], "the third has enough to do");
    assert_eq!(net.acknowledge(&first[0].1), None);
    assert_eq!(net.acknowledge(&first[1].1), None, "not everybody has it");
    net.acknowledge(&other[2].1);
    net.pass(1_000);
    assert_eq!(net.ask(&request), Action::Hold);
    let third = only(net.pass(200));
    assert_eq!(third.path.peer, address(THIRD));
    let reply = net.acknowledge(&third).unwrap();
    verified_at_nas(&reply, &request);
}

#[test]
fn a_forged_answer_to_a_part_changes_nothing() {
    let mut net = Net::new();
    let request = accounting(1, "", ON);
    net.ask(&request);
    let sent = net.pass(200);
    net.acknowledge(&sent[0].1);
    net.acknowledge(&sent[1].1);
    let forged = home_reply(&sent[2].1, 10, Code::ACCOUNTING_RESPONSE, &[]);
    assert_eq!(net.world.answer(&sent[2].1, &forged).0, Action::Drop(Reason::ReplyForged));
    let wrong = home_reply(&sent[2].1, 12, Code::ACCESS_ACCEPT, &[]);
    assert_eq!(net.world.answer(&sent[2].1, &wrong).0, Action::Drop(Reason::ReplyCode));
    assert_eq!(net.world.engine.in_flight(), 1);
    let reply = net.acknowledge(&sent[2].1).unwrap();
    verified_at_nas(&reply, &request);
    assert_eq!(net.acknowledge(&sent[2].1), None, "and a second answer goes nowhere");
}

#[test]
fn a_nas_that_uses_the_identifier_again_ends_the_whole_with_its_parts() {
    let mut net = Net::new();
    net.ask(&accounting(1, "", ON));
    let parts = net.pass(30);
    assert_eq!(parts.len(), 2, "the third has not left");
    let record = accounting(1, "alice@a.example", 1);
    let sent = net.world.ask_acct(&record).unwrap();
    assert_eq!((net.world.engine.in_flight(), net.world.stats.superseded.read()), (1, 1));
    assert_eq!(net.pass(500), [], "no further part");
    assert_eq!(net.acknowledge(&parts[0].1), None);
    let reply = net.acknowledge(&sent).unwrap();
    verified_at_nas(&reply, &record);
}

#[test]
fn a_reload_in_the_middle_lets_the_whole_end_as_it_began() {
    let mut net = Net::new();
    let request = accounting(1, "", ON);
    net.ask(&request);
    let mut sent = net.pass(10);
    net.world.reload(|plan| plan.shape = Plan::default().shape);
    sent.extend(net.pass(300));
    assert_eq!(receivers(&sent), [ACCT_1, SECOND, THIRD]);
    assert_eq!(net.ask(&request), Action::Drop(Reason::Absorbed));
    for (_, part) in &sent[..2] {
        assert_eq!(net.acknowledge(part), None);
    }
    let reply = net.acknowledge(&sent[2].1).unwrap();
    verified_at_nas(&reply, &request);
}

#[test]
fn a_client_that_a_reload_removes_gets_no_answer() {
    let mut net = Net::new();
    net.ask(&accounting(1, "", ON));
    let sent = net.pass(200);
    net.world.reload(|plan| plan.clients[0] = None);
    assert_eq!(sent.iter().map(|(_, part)| net.acknowledge(part)).collect::<Vec<_>>(), [None, None, None]);
    assert_eq!(net.world.engine.in_flight(), 0);
    assert_eq!(net.world.dropped(Reason::ReplyUnwanted), 1);
}

#[test]
fn with_one_pool_it_is_an_ordinary_request() {
    let mut net = Net::new();
    let request = accounting(1, "", ON);
    let (_, sent) = net.world.receive(Socket::Service(ACCT), address(NAS_B), &request);
    let sent = sent.unwrap();
    assert_eq!(sent.path.peer, address(FOREIGN));
    assert_eq!(net.world.stats.fanned_out.read(), 0);
    let reply = net.acknowledge(&sent).unwrap();
    verified_at_nas(&reply, &request);
}

#[test]
fn one_that_names_a_realm_goes_to_that_realms_pool_only() {
    let mut net = Net::new();
    let sent = net.world.ask_acct(&accounting(1, "nas@a.example", OFF)).unwrap();
    assert_eq!(sent.path.peer, address(ACCT_1));
    assert_eq!(net.pass(200), []);
    assert_eq!(net.world.stats.fanned_out.read(), 0);
}

#[test]
fn other_records_without_a_realm_are_not_fanned_out() {
    let mut net = Net::new();
    assert_eq!(net.ask(&accounting(1, "", 1)), Action::Drop(Reason::Unrouted));
    assert_eq!(net.pass(200), []);
}

#[test]
fn a_batch_of_repetitions_and_answers_has_the_effect_of_its_packets_one_by_one() {
    let request = accounting(1, "", ON);
    let from_nas = (Socket::Service(ACCT), address(NAS), request.clone());
    let run = |size: usize| {
        let mut net = Net::new();
        let mut outcomes = Vec::new();
        let mut receive = |net: &mut Net, packets: &[(Socket, SocketAddr, Vec<u8>)]| {
            for chunk in packets.chunks(size) {
                outcomes.extend(net.world.receive_all(chunk).into_iter().map(|(action, _)| action));
            }
        };
        receive(&mut net, &[from_nas.clone(), from_nas.clone()]);
        let sent = net.pass(200);
        let answers: Vec<_> = sent
            .iter()
            .map(|(_, part)| {
                let reply = home_reply(part, secret_of(part.path.peer), Code::ACCOUNTING_RESPONSE, &[]);
                (part.path.socket, part.path.peer, reply)
            })
            .collect();
        receive(&mut net, &[&answers[..2], std::slice::from_ref(&from_nas), &answers[1..], &answers[..1]].concat());
        outcomes
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(64));
}

#[test]
fn its_parts_are_no_answer_to_a_client_that_gave_up() {
    let mut net = Net::within(Duration::from_millis(100));
    net.ask(&accounting(1, "", ON));
    let sent = net.pass(200);
    assert_eq!((sent.len(), net.world.engine.in_flight(), net.world.stats.expired.read()), (3, 0, 1));
    assert!(sent.iter().all(|(_, part)| part.path.peer != address(NAS)));
    assert_eq!(net.servers.iter().map(|server| server.count(|stats| &stats.outstanding)).sum::<u64>(), 0);
}

#[test]
fn a_nas_that_has_not_been_given_its_new_secret_is_answered_with_the_old_one() {
    let mut net = Net::new();
    net.world.reload(|plan| plan.reshape(|snapshot| client(snapshot, 0).previous_secret = Some(home_secret(77))));
    let request = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, ON.to_be_bytes())
        .attribute(attr::ACCT_SESSION_ID, "boot-17")
        .build(&home_secret(77))
        .unwrap();
    net.ask(&request);
    let mut last = None;
    for (_, part) in net.pass(200) {
        verified_at_home(&part, secret_of(part.path.peer));
        last = net.acknowledge(&part);
    }
    verified_with(&last.unwrap(), &request, &home_secret(77));
}

#[test]
fn a_nearly_full_table_is_for_requests_and_parts_wait_for_the_repetition() {
    let mut net = Net::new();
    net.world.engine.set_limits(Limits { max_requests: 4, ..Limits::default() });
    let request = accounting(1, "", ON);
    assert_eq!(net.ask(&request), Action::Hold);
    let first = net.pass(200);
    assert_eq!(receivers(&first), [ACCT_1, SECOND]);
    assert_eq!(net.ask(&accounting(2, "", OFF)), Action::Drop(Reason::TableFull), "and another one has to wait");
    first.iter().for_each(|(_, part)| assert_eq!(net.acknowledge(part), None));
    net.pass(1_000);
    assert_eq!(net.ask(&request), Action::Hold);
    let third = only(net.pass(200));
    let reply = net.acknowledge(&third).unwrap();
    verified_at_nas(&reply, &request);
}
