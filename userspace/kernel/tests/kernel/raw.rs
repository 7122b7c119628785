//! Frames sent out of an interface as they are.

use std::{
    fs::File,
    os::fd::{AsRawFd, FromRawFd},
    process::Command,
    time::{Duration, Instant},
};

use crate::world::*;

/// A socket that sends whole frames out of one interface.
pub struct Raw {
    socket: File,
    address: libc::sockaddr_ll,
}

impl Raw {
    pub fn new(interface: &str) -> Raw {
        // SAFETY: a system call without pointers.
        let descriptor = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        assert!(descriptor >= 0, "{}", std::io::Error::last_os_error());
        // SAFETY: the descriptor was just opened and belongs to nobody else.
        let socket = unsafe { File::from_raw_fd(descriptor) };
        // SAFETY: an all-zero sockaddr_ll is a valid one.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = index(interface) as i32;
        Raw { socket, address }
    }

    /// Sends a frame; where the interface's queue is full it may be lost.
    pub fn send(&self, frame: &[u8]) {
        let address = (&raw const self.address).cast();
        let length = size_of_val(&self.address) as u32;
        // SAFETY: frame and address are as long as said and outlive the call.
        let sent =
            unsafe { libc::sendto(self.socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0, address, length) };
        let error = std::io::Error::last_os_error();
        assert!(sent == frame.len() as isize || error.raw_os_error() == Some(libc::ENOBUFS), "{error}");
    }
}

/// Makes a pair of interfaces that are each other's far end.
pub fn veth(near: &str, far: &str) {
    ip(&format!("link add {near} type veth peer name {far}"));
}

/// Sets an interface up and waits until it carries frames: until then it silently drops them.
pub fn up(interfaces: &[&str]) {
    for interface in interfaces {
        ip(&format!("link set {interface} up"));
    }
    let carries = |interface: &&str| {
        let output = Command::new("ip").args(["-o", "link", "show", "dev", *interface]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().contains("state UP")
    };
    assert!(eventually(|| interfaces.iter().all(carries)));
}

/// Whether it becomes true within two seconds.
pub fn eventually(condition: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_secs(2);
    while Instant::now() < deadline {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    condition()
}
