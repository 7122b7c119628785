//! A bare relay: datagrams to a home server and back, no RADIUS.
//!
//! Each source (address and port) gets an upstream socket of its own, so that not one octet needs to be changed for a
//! reply to find back: with the same secret on both sides, authenticators stay right. Batches, buffers and system calls
//! are those of the proxy, in one thread; what the relay costs is what the kernel costs.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;

use sekisho_udp::{BATCH, Options, Receiver, Sender, bind};

use crate::stop::{LOOK, Stop};
use crate::wait::Waiter;

/// A relay that listens.
pub struct Relay {
    /// Sockets of ours and the home server's address for each.
    listeners: Vec<(UdpSocket, SocketAddr)>,
}

/// More sources than this are not relayed.
const MAX_SOURCES: usize = 4096;

const BUFFER: usize = 32 << 20;

impl Relay {
    /// Listens on each first address, for the home server at the second.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub fn bind(ways: &[(SocketAddr, SocketAddr)]) -> io::Result<Self> {
        let listeners = ways.iter().map(|(listen, home)| Ok((bind(*listen, &options())?, *home)));
        Ok(Self { listeners: listeners.collect::<io::Result<_>>()? })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When a socket is gone.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(|(socket, _)| socket.local_addr()).collect()
    }

    /// Relays until `stop`.
    ///
    /// # Errors
    /// When a socket fails.
    pub fn run(&self, stop: &Stop) -> io::Result<()> {
        let mut mover = Mover::new();
        let mut upstreams: Vec<Upstream> = Vec::new();
        let mut known: HashMap<(usize, SocketAddr), usize> = HashMap::new();
        while !stop.is_set() {
            let sockets = self.listeners.iter().map(|(socket, _)| socket);
            let all = sockets.chain(upstreams.iter().map(|upstream| &upstream.socket));
            let mut waiter = Waiter::new(all.map(AsFd::as_fd));
            let count = self.listeners.len() + upstreams.len();
            // New sources need a new set to wait for; that is rare.
            let mut grown = Vec::new();
            while grown.is_empty() && !stop.is_set() {
                waiter.wait(LOOK)?;
                for place in (0..count).filter(|place| waiter.is_ready(*place)) {
                    if let Some((socket, home)) = self.listeners.get(place) {
                        let outgoing = mover.receive(socket)?;
                        for index in 0..outgoing {
                            let source = mover.receiver.meta(index).peer;
                            let total = upstreams.len() + grown.len();
                            let way = match known.get(&(place, source)) {
                                Some(way) => *way,
                                None if total >= MAX_SOURCES => continue,
                                None => {
                                    grown.push(Upstream::new(*home, place, source)?);
                                    known.insert((place, source), total);
                                    total
                                }
                            };
                            mover.by_way.push((way, index));
                        }
                        mover.by_way.sort_unstable();
                        mover.send_by_way(|way| {
                            let upstream = upstreams.get(way).or_else(|| grown.get(way - upstreams.len()))?;
                            Some((&upstream.socket, upstream.home))
                        })?;
                    } else if let Some(upstream) = upstreams.get(place - self.listeners.len()) {
                        let incoming = mover.receive(&upstream.socket)?;
                        mover.by_way.extend((0..incoming).map(|index| (0, index)));
                        let listener = self.listeners.get(upstream.listener);
                        mover.send_by_way(|_| listener.map(|(socket, _)| (socket, upstream.source)))?;
                    }
                }
            }
            upstreams.append(&mut grown);
        }
        Ok(())
    }
}

struct Upstream {
    socket: UdpSocket,
    home: SocketAddr,
    /// The place of the listener that the source came to.
    listener: usize,
    source: SocketAddr,
}

impl Upstream {
    fn new(home: SocketAddr, listener: usize, source: SocketAddr) -> io::Result<Self> {
        let any = match home {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        Ok(Self { socket: bind(any, &options())?, home, listener, source })
    }
}

/// Buffers, and the datagrams in them sorted by where they go.
struct Mover {
    receiver: Receiver,
    sender: Sender,
    buffers: Vec<Box<[u8; 4096]>>,
    by_way: Vec<(usize, usize)>,
}

impl Mover {
    fn new() -> Self {
        Self {
            receiver: Receiver::new(),
            sender: Sender::new(),
            buffers: (0..BATCH).map(|_| Box::new([0; 4096])).collect(),
            by_way: Vec::with_capacity(BATCH),
        }
    }

    fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        match self.receiver.recv(socket, self.buffers.iter_mut().map(|buffer| buffer.as_mut_slice())) {
            Ok(count) => Ok(count),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn send_by_way<'a>(&mut self, to: impl Fn(usize) -> Option<(&'a UdpSocket, SocketAddr)>) -> io::Result<()> {
        for datagrams in self.by_way.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((socket, peer)) = datagrams.first().and_then(|(way, _)| to(*way)) else { continue };
            let packets = datagrams.iter().filter_map(|(_, index)| {
                let buffer = self.buffers.get(*index)?;
                Some((buffer.get(..self.receiver.meta(*index).len)?, peer))
            });
            self.sender.send(socket, packets)?;
        }
        self.by_way.clear();
        Ok(())
    }
}

fn options() -> Options {
    Options { receive_buffer: Some(BUFFER), send_buffer: Some(BUFFER), packet_info: true, ..Options::default() }
}
