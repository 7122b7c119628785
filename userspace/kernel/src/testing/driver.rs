//! Programs to measure the gate with: the floor below it, and one that gives it another frame at each run.
//!
//! A test run repeats its program on one frame, so figures of one frame are all that the gate alone can give: caches warm,
//! and an answered request overwritten by its reply. A driver changes the frame and then goes on into another program by a
//! tail call: the gate, as it is loaded, or the empty program, for what driving costs.

#![allow(unsafe_code)]

use std::{
    ffi::c_long,
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    time::Duration,
};

use super::run::{Ran, action, context};

const BPF_MAP_CREATE: c_long = 0;
const BPF_MAP_UPDATE_ELEM: c_long = 2;
const BPF_PROG_LOAD: c_long = 5;
const BPF_PROG_TEST_RUN: c_long = 10;
const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_MAP_TYPE_PROG_ARRAY: u32 = 3;
const BPF_PROG_TYPE_XDP: u32 = 6;
/// What aya says of the gate. A tail call leads only to a program that says the same.
const BPF_XDP: u32 = 37;
/// The gate takes multi-buffer frames; as above.
const BPF_F_XDP_HAS_FRAGS: u32 = 1 << 5;

/// Helpers of the kernel.
const TAIL_CALL: i32 = 12;
const ADJUST_TAIL: i32 = 65;
const STORE_BYTES: i32 = 190;

/// A program that is loaded and attached to nothing.
pub struct Program {
    descriptor: OwnedFd,
    /// What it calls: the entries of such an array go with its last descriptor, whoever refers to it.
    _calls: Option<OwnedFd>,
}

/// What a driver does to the frame before each run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'c> {
    /// Written in turn, at [`Changes::places`]. As many as a power of two.
    pub keys: &'c [[u8; 4]],
    /// Where, in octets from the frame's start.
    pub places: &'c [usize],
    /// The whole frame is written anew first, at its own length: up to 1,514 octets.
    pub restored: Option<&'c [u8]>,
}

impl Program {
    /// Drops at once: the floor.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn empty() -> io::Result<Program> {
        let descriptor = load(&[instruction(0xb7, 0, 0, 0, 1), instruction(0x95, 0, 0, 0, 0)])?;
        Ok(Program { descriptor, _calls: None })
    }

    /// Changes the frame, then goes on into `target`. The changes begin anew with each driver, not with each test run.
    ///
    /// # Errors
    ///
    /// What the kernel says; [`io::ErrorKind::InvalidInput`] where the number of keys is no power of two, or too large.
    pub fn driver(target: BorrowedFd<'_>, changes: &Changes<'_>) -> io::Result<Program> {
        if !changes.keys.len().is_power_of_two() || changes.keys.len() > 1 << 24 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // Counter, keys, frame.
        let mut memory = vec![0; 8];
        memory.extend(changes.keys.as_flattened());
        let frame_at = memory.len() as i32;
        memory.extend(changes.restored.unwrap_or_default());
        let map = create_map(BPF_MAP_TYPE_ARRAY, memory.len() as u32)?;
        update(&map, memory.as_ptr())?;
        let calls = create_map(BPF_MAP_TYPE_PROG_ARRAY, 4)?;
        update(&calls, target.as_raw_fd().to_ne_bytes().as_ptr())?;

        let mut code = vec![instruction(0xbf, 6, 1, 0, 0)];
        if let Some(frame) = changes.restored {
            let length = frame.len() as i32;
            // bpf_xdp_adjust_tail(ctx, length - (data_end - data))
            code.extend([
                instruction(0x61, 3, 6, 0, 0),
                instruction(0x61, 4, 6, 4, 0),
                instruction(0x1f, 4, 3, 0, 0),
                instruction(0xb7, 2, 0, 0, length),
                instruction(0x1f, 2, 4, 0, 0),
                instruction(0xbf, 1, 6, 0, 0),
                instruction(0x85, 0, 0, 0, ADJUST_TAIL),
            ]);
            // bpf_xdp_store_bytes(ctx, 0, frame, length)
            code.extend([instruction(0xbf, 1, 6, 0, 0), instruction(0xb7, 2, 0, 0, 0)]);
            code.extend(map_value(3, &map, frame_at));
            code.extend([instruction(0xb7, 4, 0, 0, length), instruction(0x85, 0, 0, 0, STORE_BYTES)]);
        }
        // r8: the next key; the counter goes on by one.
        code.extend(map_value(7, &map, 0));
        code.extend([
            instruction(0x79, 8, 7, 0, 0),
            instruction(0xbf, 1, 8, 0, 0),
            instruction(0x07, 1, 0, 0, 1),
            instruction(0x7b, 7, 1, 0, 0),
            instruction(0x57, 8, 0, 0, changes.keys.len() as i32 - 1),
            instruction(0x67, 8, 0, 0, 2),
            instruction(0x0f, 7, 8, 0, 0),
            instruction(0x61, 8, 7, 8, 0),
        ]);
        if let Some(last) = changes.places.iter().max() {
            let skipped = changes.places.len() as i16;
            code.extend([
                instruction(0x61, 2, 6, 0, 0),
                instruction(0x61, 3, 6, 4, 0),
                instruction(0xbf, 1, 2, 0, 0),
                instruction(0x07, 1, 0, 0, *last as i32 + 4),
                instruction(0x2d, 1, 3, skipped, 0),
            ]);
            code.extend(changes.places.iter().map(|place| instruction(0x63, 2, 8, *place as i16, 0)));
        }
        code.push(instruction(0xbf, 1, 6, 0, 0));
        code.extend([instruction(0x18, 2, 1, 0, calls.as_raw_fd()), 0]);
        code.extend([instruction(0xb7, 3, 0, 0, 0), instruction(0x85, 0, 0, 0, TAIL_CALL)]);
        // Only where there is nothing to call: XDP_ABORTED.
        code.extend([instruction(0xb7, 0, 0, 0, 0), instruction(0x95, 0, 0, 0, 0)]);
        Ok(Program { descriptor: load(&code)?, _calls: Some(calls) })
    }

    /// Runs it for a frame as often as asked: what it said the last time, and how long it took on average.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn run(&self, ifindex: u32, frame: &[u8], repeat: u32) -> io::Result<Ran> {
        let context = context(frame.len(), ifindex);
        // prog_fd and retval; data_size_in and _out; data_in; data_out; repeat and duration; ctx_size_in and _out; ctx_in.
        let mut run = [0; 10];
        run[0] = self.descriptor.as_raw_fd() as u64;
        run[1] = frame.len() as u64;
        run[2] = frame.as_ptr() as u64;
        run[4] = u64::from(repeat);
        run[5] = context.len() as u64;
        run[6] = context.as_ptr() as u64;
        bpf(BPF_PROG_TEST_RUN, &mut run)?;
        Ok(Ran { action: action((run[0] >> 32) as u32), duration: Duration::from_nanos(run[4] >> 32) })
    }
}

impl AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// `struct bpf_insn`.
fn instruction(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> u64 {
    let [immediate, offset] = [u64::from(immediate as u32), u64::from(offset as u16)];
    u64::from(code) | u64::from(to & 15) << 8 | u64::from(from & 15) << 12 | offset << 16 | immediate << 32
}

/// Loads the address of a map's only value, plus an offset, into a register.
fn map_value(register: u8, map: &OwnedFd, offset: i32) -> [u64; 2] {
    [instruction(0x18, register, 2, 0, map.as_raw_fd()), instruction(0, 0, 0, 0, offset)]
}

fn load(code: &[u64]) -> io::Result<OwnedFd> {
    let license = c"Apache-2.0 OR MIT";
    // prog_type and insn_cnt; insns; license; log_level and _size; log_buf; kern_version and prog_flags; prog_name (2);
    // prog_ifindex and expected_attach_type.
    let mut load = [0; 16];
    load[0] = u64::from(BPF_PROG_TYPE_XDP) | (code.len() as u64) << 32;
    load[1] = code.as_ptr() as u64;
    load[2] = license.as_ptr() as u64;
    load[5] = u64::from(BPF_F_XDP_HAS_FRAGS) << 32;
    load[8] = u64::from(BPF_XDP) << 32;
    opened(bpf(BPF_PROG_LOAD, &mut load)?)
}

/// A map of one element.
fn create_map(kind: u32, value_size: u32) -> io::Result<OwnedFd> {
    // map_type and key_size; value_size and max_entries.
    let mut create = [u64::from(kind) | 4 << 32, u64::from(value_size) | 1 << 32, 0, 0];
    opened(bpf(BPF_MAP_CREATE, &mut create)?)
}

/// Writes its element, from memory of the size of its values.
fn update(map: &OwnedFd, value: *const u8) -> io::Result<()> {
    let key = 0_u32;
    let mut update = [map.as_raw_fd() as u64, &raw const key as u64, value as u64, 0];
    bpf(BPF_MAP_UPDATE_ELEM, &mut update).map(drop)
}

fn bpf(command: c_long, attributes: &mut [u64]) -> io::Result<c_long> {
    let size = size_of_val(attributes);
    // SAFETY: the attributes are as large as said, zero where not set, and point to octets that outlive the call.
    match unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_mut_ptr(), size) } {
        result if result >= 0 => Ok(result),
        _ => Err(io::Error::last_os_error()),
    }
}

fn opened(descriptor: c_long) -> io::Result<OwnedFd> {
    let descriptor = i32::try_from(descriptor).map_err(io::Error::other)?;
    // SAFETY: the call that returned it has opened it, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
