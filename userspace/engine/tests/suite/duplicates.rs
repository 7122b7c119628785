//! Repetitions: RFC 5080 §2.2.2.

use std::time::Duration;

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::packet::{Action, Socket};
use sekisho_wire::code::Code;

#[test]
fn a_retransmit_goes_to_the_same_server_with_the_same_bytes_at_most_once_a_window() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let first = world.ask(&request).unwrap();
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &request);
    assert_eq!(action, Action::Drop(Reason::Absorbed), "back to back");
    world.pass(Duration::from_millis(1_100));
    assert_eq!(world.ask(&request).as_ref(), Some(&first), "the client's own repetition is followed");
    assert_eq!((world.stats.forwarded.read(), world.stats.retransmitted.read()), (1, 1));
}

#[test]
fn a_repetition_of_an_answered_request_gets_identical_bytes_and_causes_nothing() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[(18, b"hi")]));
    for _ in 0..3 {
        world.pass(Duration::from_secs(2));
        assert_eq!(world.ask(&request), back);
    }
    assert_eq!((world.stats.forwarded.read(), world.stats.repeated.read()), (1, 3));
    world.pass(Duration::from_secs(12));
    let sent = world.ask(&request).expect("after the duplicate window it is a new request");
    assert_eq!(sent.path.peer, address(HOME_1));
}

#[test]
fn the_same_identifier_with_another_authenticator_is_a_new_request() {
    let mut world = World::new();
    let first = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    let second = world.ask(&pap(1, "alice@a.example", 2)).expect("served");
    assert_ne!(first.bytes, second.bytes);
    assert_eq!(world.stats.superseded.read(), 1);
    let (action, _) = world.answer(&first, &home_reply(&first, 0, Code::ACCESS_ACCEPT, &[]));
    assert_eq!(action, Action::Drop(Reason::ReplyUnmatched), "the old one's answer is nobody's");
    let (_, back) = world.answer(&second, &home_reply(&second, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.unwrap(), &pap(1, "alice@a.example", 2));
}

#[test]
fn the_same_authenticator_with_another_user_never_gets_the_other_users_answer() {
    let mut world = World::new();
    let sent = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    let bob = world.ask(&pap(1, "bobby@a.example", 1)).expect("asked anew");
    assert!(!bob.to_client());
}

#[test]
fn a_bad_packet_with_the_key_of_a_request_in_flight_touches_nothing() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let mut forged = pap(1, "alice@a.example", 2);
    forged[30] ^= 1;
    assert_eq!(world.ask(&forged), None);
    assert_eq!(world.dropped(Reason::MessageAuthenticatorBad), 1);
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.unwrap(), &request);
}

#[test]
fn two_sources_may_use_the_same_identifier_and_authenticator() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let first = world.ask(&request).unwrap();
    let (_, second) = world.receive(Socket::Service(AUTH), address("192.0.2.10:40001"), &request);
    let second = second.expect("another port, another request");
    let (_, back) = world.answer(&second, &home_reply(&second, 0, Code::ACCESS_ACCEPT, &[]));
    assert_eq!(back.unwrap().path.peer, address("192.0.2.10:40001"));
    let (_, back) = world.answer(&first, &home_reply(&first, 0, Code::ACCESS_ACCEPT, &[]));
    assert_eq!(back.unwrap().path.peer, address(NAS));
}

#[test]
fn accounting_records_are_protected_in_the_same_way() {
    let mut world = World::new();
    let request = accounting(1, "alice@a.example", 1);
    let sent = world.ask_acct(&request).unwrap();
    assert_eq!(world.ask_acct(&request), None);
    let (_, back) = world.answer(&sent, &home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[]));
    assert_eq!(world.ask_acct(&request), back);
    assert_eq!(world.stats.forwarded.read(), 1);
}

#[test]
fn two_customers_clients_with_the_same_address_in_different_domains_do_not_disturb_each_other() {
    let mut world = World::with(Plan { overlapping: true, ..Plan::default() }, Default::default());
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    world.ifindex = ELSEWHERE;
    assert_eq!(world.ask(&request), None, "the other customer's client does not have this realm");
    assert_eq!(world.ask(&pap(1, "bob@b.example", 2)), None);
    world.ifindex = IFINDEX;
    assert_eq!(world.stats.superseded.read(), 1, "its own request, not the neighbour's");
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.expect("still wanted"), &request);
}
