//! Replies that are late, doubled or forged, and requests that nobody waits for any more: none of them changes anything
//! (RFC 2865 §2.3, RFC 5080 §2.2).

use std::{collections::HashSet, time::Duration};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{health::Health, packet::Action};
use sekisho_wire::{attr, code::Code};

fn health(world: &World, index: usize) -> Health {
    world.snapshot.homes[index].as_ref().unwrap().state.health()
}

#[test]
fn forged_replies_neither_delay_the_fail_over_nor_hide_that_the_server_is_silent() {
    let mut plain = World::new();
    plain.ask(&pap(1, "alice@a.example", 1)).unwrap();
    let without = plain.pass(Duration::from_secs(4));
    let mut world = World::new();
    let sent = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    let mut with = Vec::new();
    for _ in 0..40 {
        let (action, back) = world.answer(&sent, &home_reply(&sent, 7, Code::ACCESS_ACCEPT, &[]));
        assert!(matches!(action, Action::Drop(Reason::ReplyForged | Reason::ReplyUnmatched)), "{action:?}");
        assert_eq!(back, None);
        with.extend(world.pass(Duration::from_millis(100)));
    }
    assert_eq!(with.len(), 1);
    assert_eq!(with, without, "the same fail-over at the same time");
    assert_eq!(health(&world, 0), Health::Zombie);
    let home = world.snapshot.homes[0].as_ref().unwrap();
    assert_eq!(
        (home.state.unanswered_in_a_row(), home.state.last_reply().0),
        (0, 0),
        "counted, and then it changed state"
    );
    assert!(home.stats.sum(|stats| &stats.forged) > 25);
}

#[test]
fn forged_and_unsolicited_replies_do_not_revive_a_dead_server() {
    let mut world = World::new();
    let sent = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    world.pass(Duration::from_secs(24));
    assert_eq!(health(&world, 0), Health::Dead);
    for index in [0, 7] {
        world.answer(&sent, &home_reply(&sent, index, Code::ACCESS_ACCEPT, &[]));
    }
    world.pass(Duration::from_secs(1));
    assert_eq!(health(&world, 0), Health::Dead, "what nobody waits for cannot be verified");
}

#[test]
fn a_reply_from_the_right_server_to_the_wrong_port_or_with_another_identifier_frees_nothing() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let mut other = home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]);
    other[1] = other[1].wrapping_add(1);
    assert_eq!(world.answer(&sent, &other).0, Action::Drop(Reason::ReplyUnmatched));
    let good = home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]);
    let from_another_port = world.receive(sent.path.socket, address("198.51.100.1:1645"), &good);
    assert_eq!(from_another_port.0, Action::Drop(Reason::ReplyUnmatched));
    let from_another_server = world.receive(sent.path.socket, address(HOME_2), &good);
    assert_eq!(from_another_server.0, Action::Drop(Reason::ReplyUnmatched));
    let (_, back) = world.answer(&sent, &good);
    verified_at_nas(&back.unwrap(), &request);
}

#[test]
fn when_the_client_has_given_up_nothing_of_its_old_request_goes_upstream_any_more() {
    let mut world = World::new();
    let old = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    world.pass(Duration::from_secs(1));
    let new_request = pap(1, "bob@a.example", 2);
    let new = world.ask(&new_request).unwrap();
    assert_ne!((old.upstream_port(), old.bytes[1]), (new.upstream_port(), new.bytes[1]), "the old identifier rests");
    let moved = world.pass(Duration::from_secs(9));
    let users: Vec<_> = moved.iter().filter_map(|(_, sent)| user_of(&sent.bytes)).collect();
    assert_eq!(users, [b"bob@a.example"], "only the new one fails over");
    let (action, _) = world.answer(&old, &home_reply(&old, 0, Code::ACCESS_ACCEPT, &[]));
    assert_eq!(action, Action::Drop(Reason::ReplyUnmatched), "and the old one's answer is late");
    let (_, back) = world.answer(&moved[0].1, &home_reply(&moved[0].1, 1, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.unwrap(), &new_request);
}

fn user_of(packet: &[u8]) -> Option<&[u8]> {
    sekisho_wire::attribute::attributes(packet).find(|it| it.number == attr::USER_NAME).map(|it| it.value)
}

#[test]
fn a_repetition_is_the_same_octets_to_the_same_server_and_a_fail_over_shares_nothing_with_it() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let first = world.ask(&request).unwrap();
    world.pass(Duration::from_millis(1_500));
    assert_eq!(world.ask(&request).unwrap(), first);
    let moved = world.pass(Duration::from_secs(2)).remove(0).1;
    assert_eq!(moved.path.peer, address(HOME_2));
    assert_ne!(moved.bytes[4..20], first.bytes[4..20], "a Request Authenticator of its own");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.ask(&request).unwrap(), moved, "and repetitions follow it");
}

#[test]
fn a_request_ends_when_its_client_has_no_more_patience_however_often_it_is_repeated() {
    let mut world = World::with(Plan { auth: vec![HOME_1], ..Plan::default() }, Default::default());
    let request = pap(1, "alice@a.example", 1);
    let mut seen = HashSet::new();
    for _ in 0..13 {
        seen.extend(world.ask(&request).map(|sent| sent.bytes[4..20].to_vec()));
        world.pass(Duration::from_millis(900));
    }
    assert_eq!((world.stats.expired.read(), seen.len()), (1, 2), "after ten seconds it is a new request");
}

#[test]
fn what_waits_for_a_server_that_is_found_dead_goes_to_one_that_lives_at_once() {
    let mut world = World::with(Plan { answer_within: Duration::from_secs(60), ..Plan::default() }, Default::default());
    // The first server has given a challenge, so its conversation stays there while it may still answer.
    let round = |id: u8, state: Option<&[u8]>| {
        let mut builder = sekisho_wire::build::RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16])
            .attribute(attr::USER_NAME, "alice@a.example");
        if let Some(state) = state {
            builder = builder.attribute(attr::STATE, state);
        }
        builder.message_authenticator().build(&nas_secret()).unwrap()
    };
    let sent = world.ask(&round(1, None)).unwrap();
    let challenge = home_reply(&sent, 0, Code::ACCESS_CHALLENGE, &[(attr::STATE, b"held")]);
    world.answer(&sent, &challenge).1.unwrap();
    world.pass(Duration::from_millis(50));
    let request = round(2, Some(b"held"));
    assert_eq!(world.ask(&request).unwrap().path.peer, address(HOME_1));
    assert_eq!(world.pass(Duration::from_secs(20)), [], "nobody else knows the conversation");
    assert_eq!(health(&world, 0), Health::Zombie);
    let moved = world.pass(Duration::from_secs(5));
    assert_eq!((health(&world, 0), moved.len()), (Health::Dead, 1));
    let moved = &moved[0].1;
    assert_eq!(moved.path.peer, address(HOME_2));
    let (_, back) = world.answer(moved, &home_reply(moved, 1, Code::ACCESS_REJECT, &[]));
    verified_at_nas(&back.unwrap(), &request);
}
