//! System calls that no crate at hand has.

#![allow(unsafe_code)]

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use rustix::net::{AddressFamily, SocketType};

const BPF_OBJ_GET: libc::c_int = 7;
const BPF_LINK_DETACH: libc::c_int = 34;

/// The first fields of `union bpf_attr` for `BPF_OBJ_GET`: pathname, bpf_fd, file_flags.
#[repr(C)]
struct ObjectAttributes {
    path: u64,
    descriptor: u32,
    flags: u32,
}

/// Those for `BPF_LINK_DETACH`: link_fd.
#[repr(C)]
struct DetachAttributes {
    link: u32,
}

/// Detaches the link that is pinned there, whoever else holds it (Linux 5.9).
pub(crate) fn detach_link(path: &Path) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut get = ObjectAttributes { path: path.as_ptr() as u64, descriptor: 0, flags: 0 };
    let descriptor = bpf(BPF_OBJ_GET, &mut get)?;
    // SAFETY: the descriptor was just opened, and belongs to nobody else.
    let link = unsafe { OwnedFd::from_raw_fd(descriptor) };
    bpf(BPF_LINK_DETACH, &mut DetachAttributes { link: link.as_raw_fd() as u32 }).map(|_| ())
}

fn bpf<T>(command: libc::c_int, attributes: &mut T) -> io::Result<libc::c_int> {
    // SAFETY: the attributes are as long as said, and what they point to outlives the call, which writes to neither.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as libc::c_int) }
}

/// The MTU of an interface: octets of an IP packet that it takes.
pub(crate) fn mtu(interface: &str) -> io::Result<usize> {
    let mut request = about(interface)?;
    // SAFETY: SIOCGIFMTU takes an ifreq and writes its integer.
    unsafe { ask(libc::SIOCGIFMTU as _, &mut request)? };
    // SAFETY: that is the field that the call has written.
    Ok(usize::try_from(unsafe { request.ifr_ifru.ifru_mtu }).unwrap_or(0))
}

/// `struct ethtool_drvinfo`: the command, the driver's name, and what does not matter here.
#[repr(C)]
struct Driver {
    command: u32,
    name: [u8; 32],
    others: [u32; 40],
}

const ETHTOOL_GDRVINFO: u32 = 3;
const SIOCETHTOOL: libc::Ioctl = 0x8946;

/// Whether an interface is one end of a virtual Ethernet pair.
pub(crate) fn is_veth(interface: &str) -> bool {
    let Ok(mut request) = about(interface) else { return false };
    let mut driver = Driver { command: ETHTOOL_GDRVINFO, name: [0; 32], others: [0; 40] };
    request.ifr_ifru.ifru_data = (&raw mut driver).cast();
    // SAFETY: SIOCETHTOOL takes an ifreq with a pointer to what the command writes, which is as long as the kernel's.
    let asked = unsafe { ask(SIOCETHTOOL, &mut request) };
    asked.is_ok() && driver.name.starts_with(b"veth\0")
}

/// A question about an interface.
fn about(interface: &str) -> io::Result<libc::ifreq> {
    // SAFETY: an all-zero ifreq is a valid one.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // One octet stays zero: the name's end.
    let room = request.ifr_name.len() - 1;
    if interface.len() > room {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (to, from) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *to = from as libc::c_char;
    }
    Ok(request)
}

/// # Safety
///
/// The call must take an ifreq, and write to nothing that is not its own.
unsafe fn ask(call: libc::Ioctl, request: &mut libc::ifreq) -> io::Result<()> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    // SAFETY: the caller's.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), call, &raw mut *request) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
