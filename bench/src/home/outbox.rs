//! Replies on their way out: of one batch, or waiting for their time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Replies that go out together. Their memory is kept from batch to batch.
#[derive(Default)]
pub(super) struct Outbox {
    octets: Vec<u8>,
    packets: Vec<(Range<usize>, SocketAddr)>,
}

impl Outbox {
    /// Adds a packet and returns its octets, to be spoiled where that is wanted.
    pub(super) fn push(&mut self, packet: &[u8], peer: SocketAddr) -> &mut [u8] {
        let from = self.octets.len();
        self.octets.extend_from_slice(packet);
        self.packets.push((from..self.octets.len(), peer));
        self.octets.get_mut(from..).unwrap_or_default()
    }

    pub(super) fn packets(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        self.packets.iter().map(|(range, peer)| (self.octets.get(range.clone()).unwrap_or_default(), *peer))
    }

    pub(super) fn clear(&mut self) {
        self.octets.clear();
        self.packets.clear();
    }
}

/// Packets that wait, all for the same time: first in, first out. `S` says by which socket they leave.
pub(super) struct Delayed<S> {
    delay: Duration,
    waiting: VecDeque<(Instant, S, Box<[u8]>, SocketAddr)>,
}

impl<S: Copy + PartialEq> Delayed<S> {
    pub(super) fn new(delay: Duration) -> Self {
        Self { delay, waiting: VecDeque::new() }
    }

    /// Takes over what is in `outbox`.
    pub(super) fn take(&mut self, now: Instant, socket: S, outbox: &mut Outbox) {
        let due = now + self.delay;
        self.waiting.extend(outbox.packets().map(|(packet, peer)| (due, socket, packet.into(), peer)));
        outbox.clear();
    }

    /// Puts what is due into `outbox`, as far as it leaves by one socket, and says by which.
    pub(super) fn due(&mut self, now: Instant, outbox: &mut Outbox) -> Option<S> {
        let socket = self.waiting.front().filter(|(due, ..)| *due <= now)?.1;
        while let Some((due, of, packet, peer)) = self.waiting.pop_front() {
            if due > now || of != socket {
                self.waiting.push_front((due, of, packet, peer));
                break;
            }
            outbox.push(&packet, peer);
        }
        Some(socket)
    }

    /// How long until something is due.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        self.waiting.front().map(|(due, ..)| due.saturating_duration_since(now))
    }
}
