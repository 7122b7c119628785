//! A million sources: they fit, they are found, they change one by one, and it is known what they take.

use std::collections::HashSet;

use sekisho_abi::{Outcome, Reason, Roles, Source, SourceKey, mapped_v4};
use sekisho_kernel::{Diff, Gate, GateOptions, GateTable, Mode};

use crate::world::*;

const MILLION: u32 = 1 << 20;

fn address(number: u32) -> [u8; 4] {
    (0x0a00_0000 + number).to_be_bytes()
}

fn from(number: u32) -> String {
    let [a, b, c, d] = address(number);
    format!("{a}.{b}.{c}.{d}:1")
}

fn million() -> GateTable {
    let mut table = table();
    let key = |number| SourceKey { domain: DOMAIN, address: mapped_v4(address(number)) };
    let source = |number| Source::unlimited(Roles::CLIENT, number);
    table.sources = (0..MILLION).map(|number| (key(number), source(number))).collect();
    table
}

#[test]
fn a_million_sources_are_loaded_found_and_changed_one_by_one() {
    let table = million();
    let options = GateOptions { mode: Mode::Generic, max_sources: MILLION, ..GateOptions::default() };
    let begun = std::time::Instant::now();
    let mut gate = opened(Gate::open(&options, &table));
    println!("loaded in {:?}", begun.elapsed());
    for number in (0..MILLION).step_by(9973).chain([MILLION - 1]) {
        assert_eq!(outcome(&gate, &request(&from(number), AUTH).build()), Outcome::Passed, "{number}");
    }
    assert_eq!(outcome(&gate, &request(&from(MILLION), AUTH).build()), dropped(Reason::Unregistered));

    let mut other = table;
    let begun = std::time::Instant::now();
    other.sources.remove(&SourceKey { domain: DOMAIN, address: mapped_v4(address(77)) });
    assert_eq!(gate.add(&other).unwrap(), Diff::default());
    assert_eq!(gate.remove(&HashSet::new()).unwrap(), Diff { removed: 1, ..Diff::default() });
    println!("one removed in {:?}", begun.elapsed());
    assert_eq!(outcome(&gate, &request(&from(77), AUTH).build()), dropped(Reason::Unregistered));
    assert_eq!(outcome(&gate, &request(&from(78), AUTH).build()), Outcome::Passed);

    // Documented: 320 octets a source, with a contract each.
    let of_sources = |(name, _): &(&str, u64)| ["SOURCE_TAGS", "SOURCES", "CLIENTS"].contains(name);
    let octets: u64 = gate.memory().into_iter().filter(of_sources).map(|(_, octets)| octets).sum();
    assert!(octets <= 320 * u64::from(MILLION), "{octets}");
}
