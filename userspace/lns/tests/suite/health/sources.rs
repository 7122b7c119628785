//! Sessions that fail, each source apart.

use std::time::Duration;

use sekisho_lns::{
    SourceId, Time,
    health::{Health, Policy, SoftFailure, SourceChanged, Standing, Wanted},
    l2tp::Outcome,
};

use crate::health::{ANY, USABLE, at};

const LAC: SourceId = SourceId(3);

fn fail(health: &Health, source: SourceId, now: Time) -> Option<SourceChanged> {
    health.soft_failure(now, source, SoftFailure::FailedOver, &Policy::default())
}

/// An LNS that the source avoids from second 104 on.
fn avoided() -> Health {
    let health = Health::default();
    for seconds in 100..104 {
        assert_eq!(fail(&health, LAC, at(seconds)), None);
    }
    let until = at(134);
    let because = SoftFailure::FailedOver;
    assert_eq!(fail(&health, LAC, at(104)), Some(SourceChanged::Avoided { source: LAC, until, because }));
    health
}

fn is_avoided(health: &Health, now: Time) -> bool {
    health.standing(now, LAC) == Standing::Avoided
}

#[test]
fn one_lacs_broken_path_takes_the_lns_from_nobody_else() {
    let health = avoided();
    for seconds in 104..134 {
        assert!(is_avoided(&health, at(seconds)));
        for other in [0, 1, 2, 4, 3 + 64, 1_000] {
            assert_eq!(health.standing(at(seconds), SourceId(other)), USABLE, "source {other}");
        }
    }
}

#[test]
fn failures_add_up_within_a_minute_and_without_a_success_between() {
    let health = Health::default();
    // One each fifteen seconds: never five within sixty.
    for number in 0..40 {
        assert_eq!(fail(&health, LAC, at(100 + number * 15)), None);
    }
    let health = Health::default();
    for number in 0..40 {
        assert_eq!(fail(&health, LAC, at(100 + number)), None);
        if number % 4 == 3 {
            assert_eq!(health.succeeded(LAC), None, "nothing was changed by it");
        }
    }
    // Sliding, not in steps: 50 to 109.
    let health = Health::default();
    for seconds in [1, 50, 80, 100, 105] {
        assert_eq!(fail(&health, LAC, at(seconds)), None);
    }
    assert!(fail(&health, LAC, at(109)).is_some());
}

#[test]
fn the_limit_is_the_policys_and_zero_is_none() {
    for limit in 1..=16 {
        let (health, policy) = (Health::default(), Policy { soft_limit: limit, ..Policy::default() });
        let fail = || health.soft_failure(at(100), LAC, SoftFailure::NoStart, &policy).is_some();
        let count = (1..).find(|_| fail());
        assert_eq!(count, Some(limit));
    }
    let (health, policy) = (avoided(), Policy { soft_limit: 0, ..Policy::default() });
    for _ in 0..100 {
        assert_eq!(health.soft_failure(at(105), LAC, SoftFailure::NoStart, &policy), None);
    }
    assert_eq!(health.standing(at(105), LAC), USABLE);
}

#[test]
fn after_the_back_off_a_trickle_goes_through() {
    let health = avoided();
    let answers = |now: Time| (0..100).filter(|_| !is_avoided(&health, now)).count();
    assert_eq!(answers(Time(at(134).0 - 1)), 0);
    assert_eq!(answers(at(134)), 8, "of a hundred choices at one moment");
    assert_eq!(answers(at(134) + Duration::from_millis(1)), 0);
    assert_eq!(answers(at(134) + Duration::from_millis(999)), 0);
    let of_ten_seconds: usize =
        (135_000..145_000).map(|ms| usize::from(!is_avoided(&health, Time::from_millis(ms)))).sum();
    assert_eq!(of_ten_seconds, 10);
}

#[test]
fn a_failure_of_the_trickle_doubles_the_back_off_up_to_ten_minutes() {
    let health = avoided();
    let mut now = at(134);
    for expected in [60, 120, 240, 480, 600, 600] {
        assert!(!is_avoided(&health, now));
        let Some(SourceChanged::Avoided { until, .. }) = fail(&health, LAC, now) else { panic!("not sent away") };
        assert_eq!(until - now, Duration::from_secs(expected));
        assert_eq!(fail(&health, LAC, now), None, "a failure of a session from before is nothing new");
        assert!(is_avoided(&health, Time(until.0 - 1)));
        now = until;
    }
}

#[test]
fn a_success_ends_it_and_the_next_time_begins_small() {
    let health = avoided();
    fail(&health, LAC, at(140));
    assert_eq!(health.succeeded(LAC), Some(SourceChanged::Cleared { source: LAC }));
    assert_eq!(health.standing(at(141), LAC), USABLE);
    assert_eq!(health.succeeded(LAC), None);
    for seconds in 150..154 {
        assert_eq!(fail(&health, LAC, at(seconds)), None);
    }
    let again = fail(&health, LAC, at(154));
    assert!(matches!(again, Some(SourceChanged::Avoided { until, .. }) if until == at(184)));
}

#[test]
fn what_holds_for_all_goes_before_what_holds_for_one() {
    let health = avoided();
    health.probed(at(105), Outcome::Full, &Policy::default());
    assert_eq!(health.standing(at(106), LAC), Standing::Full);
    health.set_operator(at(107), Some(Wanted::Down));
    assert_eq!(health.standing(at(108), LAC), Standing::Down);
}

#[test]
fn of_more_sources_than_there_is_room_for_the_oldest_is_forgotten_those_not_avoided_first() {
    let health = avoided();
    for source in 100..163 {
        fail(&health, SourceId(source), at(110));
    }
    assert_eq!(health.explain(at(110)).sources.len(), 64);
    fail(&health, SourceId(200), at(111));
    let sources: Vec<u32> = health.explain(at(111)).sources.iter().map(|failing| failing.source.0).collect();
    assert_eq!(sources.len(), 64);
    assert!(sources.contains(&LAC.0) && !sources.contains(&100) && sources.contains(&200));
    assert!(is_avoided(&health, at(111)));
}

#[test]
fn the_operator_sees_whose_sessions_fail() {
    let health = avoided();
    fail(&health, ANY, at(105));
    let sources = health.explain(at(106)).sources;
    assert_eq!((sources[0].source, sources[0].failures, sources[0].avoided_until), (LAC, 5, Some(at(134))));
    assert_eq!((sources[1].source, sources[1].last), (ANY, (at(105), SoftFailure::FailedOver)));
    let later = health.explain(at(200)).sources;
    assert_eq!(later.len(), 1, "a failure of more than a minute ago is history");
}
