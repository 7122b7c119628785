//! Rise and fall, to the probe.

use std::time::Duration;

use sekisho_lns::{
    Time,
    health::{Changed, Health, Policy, Reason, RefusedIs, Standing, State},
    l2tp::Outcome::{self, Draining, Full, Silent, Up, WrongSecret},
};

use crate::health::{ANY, REFUSED, USABLE, at, is_usable};

/// Every twenty seconds.
fn policy() -> Policy {
    Policy::default()
}

/// Outcomes by letter, twenty seconds apart, and the state after each: U S F D R W, and ? u r f d x for unknown, up, refusing,
/// full, draining, down.
fn states(policy: &Policy, outcomes: &str) -> String {
    let health = Health::default();
    let mut states = String::new();
    for (number, letter) in (1..).zip(outcomes.chars()) {
        let now = at(number * 20);
        let before = health.state(now);
        let changed = health.probed(now, outcome(letter), policy);
        let state = health.state(now);
        assert_eq!(changed.map(|changed| (changed.from, changed.to)), (state != before).then_some((before, state)));
        assert_eq!(health.explain(now).state, state);
        assert!(crate::health::state_of(health.standing(now, ANY)).contains(&state));
        states.push(match state {
            State::Unknown => '?',
            State::Up => 'u',
            State::Refusing => 'r',
            State::Full => 'f',
            State::Draining => 'd',
            State::Down => 'x',
        });
    }
    states
}

fn outcome(letter: char) -> Outcome {
    match letter {
        'U' => Up,
        'S' => Silent,
        'F' => Full,
        'D' => Draining,
        'R' => REFUSED,
        'W' => WrongSecret,
        _ => panic!("{letter}"),
    }
}

#[test]
fn rise_and_fall_are_exact() {
    let cases = [
        ("SSSSSSSS", "????????", "an LNS that never answered is not dead"),
        ("SSSU", "???u", "one success is enough to know it"),
        ("USS", "uuu", "two silent probes are not three"),
        ("USSS", "uuux", "three are"),
        ("USSUSSUSS", "uuuuuuuuu", "in a row"),
        ("USSSUSU", "uuuxxxx", "up after two in a row"),
        ("USSSUU", "uuuxxu", ""),
        ("USSSUUSSUSSS", "uuuxxuuuuuux", ""),
        ("USSSUSUSUSUS", "uuuxxxxxxxxx", "an LNS that flaps stays down"),
        ("USUSUSUS", "uuuuuuuu", "or up"),
        ("UFU", "ufu", "it knows itself whether it is full"),
        ("F", "f", ""),
        ("DU", "du", ""),
        ("DSSS", "dddx", "shut down as it said"),
        ("FSSF", "ffff", "full until it says otherwise"),
        ("USSSFF", "uuuxxf", "a full one is alive"),
        ("USSSDD", "uuuxxd", ""),
        ("URU", "uru", "a refusal is an answer"),
        ("RRRR", "rrrr", ""),
        ("WSSS", "rrrx", ""),
        ("USSSRW", "uuuxxr", ""),
    ];
    for (outcomes, expected, why) in cases {
        assert_eq!(states(&policy(), outcomes), expected, "{outcomes}: {why}");
    }
}

#[test]
fn where_a_refusal_is_death_it_takes_as_many_as_silence() {
    let policy = Policy { refused: RefusedIs::Down, ..policy() };
    let cases = [
        ("RRR", "rrx", "an answer: no need to have known it before"),
        ("WRW", "rrx", ""),
        ("SSRSSRS", "??rrrrr", "silence still says nothing"),
        ("SSRSRSR", "??rrrrx", ""),
        ("URSR", "urrx", "then it does"),
        ("URRURR", "urrurr", ""),
        ("RRRUU", "rrxxu", ""),
    ];
    for (outcomes, expected, why) in cases {
        assert_eq!(states(&policy, outcomes), expected, "{outcomes}: {why}");
    }
}

#[test]
fn rise_and_fall_are_those_of_the_policy() {
    let with = |rise, fall| Policy { rise, fall, ..policy() };
    assert_eq!(states(&with(1, 1), "USUSSUU"), "uxuxxuu");
    assert_eq!(states(&with(3, 2), "USSUUSUUU"), "uuxxxxxxu");
    assert_eq!(states(&with(0, 0), "USU"), "uxu", "zero is one");
}

#[test]
fn slow_start_begins_when_it_comes_up_and_only_then() {
    let health = Health::default();
    let probe = |seconds, outcome| {
        health.probed(at(seconds), outcome, &policy());
        health.standing(at(seconds), ANY)
    };
    assert_eq!(health.standing(at(0), ANY), USABLE);
    assert_eq!(probe(20, Up), USABLE, "unknown before, and used");
    assert_eq!(probe(40, Full), Standing::Full);
    assert_eq!(probe(60, Up), USABLE, "a full one is not empty when it has room again");
    for seconds in [80, 100, 120] {
        probe(seconds, Silent);
    }
    assert_eq!(probe(140, Up), Standing::Down);
    let since = |seconds| Standing::Usable { since: Some(at(seconds)) };
    assert_eq!(probe(160, Up), since(160));
    assert_eq!(probe(180, Up), since(160));
    assert_eq!(probe(200, Draining), Standing::Draining);
    assert_eq!(probe(220, REFUSED), since(220));
}

#[test]
fn what_it_says_of_itself_holds_for_three_intervals_if_probes_stop() {
    for (outcome, excluded) in [(Full, Standing::Full), (Draining, Standing::Draining)] {
        let health = Health::default();
        health.probed(at(10), Up, &policy());
        health.probed(at(100), outcome, &policy());
        let end = at(160);
        assert_eq!(health.standing(Time(end.0 - 1), ANY), excluded);
        assert!(is_usable(&health, end), "seen without anybody's doing");
        assert_eq!((health.state(end), health.explain(end).state), (State::Unknown, State::Unknown));
        let changed = health.refresh(at(170)).unwrap();
        assert_eq!((changed.to, changed.reason), (State::Unknown, Reason::Expired));
        assert_eq!(health.explain(at(170)).since, Some(end));
        assert_eq!(health.refresh(at(180)), None);
        assert!(is_usable(&health, at(180)));
        assert_eq!(health.probed(at(190), Up, &policy()).unwrap().from, State::Unknown);
    }
}

#[test]
fn a_silent_probe_renews_what_it_said() {
    let health = Health::default();
    health.probed(at(100), Draining, &policy());
    health.probed(at(150), Silent, &policy());
    assert_eq!(health.standing(at(200), ANY), Standing::Draining);
}

#[test]
fn what_is_no_longer_probed_is_unknown_again() {
    let health = Health::default();
    for (seconds, outcome) in [(20, Up), (40, Silent), (60, Silent), (80, Silent)] {
        health.probed(at(seconds), outcome, &policy());
    }
    let changed = health.no_longer_probed(at(100)).unwrap();
    assert_eq!(changed, Changed { from: State::Down, to: State::Unknown, reason: Reason::NotProbed });
    assert!(matches!(health.standing(at(100), ANY), Standing::Usable { since: Some(_) }), "it comes back");
    for seconds in [120, 140, 160, 180] {
        assert_eq!(health.probed(at(seconds), Silent, &policy()), None, "as in the beginning");
    }
    assert_eq!(health.explain(at(180)).reason, Reason::Untested);
    assert_eq!(Health::default().no_longer_probed(at(1)), None);
}

#[test]
fn the_operator_reads_why_and_what_to_do() {
    let health = Health::default();
    let says = |seconds| health.explain(at(seconds)).reason.to_string();
    assert_eq!(says(1), "no probe has been answered yet: it is used as if it were up");
    health.probed(at(20), Up, &policy());
    assert_eq!(says(21), "it opens tunnels");
    health.probed(at(40), REFUSED, &policy());
    health.probed(at(60), REFUSED, &policy());
    assert_eq!(
        says(61),
        "it refuses the probe's tunnel: we are not authorized (StopCCN result 4, error 0), 2 probes in a row: let it accept \
         tunnels from this node's address and host name"
    );
    let explained = health.explain(at(61));
    assert_eq!((explained.misconfigured, explained.since), (Some(REFUSED), Some(at(40))));
    health.probed(at(80), WrongSecret, &policy());
    assert_eq!(
        says(81),
        "it has another tunnel password than we have, or none: give both sides the same tunnel password"
    );
    for seconds in [100, 120, 140, 160] {
        health.probed(at(seconds), Silent, &policy());
    }
    assert_eq!(says(161), "it does not answer, 3 probes in a row");
    let explained = health.explain(at(161));
    assert_eq!(explained.last_probe, Some((at(160), Silent)));
    let counted = explained.probes;
    assert_eq!((counted.bad_in_a_row, counted.answered, counted.unanswered), (4, 4, 4));
    health.probed(at(180), Up, &policy());
    assert_eq!(health.explain(at(181)).misconfigured, None);
}

#[test]
fn the_longest_interval_does_not_overflow() {
    let policy = Policy { interval: Duration::MAX, ..policy() };
    let health = Health::default();
    health.probed(at(1), Full, &policy);
    assert_eq!(health.standing(at(1_000_000), ANY), Standing::Full);
}
