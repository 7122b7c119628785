//! Requests that are being repeated, from the engine into the kernel's reach.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use sekisho_abi::{address_bytes, cached::Flow};
use sekisho_engine::retransmits::{Answer, FlowKey, Retransmits, Ticket};
use sekisho_kernel::Publisher;

/// The gate's [`Publisher`], as engines want it.
pub struct Publishing {
    publisher: Publisher,
    /// Our addresses and ports, by the places of their sockets.
    services: Vec<SocketAddr>,
    published: Published,
}

/// How many have been published, by what their repetitions get. All workers count here: only what is repeated does.
#[derive(Debug, Default)]
struct Published {
    in_flight: AtomicU64,
    replies: AtomicU64,
    withdrawn: AtomicU64,
}

impl Publishing {
    /// `services` are in the order of [`sekisho_engine::Settings::services`].
    pub fn new(publisher: Publisher, services: Vec<SocketAddr>) -> Publishing {
        Publishing { publisher, services, published: Published::default() }
    }

    /// How often requests were published as in flight and with their reply, and how often one was withdrawn.
    pub fn counts(&self) -> [(&'static str, u64); 3] {
        let Published { in_flight, replies, withdrawn } = &self.published;
        let counts = [("in_flight", in_flight), ("reply", replies), ("withdrawn", withdrawn)];
        counts.map(|(what, count)| (what, count.load(Relaxed)))
    }

    fn count(&self, answer: Answer<'_>) {
        let counter = match answer {
            Answer::InFlight => &self.published.in_flight,
            Answer::Reply(_) => &self.published.replies,
        };
        counter.fetch_add(1, Relaxed);
    }

    /// Makes the kernel forget all of it.
    pub fn flush(&self) {
        self.publisher.flush();
    }

    fn flow(&self, flow: &FlowKey) -> Option<Flow> {
        let ours = self.services.get(usize::from(flow.service))?;
        Some(Flow {
            source: address_bytes(flow.peer.ip()),
            destination: address_bytes(ours.ip()),
            domain: flow.domain,
            source_port: flow.peer.port(),
            destination_port: ours.port(),
        })
    }
}

/// The flow of a request whose ticket tells its place already.
const KNOWN: Flow = Flow { source: [0; 16], destination: [0; 16], domain: 0, source_port: 0, destination_port: 0 };

impl Retransmits for Publishing {
    fn publish(&self, flow: &FlowKey, request: &[u8], answer: Answer<'_>, lasts: Duration) -> Option<Ticket> {
        let flow = self.flow(flow)?;
        self.publisher
            .publish(None, &flow, Some(request), reply(answer), lasts)
            .map(ticket)
            .inspect(|_| self.count(answer))
    }

    fn renew(&self, ticket: Ticket, answer: Answer<'_>, lasts: Duration) -> Option<Ticket> {
        let place = Some(sekisho_kernel::Ticket(ticket.0));
        self.publisher
            .publish(place, &KNOWN, None, reply(answer), lasts)
            .map(self::ticket)
            .inspect(|_| self.count(answer))
    }

    fn withdraw(&self, ticket: Ticket) {
        self.publisher.withdraw(sekisho_kernel::Ticket(ticket.0));
        self.published.withdrawn.fetch_add(1, Relaxed);
    }
}

/// Without what is published: that is subscribers'.
impl std::fmt::Debug for Publishing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publishing").field("services", &self.services).finish_non_exhaustive()
    }
}

fn reply(answer: Answer<'_>) -> Option<&[u8]> {
    match answer {
        Answer::InFlight => None,
        Answer::Reply(reply) => Some(reply),
    }
}

fn ticket(sekisho_kernel::Ticket(number): sekisho_kernel::Ticket) -> Ticket {
    Ticket(number)
}
