//! The order of a contract's life: what does not fit is refused, with the state and the verbs that do.

use crate::common::*;
use jiff::civil::Date;

const TODAY: Date = date(2027, 1, 10);

/// A contract in each state, on 10 January 2027.
fn states() -> Vec<(State, Desk)> {
    let applied = || {
        let mut desk = Desk::new();
        desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)])));
        desk
    };
    let after = |events: Vec<Event>| {
        let mut desk = applied();
        for event in events {
            desk.record(event);
        }
        desk.on(TODAY);
        desk
    };
    let first = date(2027, 1, 1);
    let accept = || accepted("acme-d", first, None);
    let mut suspended_one = after(vec![accept(), started("acme-d", first)]);
    suspended_one.record(suspended("acme-d", TODAY));
    vec![
        (State::Applied, after(vec![])),
        (State::Accepted, after(vec![accept()])),
        (State::Testing, after(vec![accepted("acme-d", first, Some(first))])),
        (State::Serving, after(vec![accept(), started("acme-d", first)])),
        (State::Cancelling, after(vec![accept(), started("acme-d", first), cancelled("acme-d", first, None)])),
        (State::Suspended, suspended_one),
        (State::Ended, after(vec![accept(), started("acme-d", first), by("acme-d", first, None, Ground::General28_3)])),
        (State::EndedByOperator, after(vec![accept(), ended("acme-d", first)])),
        (State::Rejected, after(vec![rejected("acme-d", first)])),
        (State::Withdrawn, after(vec![withdrawn("acme-d", first)])),
    ]
}

#[test]
fn each_verb_is_accepted_in_its_states_and_refused_in_all_others_with_the_state_and_what_fits() {
    use State::*;
    let verbs: [(&str, Event, &[State]); 9] = [
        ("accept", accepted("acme-d", TODAY, None), &[Applied]),
        ("reject", rejected("acme-d", TODAY), &[Applied]),
        ("withdraw", withdrawn("acme-d", TODAY), &[Applied, Accepted, Testing]),
        ("start", started("acme-d", TODAY), &[Accepted, Testing]),
        ("suspend", suspended("acme-d", TODAY), &[Testing, Serving, Cancelling]),
        ("resume", resumed("acme-d", TODAY), &[Suspended]),
        ("cancel", cancelled("acme-d", TODAY, None), &[Serving, Suspended]),
        ("end", ended("acme-d", TODAY), &[Accepted, Testing, Serving, Cancelling, Suspended]),
        (
            "confirm",
            confirmed("acme-d", "lns", "2027-01-09T00:00:00Z".parse().unwrap()),
            &[Applied, Accepted, Testing, Serving, Cancelling, Suspended],
        ),
    ];
    for (state, desk) in states() {
        assert_eq!(desk.standing("acme-d", TODAY).state, state);
        for (verb, event, fits) in &verbs {
            let admitted = desk.book.admit(&desk.next(vec![event.clone()]));
            assert_eq!(admitted.is_ok(), fits.contains(&state), "{verb} in {state}: {:?}", admitted.err());
            let Err(refusals) = admitted else { continue };
            let line = refusals.to_string();
            assert!(line.contains("acme-d") && line.contains("To be acceptable: "), "{line}");
        }
    }
}

#[test]
fn the_refusal_of_a_verb_says_the_state_and_the_verbs_that_fit() {
    let desk = &states()[8].1;
    let (rule, article, line) = desk.refused(vec![accepted("acme-d", TODAY, None)]);
    assert_eq!((rule, article), (Rule::Life, "Art. 10"));
    assert_eq!(
        line,
        "life, Art. 10, contract acme-d: it cannot be accepted: it is rejected. To be acceptable: apply for a new contract under \
         a new name."
    );
}

#[test]
fn facts_may_be_of_the_past_and_not_before_what_they_follow() {
    let mut desk = Desk::new();
    desk.on(date(2027, 1, 5)).record(document(date(2027, 1, 5), terms("acme", vec![vpdn("acme-d", Item::D)])));
    desk.on(date(2027, 1, 20));
    for event in [
        accepted("acme-d", date(2027, 1, 4), None),
        rejected("acme-d", date(2027, 1, 4)),
        withdrawn("acme-d", date(2027, 1, 4)),
        accepted("acme-d", date(2027, 1, 21), None),
        rejected("acme-d", date(2027, 1, 21)),
        withdrawn("acme-d", date(2027, 1, 21)),
        accepted("acme-d", date(2027, 1, 10), Some(date(2027, 1, 9))),
    ] {
        assert_eq!(desk.refused(vec![event.clone()]).0, Rule::Life, "{event:?}");
    }
    desk.record(accepted("acme-d", date(2027, 1, 10), Some(date(2027, 1, 10))));
    assert!(desk.refused(vec![ended("acme-d", date(2027, 1, 9))]).2.contains("before it was accepted on 2027-01-10"));
}

#[test]
fn a_test_window_is_served_until_billing_starts_and_not_billed() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)])));
    desk.record(accepted("acme-d", date(2027, 1, 1), Some(date(2027, 1, 5)))).confirm("acme-d");
    desk.record(started("acme-d", date(2027, 1, 10)));
    assert_eq!(desk.standing("acme-d", date(2027, 1, 4)).state, State::Accepted);
    let testing = desk.standing("acme-d", date(2027, 1, 5));
    assert_eq!((testing.state, testing.served), (State::Testing, true));
    assert_eq!(desk.standing("acme-d", date(2027, 1, 10)).state, State::Serving);
    assert_eq!(desk.book.contract("acme-d").unwrap().billed().unwrap().from, date(2027, 1, 10));
}

#[test]
fn a_suspended_contract_is_not_served_and_billed_on() {
    let mut desk = with_proxy();
    desk.record(suspended("acme-proxy", date(2027, 1, 10))).record(resumed("acme-proxy", date(2027, 1, 20)));
    assert!(desk.served("acme-proxy", date(2027, 1, 9)));
    let standing = desk.standing("acme-proxy", date(2027, 1, 10));
    assert_eq!((standing.state, standing.served), (State::Suspended, false));
    assert!(!desk.served("acme-proxy", date(2027, 1, 19)) && desk.served("acme-proxy", date(2027, 1, 20)));
    assert!(desk.book.contract("acme-proxy").unwrap().billed().unwrap().contains(date(2027, 1, 15)));
    // Suspended and cancelled, it ends on its last day.
    desk.on(date(2027, 1, 25)).record(suspended("acme-proxy", date(2027, 1, 25)));
    assert!(desk.refused(vec![suspended("acme-proxy", date(2027, 1, 26))]).2.contains("resume it first"));
    desk.record(cancelled("acme-proxy", date(2027, 1, 25), None));
    assert_eq!(desk.standing("acme-proxy", date(2027, 2, 24)).state, State::Suspended);
    assert_eq!(desk.standing("acme-proxy", date(2027, 2, 25)).state, State::Ended);
}

#[test]
fn what_never_was_suspends_and_resumes_nothing() {
    let mut desk = with_proxy();
    desk.record(suspended("acme-proxy", date(2027, 1, 10))).record(resumed("acme-proxy", date(2027, 1, 10)));
    assert!(desk.served("acme-proxy", date(2027, 1, 10)));
    desk.on(date(2027, 1, 20));
    assert!(desk.refused(vec![suspended("acme-proxy", date(2027, 1, 19))]).2.contains("before today"));
}

#[test]
fn an_unknown_contract_is_named() {
    for event in [accepted("nobodys", TODAY, None), cancelled("nobodys", TODAY, None), ended("nobodys", TODAY)] {
        let (rule, _, line) = Desk::new().refused(vec![event]);
        assert_eq!(rule, Rule::Names);
        assert!(line.contains("contract nobodys: there is no such contract"), "{line}");
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_nothing_is_admitted() {
    let desk = with_proxy();
    let before = desk.book.last();
    let (_, _, lines) = desk.refused(vec![
        accepted("acme-nas", date(2027, 1, 1), None),
        cancelled("acme-nas", date(2027, 1, 1), None),
        accepted("acme-proxy", date(2027, 1, 1), None),
        cancelled("nobodys", date(2027, 1, 1), None),
    ]);
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert_eq!(desk.book.last(), before);
}

#[test]
fn numbers_only_rise() {
    let desk = with_proxy();
    let mut entries = desk.next(vec![suspended("acme-proxy", date(2027, 1, 1))]);
    entries[0].number = 1;
    assert!(desk.book.admit(&entries).is_err());
}
