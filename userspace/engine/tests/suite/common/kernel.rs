//! The kernel as it is seen from the engine: what is published there is answered there.

use std::{
    collections::HashMap,
    num::NonZeroU64,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use sekisho_engine::retransmits::{Answer, FlowKey, Retransmits, Ticket};

use super::*;

/// What becomes of a packet in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes up to the engine.
    Passed,
    /// It is a repetition of a request in flight, and is dropped.
    Absorbed,
    /// It is a repetition of an answered one, and gets these octets.
    Answered(Vec<u8>),
}

/// Socket, source and the whole packet: nothing less makes two requests one.
type Identical = (u16, u32, SocketAddr, Vec<u8>);

#[derive(Debug)]
struct Published {
    ticket: Ticket,
    reply: Option<Vec<u8>>,
    until: Time,
}

/// Published requests. It has room for some only, and then gives the oldest's place away.
#[derive(Debug)]
pub struct Kernel {
    room: usize,
    now: AtomicU64,
    tickets: AtomicU64,
    published: Mutex<HashMap<Identical, Published>>,
}

impl Kernel {
    pub fn with_room(room: usize) -> Arc<Kernel> {
        let (now, tickets, published) = (AtomicU64::new(0), AtomicU64::new(1), Mutex::default());
        Arc::new(Kernel { room, now, tickets, published })
    }

    pub fn set_now(&self, now: Time) {
        self.now.store(now.0, Relaxed);
    }

    /// What becomes of this packet, from a source of the first domain.
    pub fn fate(&self, service: u16, peer: SocketAddr, packet: &[u8]) -> Fate {
        let published = self.published.lock().unwrap();
        match published.get(&(service, 0, peer, packet.to_vec())) {
            Some(found) if self.now() < found.until => found.reply.clone().map_or(Fate::Absorbed, Fate::Answered),
            _ => Fate::Passed,
        }
    }

    /// How many requests are published, those too whose time is over.
    pub fn len(&self) -> usize {
        self.published.lock().unwrap().len()
    }

    /// A reload: nothing counts any more.
    pub fn forget(&self) {
        self.published.lock().unwrap().clear();
    }

    fn now(&self) -> Time {
        Time(self.now.load(Relaxed))
    }

    fn entry(&self, answer: Answer<'_>, lasts: Duration) -> Published {
        assert!(lasts > Duration::ZERO && lasts <= Duration::from_secs(30), "{lasts:?}");
        let ticket = Ticket(NonZeroU64::new(self.tickets.fetch_add(1, Relaxed)).unwrap());
        let reply = match answer {
            Answer::InFlight => None,
            Answer::Reply(reply) => {
                assert!(reply.len() <= sekisho_abi::cached::MAX_REPLY);
                Some(reply.to_vec())
            }
        };
        Published { ticket, reply, until: self.now() + lasts }
    }
}

impl Retransmits for Kernel {
    fn publish(&self, flow: &FlowKey, request: &[u8], answer: Answer<'_>, lasts: Duration) -> Option<Ticket> {
        assert!(request.len() <= sekisho_abi::cached::MAX_REQUEST);
        assert_eq!(request[1], flow.id);
        let mut published = self.published.lock().unwrap();
        let identical = (flow.service, flow.domain, flow.peer, request.to_vec());
        assert!(!published.contains_key(&identical), "published twice, and one ticket forgotten");
        if published.len() >= self.room {
            let oldest = published.iter().min_by_key(|(_, one)| one.ticket.0).map(|(key, _)| key.clone())?;
            published.remove(&oldest);
        }
        let entry = self.entry(answer, lasts);
        let ticket = entry.ticket;
        published.insert(identical, entry);
        Some(ticket)
    }

    fn renew(&self, ticket: Ticket, answer: Answer<'_>, lasts: Duration) -> Option<Ticket> {
        let mut published = self.published.lock().unwrap();
        let found = published.values_mut().find(|one| one.ticket == ticket)?;
        *found = self.entry(answer, lasts);
        Some(found.ticket)
    }

    fn withdraw(&self, ticket: Ticket) {
        self.published.lock().unwrap().retain(|_, one| one.ticket != ticket);
    }
}
