//! The drivers that figures are measured with do what they say.

use sekisho_abi::{Outcome, Reason};
use sekisho_kernel::testing::{Action, Changes, Program, reference, reference_value};

use crate::world::*;

/// Where an IPv4 source address stands in an untagged frame.
const SOURCE: usize = 26;

#[test]
fn a_driven_gate_judges_each_frame_by_its_key() {
    let gate = gate(&table());
    let frame = sekisho_kernel::testing::Frame::udp(at(STRANGER), at(AUTH), reference()).build();
    let keys = [CLIENT, STRANGER, CLIENT, CLIENT].map(|source| octets(source).last_chunk().copied().unwrap());
    let session = frame.len() - reference().len() + reference_value(44).unwrap();
    let changes = Changes { keys: &keys, places: &[SOURCE, session], restored: None };
    let driver = Program::driver(gate.descriptor().unwrap(), &changes).unwrap();
    let ran = driver.run(LO, &frame, 400).unwrap();
    assert_eq!(ran.action, Action::Pass);
    let counters = gate.counters().unwrap();
    assert_eq!(counters.get(Outcome::Passed), 300);
    assert_eq!(counters.get(dropped(Reason::Unregistered)), 100);
    assert_eq!(counters.get(Outcome::Seen), 400);
}

#[test]
fn a_restored_frame_has_its_own_length_at_each_run() {
    let gate = gate(&table());
    let whole = request(CLIENT, AUTH).build();
    let changes = Changes { keys: &[[0; 4]], places: &[], restored: Some(&whole) };
    let driver = Program::driver(gate.descriptor().unwrap(), &changes).unwrap();
    for frame in [request(STRANGER, AUTH).trailer(40).build(), whole[..20].to_vec()] {
        assert_eq!(driver.run(LO, &frame, 100).unwrap().action, Action::Pass);
    }
    assert_eq!(gate.counters().unwrap().get(Outcome::Passed), 200);
}

#[test]
fn keys_that_are_no_power_of_two_are_refused() {
    let empty = Program::empty().unwrap();
    for keys in [&[][..], &[[0; 4]; 3]] {
        let changes = Changes { keys, places: &[], restored: None };
        assert!(Program::driver(std::os::fd::AsFd::as_fd(&empty), &changes).is_err());
    }
}
