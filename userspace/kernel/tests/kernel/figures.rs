//! What a packet costs: `cargo test -p sekisho-kernel --test kernel -- --ignored --nocapture figures`.
//!
//! One frame repeated: caches are warm. The floor is a program that drops at once, in the same test run.

use std::{ffi::c_long, time::Duration};

use sekisho_abi::{BucketParams, Limits};
use sekisho_kernel::{Gate, testing::Frame};

use crate::world::*;

const REPEAT: u32 = 1_000_000;
const BPF_PROG_LOAD: c_long = 5;
const BPF_PROG_TEST_RUN: c_long = 10;
const BPF_PROG_TYPE_XDP: u32 = 6;

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
    let frames = frames.into_iter().chain([("reference packet, no limits", reference(CLIENT))]);
    measure(&gate, floor, frames);
    // Limits that are charged and never reached.
    let mut table = table();
    let open = BucketParams { increment: 1, tolerance: u64::MAX / 4 };
    for source in table.sources.values_mut() {
        source.limits = Limits { client: open, session: open, new_session: open };
    }
    let gate = self::gate(&table);
    measure(&gate, floor, [("reference packet, all limits", reference(CLIENT))].into_iter());
}

/// An Access-Request of 14 attributes and 180 octets.
fn reference(from: &str) -> Frame {
    let mut attributes = Vec::new();
    let lengths = [
        (1, 18),
        (2, 18),
        (4, 6),
        (5, 6),
        (6, 6),
        (7, 6),
        (30, 14),
        (31, 14),
        (32, 12),
        (61, 6),
        (44, 16),
        (77, 14),
        (33, 6),
        (80, 18),
    ];
    for (kind, length) in lengths {
        attributes.extend([kind, length]);
        attributes.extend(std::iter::repeat_n(b'a', usize::from(length) - 2));
    }
    let mut packet = radius(1);
    packet.extend(&attributes);
    let length = packet.len() as u16;
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(length, 180);
    Frame::udp(at(from), at(AUTH), packet)
}

fn measure<'a>(gate: &Gate, floor: Duration, frames: impl Iterator<Item = (&'a str, Frame)>) {
    for (name, frame) in frames {
        let frame = frame.build();
        let best = (0..5).filter_map(|_| gate.run_repeatedly(LO, &frame, REPEAT).ok()).map(|ran| ran.duration).min();
        let best = best.expect("test runs");
        println!("{name}: {} ns, {} above the floor", best.as_nanos(), best.saturating_sub(floor).as_nanos());
    }
}

/// The least of five test runs of a program that drops at once.
fn floor(frame: &[u8]) -> Duration {
    // r0 = XDP_DROP; exit
    let program: [u64; 2] = [0x0000_0001_0000_00b7, 0x0000_0000_0000_0095];
    let license = c"GPL";
    // union bpf_attr, as far as BPF_PROG_LOAD needs it: prog_type, insn_cnt, insns, license.
    let mut load = [0_u64; 16];
    load[0] = u64::from(BPF_PROG_TYPE_XDP) | (program.len() as u64) << 32;
    load[1] = program.as_ptr() as u64;
    load[2] = license.as_ptr() as u64;
    let descriptor = bpf(BPF_PROG_LOAD, &mut load);
    let mut durations = (0..5).map(|_| {
        // prog_fd and retval; data_size_in and _out; data_in; data_out; repeat and duration.
        let mut run = [0_u64; 10];
        run[0] = descriptor as u64;
        run[1] = frame.len() as u64;
        run[2] = frame.as_ptr() as u64;
        run[4] = u64::from(REPEAT);
        bpf(BPF_PROG_TEST_RUN, &mut run);
        run[4] >> 32
    });
    Duration::from_nanos(durations.by_ref().min().expect("five runs"))
}

fn bpf(command: c_long, attributes: &mut [u64]) -> c_long {
    let size = size_of_val(attributes);
    // SAFETY: the attributes are as large as said, zero where not set, and point to octets that outlive the call.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_mut_ptr(), size) };
    assert!(result >= 0, "bpf({command}): {}", std::io::Error::last_os_error());
    result
}
