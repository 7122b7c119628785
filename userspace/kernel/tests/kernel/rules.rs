//! One test a rule, by BPF test runs.

use sekisho_abi::{Outcome, Reason};

use crate::world::*;

const PASSED: Outcome = Outcome::Passed;
const NOT_OURS: Outcome = Outcome::NotOurs;

fn dropped(reason: Reason) -> Outcome {
    Outcome::Dropped(reason)
}

#[test]
fn a_registered_client_passes() {
    let gate = gate(&table());
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).build()), PASSED);
    assert_eq!(outcome(&gate, &request(CLIENT_V6, AUTH_V6).build()), PASSED);
}

#[test]
fn an_unregistered_source_is_dropped() {
    let gate = gate(&table());
    assert_eq!(outcome(&gate, &request(STRANGER, AUTH).build()), dropped(Reason::Unregistered));
    assert_eq!(outcome(&gate, &request(STRANGER_V6, AUTH_V6).build()), dropped(Reason::Unregistered));
}

#[test]
fn figures() {
    let gate = gate(&table());
    println!("verified instructions: {}", gate.verified_instructions().unwrap());
    for (name, frame) in [
        ("stranger", request(STRANGER, AUTH)),
        ("client", request(CLIENT, AUTH)),
        ("stranger6", request(STRANGER_V6, AUTH_V6)),
        ("client6", request(CLIENT_V6, AUTH_V6)),
        ("not ours", request(CLIENT, "192.0.2.1:53")),
    ] {
        for _ in 0..3 {
            println!("{name}: {:?}", gate.run_repeatedly(LO, &frame.build(), 1_000_000).unwrap());
        }
    }
}
