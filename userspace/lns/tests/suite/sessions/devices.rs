//! A device has one place: what it had before is given back, and where it was is remembered.

use std::time::Duration;

use sekisho_lns::sessions::{Attach, Effect, NoStart, Remembered, Report, Who};

use crate::sessions::world::*;

#[test]
fn a_request_repeated_under_its_own_key_reserves_once() {
    let world = World::new();
    let request = Attach { who: Who::Request(world.key("request", "1")), ..world.given("", A) };
    world.sessions.attach(world.now, &request);
    world.sessions.attach(world.now, &request);
    assert_eq!(world.on(A), (0, 1));
    world.agree();
}

#[test]
fn a_device_that_attaches_again_has_one_place() {
    let mut world = World::new();
    world.attach("phone", A);
    let again = world.attach("phone", B);
    assert_eq!((again.superseded, again.no_start), (false, None), "at once: it repeats itself, and nobody has failed");
    assert_eq!((world.on(A), world.on(B), world.all()), ((0, 0), (0, 1), (0, 1)));
    world.pass(10);
    let later = world.attach("phone", A);
    assert_eq!(later.no_start, Some(NoStart { source: PGW, lns: B }), "it has tried B for ten seconds");
    assert_eq!(world.all(), (0, 1));
    world.agree();
}

#[test]
fn a_device_whose_stop_was_lost_is_served_and_its_old_session_ends() {
    let mut world = World::new();
    world.attach("phone", A);
    world.start("phone");
    world.pass(600);
    let attached = world.attach("phone", B);
    assert!(attached.superseded);
    assert_eq!((world.on(A), world.on(B), world.all()), ((0, 0), (0, 1), (0, 1)));
    let next = Report { device: Some(world.device("phone")), lns: Some(B), ..world.report("phone, again") };
    assert_eq!(world.sessions.start(world.now, &next).effect, Effect::Started);
    assert_eq!(world.all(), (1, 0));
    // Its Stop comes at last.
    assert_eq!(world.stop("phone").effect, Effect::Duplicate);
    assert_eq!(world.all(), (1, 0));
    world.agree();
}

#[test]
fn where_no_accept_was_seen_the_start_supersedes() {
    let mut world = World::new();
    world.start("phone");
    world.pass(600);
    let next = Report { device: Some(world.device("phone")), lns: Some(B), ..world.report("phone, again") };
    let outcome = world.sessions.start(world.now, &next);
    assert_eq!((outcome.effect, outcome.superseded), (Effect::Started, true));
    assert_eq!((world.on(A), world.on(B), world.all()), ((0, 0), (1, 0), (1, 0)));
    world.agree();
}

#[test]
fn two_devices_do_not_supersede_each_other() {
    let world = World::new();
    world.start("phone");
    world.start("tablet");
    world.attach("third", A);
    assert_eq!(world.all(), (2, 1));
    world.agree();
}

#[test]
fn an_interim_of_an_older_session_does_not_take_the_new_ones_place() {
    let mut world = World::new();
    world.attach("phone", A);
    world.pass(3);
    let old = Report { session_time: Some(4_000), ..world.report("unknown until now") };
    let old = Report { device: Some(world.device("phone")), ..old };
    assert_eq!(world.sessions.interim(world.now, &old).effect, Effect::Healed);
    assert_eq!(world.all(), (1, 1));
    // And the new one's Start ends it.
    assert!(world.start("phone").superseded);
    assert_eq!(world.all(), (1, 0));
    world.agree();
}

#[test]
fn where_the_device_was_is_remembered_for_as_long_as_the_contract_wants() {
    let mut world = World::new();
    let sticky = Some(Duration::from_secs(3_600));
    let (device, none) = (world.device("phone"), Remembered::default());
    assert_eq!(world.sessions.remembered(world.now, device), none);
    world.sessions.attach(world.now, &Attach { sticky, ..world.given("phone", B) });
    let known = world.sessions.remembered(world.now, device);
    assert_eq!((known.last, known.again, known.holds), (Some(B), true, true));
    // It ends up elsewhere.
    world.pass(6);
    assert!(!world.sessions.remembered(world.now, device).again);
    let report = Report { sticky, ..world.report("phone") };
    world.sessions.start(world.now, &report);
    let known = world.sessions.remembered(world.now, device);
    assert_eq!((known.last, known.again, known.holds), (Some(A), false, true));
    world.pass(100);
    world.sessions.stop(world.now, &Report { event: world.wall(), ..report });
    world.sweep_after(3_599);
    let known = world.sessions.remembered(world.now, device);
    assert_eq!((known.last, known.again, known.holds), (Some(A), false, false));
    assert_eq!(world.sessions.counts().memories, 1);
    world.pass(1);
    assert_eq!(world.sessions.remembered(world.now, device), none, "whether the sweep has come by or not");
    world.sweep_after(0);
    assert_eq!(world.sessions.counts().memories, 0);
    world.agree();
}

#[test]
fn where_the_contract_does_not_want_it_nothing_is_remembered() {
    let mut world = World::new();
    world.attach("phone", A);
    world.start("phone");
    world.pass(60);
    world.stop("phone");
    let known = world.sessions.remembered(world.now, world.device("phone"));
    assert_eq!((known.last, known.holds, world.sessions.counts().memories), (None, false, 0));
}

#[test]
fn an_identity_that_another_device_has_now_is_another_session() {
    let mut world = World::new();
    world.start("phone");
    let before = world.report("phone");
    world.pass(600);
    // The NAS has restarted, its On was lost, and it counts from one again.
    world.attach("tablet", B);
    let next =
        Report { device: Some(world.device("tablet")), user: b"bob@a.example", lns: Some(B), ..world.report("phone") };
    let outcome = world.sessions.start(world.now, &next);
    assert_eq!((outcome.effect, outcome.failed_over), (Effect::Started, None));
    assert_eq!((world.on(A), world.on(B), world.all()), ((0, 0), (1, 0), (1, 0)));
    let view = world.sessions.find_by_device(world.now, world.device("tablet")).unwrap();
    assert_eq!(&*view.user, b"bob@a.example");
    assert_eq!(world.sessions.find_by_device(world.now, world.device("phone")), None);
    // What is late about the one before changes nothing.
    assert_eq!(world.sessions.interim(world.now, &before).effect, Effect::Late);
    assert_eq!(world.sessions.start(world.now, &before).effect, Effect::Late);
    assert_eq!(world.sessions.stop(world.now, &before).effect, Effect::Late);
    assert_eq!(world.all(), (1, 0));
    // An Interim does it as well, where the Start was lost.
    world.pass(600);
    let third = Report { device: Some(world.device("third")), ..world.report("phone") };
    assert_eq!(world.sessions.interim(world.now, &third).effect, Effect::Healed);
    assert_eq!((world.on(A), world.on(B), world.all()), ((1, 0), (0, 0), (1, 0)));
    world.agree();
}
