//! What a NAS gets when no home server answers: its client's verdict, or its pool's.

use std::time::Duration;

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits, Time,
    health::Health,
    packet::{Action, Socket},
    snapshot::{RoutingSnapshot, Verdict},
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const SECOND: Duration = Duration::from_secs(1);

fn rejecting(snapshot: &mut RoutingSnapshot) {
    client(snapshot, 0).when_unanswered = Verdict::Reject;
}

fn down_rejects(snapshot: &mut RoutingSnapshot) {
    snapshot.pools[0].when_down = Verdict::Reject;
}

/// What came back to the NAS.
fn replies(sent: Vec<(Time, Sent)>) -> Vec<(Time, Sent)> {
    sent.into_iter().filter(|(_, sent)| sent.to_client()).collect()
}

fn is_reject(back: &Sent, request: &[u8], cause: u32) {
    let attrs = verified_at_nas(back, request);
    assert_eq!(back.bytes[0], Code::ACCESS_REJECT.0);
    assert!(attrs.contains(&(attr::ERROR_CAUSE, cause.to_be_bytes().to_vec())), "{attrs:?}");
}

/// Lets requests go unanswered until every authentication server is dead.
fn kill_all(world: &mut World) {
    for id in 200..206 {
        world.ask(&pap(id, "alice@a.example", 9));
        world.pass(12 * SECOND);
    }
    for home in world.snapshot.homes.iter().flatten().take(2) {
        assert_eq!(home.state.health(), Health::Dead, "{}", home.name);
    }
}

#[test]
fn at_the_end_of_its_budget_a_request_gets_a_reject_at_once_and_so_do_its_repetitions() {
    let mut world = World::with(Plan::shaped(rejecting), Limits::default());
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::PROXY_STATE, b"first")
        .attribute(attr::PROXY_STATE, b"second")
        .attribute(attr::EAP_MESSAGE, b"\x02\x05\x00\x04")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    let begun = world.now;
    let sent = world.ask(&request).unwrap();
    let back = replies(world.pass(11 * SECOND));
    assert_eq!(back.len(), 1);
    let (at, back) = &back[0];
    let waited = Duration::from_nanos(at.since(begun));
    assert!(waited >= 10 * SECOND && waited < 10 * SECOND + Duration::from_millis(50), "{waited:?}");
    is_reject(back, &request, 505);
    let attrs = verified_at_nas(back, &request);
    assert_eq!(proxy_states(&attrs), [b"first".to_vec(), b"second".to_vec()], "its own, and not ours");
    assert!(attrs.contains(&(attr::EAP_MESSAGE, b"\x04\x05\x00\x04".to_vec())));
    assert_eq!((world.stats.rejected_unanswered.read(), world.stats.expired.read()), (1, 1));
    assert_eq!((world.stats.replies.reject.read(), world.engine.in_flight()), (1, 0));
    assert_eq!(world.ask(&request).as_ref(), Some(back), "repeated");
    let late = home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]);
    assert_eq!(world.answer(&sent, &late).0, Action::Drop(Reason::ReplyUnmatched), "too late");
}

#[test]
fn without_that_verdict_there_is_silence_and_for_accounting_always() {
    let mut world = World::new();
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    assert_eq!(replies(world.pass(30 * SECOND)), []);
    let mut world = World::with(Plan::shaped(rejecting), Limits::default());
    world.ask_acct(&accounting(1, "alice@a.example", 1)).unwrap();
    assert_eq!(replies(world.pass(30 * SECOND)), []);
    assert_eq!((world.stats.expired.read(), world.stats.rejected_unanswered.read()), (1, 0));
}

#[test]
fn whoever_is_no_client_any_more_gets_no_reject() {
    let mut world = World::with(Plan::shaped(rejecting), Limits::default());
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    world.reload(|plan| {
        plan.clients[0] = None;
        plan.shape = std::sync::Arc::new(|_| {});
    });
    assert_eq!(replies(world.pass(30 * SECOND)), []);
    assert_eq!(world.engine.in_flight(), 0);
}

#[test]
fn a_request_in_flight_over_a_reload_gets_the_verdict_that_it_came_under() {
    let mut world = World::with(Plan::shaped(rejecting), Limits::default());
    let request = pap(1, "alice@a.example", 1);
    world.ask(&request).unwrap();
    world.reload(|plan| plan.shape = std::sync::Arc::new(|_| {}));
    let back = replies(world.pass(30 * SECOND));
    is_reject(&back[0].1, &request, 505);
}

#[test]
fn while_every_server_is_dead_requests_get_a_reject_after_reject_delay_or_at_the_end_of_their_budget() {
    let mut world = World::with(Plan::shaped(down_rejects), Limits::default());
    kill_all(&mut world);
    let begun = world.now;
    let before = (world.stats.rejected_down.read(), world.stats.rejected_unanswered.read());
    // More than may wait for dead servers in the hope that they live again.
    let requests: Vec<_> = (0..=199).map(|id| pap(id, "alice@a.example", 1)).collect();
    let tried = requests.iter().filter(|request| world.ask(request).is_some()).count();
    assert!((1..=128).contains(&tried), "{tried}");
    let back = replies(world.pass(11 * SECOND));
    assert_eq!(back.len(), requests.len(), "everybody gets one");
    for (at, back) in &back {
        is_reject(back, &requests[usize::from(back.bytes[1])], 505);
        let waited = at.since(begun) / 1_000_000;
        assert!((1_000..1_100).contains(&waited) || (10_000..10_100).contains(&waited), "{waited} ms");
    }
    assert_eq!(world.stats.rejected_down.read() - before.0, (200 - tried) as u64);
    assert_eq!(world.stats.rejected_unanswered.read() - before.1, tried as u64);
}

#[test]
fn while_every_server_is_dead_a_pool_that_says_nothing_of_it_is_silent() {
    let mut world = World::new();
    kill_all(&mut world);
    for id in 0..=199 {
        world.ask(&pap(id, "alice@a.example", 1));
    }
    assert_eq!(replies(world.pass(11 * SECOND)), []);
    assert!(world.dropped(Reason::NoServer) > 0);
}

#[test]
fn accounting_is_never_refused() {
    let mut world = World::with(Plan::shaped(down_rejects), Limits::default());
    for id in 0..4 {
        world.ask_acct(&accounting(id, "alice@a.example", 1));
        world.pass(12 * SECOND);
    }
    for id in 0..=199 {
        world.ask_acct(&accounting(id, "alice@a.example", 1));
    }
    assert_eq!(replies(world.pass(11 * SECOND)), []);
}

#[test]
fn a_server_that_lives_but_has_no_room_is_not_down() {
    let plan = Plan { max_outstanding: 4, auth: vec![HOME_1], ..Plan::shaped(down_rejects) };
    let mut world = World::with(plan, Limits::default());
    for id in 0..4 {
        world.ask(&pap(id, "alice@a.example", 1)).unwrap();
    }
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &pap(4, "alice@a.example", 1));
    assert_eq!(action, Action::Drop(Reason::NoIdentifier), "the NAS asks again");
    assert_eq!(world.stats.rejected_down.read(), 0);
}

#[test]
fn a_budget_that_ends_while_a_server_lives_is_not_the_pools_concern() {
    let mut world = World::with(Plan::shaped(down_rejects), Limits::default());
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    assert_eq!(replies(world.pass(12 * SECOND)), [], "its servers are zombies at most");
}

#[test]
fn a_pool_whose_servers_have_no_address_yet_is_down_and_not_without_servers() {
    let awaiting = |snapshot: &mut RoutingSnapshot| {
        snapshot.pools[0].tiers[0].auth.clear();
        snapshot.pools[0].auth_awaited = true;
    };
    let mut world = World::with(Plan::shaped(awaiting), Limits::default());
    let silent = world.receive(Socket::Service(AUTH), address(NAS), &pap(1, "alice@a.example", 1)).0;
    assert_eq!(silent, Action::Drop(Reason::NoServer), "`when_down` is silence");
    let mut world = World::with(
        Plan::shaped(move |snapshot| {
            awaiting(snapshot);
            down_rejects(snapshot);
        }),
        Limits::default(),
    );
    let request = pap(1, "alice@a.example", 1);
    assert_eq!(world.receive(Socket::Service(AUTH), address(NAS), &request).0, Action::Hold);
    let back = replies(world.pass(2 * SECOND));
    is_reject(&back[0].1, &request, 505);
}
