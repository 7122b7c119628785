//! Packets on their way through the engine, in batches.

use std::net::{Ipv4Addr, SocketAddr};

use sekisho_abi::Reason;
use sekisho_wire::buf::Buf;

/// How many packets a batch holds: as many as one `recvmmsg` brings.
pub const BATCH: usize = 64;

/// One of our sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Socket {
    /// A service socket, by its place in [`crate::Settings::services`].
    Service(u16),
    /// A socket toward home servers.
    Upstream(UpstreamPort),
}

/// One of a worker's ports toward home servers; all servers of its family share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpstreamPort {
    /// IPv6 rather than IPv4.
    pub v6: bool,
    /// Counts from zero in each family.
    pub index: u16,
}

/// Where a packet came from, or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// Our socket.
    pub socket: Socket,
    /// The other end.
    pub peer: SocketAddr,
    /// Index of the interface that a received packet came in by; 0 on the way out.
    pub ifindex: u32,
}

/// What is to be done with a packet of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: the engine has taken what it needs.
    Hold,
    /// Send the buffer's bytes.
    Send(Path),
    /// Nothing: dropped, and counted already.
    Drop(Reason),
}

/// A packet: bytes with room on both sides, where it came from, and what becomes of it.
#[derive(Debug)]
pub struct Packet {
    /// The datagram; after the engine, what is to be sent.
    pub buf: Buf,
    /// Where it came from.
    pub path: Path,
    /// Set by the engine.
    pub action: Action,
}

/// A fixed number of packets, of which the first [`Batch::len`] are in use. Buffers are never given back.
#[derive(Debug)]
pub struct Batch {
    packets: Box<[Packet]>,
    len: usize,
}

impl Default for Batch {
    fn default() -> Batch {
        let unset = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let path = Path { socket: Socket::Service(0), peer: unset, ifindex: 0 };
        Batch { packets: (0..BATCH).map(|_| Packet { buf: Buf::new(), path, action: Action::Hold }).collect(), len: 0 }
    }
}

impl Batch {
    /// Packets in use.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no packet is in use.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all packets.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// The packets in use.
    pub fn packets(&self) -> &[Packet] {
        &self.packets[..self.len]
    }

    /// The packets in use.
    pub fn packets_mut(&mut self) -> &mut [Packet] {
        &mut self.packets[..self.len]
    }

    /// The packets not in use, to be filled and then added with [`Batch::grow`].
    pub fn free_mut(&mut self) -> &mut [Packet] {
        &mut self.packets[self.len..]
    }

    /// Takes the next `n` packets (at most those left) into use.
    pub fn grow(&mut self, n: usize) {
        self.len = (self.len + n).min(self.packets.len());
    }
}
