//! Servers that are silent, come back, lie, or answer twice.

use std::time::Duration;

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{health::Health, packet::Action, snapshot::PoolKind};
use sekisho_wire::code::Code;

fn health(world: &World, index: usize) -> Health {
    world.snapshot.homes[index].as_ref().unwrap().state.health()
}

#[test]
fn a_dead_first_server_costs_a_login_one_fail_over_and_the_next_login_none() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let first = world.ask(&request).unwrap();
    let moved = world.pass(Duration::from_millis(3_100));
    assert_eq!(moved.len(), 1, "one fail-over");
    let second = moved[0].1.clone();
    assert_eq!(second.path.peer, address(HOME_2));
    let user_password =
        |sent: &Sent, index| verified_at_home(sent, index).into_iter().find(|(n, _)| *n == 2).unwrap().1;
    assert_ne!(user_password(&first, 0), user_password(&second, 1), "hidden anew for another secret");
    assert_eq!(proxy_states(&verified_at_home(&second, 1)), [b"this one".to_vec()], "our Proxy-State, once");
    let (_, back) = world.answer(&second, &home_reply(&second, 1, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.unwrap(), &request);
    assert_eq!(health(&world, 0), Health::Zombie);

    let next = world.ask(&pap(2, "alice@a.example", 2)).unwrap();
    assert_eq!(next.path.peer, address(HOME_2), "straight to the second");
    world.answer(&next, &home_reply(&next, 1, Code::ACCESS_ACCEPT, &[]));
    assert_eq!(world.stats.failed_over.read(), 1);

    world.pass(Duration::from_secs(21));
    assert_eq!(health(&world, 0), Health::Dead);
    world.pass(Duration::from_secs(61));
    assert_eq!(health(&world, 0), Health::Alive, "after revive_interval it is tried again");
    assert_eq!(world.ask(&pap(3, "alice@a.example", 3)).unwrap().path.peer, address(HOME_1));
}

#[test]
fn a_late_answer_of_the_first_server_is_dropped_and_the_seconds_counts() {
    let mut world = World::new();
    let first = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    let second = world.pass(Duration::from_millis(3_100)).remove(0).1;
    let (action, _) = world.answer(&first, &home_reply(&first, 0, Code::ACCESS_REJECT, &[]));
    assert_eq!(action, Action::Drop(Reason::ReplyUnmatched));
    let (_, back) = world.answer(&second, &home_reply(&second, 1, Code::ACCESS_ACCEPT, &[]));
    assert_eq!(back.unwrap().bytes[0], Code::ACCESS_ACCEPT.0);
    let (action, _) = world.answer(&second, &home_reply(&second, 1, Code::ACCESS_ACCEPT, &[]));
    assert_eq!(action, Action::Drop(Reason::ReplyUnmatched), "a second answer has no effect");
}

#[test]
fn a_forged_reply_is_ignored_and_the_true_one_is_still_accepted() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let home = world.snapshot.homes[0].as_ref().unwrap().clone();
    for index in [1, 2] {
        let (action, _) = world.answer(&sent, &home_reply(&sent, index, Code::ACCESS_ACCEPT, &[]));
        assert_eq!(action, Action::Drop(Reason::ReplyForged));
    }
    assert_eq!(home.state.last_reply().0, 0, "a forgery is no sign of life");
    assert_eq!(home.stats.sum(|stats| &stats.outstanding), 1, "and frees no identifier");
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.unwrap(), &request);
}

#[test]
fn with_every_server_silent_the_nas_gets_silence_and_every_identifier_back_after_its_rest() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    world.ask(&request).unwrap();
    let sent = world.pass(Duration::from_secs(11));
    assert!(sent.iter().all(|(_, sent)| !sent.to_client()));
    assert_eq!((world.stats.expired.read(), world.engine.in_flight()), (1, 0));
    assert!(world.ask(&request).is_some(), "the NAS may begin again");
}

#[test]
fn a_single_server_is_asked_whatever_its_state_and_lives_again_with_its_first_answer() {
    let mut world = World::with(Plan { auth: vec![HOME_1], ..Plan::default() }, Default::default());
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    world.pass(Duration::from_secs(30));
    assert_eq!(health(&world, 0), Health::Dead);
    let sent = world.ask(&pap(2, "alice@a.example", 2)).expect("nobody better");
    world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    world.pass(Duration::from_millis(200));
    assert_eq!(health(&world, 0), Health::Alive);
}

#[test]
fn a_dead_server_holds_a_bounded_number_of_requests() {
    let mut world = World::with(Plan { auth: vec![HOME_1], ..Plan::default() }, Default::default());
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    world.pass(Duration::from_secs(30));
    let taken = (0..200).filter(|id| world.ask(&pap(*id, "alice@a.example", 9)).is_some()).count();
    assert!((1..=64).contains(&taken), "{taken}");
    assert_eq!(world.dropped(Reason::NoServer), 200 - taken as u64);
}

#[test]
fn client_balance_keeps_a_client_at_its_server_and_uses_both() {
    let mut plan = Plan { kind: PoolKind::ClientBalance, clients: Vec::new(), ..Plan::default() };
    let peers: Vec<&'static str> = (1..=60).map(|i| &*format!("192.0.2.{i}:4000").leak()).collect();
    plan.clients = peers.iter().map(|peer| Some((*peer, 0, b"the secret of the NAS".to_vec()))).collect();
    let mut world = World::with(plan, Default::default());
    let mut at_first = 0;
    for peer in peers {
        let mut homes = (0..5u8).map(|id| {
            let socket = sekisho_engine::packet::Socket::Service(AUTH);
            world.receive(socket, address(peer), &pap(id, "alice@a.example", 1)).1.unwrap().path.peer
        });
        let home = homes.next().unwrap();
        assert!(homes.all(|other| other == home));
        at_first += usize::from(home == address(HOME_1));
    }
    assert!((15..=45).contains(&at_first), "{at_first} of 60 at the first server");
}

#[test]
fn clients_less_patient_than_response_window_still_have_a_dead_server_noticed() {
    let plan = Plan { answer_within: Duration::from_secs(2), ..Plan::default() };
    let mut world = World::with(plan, Default::default());
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    world.pass(Duration::from_millis(2_200));
    assert_eq!(world.stats.expired.read(), 1);
    assert_eq!(health(&world, 0), Health::Zombie, "it had all the time that there was");
    let next = world.ask(&pap(2, "alice@a.example", 2)).unwrap();
    assert_eq!(next.path.peer, address(HOME_2));
}

#[test]
fn a_server_that_had_only_the_rest_of_a_clients_patience_is_not_blamed() {
    let plan = Plan { answer_within: Duration::from_millis(3_500), ..Plan::default() };
    let mut world = World::with(plan, Default::default());
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    assert_eq!(world.pass(Duration::from_secs(4)).len(), 1, "failed over with half a second left");
    assert_eq!((health(&world, 0), health(&world, 1)), (Health::Zombie, Health::Alive));
}

#[test]
fn a_request_that_failed_over_is_counted_as_outstanding_at_its_new_server() {
    let mut world = World::new();
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    world.pass(Duration::from_millis(3_100));
    let outstanding =
        |index: usize| world.snapshot.homes[index].as_ref().unwrap().stats.sum(|stats| &stats.outstanding);
    assert_eq!((outstanding(0), outstanding(1)), (0, 1));
}

#[test]
fn a_third_server_that_is_alive_comes_before_a_zombie_while_the_second_is_full() {
    let third = "198.51.100.3:1812";
    let plan = Plan { auth: vec![HOME_1, HOME_2, third], max_outstanding: 1, ..Plan::default() };
    let mut world = World::with(plan, Default::default());
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    assert_eq!(world.pass(Duration::from_millis(3_200)).len(), 1, "the second server has its one request");
    assert_eq!(health(&world, 0), Health::Zombie);
    assert_eq!(world.ask(&pap(2, "alice@a.example", 2)).unwrap().path.peer, address(third));
}

#[test]
fn a_doubled_reply_counts_as_unmatched_at_its_server_even_within_one_batch() {
    let mut world = World::new();
    let sent = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    let reply = (sent.path.socket, sent.path.peer, home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    let outcomes = world.receive_all(&[reply.clone(), reply]);
    assert!(outcomes[0].1.is_some());
    assert_eq!(outcomes[1].0, Action::Drop(Reason::ReplyUnmatched));
    assert_eq!(world.snapshot.homes[0].as_ref().unwrap().stats.sum(|stats| &stats.unmatched), 1);
}
