//! A worker's samples of what it drops.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use sekisho_abi::{Reason, address_bytes, identity};
use sekisho_engine::{
    packet::{Action, Batch, Packet},
    snapshot::RoutingSnapshot,
    time::Time,
};

/// A worker samples so many drops…
const BUDGET: u32 = 25;
/// … in this time.
const PERIOD: Duration = Duration::from_millis(100);
/// So many samples wait to be gathered; more are not taken.
const QUEUE: usize = 4096;
/// Octets of a RADIUS header (RFC 2865 §3), which attributes follow.
const HEADER: usize = 20;

/// One drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Source address.
    pub source: IpAddr,
    /// Domain of the source address; zero where its interface has none.
    pub domain: u32,
    /// Kernel index of the interface.
    pub ifindex: u32,
    /// Why.
    pub reason: Reason,
    /// Keyed hash of the session's identity; zero where it does not matter or was not looked at.
    pub session: u64,
}

/// The queue that workers put samples into. It is allocated at once.
pub fn queue() -> (SyncSender<Sample>, Receiver<Sample>) {
    sync_channel(QUEUE)
}

/// Samples what one worker drops. It never waits, and allocates nothing.
#[derive(Debug)]
pub struct Sampler {
    queue: SyncSender<Sample>,
    /// Key of the sessions' hash.
    seed: [u64; 2],
    budget: u32,
    renewed: Time,
}

impl Sampler {
    /// For one worker. `seed` must not be known outside: who has it can guess at sessions.
    pub fn new(queue: SyncSender<Sample>, seed: [u64; 2]) -> Sampler {
        Sampler { queue, seed, budget: BUDGET, renewed: Time(0) }
    }

    /// Samples the drops of a batch that the engine is done with.
    #[inline]
    pub fn look(&mut self, now: Time, batch: &Batch, snapshot: &Arc<RoutingSnapshot>) {
        for packet in batch.packets() {
            if let Action::Drop(reason) = packet.action {
                self.dropped(now, packet, reason, snapshot);
            }
        }
    }

    #[cold]
    fn dropped(&mut self, now: Time, packet: &Packet, reason: Reason, snapshot: &RoutingSnapshot) {
        if now >= self.renewed + PERIOD {
            (self.budget, self.renewed) = (BUDGET, now);
        }
        if self.budget == 0 {
            return;
        }
        self.budget -= 1;
        let ifindex = packet.path.ifindex;
        let domain = snapshot.ingress(ifindex).map_or(0, |ingress| ingress.domain);
        let source = packet.path.peer.ip();
        let session = match reason {
            Reason::SessionRate => self.session(snapshot, domain, packet),
            _ => 0,
        };
        // Where the queue is full there are samples enough.
        let _ = self.queue.try_send(Sample { source, domain, ifindex, reason, session });
    }

    fn session(&self, snapshot: &RoutingSnapshot, domain: u32, packet: &Packet) -> u64 {
        let address = address_bytes(packet.path.peer.ip());
        let attributes = packet.buf.bytes().get(HEADER..).unwrap_or_default();
        let Some(source) = snapshot.gate.source(domain, address) else { return 0 };
        let found = identity::find(source.identity, attributes).session;
        found.map_or(0, |(kind, value)| identity::session(self.seed, source.id, kind, value))
    }
}

#[cfg(test)]
mod tests {
    use sekisho_abi::{Identity, Ingress, Roles, Source, SourceKey};
    use sekisho_engine::packet::{Path, Socket};

    use super::*;

    /// A batch of `count` packets from one address, all dropped.
    fn batch(count: usize, reason: Reason, octets: &[u8]) -> Batch {
        let mut batch = Batch::default();
        for packet in batch.free_mut().iter_mut().take(count) {
            packet.buf.receive_space()[..octets.len()].copy_from_slice(octets);
            packet.buf.set_received(octets.len());
            let peer = "192.0.2.10:5000".parse().unwrap();
            packet.path = Path { socket: Socket::Service(0), peer, ifindex: 3 };
            packet.action = Action::Drop(reason);
        }
        batch.grow(count);
        batch
    }

    fn snapshot() -> Arc<RoutingSnapshot> {
        let mut snapshot = RoutingSnapshot::default();
        snapshot.ingress_by_interface.insert(3, Ingress { domain: 7, index: 0 });
        let key = SourceKey { domain: 7, address: address_bytes("192.0.2.10".parse().unwrap()) };
        let source = Source { identity: Identity::CLIENT, ..Source::unlimited(Roles::CLIENT, 0) };
        snapshot.gate.sources.insert(key, source);
        Arc::new(snapshot)
    }

    #[test]
    fn a_flood_is_a_few_samples() {
        let (sender, receiver) = queue();
        let mut sampler = Sampler::new(sender, [1, 2]);
        let flood = batch(64, Reason::Unregistered, &[0; 20]);
        for round in 0..1000 {
            sampler.look(Time::from_millis(1 + round), &flood, &snapshot());
        }
        sampler.look(Time::from_millis(2_000), &batch(1, Reason::Unregistered, &[0; 20]), &snapshot());
        let samples: Vec<Sample> = receiver.try_iter().collect();
        assert_eq!(samples.len(), 11 * BUDGET as usize + 1, "eleven periods, and one more");
        let first = samples[0];
        assert_eq!((first.domain, first.ifindex, first.reason, first.session), (7, 3, Reason::Unregistered, 0));
    }

    #[test]
    fn a_session_over_its_limit_is_a_keyed_hash_and_others_have_others() {
        let login = |name: &[u8]| [&[1, 7, 0, 20][..], &[0; 16], &[1, name.len() as u8 + 2], name].concat();
        let hash = |seed, name: &[u8]| {
            let (sender, receiver) = queue();
            let mut sampler = Sampler::new(sender, seed);
            sampler.look(Time(1), &batch(1, Reason::SessionRate, &login(name)), &snapshot());
            receiver.recv().unwrap().session
        };
        assert_ne!(hash([1, 2], b"alice"), 0);
        assert_eq!(hash([1, 2], b"alice"), hash([1, 2], b"alice"));
        assert_ne!(hash([1, 2], b"alice"), hash([1, 2], b"bobby"));
        assert_ne!(hash([1, 2], b"alice"), hash([1, 3], b"alice"));
    }

    #[test]
    fn a_queue_that_nobody_empties_holds_nobody_up() {
        let (sender, receiver) = sync_channel(1);
        let mut sampler = Sampler::new(sender, [1, 2]);
        sampler.look(Time(1), &batch(3, Reason::TooShort, &[0; 20]), &snapshot());
        assert_eq!(receiver.try_iter().count(), 1);
        sampler.look(Time(2), &batch(1, Reason::TooShort, &[0; 20]), &snapshot());
        assert_eq!(receiver.try_iter().count(), 1);
    }
}
