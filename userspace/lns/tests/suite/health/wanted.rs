//! The operator's word, the document's, and the probes'.

use sekisho_lns::{
    health::{Changed, Health, Policy, Reason, Standing, State, Wanted},
    l2tp::Outcome,
};

use crate::health::{ANY, USABLE, at, is_usable};

fn probe(health: &Health, outcome: Outcome, seconds: impl IntoIterator<Item = u64>) {
    for second in seconds {
        health.probed(at(second), outcome, &Policy::default());
    }
}

#[test]
fn the_command_goes_before_the_document_until_it_is_taken_back() {
    let health = Health::default();
    let down = health.set_document(at(1), Wanted::Down).unwrap();
    assert_eq!(down, Changed { from: State::Unknown, to: State::Down, reason: Reason::Document(Wanted::Down) });
    let up = health.set_operator(at(2), Some(Wanted::Up)).unwrap();
    assert_eq!((up.from, up.to), (State::Down, State::Unknown));
    assert!(is_usable(&health, at(3)));
    assert_eq!((health.operator(), health.wanted()), (Some(Wanted::Up), Wanted::Up));
    assert_eq!(health.set_document(at(4), Wanted::Draining), None, "a reload does not take a command back");
    let back = health.set_operator(at(5), None).unwrap();
    assert_eq!((back.to, back.reason), (State::Draining, Reason::Document(Wanted::Draining)));
    assert_eq!((health.operator(), health.wanted()), (None, Wanted::Draining));
    assert_eq!(health.explain(at(6)).reason.to_string(), "its state in the customer's document is draining");
}

#[test]
fn no_probe_brings_back_what_is_to_be_down_and_a_dead_one_does_not_drain() {
    let health = Health::default();
    health.set_operator(at(1), Some(Wanted::Down));
    probe(&health, Outcome::Up, [20, 40, 60]);
    assert_eq!(health.standing(at(61), ANY), Standing::Down);
    health.set_operator(at(70), Some(Wanted::Draining));
    assert_eq!(health.standing(at(70), ANY), Standing::Draining);
    probe(&health, Outcome::Silent, [80, 100, 120]);
    assert_eq!(health.standing(at(120), ANY), Standing::Down);
    probe(&health, Outcome::Full, [140, 160]);
    assert_eq!(health.standing(at(160), ANY), Standing::Draining, "the operator's word, not the LNS's");
    assert_eq!(health.standing(at(1_000_000), ANY), Standing::Draining, "which does not expire");
    let up = health.set_operator(at(170), None).unwrap();
    assert_eq!(up.to, State::Full, "that was true all the time");
}

#[test]
fn what_is_wanted_is_told_apart_from_what_probes_find() {
    let health = Health::default();
    probe(&health, Outcome::Up, [20]);
    probe(&health, Outcome::Silent, [40, 60, 80]);
    assert_eq!((health.standing(at(80), ANY), health.wanted()), (Standing::Down, Wanted::Up));
}

#[test]
fn coming_back_from_draining_is_a_slow_start() {
    let health = Health::default();
    health.set_document(at(0), Wanted::Up);
    assert_eq!(health.standing(at(1), ANY), USABLE);
    health.set_operator(at(2), Some(Wanted::Draining));
    health.set_operator(at(64), None);
    assert_eq!(health.standing(at(64), ANY), Standing::Usable { since: Some(at(64)) });
}
