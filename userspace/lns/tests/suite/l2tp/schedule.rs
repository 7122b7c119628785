//! Many LNSs: spread, apart, bounded, and kept over changes.

use std::{collections::BTreeMap, time::Duration};

use sekisho_lns::{
    Time,
    l2tp::{
        IN_FLIGHT, Outcome, Target,
        packet::{Kind, Message},
    },
};

use crate::l2tp::{
    lns::{Lns, Manners},
    world::{World, address, target},
};

fn world_of(lnss: u32, manners: &Manners, target: impl Fn(u32) -> Target) -> World {
    let mut world = World::new(7);
    for lns in 0..lnss {
        world.lnss.insert(address(lns), Lns::new(manners.clone()));
    }
    let now = world.now;
    world.prober.set_targets(now, (0..lnss).map(target).collect());
    world
}

/// When each LNS was asked.
fn asked(world: &World) -> BTreeMap<std::net::IpAddr, Vec<Time>> {
    let mut asked = BTreeMap::<_, Vec<Time>>::new();
    for (time, sent) in &world.sent {
        if Message::parse(&sent.bytes).unwrap().kind == Kind::Sccrq {
            asked.entry(sent.to.ip()).or_default().push(*time);
        }
    }
    asked
}

#[test]
fn the_first_probes_are_spread_over_the_interval() {
    let mut world =
        world_of(200, &Manners::default(), |lns| Target { interval: Duration::from_secs(100), ..target(lns) });
    let begin = world.now;
    world.run(Duration::from_secs(100));
    let first: Vec<u64> = asked(&world).values().map(|times| times[0].since(begin) / 1_000_000_000).collect();
    assert_eq!(first.len(), 200, "all in the first interval");
    for tenth in 0..10 {
        let count = first.iter().filter(|second| **second / 10 == tenth).count();
        assert!((5..=40).contains(&count), "{count} of 200 in tenth {tenth}");
    }
}

#[test]
fn the_next_comes_after_an_interval_a_tenth_more_or_less() {
    let mut world = world_of(20, &Manners::default(), target);
    world.run(Duration::from_secs(300));
    let mut gaps = Vec::new();
    for times in asked(&world).values() {
        gaps.extend(times.windows(2).map(|pair| pair[1].since(pair[0]) / 1_000_000));
    }
    assert!(gaps.iter().all(|gap| (9_000..=11_000).contains(gap)));
    assert!(gaps.iter().any(|gap| *gap < 9_300) && gaps.iter().any(|gap| *gap > 10_700), "jitter");
}

#[test]
fn no_more_than_the_bound_are_under_way_and_all_get_their_turn() {
    let silent = Manners { silent: true, ..Manners::default() };
    let mut world = world_of(1_000, &silent, |lns| Target { timeout: Duration::from_secs(8), ..target(lns) });
    world.run(Duration::from_secs(60));
    assert_eq!(world.most_in_flight, IN_FLIGHT);
    assert_eq!(asked(&world).len(), 1_000);
    assert!(world.probed.iter().all(|(_, probed)| probed.outcome == Outcome::Silent));
}

#[test]
fn what_stays_keeps_its_schedule() {
    let mut kept = world_of(5, &Manners::default(), target);
    let mut changed = world_of(5, &Manners::default(), target);
    for world in [&mut kept, &mut changed] {
        world.run(Duration::from_millis(12_345));
    }
    let now = changed.now;
    changed.prober.set_targets(now, (0..5).map(|lns| Target { host_name: "renamed".into(), ..target(lns) }).collect());
    for world in [&mut kept, &mut changed] {
        world.run(Duration::from_secs(60));
    }
    assert_eq!(asked(&kept), asked(&changed));
    let last = &changed.lnss[&address(3)].requests.last().unwrap()[..];
    assert!(last.windows(7).any(|part| part == b"renamed"));
}

#[test]
fn a_shorter_interval_begins_at_once_and_a_longer_one_after_the_next_probe() {
    let every = |seconds| move |lns| Target { interval: Duration::from_secs(seconds), ..target(lns) };
    let mut world = world_of(3, &Manners::default(), every(600));
    world.run(Duration::from_secs(1));
    let now = world.now;
    world.prober.set_targets(now, (0..3).map(every(10)).collect());
    world.run(Duration::from_secs(10));
    assert_eq!(asked(&world).len(), 3);
    let now = world.now;
    world.prober.set_targets(now, (0..3).map(every(600)).collect());
    world.run(Duration::from_secs(12));
    assert!(asked(&world).values().all(|times| times.len() == 2));
    world.run(Duration::from_secs(500));
    assert!(asked(&world).values().all(|times| times.len() == 2));
}

#[test]
fn of_two_targets_for_one_lns_the_last_counts() {
    let mut world = world_of(2, &Manners::default(), target);
    let now = world.now;
    world.prober.set_targets(now, vec![target(1), Target { address: address(0), ..target(1) }]);
    world.run(Duration::from_secs(30));
    assert!(asked(&world).into_keys().eq([address(0)]));
}

#[test]
fn nobody_to_probe_is_nothing_to_do() {
    let world = World::new(1);
    assert_eq!((world.prober.poll_timeout(), world.prober.in_flight()), (None, 0));
}
