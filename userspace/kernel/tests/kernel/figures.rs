//! What a packet costs: `cargo test -p sekisho-kernel --test kernel -- --ignored --nocapture figures`.
//!
//! One frame repeated: caches are warm. The floor is a program that drops at once, in the same test run.

use std::time::Duration;

use sekisho_abi::{BucketParams, Limits};
use sekisho_kernel::{
    Gate,
    testing::{Frame, Program, reference},
};

use crate::world::*;

const REPEAT: u32 = 1_000_000;

#[test]
#[ignore = "a measurement"]
fn figures() {
    let gate = gate(&table());
    let floor = floor(&request(STRANGER, AUTH).build());
    println!("floor: {} ns", floor.as_nanos());
    let frames = [
        ("not ours, IPv4", request(STRANGER, "192.0.2.1:53")),
        ("unregistered, IPv4", request(STRANGER, AUTH)),
        ("unregistered, IPv6", request(STRANGER_V6, AUTH_V6)),
        ("registered, IPv4", request(CLIENT, AUTH)),
        ("registered, IPv6", request(CLIENT_V6, AUTH_V6)),
        ("fragment of a stranger, IPv4", request(STRANGER, DEDICATED).fragment(3, false)),
        ("options of a stranger, IPv4", request(STRANGER, AUTH).options(&[1; 4])),
    ];
    let frames = frames.into_iter().chain([("reference packet, no limits", reference_from(CLIENT))]);
    measure(&gate, floor, frames);
    // Limits that are charged and never reached.
    let mut table = table();
    let open = BucketParams { increment: 1, tolerance: u64::MAX / 4 };
    for source in table.sources.values_mut() {
        source.limits = Limits { client: open, session: open, new_session: open };
    }
    let gate = self::gate(&table);
    measure(&gate, floor, [("reference packet, all limits", reference_from(CLIENT))].into_iter());
}

fn measure<'a>(gate: &Gate, floor: Duration, frames: impl Iterator<Item = (&'a str, Frame)>) {
    for (name, frame) in frames {
        let frame = frame.build();
        let best = (0..5).filter_map(|_| gate.run_repeatedly(LO, &frame, REPEAT).ok()).map(|ran| ran.duration).min();
        let best = best.expect("test runs");
        println!("{name}: {} ns, {} above the floor", best.as_nanos(), best.saturating_sub(floor).as_nanos());
    }
}

fn reference_from(from: &str) -> Frame {
    Frame::udp(at(from), at(AUTH), reference())
}

/// The least of five test runs of a program that drops at once.
fn floor(frame: &[u8]) -> Duration {
    let program = Program::empty().unwrap();
    (0..5).map(|_| program.run(LO, frame, REPEAT).unwrap().duration).min().expect("five runs")
}
