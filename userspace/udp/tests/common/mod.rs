//! What the tests share: sockets on loopback and buffers to receive into.
#![allow(dead_code, clippy::unwrap_used)]

use std::io;
use std::net::{SocketAddr, UdpSocket};
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
