//! The socket options that std and socket2 do not have.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::raw::{c_int, c_ushort, c_void};

/// One instruction of classic BPF.
pub(crate) type Instruction = libc::sock_filter;

/// Sets an integer option.
pub(crate) fn set_int(fd: impl AsFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    set(fd, level, name, &value)
}

/// Sets the size of a socket buffer, beyond the system's limit where we may (CAP_NET_ADMIN), else up to that limit.
pub(crate) fn set_buffer(fd: impl AsFd, force: c_int, plain: c_int, octets: usize) -> io::Result<()> {
    let octets = c_int::try_from(octets).unwrap_or(c_int::MAX / 2);
    let fd = fd.as_fd();
    set_int(fd, libc::SOL_SOCKET, force, octets).or_else(|_| set_int(fd, libc::SOL_SOCKET, plain, octets))
}

/// Attaches the classic BPF program that chooses among the sockets of a group.
pub(crate) fn attach_selector(fd: impl AsFd, program: &mut [Instruction]) -> io::Result<()> {
    let length = c_ushort::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    set(fd, libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_CBPF, &program)
}

/// Reads the memory of a socket (SO_MEMINFO), by the kernel's `SK_MEMINFO_*`: what is in the receive queue, and its bound, come first.
pub(crate) fn memory(fd: impl AsFd) -> io::Result<[u32; 9]> {
    let mut words = [0_u32; 9];
    let mut size = size_of_val(&words) as libc::socklen_t;
    let fd = fd.as_fd().as_raw_fd();
    let into = (&raw mut words).cast::<c_void>();
    // SAFETY: the kernel writes at most `size` octets, as many as `words` has; a number is any of them.
    let result = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_MEMINFO, into, &raw mut size) };
    if result == 0 { Ok(words) } else { Err(io::Error::last_os_error()) }
}

fn set<T>(fd: impl AsFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    let size = size_of::<T>() as libc::socklen_t;
    // SAFETY: `value` is a live reference of `size` octets that the kernel only reads; a `sock_fprog` in it points to a
    // slice borrowed by the caller for longer than this call, which the kernel copies.
    let result =
        unsafe { libc::setsockopt(fd.as_fd().as_raw_fd(), level, name, (&raw const *value).cast::<c_void>(), size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
