//! From Accept to Stop: each rule of counting.

use std::time::Duration;

use sekisho_lns::sessions::{Attach, Effect, FailedOver, NoStart, Report, Settings, Who};

use crate::sessions::world::*;

#[test]
fn an_accept_keeps_a_place_and_the_start_turns_it_into_a_session() {
    let mut world = World::new();
    assert!(world.attach("phone", A).tracked);
    assert_eq!((world.on(A), world.all()), ((0, 1), (0, 1)));
    world.pass(2);
    let outcome = world.start("phone");
    assert_eq!((outcome.effect, outcome.lns, outcome.access), (Effect::Started, Some(A), PGW));
    assert_eq!(outcome.failed_over, None);
    assert_eq!((world.on(A), world.all()), ((1, 0), (1, 0)));
    world.pass(60);
    let outcome = world.stop("phone");
    assert_eq!((outcome.effect, outcome.short, outcome.lived), (Effect::Ended, false, true));
    assert_eq!((world.on(A), world.all()), ((0, 0), (0, 0)));
    assert_eq!((world.loads.lns(A).load.chosen(), world.loads.lns(A).load.started()), (1, 1));
    world.agree();
}

#[test]
fn a_reservation_runs_out_after_ninety_seconds_and_its_lns_has_failed() {
    let mut world = World::new();
    world.attach("phone", A);
    assert_eq!(world.sweep_after(89).1, []);
    assert_eq!(world.on(A), (0, 1));
    let (swept, failed) = world.sweep_after(1);
    assert_eq!((swept.ran_out, failed), (1, vec![NoStart { source: PGW, lns: A }]));
    assert_eq!(world.on(A), (0, 0));
    world.agree();
}

#[test]
fn where_nobody_accounts_or_the_device_is_not_known_a_missing_start_is_no_failure() {
    let mut world = World::new();
    let request = world.key("request", "1");
    world.sessions.attach(world.now, &Attach { accounted: false, ..world.given("phone", A) });
    world.sessions.attach(world.now, &Attach { who: Who::Request(request), ..world.given("phone", A) });
    assert_eq!(world.on(A), (0, 2));
    let (swept, failed) = world.sweep_after(90);
    assert_eq!((swept.ran_out, failed), (2, vec![]));
    assert_eq!(world.all(), (0, 0));
}

#[test]
fn an_interim_heals_a_lost_start() {
    let mut world = World::new();
    world.attach("phone", A);
    world.pass(30);
    let outcome = world.sessions.interim(world.now, &Report { session_time: Some(28), ..world.report("phone") });
    assert_eq!((outcome.effect, outcome.lived), (Effect::Healed, true));
    assert_eq!(world.all(), (1, 0));
    let outcome = world.interim("phone");
    assert_eq!((outcome.effect, outcome.lived), (Effect::Updated, false), "that it lives is said once");
    // The Start was not lost, only late.
    assert_eq!(
        world.sessions.start(world.now, &Report { event: WALL + 2, ..world.report("phone") }).effect,
        Effect::Duplicate
    );
    assert_eq!(world.all(), (1, 0));
    world.agree();
}

#[test]
fn a_stop_before_its_start_leaves_nothing_behind() {
    let mut world = World::new();
    world.attach("phone", A);
    world.pass(3);
    let start = world.report("phone");
    world.pass(1);
    assert_eq!(world.stop("phone").effect, Effect::Unknown);
    assert_eq!(world.all(), (0, 0), "what it had reserved is given back");
    assert_eq!(world.sessions.start(world.now, &start).effect, Effect::Late);
    assert_eq!(world.all(), (0, 0));
    assert_eq!(world.sweep_after(100).1, [], "it has started, somewhere on the way");
    world.agree();
}

#[test]
fn an_interim_after_the_stop_does_not_bring_the_session_back() {
    let mut world = World::new();
    world.start("phone");
    world.pass(100);
    let interim = world.report("phone");
    world.pass(1);
    world.stop("phone");
    assert_eq!(world.sessions.interim(world.now, &interim).effect, Effect::Late);
    assert_eq!(world.interim("phone").effect, Effect::Late);
    assert_eq!(world.start("phone").effect, Effect::Late, "a repeated Start has the time of the first one at most");
    assert_eq!(world.all(), (0, 0));
    world.agree();
}

#[test]
fn duplicates_change_nothing() {
    let mut world = World::new();
    world.attach("phone", A);
    let start = world.report("phone");
    assert_eq!(world.sessions.start(world.now, &start).effect, Effect::Started);
    world.pass(3);
    assert_eq!(world.sessions.start(world.now, &start).effect, Effect::Duplicate);
    assert_eq!(world.all(), (1, 0));
    world.pass(60);
    let stop = world.report("phone");
    assert_eq!(world.sessions.stop(world.now, &stop).effect, Effect::Ended);
    let again = world.sessions.stop(world.now, &stop);
    assert_eq!((again.effect, again.lived, again.short), (Effect::Duplicate, false, false));
    assert_eq!((world.all(), world.loads.lns(A).load.started()), ((0, 0), 1));
    world.agree();
}

#[test]
fn a_late_stop_ends_nothing() {
    let mut world = World::new();
    world.start("phone");
    world.pass(60);
    let late = world.report("phone");
    world.pass(60);
    // The NAS has restarted its numbers: another session of the same identity.
    world.start("phone");
    assert_eq!(world.all(), (1, 0));
    assert_eq!(world.sessions.stop(world.now, &late).effect, Effect::Late);
    assert_eq!(world.all(), (1, 0));
    world.pass(60);
    assert_eq!(world.stop("phone").effect, Effect::Ended);
    // And so after a Stop that came in time.
    world.pass(1);
    world.start("phone");
    assert_eq!(world.all(), (1, 0), "an identity that is used again is another session");
    assert_eq!(world.sessions.stop(world.now, &late).effect, Effect::Late);
    assert_eq!(world.all(), (1, 0));
    world.agree();
}

#[test]
fn the_lns_is_that_of_the_start_or_else_of_the_reservation_or_else_unknown() {
    let world = World::new();
    world.attach("phone", B);
    let outcome = world.sessions.start(world.now, &Report { lns: None, ..world.report("phone") });
    assert_eq!(outcome.lns, Some(B));
    assert_eq!((world.on(B), world.all()), ((1, 0), (1, 0)));
    let outcome = world.sessions.start(world.now, &Report { lns: None, ..world.report("unheard of") });
    assert_eq!(outcome.lns, None);
    assert_eq!((world.on(A), world.on(B), world.all()), ((0, 0), (1, 0), (2, 0)));
    // A later report knows it.
    assert_eq!(world.interim("unheard of").lns, Some(A));
    assert_eq!((world.on(A), world.all()), ((1, 0), (2, 0)));
    world.agree();
}

#[test]
fn a_start_on_another_lns_than_chosen_counts_there_and_tells() {
    let world = World::new();
    world.attach("phone", B);
    let outcome = world.start("phone");
    assert_eq!((outcome.failed_over, outcome.lns), (Some(FailedOver { from: B, to: A }), Some(A)));
    assert_eq!((world.on(A), world.on(B)), ((1, 0), (0, 0)));
    let (a, b) = (&world.loads.lns(A).load, &world.loads.lns(B).load);
    assert_eq!([a.chosen(), a.started(), a.failed_over_to(), a.failed_over_from()], [0, 1, 1, 0]);
    assert_eq!([b.chosen(), b.started(), b.failed_over_to(), b.failed_over_from()], [1, 0, 0, 1]);
    world.agree();
}

#[test]
fn an_lns_that_accounts_fulfils_what_the_access_network_reserved() {
    let mut world = World::new();
    world.attach("phone", A);
    let by_lns = Report { source: LNS_AS_SOURCE, lns: None, user: b"", number: b"", ..world.report("phone") };
    let outcome = world.sessions.start(world.now, &by_lns);
    assert_eq!((outcome.effect, outcome.lns, outcome.access), (Effect::Started, Some(A), PGW));
    assert_eq!(world.on(A), (1, 0));
    let view = world.sessions.find_by_device(world.now, world.device("phone")).unwrap();
    assert_eq!((&*view.user, &*view.number), (&b"alice@a.example"[..], &b"819012345678"[..]));
    world.pass(60);
    let outcome = world.sessions.stop(world.now, &Report { event: world.wall(), ..by_lns });
    assert_eq!((outcome.access, outcome.lived), (PGW, true), "a success of that access network");
    world.agree();
}

#[test]
fn a_session_that_ends_at_once_is_short() {
    let mut world = World::new();
    world.start("phone");
    world.pass(5);
    let outcome = world.stop("phone");
    assert_eq!((outcome.short, outcome.lived, outcome.lns), (true, false, Some(A)));
    world.start("tablet");
    world.pass(6);
    assert!(!world.stop("tablet").short);
    // What the NAS itself has measured goes before.
    world.start("third");
    world.pass(60);
    assert!(world.sessions.stop(world.now, &Report { session_time: Some(2), ..world.report("third") }).short);
    // Also of a session whose Start is late or lost.
    assert!(world.sessions.stop(world.now, &Report { session_time: Some(2), ..world.report("fourth") }).short);
    assert!(!world.sessions.stop(world.now, &Report { session_time: None, ..world.report("fifth") }).short);
    // An Interim has said that it lived.
    world.sessions.interim(world.now, &world.report("sixth"));
    assert!(!world.stop("sixth").short);
}

#[test]
fn a_session_of_several_bearers_ends_with_the_last() {
    let mut world = World::new();
    let bearer = |world: &World, bearer, last| Report { bearer: Some(bearer), last, ..world.report("phone") };
    let start = |world: &World, nsapi| world.sessions.start(world.now, &bearer(world, nsapi, false)).effect;
    let stop = |world: &World, nsapi, last| world.sessions.stop(world.now, &bearer(world, nsapi, last)).effect;
    assert_eq!(start(&world, 5), Effect::Started);
    world.pass(10);
    assert_eq!(start(&world, 6), Effect::Bearer);
    assert_eq!(start(&world, 6), Effect::Duplicate);
    assert_eq!(world.all(), (1, 0));
    world.pass(10);
    assert_eq!(stop(&world, 6, false), Effect::Bearer);
    assert_eq!(stop(&world, 6, false), Effect::Duplicate);
    assert_eq!(world.all(), (1, 0));
    assert_eq!(stop(&world, 5, false), Effect::Ended, "the only one left");
    assert_eq!(world.all(), (0, 0));
    // With 3GPP-Session-Stop-Indicator it ends, whatever else is known.
    world.pass(10);
    assert_eq!(start(&world, 5), Effect::Started);
    assert_eq!(start(&world, 6), Effect::Bearer);
    assert_eq!(stop(&world, 5, true), Effect::Ended);
    assert_eq!(world.all(), (0, 0));
    world.agree();
}

#[test]
fn a_bearers_stop_before_everything_else_keeps_no_other_bearer_out() {
    let mut world = World::new();
    let bearer = |world: &World, bearer| Report { bearer: Some(bearer), ..world.report("phone") };
    let late = bearer(&world, 6);
    world.pass(1);
    assert_eq!(world.sessions.stop(world.now, &bearer(&world, 6)).effect, Effect::Unknown);
    assert_eq!(world.sessions.start(world.now, &late).effect, Effect::Late);
    assert_eq!(world.sessions.interim(world.now, &bearer(&world, 5)).effect, Effect::Healed);
    assert_eq!(world.all(), (1, 0));
    world.agree();
}

#[test]
fn one_sources_reports_do_not_touch_anothers_sessions() {
    let mut world = World::new();
    world.attach("phone", A);
    world.start("phone");
    world.pass(60);
    // The same NAS and session, claimed by somebody else.
    let forged = Report { source: OTHER_PGW, device: None, ..world.report("phone") };
    assert_eq!(world.sessions.stop(world.now, &forged).effect, Effect::Unknown);
    assert_eq!(world.all(), (1, 0));
    assert_eq!(world.interim("phone").effect, Effect::Updated, "and the end of theirs is not the end of ours");
    assert_eq!(world.stop("phone").effect, Effect::Ended);
    world.agree();
}

#[test]
fn where_the_settings_say_so_no_session_is_short() {
    let world = World::with(Settings { short: Duration::ZERO, ..Settings::default() });
    world.start("phone");
    let outcome = world.stop("phone");
    assert_eq!((outcome.effect, outcome.short, outcome.lived), (Effect::Ended, false, true));
}
