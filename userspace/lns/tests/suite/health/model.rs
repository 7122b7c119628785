//! Any history, beside a model that is too simple to be wrong.

use proptest::prelude::*;
use sekisho_lns::{
    Time,
    health::{Health, Policy, RefusedIs, Wanted},
    l2tp::Outcome,
};

use crate::health::{ANY, REFUSED, state_of};

#[derive(Clone, Debug)]
enum Input {
    Probed(Outcome),
    Unprobed,
    Document(Wanted),
    Operator(Option<Wanted>),
}

fn input() -> impl Strategy<Value = Input> {
    let wanted = prop_oneof![Just(Wanted::Up), Just(Wanted::Draining), Just(Wanted::Down)];
    let outcome = prop_oneof![
        4 => Just(Outcome::Up),
        4 => Just(Outcome::Silent),
        1 => Just(Outcome::Full),
        1 => Just(Outcome::Draining),
        1 => Just(REFUSED),
        1 => Just(Outcome::WrongSecret),
    ];
    prop_oneof![
        12 => outcome.prop_map(Input::Probed),
        1 => Just(Input::Unprobed),
        1 => wanted.clone().prop_map(Input::Document),
        1 => proptest::option::of(wanted).prop_map(Input::Operator),
    ]
}

/// Good and bad probes of a history, as the policy has it.
fn is_good(outcome: Outcome, policy: &Policy) -> bool {
    match outcome {
        Outcome::Silent => false,
        outcome => !outcome.is_misconfiguration() || policy.refused == RefusedIs::Up,
    }
}

/// Whether a history of probes ends dead: looked at from its beginning, each time anew.
fn is_dead(probes: &[Outcome], policy: &Policy) -> bool {
    let (mut dead, mut row) = (None, Vec::new());
    for outcome in probes {
        if dead.is_none() && *outcome == Outcome::Silent {
            continue;
        }
        let good = is_good(*outcome, policy);
        if row.last().is_some_and(|last| *last != good) {
            row.clear();
        }
        row.push(good);
        dead = match dead {
            None if good => Some(false),
            None | Some(false) if !good && row.len() >= policy.fall as usize => Some(true),
            Some(true) if good && row.len() >= policy.rise as usize => Some(false),
            unchanged => unchanged,
        };
    }
    dead == Some(true)
}

proptest! {
    #[test]
    fn the_state_is_that_of_the_history(
        inputs in proptest::collection::vec(input(), 1..60),
        rise in 1u32..4,
        fall in 1u32..4,
        refused in prop_oneof![Just(RefusedIs::Up), Just(RefusedIs::Down)],
    ) {
        let policy = Policy { rise, fall, refused, ..Policy::default() };
        let health = Health::default();
        let (mut probes, mut document, mut operator) = (Vec::new(), Wanted::Up, None);
        let mut state = health.state(Time(0));
        for (number, input) in (1..).zip(inputs) {
            let now = Time::from_millis(number * 1_000);
            let changed = match input {
                Input::Probed(outcome) => {
                    probes.push(outcome);
                    health.probed(now, outcome, &policy)
                }
                Input::Unprobed => {
                    probes.clear();
                    health.no_longer_probed(now)
                }
                Input::Document(wanted) => {
                    document = wanted;
                    health.set_document(now, wanted)
                }
                Input::Operator(wanted) => {
                    operator = wanted;
                    health.set_operator(now, wanted)
                }
            };
            let after = health.state(now);
            prop_assert_eq!(changed.map(|changed| (changed.from, changed.to)), (after != state).then_some((state, after)));
            state = after;

            let said = probes.iter().rev().find(|outcome| **outcome != Outcome::Silent);
            let expected = match (operator.unwrap_or(document), is_dead(&probes, &policy), said) {
                (Wanted::Down, ..) | (_, true, _) => "down",
                (Wanted::Draining, ..) => "draining",
                (_, _, None) => "unknown",
                (_, _, Some(Outcome::Refused(_) | Outcome::WrongSecret)) => "refusing",
                (_, _, Some(said)) => said.name(),
            };
            prop_assert_eq!(state.name(), expected);
            prop_assert!(state_of(health.standing(now, ANY)).contains(&state));
            prop_assert_eq!(health.explain(now).state, state);
        }
    }
}
