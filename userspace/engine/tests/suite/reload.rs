//! A reload while requests are in flight.

use std::time::Duration;

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::PoolKind,
};
use sekisho_wire::{build::RequestBuilder, code::Code, secret::Secret};

#[test]
fn requests_in_flight_are_answered_after_a_reload_even_if_their_server_has_gone() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    world.reload(|plan| plan.auth = vec!["198.51.100.9:1812", HOME_2]);
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.expect("the old server's answer"), &request);
    let (action, _) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    assert_eq!(action, Action::Drop(Reason::ReplyUnmatched), "once its last request is answered nobody waits for it");
}

#[test]
fn a_removed_client_is_a_stranger_at_once_and_gets_no_answer() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    world.reload(|plan| plan.clients[0] = None);
    let (action, _) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    assert_eq!(action, Action::Drop(Reason::ReplyUnwanted));
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &request);
    assert_eq!(action, Action::Drop(Reason::Unregistered));
}

#[test]
fn after_a_change_of_secret_a_repetition_under_the_old_one_gets_nothing() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    world.reload(|plan| plan.clients[0] = Some((NAS, 0, b"another secret".to_vec())));
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &request);
    assert_eq!(action, Action::Drop(Reason::MessageAuthenticatorBad));
    let fresh = RequestBuilder::new(Code::ACCESS_REQUEST, 2, [7; 16])
        .attribute(1, "alice@a.example")
        .message_authenticator()
        .build(&Secret::new("another secret").unwrap())
        .unwrap();
    assert!(world.ask(&fresh).is_some());
}

#[test]
fn after_a_reload_that_does_not_concern_it_a_repetition_still_gets_the_same_bytes() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    world.reload(|plan| plan.clients[1] = None);
    assert_eq!(world.ask(&request), back);
}

#[test]
fn a_server_that_a_reload_renames_still_answers_what_it_was_asked_under_its_old_name() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    world.reload(|plan| plan.names = 1);
    let newer = world.ask(&pap(2, "alice@a.example", 2)).expect("served under its new name");
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.expect("the old request's answer"), &request);
    let (_, back) = world.answer(&newer, &home_reply(&newer, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.expect("the new request's answer"), &pap(2, "alice@a.example", 2));
}

#[test]
fn a_server_that_a_reload_renames_gets_its_share_when_its_old_requests_are_answered() {
    let plan = Plan { kind: PoolKind::LoadBalance, ..Plan::default() };
    let mut world = World::with(plan, Limits::default());
    let accept = |world: &mut World, sent: &Sent| {
        let index = usize::from(sent.path.peer == address(HOME_2));
        world.answer(sent, &home_reply(sent, index, Code::ACCESS_ACCEPT, &[]));
    };
    let old: Vec<_> = (0..8).map(|id| world.ask(&pap(id, "alice@a.example", id)).unwrap()).collect();
    world.reload(|plan| plan.names = 1);
    let new: Vec<_> = (8..16).map(|id| world.ask(&pap(id, "alice@a.example", id)).unwrap()).collect();
    new.iter().chain(&old).for_each(|sent| accept(&mut world, sent));
    let mut first = 0;
    for id in 16..116 {
        let sent = world.ask(&pap(id, "alice@a.example", id)).unwrap();
        first += usize::from(sent.path.peer == address(HOME_1));
        accept(&mut world, &sent);
    }
    assert!((20..=80).contains(&first), "{first} of 100 to the first of two idle servers");
}

#[test]
fn a_server_whose_address_a_reload_gives_to_a_client_still_answers_what_it_was_asked() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    world.reload(|plan| {
        (plan.auth, plan.acct) = (vec![HOME_2], Vec::new());
        plan.clients.push(Some((HOME_1, 0, b"another secret".to_vec())));
    });
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.expect("the old server's answer"), &request);
}

#[test]
fn a_reject_held_back_does_not_leave_for_a_client_that_has_gone() {
    let mut world = World::new();
    assert_eq!(world.ask(&pap(1, "x@nowhere.example", 1)), None);
    world.reload(|plan| plan.clients[0] = None);
    assert_eq!(world.pass(Duration::from_secs(2)), []);
    assert_eq!((world.engine.in_flight(), world.stats.replies.reject.read()), (0, 0));
}
