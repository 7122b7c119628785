//! A table that is full.

use std::time::Duration;

use sekisho_lns::{
    CustomerId,
    sessions::{Attach, Effect, Filter, Report, SessionView, Settings},
};

use crate::sessions::world::*;

fn small() -> World {
    World::with(Settings { max_sessions: 10, max_reservations: 5, customer_share: 100, ..Settings::default() })
}

#[test]
fn reservations_that_find_no_room_are_given_but_not_counted() {
    let mut world = small();
    let tracked = (0..8).filter(|n| world.attach(&n.to_string(), A).tracked).count();
    assert_eq!((tracked, world.all(), world.sessions.counts().refused), (5, (0, 5), 3));
    // Their Starts count.
    assert_eq!(world.start("7").effect, Effect::Started);
    assert_eq!(world.all(), (1, 5));
    // A device that had a place keeps one.
    assert!(world.attach("0", B).tracked);
    world.sweep_after(90);
    assert!(world.attach("6", A).tracked);
    world.agree();
}

#[test]
fn sessions_that_find_no_room_are_counted_as_untracked_and_push_nobody_out() {
    let mut world = small();
    let effects: Vec<_> = (0..13).map(|n| world.start(&n.to_string()).effect).collect();
    assert_eq!(effects.iter().filter(|effect| **effect == Effect::Started).count(), 10);
    assert_eq!(effects[10..], [Effect::Untracked; 3]);
    assert_eq!((world.all(), world.sessions.counts().untracked), ((10, 0), 3));
    // What such a session had reserved is given back all the same.
    world.attach("late", A);
    assert_eq!(world.start("late").effect, Effect::Untracked);
    assert_eq!(world.all(), (10, 0));
    world.pass(60);
    assert_eq!(world.stop("0").effect, Effect::Ended);
    assert_eq!(world.interim("12").effect, Effect::Healed, "there is room now");
    assert_eq!(world.all(), (10, 0));
    world.agree();
}

#[test]
fn one_customer_does_not_take_the_room_of_another() {
    let mut world = World::with(Settings { max_sessions: 100, max_reservations: 100, ..Settings::default() });
    let effects: Vec<_> = (0..80).map(|n| world.start(&n.to_string()).effect).collect();
    assert_eq!(effects.iter().filter(|effect| **effect == Effect::Untracked).count(), 30);
    let tracked = (100..180).filter(|n| world.attach(&n.to_string(), A).tracked).count();
    assert_eq!((world.all(), tracked), ((50, 50), 50));
    let others = |world: &World, n: u32| Report { customer: CustomerId(1), ..world.report(&n.to_string()) };
    let effects: Vec<_> = (200..250).map(|n| world.sessions.start(world.now, &others(&world, n)).effect).collect();
    assert_eq!(effects, [Effect::Started; 50]);
    let attach = Attach { customer: CustomerId(1), ..world.given("300", A) };
    assert!(world.sessions.attach(world.now, &attach).tracked);
    // It has room again when some of its own are over.
    world.pass(10);
    world.stop("0");
    assert_eq!(world.start("new").effect, Effect::Started);
    world.agree();
}

#[test]
fn ends_and_memories_are_bounded_too() {
    let mut world = small();
    for n in 0..40 {
        world.pass(1);
        let sticky = Some(Duration::from_secs(10_000));
        world.sessions.start(world.now, &Report { sticky, ..world.report(&n.to_string()) });
        world.pass(1);
        world.stop(&n.to_string());
    }
    let counts = world.sessions.counts();
    assert_eq!((counts.sessions, counts.ended, counts.memories), (0, 5, 10));
    world.agree();
}

#[test]
fn sessions_are_found_by_all_that_is_known_of_them() {
    let mut world = World::new();
    world.start("one");
    world.sessions.start(world.now, &Report { lns: Some(B), user: b"bob@a.example", ..world.report("two") });
    world.attach("three", A);
    world.sessions.attach(world.now, &Attach { number: b"819000000000", ..world.given("four", B) });
    world.pass(5);
    let list = |filter: Filter<'_>| world.sessions.list(world.now, &filter).len();
    assert_eq!(list(Filter::default()), 4);
    assert_eq!(list(Filter { lns: Some(A), ..Filter::default() }), 2);
    assert_eq!(list(Filter { user: Some(b"bob@a.example"), ..Filter::default() }), 1);
    assert_eq!(list(Filter { number: Some(b"819012345678"), ..Filter::default() }), 3);
    assert_eq!(list(Filter { number: Some(b"819000000000"), source: Some(PGW), ..Filter::default() }), 1);
    assert_eq!(list(Filter { source: Some(OTHER_PGW), ..Filter::default() }), 0);
    assert_eq!(list(Filter { customer: Some(CUSTOMER), contract: Some(CONTRACT), limit: 3, ..Filter::default() }), 3);
    let view = world.sessions.find_by_session(world.now, PGW, world.key("session", "two")).unwrap();
    assert_eq!((view.lns, view.silent, view.started), (Some(B), Duration::from_secs(5), WALL));
    assert_eq!(world.sessions.find_by_session(world.now, OTHER_PGW, world.key("session", "two")), None);
    assert_eq!(world.sessions.find_by_device(world.now, world.device("two")), Some(view));
    let pending = world.sessions.find_by_device(world.now, world.device("four")).unwrap();
    assert_eq!((pending.session, pending.expires_in), (None, Duration::from_secs(85)));
    assert_eq!(world.sessions.find_by_device(world.now, world.device("five")), None);
}

#[test]
fn debug_output_tells_nobodys_name() {
    let world = World::new();
    world.start("one");
    let views: Vec<SessionView> = world.sessions.list(world.now, &Filter::default());
    let text = format!("{views:?} {:?}", world.sessions);
    assert!(!text.contains("alice") && !text.contains("8190") && !text.contains("97, 108, 105"), "{text}");
}
