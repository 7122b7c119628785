//! Sessions that would get another LNS if they came now.

use sekisho_lns::{LnsId, balance::Strategy, health::Wanted, l2tp::Outcome, sessions::Report};

use crate::balance::fleet::*;

/// A session of this device's starts on this LNS.
fn start(fleet: &Fleet, lns: u32, device: u32) {
    let key = |label: &str| fleet.sessions.key(&[label.as_bytes(), &device.to_be_bytes()]);
    let report = Report {
        source: SOURCE,
        nas: None,
        session: key("session"),
        bearer: None,
        last: false,
        device: Some(key("device")),
        contract: CONTRACT,
        customer: CUSTOMER,
        lns: Some(LnsId(lns)),
        user: b"",
        number: b"",
        framed_ip: None,
        handle: None,
        event: 1_800_000_000,
        session_time: None,
        session_timeout: None,
        interim: None,
        sticky: None,
    };
    fleet.sessions.start(fleet.now, &report);
}

/// So many sessions on each of these LNSs.
fn fill(fleet: &Fleet, sessions: &[(u32, u32)]) {
    for (lns, count) in sessions {
        (0..*count).for_each(|n| start(fleet, *lns, lns * 1_000 + n));
    }
}

fn misplaced(fleet: &Fleet) -> Option<u32> {
    fleet.balance.misplaced(fleet.now).map(|found| found.lns.id.0)
}

#[test]
fn where_everybody_has_its_share_none_is_to_move() {
    for strategy in [Strategy::RoundRobin, Strategy::LeastSessions] {
        let fleet = Fleet::new(&[plan(strategy, [(0, 2, 0), (1, 1, 0)])]);
        fill(&fleet, &[(0, 200), (1, 100)]);
        assert_eq!(misplaced(&fleet), None);
        fill(&fleet, &[(0, 208)]);
        assert_eq!(misplaced(&fleet), None, "a few more even out by themselves");
    }
}

#[test]
fn one_with_more_than_its_share_gives_until_it_has_it() {
    let fleet = Fleet::new(&[even(Strategy::LeastSessions, 0..3)]);
    fill(&fleet, &[(0, 100), (1, 100)]);
    assert!(matches!(misplaced(&fleet), Some(0 | 1)), "the third has come back");
    fill(&fleet, &[(2, 100)]);
    assert_eq!(misplaced(&fleet), None);
}

#[test]
fn one_that_drains_gives_all_and_first() {
    let fleet = Fleet::new(&[even(Strategy::RoundRobin, 0..3)]);
    fill(&fleet, &[(0, 100), (1, 3)]);
    fleet.operator(1, Wanted::Draining);
    let found = fleet.balance.misplaced(fleet.now).unwrap();
    assert!(found.lns.id == LnsId(1) && found.is(b"whoever"));
}

#[test]
fn a_lower_tier_gives_back_when_the_first_has_room_again() {
    let fleet = Fleet::new(&[even(Strategy::RoundRobin, 0..1), even(Strategy::RoundRobin, 1..2)]);
    fill(&fleet, &[(1, 5)]);
    assert_eq!(misplaced(&fleet), Some(1));
    fleet.down(0);
    assert_eq!(misplaced(&fleet), None, "the lower tier is where they belong now");
    fleet.probe(0, Outcome::Up);
    assert_eq!(misplaced(&fleet), Some(1));
}

#[test]
fn by_hash_only_those_move_whose_key_is_another_ones() {
    let fleet = Fleet::new(&[even(Strategy::Hash, 0..3)]);
    fill(&fleet, &[(0, 100), (1, 100)]);
    let found = fleet.balance.misplaced(fleet.now).unwrap();
    let moves = (0..300).map(number).filter(|key| found.is(key.as_bytes()));
    for key in moves {
        assert_ne!(fleet.pick(&key), found.lns.id.0, "it would come back to where it was");
    }
    let stays = (0..300).map(number).filter(|key| !found.is(key.as_bytes())).count();
    assert!((50..150).contains(&stays), "{stays}");
}

#[test]
fn where_nobody_else_can_take_them_all_stay() {
    let fleet = Fleet::new(&[even(Strategy::RoundRobin, 0..2)]);
    fill(&fleet, &[(0, 100)]);
    fleet.operator(0, Wanted::Draining);
    fleet.down(1);
    assert_eq!(misplaced(&fleet), None);
}
