//! What the tests share: sockets on loopback and buffers to receive into.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::Duration;

use sekisho_udp::{BATCH, Meta, Options, Receiver};

/// Both loopback addresses, port 0.
pub const LOOPBACKS: [&str; 2] = ["127.0.0.1:0", "[::1]:0"];

/// A socket that waits for at most a second, with the ingress interface.
pub fn waiting(address: &str) -> (UdpSocket, SocketAddr) {
    let options = Options { nonblocking: false, ..Options::default() };
    let socket = sekisho_udp::bind(address.parse().unwrap(), &options).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Receives one batch into buffers of `room` octets.
pub fn receive(receiver: &mut Receiver, socket: &UdpSocket, room: usize) -> io::Result<Vec<(Vec<u8>, Meta)>> {
    let mut buffers = vec![vec![0_u8; room]; BATCH];
    let count = receiver.recv(socket, buffers.iter_mut().map(Vec::as_mut_slice))?;
    Ok((0..count).map(|i| (buffers[i][..receiver.meta(i).len].to_vec(), receiver.meta(i))).collect())
}

/// Runs `f` in a network namespace of its own, which only root gets.
pub fn in_a_namespace<T: Send + 'static>(f: fn() -> T) -> T {
    std::thread::spawn(move || {
        // SAFETY: unshare takes flags only; a thread of its own moves to the new namespace, and ends with it.
        let moved = unsafe { libc::unshare(libc::CLONE_NEWNET) } == 0;
        assert!(moved, "this test needs root, for a network namespace: {}", io::Error::last_os_error());
        f()
    })
    .join()
    .unwrap()
}

/// Runs `ip` with `arguments`, which have no blanks in them.
pub fn ip(arguments: &str) {
    assert!(Command::new("ip").args(arguments.split(' ')).status().unwrap().success(), "ip {arguments}");
}

/// Has the kernel hand `socket` what passed the stack together as one message (UDP_GRO).
pub fn set_udp_gro(socket: &UdpSocket) {
    let on = 1_i32;
    let size = size_of_val(&on) as libc::socklen_t;
    // SAFETY: the kernel reads `size` octets of an integer that outlives the call.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_UDP, libc::UDP_GRO, (&raw const on).cast(), size) };
    assert_eq!(result, 0, "UDP_GRO: {}", io::Error::last_os_error());
}
