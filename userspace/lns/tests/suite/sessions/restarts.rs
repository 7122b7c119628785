//! Accounting-On and -Off, honest and forged.

use sekisho_lns::{
    SourceId,
    sessions::{Effect, Report},
};

use crate::sessions::world::*;

#[test]
fn a_nas_that_has_restarted_has_lost_the_sessions_that_began_before() {
    let mut world = World::new();
    world.start("before");
    world.pass(10);
    let event = world.wall();
    world.start("the same second");
    world.pass(10);
    world.start("after");
    assert!(world.sessions.nas_restarted(PGW, Some(world.key("nas", "nas-1")), event));
    assert_eq!(world.sweep_after(1).0.restarted, 1);
    assert_eq!(world.all(), (2, 0));
    assert_eq!(world.interim("after").effect, Effect::Updated);
    assert_eq!(world.interim("the same second").effect, Effect::Updated);
    world.agree();
}

#[test]
fn no_other_nas_and_no_other_source_loses_anything() {
    let mut world = World::new();
    let others = Report { nas: Some(world.key("nas", "nas-2")), ..world.report("another NAS's") };
    world.sessions.start(world.now, &others);
    world.sessions.start(world.now, &Report { source: OTHER_PGW, ..world.report("another source's") });
    world.sessions.start(world.now, &Report { nas: None, ..world.report("nobody's") });
    world.start("its own");
    world.pass(10);
    // One customer's equipment names another's NAS.
    assert!(world.sessions.nas_restarted(LNS_AS_SOURCE, Some(world.key("nas", "nas-1")), world.wall()));
    assert_eq!(world.sweep_after(1).0.restarted, 0);
    assert_eq!(world.all(), (4, 0));
    // One that names no NAS means none.
    assert!(!world.sessions.nas_restarted(PGW, None, world.wall()));
    assert_eq!(world.sweep_after(1).0.restarted, 0);
    assert!(world.sessions.nas_restarted(PGW, Some(world.key("nas", "nas-1")), world.wall()));
    assert_eq!(world.sweep_after(1).0.restarted, 1);
    assert_eq!(world.all(), (3, 0));
    world.agree();
}

#[test]
fn an_lns_that_has_restarted_has_lost_its_sessions() {
    let mut world = World::new();
    world.start("one");
    world.sessions.start(world.now, &Report { source: OTHER_PGW, ..world.report("two") });
    world.sessions.start(world.now, &Report { lns: Some(B), ..world.report("elsewhere") });
    world.pass(10);
    assert!(world.sessions.lns_restarted(A, world.wall()));
    world.start("three");
    assert_eq!(world.sweep_after(1).0.restarted, 2);
    assert_eq!((world.on(A), world.on(B)), ((1, 0), (1, 0)));
    world.agree();
}

#[test]
fn a_session_that_begins_again_before_the_sweep_has_come_by_stays() {
    let mut world = World::new();
    world.start("phone");
    world.pass(10);
    world.sessions.nas_restarted(PGW, Some(world.key("nas", "nas-1")), world.wall());
    world.pass(5);
    // The NAS counts from the same number again.
    assert_eq!(world.start("phone").effect, Effect::Duplicate);
    assert_eq!(world.sweep_after(1).0.restarted, 0);
    assert_eq!(world.all(), (1, 0));
    world.agree();
}

#[test]
fn a_restart_is_carried_out_once_and_however_little_the_sweep_does_at_a_time() {
    let mut world = World::new();
    for n in 0..500 {
        world.start(&n.to_string());
    }
    world.pass(10);
    // Somewhere in the middle of a round.
    (0..20).for_each(|_| _ = world.sessions.sweep(world.now, 10, &mut |_| ()));
    world.sessions.nas_restarted(PGW, Some(world.key("nas", "nas-1")), world.wall());
    let mut restarted = 0;
    for _ in 0..200 {
        restarted += world.sessions.sweep(world.now, 10, &mut |_| ()).restarted;
    }
    assert_eq!((restarted, world.all()), (500, (0, 0)));
    // Sessions of a clock that is behind are not its business any more.
    world.sessions.start(world.now, &Report { event: WALL, ..world.report("slow clock") });
    assert_eq!(world.sweep_after(1).0.restarted, 0);
    world.agree();
}

#[test]
fn a_storm_of_restarts_takes_a_bounded_place_and_not_that_of_others() {
    let world = World::new();
    let storm = |source: u32| {
        let noted = (0..2_000u64).filter(|n| {
            let nas = world.key("nas", &n.to_string());
            world.sessions.nas_restarted(SourceId(source), Some(nas), WALL + n)
        });
        noted.count()
    };
    assert_eq!([0, 1, 2].map(storm), [512; 3]);
    // One that waits already can be renewed, and another source has room.
    assert!(world.sessions.nas_restarted(SourceId(0), Some(world.key("nas", "0")), WALL + 20_000));
    assert!(world.sessions.nas_restarted(SourceId(3), Some(world.key("nas", "0")), WALL));
    assert_eq!((3..20).map(storm).sum::<usize>(), 4_096 - 3 * 512, "all but what is full already");
}
