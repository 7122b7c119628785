//! How full a receive queue is: what tells soonest that a worker does not keep up.

use std::{io, os::fd::AsFd};

use crate::sockopt::memory;

/// A receive queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Octets that what waits in it takes, the kernel's own bookkeeping included. The kernel gives memory back in portions: up to a
    /// quarter of the room may be counted that is free already.
    pub used: u32,
    /// Octets at most: beyond them the kernel drops what comes in.
    pub room: u32,
}

/// Looks at a socket's receive queue (SO_MEMINFO, Linux 4.12). One system call, and no lock that the traffic takes.
///
/// # Errors
/// What the kernel said.
pub fn receive_queue(socket: impl AsFd) -> io::Result<Queue> {
    let [used, room, ..] = memory(socket)?;
    Ok(Queue { used, room })
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_queue_fills_with_what_nobody_reads_and_drains_with_what_is_read() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let empty = receive_queue(&socket).unwrap();
        assert_eq!(empty.used, 0);
        assert!(empty.room > 100_000, "{empty:?}");
        for _ in 0..16 {
            peer.send_to(&[0; 1000], socket.local_addr().unwrap()).unwrap();
        }
        let full = receive_queue(&socket).unwrap();
        assert!(full.used >= 16 * 1000 && full.room == empty.room, "{full:?}");
        let mut buffer = [0; 2000];
        for _ in 0..16 {
            socket.recv(&mut buffer).unwrap();
        }
        assert!(receive_queue(&socket).unwrap().used < full.used);
    }
}
