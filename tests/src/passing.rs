//! An XDP program that lets everything pass, for the far end of a veth pair.
//!
//! A NIC sends what XDP answers (`XDP_TX`) as it sends everything. A veth hands it to its peer's ring, and wakes that peer only
//! if it has a program itself: without one the answer lies there until something else comes by. So a host that is to hear the
//! gate's answers has this one.

use std::ffi::c_long;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// Of linux/bpf.h: commands, the program's type, and where it is attached.
const PROG_LOAD: c_long = 5;
const LINK_CREATE: c_long = 28;
const PROG_TYPE_XDP: u32 = 6;
const ATTACH_XDP: u32 = 37;

/// `r0 = XDP_PASS`, `exit`.
const PROGRAM: [u64; 2] = [0x0000_0002_0000_00b7, 0x0000_0000_0000_0095];
const LICENSE: &[u8; 4] = b"MIT\0";

/// `union bpf_attr` for `BPF_PROG_LOAD`, as far as it is needed; the rest is zero.
#[repr(C)]
#[derive(Default)]
struct Load {
    kind: u32,
    instructions: u32,
    program: u64,
    license: u64,
    log: [u64; 2],
    version_flags: [u32; 2],
    name: [u8; 16],
    ifindex: u32,
    attach: u32,
}

/// The same for `BPF_LINK_CREATE`.
#[repr(C)]
struct Link {
    program: u32,
    ifindex: u32,
    attach: u32,
    flags: u32,
}

/// Attaches the program, natively, to an interface of the calling thread's namespace. It stays as long as the descriptor.
pub(crate) fn attach(ifindex: u32) -> io::Result<OwnedFd> {
    let program = bpf(
        PROG_LOAD,
        &Load {
            kind: PROG_TYPE_XDP,
            instructions: PROGRAM.len() as u32,
            program: PROGRAM.as_ptr() as u64,
            license: LICENSE.as_ptr() as u64,
            attach: ATTACH_XDP,
            ..Load::default()
        },
    )?;
    let descriptor = u32::try_from(program.as_raw_fd()).map_err(io::Error::other)?;
    bpf(LINK_CREATE, &Link { program: descriptor, ifindex, attach: ATTACH_XDP, flags: 0 })
}

#[expect(unsafe_code, reason = "bpf(2) has no safe form")]
fn bpf<T>(command: c_long, attributes: &T) -> io::Result<OwnedFd> {
    // SAFETY: the attributes have the size that is told and the kernel's layout, and the addresses in them are those of constants.
    // Both commands give a descriptor that is nobody else's.
    unsafe {
        let made = libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attributes), size_of::<T>());
        if made < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(i32::try_from(made).map_err(io::Error::other)?))
    }
}
