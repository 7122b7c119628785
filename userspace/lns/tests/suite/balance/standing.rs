//! Who is out, who is full, who comes back: what goes before a strategy.

use std::{collections::BTreeMap, thread, time::Duration};

use sekisho_lns::{
    LnsId,
    balance::{AllDown, Failback, Refused, Strategy, Strategy::*, Why},
    health::Wanted,
    l2tp::Outcome,
    sessions::Remembered,
};

use crate::balance::fleet::*;

const STRATEGIES: [Strategy; 3] = [RoundRobin, LeastSessions, Hash];

/// A device that had this LNS.
fn had(lns: u32) -> Remembered {
    Remembered { last: Some(LnsId(lns)), again: false, holds: false }
}

#[test]
fn one_that_drains_is_down_is_full_or_fails_is_in_no_answer() {
    for strategy in STRATEGIES {
        let mut fleet = Fleet::new(&[plan(strategy, (0..7).map(|n| (n, 1, if n == 5 { 1 } else { 0 })))]);
        fleet.balance.sticky = Some(Duration::from_secs(60));
        fleet.operator(0, Wanted::Draining);
        fleet.operator(1, Wanted::Down);
        fleet.down(2);
        fleet.probe(3, Outcome::Full);
        fleet.probe(4, Outcome::Draining);
        fleet.occupy(5, 0);
        for n in 0..100 {
            assert_eq!(fleet.picks(&number(n)), (vec![6], Why::Strategy), "{strategy:?}");
            let chosen = fleet.choose_for(SOURCE, &number(n), had(n % 6)).unwrap();
            assert_eq!((chosen.picks[0].id.0, chosen.why), (6, Why::Strategy), "{strategy:?}: also where a device was");
        }
    }
}

#[test]
fn an_lns_that_fails_for_one_access_network_is_left_out_for_that_one_only() {
    let fleet = Fleet::new(&[even(Hash, 0..2)]);
    fleet.fails(0);
    for n in 0..50 {
        assert_eq!(fleet.picks(&number(n)).0, [1]);
        let others = fleet.choose_for(OTHER_SOURCE, &number(n), Remembered::default()).unwrap();
        assert_eq!(others.picks.len(), 2);
    }
}

#[test]
fn a_draining_lns_gets_none_and_gets_its_share_when_it_is_put_back() {
    for strategy in STRATEGIES {
        let mut fleet = Fleet::new(&[even(strategy, 0..4)]);
        fleet.operator(2, Wanted::Draining);
        assert!(!fleet.shares(0..2_000).contains_key(&2), "{strategy:?}");
        fleet.operator(2, Wanted::Up);
        fleet.pass(100);
        assert!(fleet.shares(0..2_000)[&2] > 400, "{strategy:?}");
    }
}

#[test]
fn a_returning_lns_is_not_flooded() {
    for strategy in STRATEGIES {
        let mut fleet = Fleet::new(&[even(strategy, 0..4)]);
        fleet.down(0);
        (0..3_000).for_each(|n| _ = fleet.attach(&number(n)).unwrap());
        fleet.probe(0, Outcome::Up);
        let mut before = 0;
        let mut device = 3_000;
        for tenth in 0..10u32 {
            // New sessions in a tenth of the slow start: at most its growing share of them, and by its end nearly a quarter.
            for _ in 0..400 {
                fleet.attach(&number(device)).unwrap();
                device += 1;
            }
            let has = fleet.loads.lns(LnsId(0)).load.total();
            let (got, share) = (has - before, f64::from(tenth) / 10.0);
            let due = 400.0 * share / (3.0 + share);
            assert!((f64::from(got) - due).abs() <= 0.25 * due + 6.0, "{strategy:?}: {got} of {due} in tenth {tenth}");
            before = has;
            fleet.pass(10);
        }
        // Then its strategy alone decides: by sessions it is levelled up.
        let shares = fleet.shares(device..device + 400);
        let share = shares[&0];
        assert!(
            if strategy == LeastSessions { share == 400 } else { (80..120).contains(&share) },
            "{strategy:?}: {share}"
        );
    }
}

#[test]
fn one_that_was_never_out_of_service_has_no_slow_start() {
    for strategy in STRATEGIES {
        let mut fleet = Fleet::new(&[even(strategy, 0..2)]);
        fleet.now = sekisho_lns::Time(5);
        fleet.probe(0, Outcome::Up);
        let shares = fleet.shares(0..1_000);
        assert!((400..600).contains(&shares[&0]), "{strategy:?}: {shares:?}");
    }
}

#[test]
fn the_next_tier_serves_while_the_first_has_nobody_and_no_longer() {
    let mut fleet = Fleet::new(&[even(RoundRobin, 0..2), even(RoundRobin, 2..4), even(RoundRobin, 4..5)]);
    assert_eq!(fleet.picks(""), (vec![0, 1, 2, 3, 4], Why::Strategy));
    fleet.down(0);
    assert_eq!(fleet.picks(""), (vec![1, 2, 3, 4], Why::Strategy));
    fleet.operator(1, Wanted::Draining);
    assert_eq!(fleet.picks(""), (vec![2, 3, 4], Why::Tier(1)));
    fleet.fails(2);
    fleet.fails(3);
    assert_eq!(fleet.picks(""), (vec![4], Why::Tier(2)));
    fleet.probe(0, Outcome::Up);
    assert_eq!(fleet.picks(""), (vec![0, 4], Why::Strategy), "back at once");
    fleet.pass(1_000);
    fleet.operator(1, Wanted::Up);
    assert_eq!(fleet.picks("").1, Why::Strategy);
}

#[test]
fn a_tier_that_waits_after_its_return_is_used_when_it_has_been_usable_that_long() {
    let mut first = even(Hash, 0..2);
    first.failback = Failback::Delayed(Duration::from_secs(300));
    let mut fleet = Fleet::new(&[first, even(Hash, 2..3)]);
    assert_eq!(fleet.picks("").1, Why::Strategy, "it was never out of service");
    fleet.down(0);
    assert_eq!(fleet.picks("").1, Why::Strategy, "nor is it now");
    fleet.down(1);
    assert_eq!(fleet.picks(""), (vec![2], Why::Tier(1)));
    fleet.probe(0, Outcome::Up);
    fleet.pass(299);
    assert_eq!(fleet.picks(""), (vec![2, 0], Why::Tier(1)), "to fail over to it may serve");
    // Unless there is no other.
    fleet.operator(2, Wanted::Down);
    assert_eq!(fleet.picks(""), (vec![0], Why::Strategy));
    fleet.operator(2, Wanted::Up);
    assert_eq!(fleet.picks("").1, Why::Tier(1));
    fleet.pass(1);
    assert_eq!(fleet.picks("").1, Why::Strategy);
}

#[test]
fn a_tier_that_waits_for_the_operator_waits() {
    let mut first = even(RoundRobin, 0..1);
    first.failback = Failback::Manual;
    let plans = [first, even(RoundRobin, 1..2)];
    let mut fleet = Fleet::new(&plans);
    fleet.fails(0);
    assert_eq!(fleet.picks("").1, Why::Tier(1));
    let others = fleet.choose_for(OTHER_SOURCE, "", Remembered::default()).unwrap().why;
    assert_eq!(others, Why::Strategy, "one access network's failures are not the tier's");
    fleet.loads.lns(LnsId(0)).health.succeeded(SOURCE);
    assert_eq!(fleet.picks("").1, Why::Strategy);
    fleet.down(0);
    assert_eq!(fleet.picks("").1, Why::Tier(1));
    fleet.probe(0, Outcome::Up);
    fleet.pass(100_000);
    assert_eq!(fleet.picks(""), (vec![1, 0], Why::Tier(1)));
    // A reload is not the operator's word.
    let mut next = balance(&fleet.loads, &plans);
    next.succeed(&fleet.balance);
    fleet.balance = next;
    assert!(fleet.balance.tiers[0].is_away());
    assert_eq!(fleet.picks("").1, Why::Tier(1));
    fleet.balance.fail_back();
    assert_eq!(fleet.picks("").1, Why::Strategy);
}

#[test]
fn a_full_tier_spills_and_needs_no_word_to_be_used_again() {
    let mut first = plan(RoundRobin, [(0, 1, 1)]);
    first.failback = Failback::Manual;
    let mut fleet = Fleet::new(&[first, even(RoundRobin, 1..2)]);
    fleet.occupy(0, 0);
    assert_eq!(fleet.picks(""), (vec![1], Why::Tier(1)));
    fleet.pass(90);
    fleet.sessions.sweep(fleet.now, usize::MAX, &mut |_| ());
    assert_eq!(fleet.picks("").1, Why::Strategy);
}

#[test]
fn all_down_is_answered_as_if_all_were_up_but_for_what_the_operator_took_out() {
    for strategy in STRATEGIES {
        let mut fleet = Fleet::new(&[plan(strategy, (0..4).map(|n| (n, 1, 0))), even(strategy, 4..6)]);
        (0..6).for_each(|lns| fleet.down(lns));
        fleet.operator(1, Wanted::Draining);
        fleet.operator(4, Wanted::Down);
        let mut chosen = BTreeMap::new();
        for n in 0..300 {
            let (picks, why) = fleet.picks(&number(n));
            assert_eq!((why, picks.len(), picks[3]), (Why::FailOpen, 4, 5), "{strategy:?}");
            *chosen.entry(picks[0]).or_insert(0) += 1;
        }
        assert_eq!(chosen.keys().copied().collect::<Vec<_>>(), [0, 2, 3], "{strategy:?}");
        fleet.balance.all_down = AllDown::Reject;
        assert_eq!(fleet.choose("").unwrap_err(), Refused::AllDown);
        (0..6).for_each(|lns| fleet.operator(lns, Wanted::Down));
        assert_eq!(fleet.choose("").unwrap_err(), Refused::NoLns);
        fleet.balance.all_down = AllDown::FailOpen;
        assert_eq!(fleet.choose("").unwrap_err(), Refused::NoLns);
    }
}

#[test]
fn one_that_only_fails_for_this_access_network_goes_before_one_that_is_down() {
    let mut fleet = Fleet::new(&[even(Hash, 0..4)]);
    (0..3).for_each(|lns| fleet.down(lns));
    fleet.fails(3);
    for n in 0..50 {
        let (picks, why) = fleet.picks(&number(n));
        assert_eq!((picks[0], picks.len(), why), (3, 4, Why::FailOpen));
    }
    fleet.balance.all_down = AllDown::Reject;
    assert_eq!(fleet.choose("").unwrap_err(), Refused::AllDown);
}

#[test]
fn all_full_goes_to_the_overflow_or_is_refused() {
    let mut fleet = Fleet::new(&[plan(LeastSessions, [(0, 1, 2), (1, 1, 2)])]);
    (0..4).for_each(|n| _ = fleet.attach(&number(n)).unwrap());
    assert_eq!(fleet.choose("").unwrap_err(), Refused::AllFull);
    fleet.balance.overflow = Some(tier(&fleet.loads, 1, &plan(Hash, [(2, 1, 1)])));
    assert_eq!(fleet.picks(""), (vec![2], Why::Overflow));
    fleet.attach("x").unwrap();
    assert_eq!(fleet.choose("").unwrap_err(), Refused::AllFull);
    // One that says itself that it is full is full.
    let mut fleet = Fleet::new(&[even(Hash, 0..2)]);
    fleet.probe(0, Outcome::Full);
    fleet.probe(1, Outcome::Full);
    assert_eq!(fleet.choose("").unwrap_err(), Refused::AllFull);
    fleet.balance.overflow = Some(tier(&fleet.loads, 1, &even(Hash, 2..3)));
    assert_eq!(fleet.picks("").1, Why::Overflow);
    // The overflow is not for those that are down.
    let mut fleet = Fleet::new(&[even(Hash, 0..2)]);
    fleet.down(0);
    fleet.down(1);
    fleet.balance.overflow = Some(tier(&fleet.loads, 1, &even(Hash, 2..3)));
    assert_eq!(fleet.picks("").1, Why::FailOpen);
}

#[test]
fn limits_of_contract_and_customer_count_what_is_pending() {
    let mut fleet = Fleet::new(&[even(RoundRobin, 0..2)]);
    fleet.balance.max_sessions = 3;
    (0..3).for_each(|n| _ = fleet.attach(&number(n)).unwrap());
    assert_eq!(fleet.attach("x").unwrap_err(), Refused::ContractFull);
    // Another contract's session counts for the customer.
    fleet.balance.max_sessions = 0;
    fleet.balance.customer_max = 4;
    fleet.occupy(0, 0);
    assert_eq!(fleet.attach("x").unwrap_err(), Refused::CustomerFull);
    fleet.balance.customer_max = 5;
    fleet.attach("x").unwrap();
}

#[test]
fn a_limit_is_overshot_by_less_than_there_are_workers() {
    const WORKERS: u32 = 4;
    for strategy in STRATEGIES {
        let mut fleet = Fleet::new(&[plan(strategy, (0..4).map(|n| (n, 1, 200)))]);
        (fleet.balance.max_sessions, fleet.balance.customer_max) = (700, 700);
        thread::scope(|scope| {
            for worker in 0..WORKERS {
                let fleet = &fleet;
                scope.spawn(move || (0..1_000).for_each(|n| _ = fleet.attach(&number(worker * 1_000 + n))));
            }
        });
        let total = fleet.loads.contract(CONTRACT).total();
        assert!((700..700 + WORKERS).contains(&total), "{strategy:?}: {total}");
        for lns in 0..4 {
            let total = fleet.loads.lns(LnsId(lns)).load.total();
            assert!(total < 200 + WORKERS, "{strategy:?}: LNS {lns} has {total}");
        }
    }
}

#[test]
fn a_device_that_holds_the_last_place_itself_is_served() {
    for strategy in STRATEGIES {
        let mut fleet = Fleet::new(&[plan(strategy, [(0, 1, 2), (1, 1, 2)])]);
        (fleet.balance.max_sessions, fleet.balance.customer_max) = (4, 4);
        let given: Vec<u32> = (0..4).map(|n| fleet.attach(&number(n)).unwrap()).collect();
        fleet.attach("x").unwrap_err();
        fleet.pass(20);
        for (n, lns) in given.iter().enumerate() {
            // Only its own place is free.
            assert_eq!(fleet.attach(&number(n as u32)), Ok(*lns), "{strategy:?}");
        }
        assert_eq!(fleet.loads.contract(CONTRACT).total(), 4);
    }
}

#[test]
fn a_contract_with_one_lns_is_answered_whatever_its_health() {
    let fleet = Fleet::new(&[plan(RoundRobin, [(0, 1, 2)])]);
    assert_eq!(fleet.picks(""), (vec![0], Why::Lone));
    fleet.down(0);
    fleet.fails(0);
    assert_eq!(fleet.picks(""), (vec![0], Why::Lone));
    fleet.probe(0, Outcome::Full);
    assert_eq!(fleet.picks(""), (vec![0], Why::Lone));
    fleet.attach("a").unwrap();
    fleet.attach("b").unwrap();
    assert_eq!(fleet.choose("").unwrap_err(), Refused::AllFull);
    assert_eq!(fleet.attach("a"), Ok(0), "its own place");
    for wanted in [Wanted::Draining, Wanted::Down] {
        fleet.operator(0, wanted);
        assert_eq!(fleet.choose("").unwrap_err(), Refused::NoLns);
    }
    assert_eq!(Fleet::new(&[]).choose("").unwrap_err(), Refused::NoLns);
}

#[test]
fn a_device_keeps_its_lns_where_the_contract_wants_that() {
    let mut fleet = Fleet::new(&[even(RoundRobin, 0..4), even(RoundRobin, 4..5)]);
    assert_eq!(fleet.choose_for(SOURCE, "", had(2)).unwrap().why, Why::Strategy);
    fleet.balance.sticky = Some(Duration::from_secs(60));
    for lns in [2, 3, 2, 4] {
        let chosen = fleet.choose_for(SOURCE, "", had(lns)).unwrap();
        assert_eq!((chosen.picks[0].id.0, chosen.why, chosen.picks.len()), (lns, Why::Sticky, 5), "of any tier");
    }
    assert_eq!(
        fleet.choose_for(SOURCE, "", had(9)).unwrap().why,
        Why::Strategy,
        "it is no LNS of the contract any more"
    );
    // Others' turns go on as if those had not been there.
    assert_eq!(fleet.pick(""), 2);
}

#[test]
fn a_device_that_repeats_itself_gets_the_same_answer() {
    let fleet = Fleet::new(&[even(RoundRobin, 0..4)]);
    let first = fleet.attach("phone").unwrap();
    assert_eq!(fleet.attach("phone"), Ok(first));
    assert_ne!(fleet.attach("another"), Ok(first));
    assert_eq!(fleet.attach("phone"), Ok(first));
    assert_eq!(fleet.loads.contract(CONTRACT).total(), 2);
}
