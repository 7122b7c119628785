//! Sessions of which nothing is heard any more.

use std::time::Duration;

use sekisho_lns::sessions::{Effect, Report};

use crate::sessions::world::*;

/// Whether the session is gone after so many seconds, and not a second before.
fn expires_after(world: &mut World, seconds: u64) -> bool {
    let early = world.sweep_after(seconds - 1).0.expired;
    let due = world.sweep_after(1).0.expired;
    world.agree();
    (early, due) == (0, 1)
}

#[test]
fn after_three_missing_interims_where_the_contract_says_how_far_apart_they_are() {
    let mut world = World::new();
    let interim = Some(Duration::from_secs(600));
    let timeout = Some(Duration::from_secs(100));
    world.sessions.start(world.now, &Report { interim, session_timeout: timeout, ..world.report("phone") });
    world.pass(600);
    world.sessions.interim(world.now, &Report { interim, ..world.report("phone") });
    assert_eq!(world.loads.lns(A).load.estimated(), 0);
    assert!(expires_after(&mut world, 1_800));
    assert_eq!(world.all(), (0, 0));
}

#[test]
fn after_three_missing_interims_where_two_have_shown_how_far_apart_they_are() {
    let mut world = World::new();
    world.start("phone");
    assert_eq!(world.loads.lns(A).load.estimated(), 1, "nothing is known yet");
    world.pass(300);
    world.interim("phone");
    world.pass(300);
    world.interim("phone");
    assert_eq!(world.loads.lns(A).load.estimated(), 0);
    // One was lost; a longer pause is a slower rhythm.
    world.pass(600);
    world.interim("phone");
    // One out of turn, and one that was overtaken, are no faster one.
    world.pass(2);
    world.interim("phone");
    world.sessions.interim(world.now, &Report { event: WALL + 600, ..world.report("phone") });
    assert!(expires_after(&mut world, 1_800));
}

#[test]
fn some_time_after_its_session_timeout_where_there_are_no_interims() {
    let mut world = World::new();
    let timeout = Some(Duration::from_secs(3_600));
    world.sessions.start(world.now, &Report { session_timeout: timeout, ..world.report("phone") });
    assert_eq!(world.loads.lns(A).load.estimated(), 0);
    assert!(expires_after(&mut world, 3_900));
    // An Interim that does not say it again changes nothing, unless it has shown a rhythm.
    world.sessions.start(world.now, &Report { session_timeout: timeout, ..world.report("fixed") });
    world.pass(1_000);
    world.interim("fixed");
    assert_eq!(world.loads.lns(A).load.estimated(), 0);
    assert!(expires_after(&mut world, 2_900));
    // What it has used up is over.
    let report = Report { session_timeout: timeout, session_time: Some(3_000), ..world.report("tablet") };
    world.sessions.interim(world.now, &report);
    assert!(expires_after(&mut world, 900));
}

#[test]
fn after_a_day_where_nothing_is_known_and_until_then_its_count_is_an_estimate() {
    let mut world = World::new();
    world.start("phone");
    let estimated = |world: &World| {
        let loads = &world.loads;
        [&loads.lns(A).load, loads.contract(CONTRACT), loads.customer(CUSTOMER)].map(|load| load.estimated())
    };
    assert_eq!(estimated(&world), [1; 3]);
    world.pass(80_000);
    world.interim("phone");
    assert!(expires_after(&mut world, 86_400));
    assert_eq!((world.all(), estimated(&world)), ((0, 0), [0; 3]));
}

#[test]
fn a_session_that_was_given_up_too_early_comes_back_with_its_next_interim() {
    let mut world = World::new();
    world.sessions.start(world.now, &Report { interim: Some(Duration::from_secs(60)), ..world.report("phone") });
    assert!(expires_after(&mut world, 180));
    assert_eq!(world.interim("phone").effect, Effect::Healed);
    assert_eq!(world.all(), (1, 0));
    world.agree();
}

#[test]
fn the_device_of_an_expired_session_is_remembered_as_after_a_stop() {
    let mut world = World::new();
    let (sticky, interim) = (Some(Duration::from_secs(1_000)), Some(Duration::from_secs(60)));
    world.sessions.start(world.now, &Report { sticky, interim, ..world.report("phone") });
    assert!(expires_after(&mut world, 180));
    let known = world.sessions.remembered(world.now, world.device("phone"));
    assert_eq!((known.last, known.holds), (Some(A), false));
}

#[test]
fn an_end_is_remembered_for_five_minutes() {
    let mut world = World::new();
    let start = world.report("phone");
    world.sessions.start(world.now, &start);
    world.pass(10);
    world.stop("phone");
    world.sweep_after(299);
    assert_eq!(world.sessions.start(world.now, &start).effect, Effect::Late);
    assert_eq!(world.sessions.counts().ended, 1);
    let (swept, _) = world.sweep_after(1);
    assert_eq!((swept.forgotten, world.sessions.counts().ended), (1, 0));
    world.agree();
}

#[test]
fn a_small_budget_sweeps_everything_in_the_end_and_reservations_first() {
    let mut world = World::new();
    for n in 0..2_000 {
        world
            .sessions
            .start(world.now, &Report { interim: Some(Duration::from_secs(60)), ..world.report(&n.to_string()) });
    }
    for n in 2_000..2_100 {
        world.attach(&n.to_string(), A);
    }
    world.pass(180);
    let (mut ran_out, mut expired, mut calls) = (0, 0, 0);
    while ran_out < 100 {
        ran_out += world.sessions.sweep(world.now, 100, &mut |_| ()).ran_out;
        calls += 1;
    }
    assert!(calls <= 6, "{calls} calls for 100 reservations on 64 shelves");
    for _ in 0..100 {
        expired += world.sessions.sweep(world.now, 100, &mut |_| ()).expired;
    }
    assert_eq!(world.all(), (0, 0), "{expired}");
    world.agree();
}
