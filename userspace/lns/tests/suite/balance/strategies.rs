//! What each strategy gives to whom: shares, and what moves when an LNS goes and comes back.

use std::{collections::BTreeMap, sync::Arc, thread};

use sekisho_lns::{
    LnsId, Loads,
    balance::{Strategy::*, Why},
    health::Wanted,
    l2tp::Outcome,
};

use crate::balance::fleet::*;

const DEVICES: u32 = 100_000;

fn within(count: u32, expected: f64, part: f64) -> bool {
    (f64::from(count) - expected).abs() <= expected * part
}

#[test]
fn round_robin_gives_each_its_weight_in_every_cycle() {
    let fleet = Fleet::new(&[plan(RoundRobin, [(0, 5, 0), (1, 1, 0), (2, 1, 0), (3, 3, 0)])]);
    for _ in 0..1_000 {
        assert_eq!(fleet.shares(0..10), BTreeMap::from([(0, 5), (1, 1), (2, 1), (3, 3)]));
    }
    // Spread over the cycle, not one after the other.
    let order: Vec<u32> = (0..10).map(|_| fleet.pick("")).collect();
    assert_eq!(order, [0, 3, 0, 1, 0, 3, 2, 0, 3, 0]);
}

#[test]
fn round_robin_is_never_more_than_one_away_from_its_shares() {
    let weights = [(0, 5, 0), (1, 1, 0), (2, 1, 0), (3, 3, 0), (4, 7, 0)];
    let fleet = Fleet::new(&[plan(RoundRobin, weights)]);
    let mut counts = [0u32; 5];
    for choices in 1..5_000u32 {
        counts[fleet.pick("") as usize] += 1;
        for (number, weight, _) in weights {
            let due = f64::from(choices * weight) / 17.0;
            let count = f64::from(counts[number as usize]);
            assert!((count - due).abs() <= 1.0, "{choices}: LNS {number} has {count} of {due}");
        }
    }
}

#[test]
fn when_one_leaves_the_round_robin_the_others_share_its_part_by_weight() {
    let fleet = Fleet::new(&[plan(RoundRobin, [(0, 5, 0), (1, 1, 0), (2, 3, 0)])]);
    fleet.pick("");
    fleet.operator(0, Wanted::Draining);
    fleet.shares(0..4);
    for _ in 0..100 {
        assert_eq!(fleet.shares(0..4), BTreeMap::from([(1, 1), (2, 3)]));
    }
}

#[test]
fn a_round_robin_goes_on_where_it_was_when_the_configuration_is_read_again() {
    let plans = [even(RoundRobin, 0..4)];
    let mut fleet = Fleet::new(&plans);
    let mut order = Vec::new();
    for _ in 0..12 {
        order.push(fleet.pick(""));
        let mut next = balance(&fleet.loads, &plans);
        next.succeed(&fleet.balance);
        fleet.balance = next;
    }
    assert_eq!(order, [0, 1, 2, 3].repeat(3));
    let mut other = balance(&fleet.loads, &[even(RoundRobin, 0..5)]);
    other.succeed(&fleet.balance);
    fleet.balance = other;
    assert_eq!(fleet.shares(0..5).len(), 5);
}

#[test]
fn hashed_shares_are_the_weights_within_a_hundredth() {
    let fleet = Fleet::new(&[plan(Hash, [(0, 100, 0), (1, 100, 0), (2, 200, 0), (3, 400, 0)])]);
    let shares = fleet.shares(0..DEVICES);
    for (lns, weight) in [(0, 100.0), (1, 100.0), (2, 200.0), (3, 400.0)] {
        let expected = f64::from(DEVICES) * weight / 800.0;
        assert!((f64::from(shares[&lns]) - expected).abs() < f64::from(DEVICES) / 100.0, "{shares:?}");
    }
}

#[test]
fn only_a_lost_lnss_devices_move_and_they_come_back() {
    let mut fleet = Fleet::new(&[plan(Hash, (0..8).map(|n| (n, 1 + n % 3, 0)))]);
    let before: Vec<u32> = (0..10_000).map(|n| fleet.pick(&number(n))).collect();
    fleet.down(3);
    let mut moved = BTreeMap::new();
    for (n, was) in before.iter().enumerate() {
        let is = fleet.pick(&number(n as u32));
        assert_ne!(is, 3);
        if is != *was {
            assert_eq!(*was, 3, "a device of another LNS moved");
            *moved.entry(is).or_insert(0) += 1;
        }
    }
    assert_eq!(moved.len(), 7, "all others share the lost one's: {moved:?}");
    fleet.probe(3, Outcome::Up);
    fleet.pass(100);
    let after: Vec<u32> = (0..10_000).map(|n| fleet.pick(&number(n))).collect();
    assert_eq!(before, after);
}

#[test]
fn two_nodes_choose_alike_whatever_the_order_of_their_documents() {
    let here = Fleet::new(&[plan(Hash, (0..20).map(|n| (n, 1 + n % 5, 0)))]);
    let there = Fleet::new(&[plan(Hash, (0..20).rev().map(|n| (n, 1 + n % 5, 0)))]);
    for n in 0..5_000 {
        assert_eq!(here.picks(&number(n)), there.picks(&number(n)));
    }
}

#[test]
fn a_second_tier_does_not_send_the_lost_ones_devices_to_one_lns() {
    // The same names in both tiers would choose alike under one seed.
    let fleet = Fleet::new(&[even(Hash, 0..2), even(Hash, 2..10)]);
    fleet.down(0);
    fleet.down(1);
    let shares = fleet.shares(0..16_000);
    assert_eq!(shares.len(), 8);
    assert!(shares.values().all(|share| within(*share, 2_000.0, 0.1)), "{shares:?}");
    let seeds: Vec<u64> = (0..4).map(|place| sekisho_lns::balance::tier_seed("acme", "vpdn-1", place)).collect();
    assert!(seeds.iter().all(|seed| seeds.iter().filter(|other| *other == seed).count() == 1));
}

#[test]
fn least_sessions_keeps_all_level() {
    let fleet = Fleet::new(&[even(LeastSessions, 0..7)]);
    for n in 0..1_000 {
        fleet.attach(&number(n)).unwrap();
        let totals: Vec<u32> = (0..7).map(|lns| fleet.loads.lns(LnsId(lns)).load.total()).collect();
        assert!(totals.iter().max().unwrap() - totals.iter().min().unwrap() <= 1, "{totals:?}");
    }
}

#[test]
fn least_sessions_measures_by_max_sessions_or_else_by_weight() {
    let fill = |lnss: [(u32, u32, u32); 3]| {
        let fleet = Fleet::new(&[plan(LeastSessions, lnss)]);
        (0..900).for_each(|n| _ = fleet.attach(&number(n)).unwrap());
        [0, 1, 2].map(|lns| fleet.loads.lns(LnsId(lns)).load.total())
    };
    let near = |totals: [u32; 3], expected: [u32; 3]| totals.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2);
    let totals = fill([(0, 1, 1_000), (1, 1, 3_000), (2, 1, 5_000)]);
    assert!(near(totals, [100, 300, 500]), "{totals:?}");
    let totals = fill([(0, 1, 5_000), (1, 3, 0), (2, 5, 0)]);
    assert!(near(totals, [100, 300, 500]), "{totals:?}");
}

#[test]
fn least_sessions_among_equals_is_not_always_the_same() {
    let fleet = Fleet::new(&[even(LeastSessions, 0..4)]);
    let shares = fleet.shares(0..4_000);
    assert!(shares.values().all(|share| within(*share, 1_000.0, 0.15)), "{shares:?}");
}

#[test]
fn four_workers_keep_all_level_by_least_sessions() {
    let fleet = Fleet::new(&[even(LeastSessions, 0..7)]);
    thread::scope(|scope| {
        for worker in 0..4 {
            let fleet = &fleet;
            scope.spawn(move || {
                (0..5_000).for_each(|n| _ = fleet.attach(&number(worker * 5_000 + n)).unwrap());
            });
        }
    });
    let totals: Vec<u32> = (0..7).map(|lns| fleet.loads.lns(LnsId(lns)).load.total()).collect();
    assert_eq!(totals.iter().sum::<u32>(), 20_000);
    // Workers that choose at once see the same counts: each of the others may add one.
    assert!(totals.iter().max().unwrap() - totals.iter().min().unwrap() <= 1 + 3, "{totals:?}");
}

#[test]
fn four_workers_share_one_round_robin() {
    let fleet = Fleet::new(&[plan(RoundRobin, [(0, 5, 0), (1, 1, 0), (2, 2, 0)])]);
    thread::scope(|scope| {
        for worker in 0..4 {
            let fleet = &fleet;
            scope.spawn(move || (0..4_000).for_each(|n| _ = fleet.attach(&number(worker * 4_000 + n)).unwrap()));
        }
    });
    let totals = [0, 1, 2].map(|lns| fleet.loads.lns(LnsId(lns)).load.total());
    assert_eq!(totals, [10_000, 2_000, 4_000]);
}

#[test]
fn an_answer_has_other_lnss_in_order_and_each_once() {
    for strategy in [RoundRobin, LeastSessions, Hash] {
        let mut fleet = Fleet::new(&[even(strategy, 0..5), even(strategy, 5..20)]);
        for (alternatives, expected) in [(1, 1), (3, 3), (8, 8), (0, 1), (99, 8)] {
            fleet.balance.alternatives = alternatives;
            for n in 0..100 {
                let (picks, why) = fleet.picks(&number(n));
                let mut distinct = picks.clone();
                distinct.sort_unstable();
                distinct.dedup();
                assert_eq!((picks.len(), distinct.len(), why), (expected, expected, Why::Strategy), "{strategy:?}");
                assert!(picks.iter().take(5).all(|lns| *lns < 5), "its own tier first: {picks:?}");
            }
        }
    }
    // By rendezvous they stand in the order in which a device would move.
    let fleet = Fleet::new(&[even(Hash, 0..5)]);
    let (picks, _) = fleet.picks("x");
    fleet.operator(picks[0], Wanted::Down);
    assert_eq!(fleet.picks("x").0, picks[1..]);
    // In turn, in the order in which they would have their turn.
    let fleet = Fleet::new(&[even(RoundRobin, 0..4)]);
    assert_eq!(fleet.picks("x").0, [0, 1, 2, 3]);
    assert_eq!(fleet.picks("x").0[0], 1);
}

#[test]
fn loads_are_shared_by_all_contracts_that_use_an_lns() {
    let loads = Arc::new(Loads::new());
    let plans = [even(LeastSessions, 0..2)];
    let (one, other) = (balance(&loads, &plans), balance(&loads, &plans));
    assert!(Arc::ptr_eq(&one.tiers[0].members()[0].state, &other.tiers[0].members()[0].state));
}
