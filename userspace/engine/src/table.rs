//! The worker's table of requests: duplicates are found here (RFC 5080 §2.2.2).

use std::net::SocketAddr;

use hashbrown::HashTable;
use sekisho_wire::nai::Place as NamePlace;

use crate::{
    edits::WholeName,
    fanout::FanOutId,
    identifiers::Slot,
    random::HashKeys,
    retransmits::Ticket,
    snapshot::{ClientId, HomeId, RealmId},
    store::Stored,
    time::Time,
};

/// What makes two packets the same request to us: the socket they came to, where they came from, and the identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowKey {
    /// Service socket.
    pub service: u16,
    /// Whose address the source address is: customers' networks overlap.
    pub domain: u32,
    /// Source address and port.
    pub peer: SocketAddr,
    /// RADIUS identifier.
    pub id: u8,
}

/// What makes two requests with the same key identical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// RADIUS code.
    pub code: u8,
    /// Request Authenticator.
    pub authenticator: [u8; 16],
    /// RADIUS Length.
    pub length: u16,
    /// Keyed hash of the whole packet: a NAS that repeats authenticators must not get user A's answer for user B.
    pub hash: u64,
}

/// Where a request stands.
#[derive(Debug)]
pub enum State {
    /// Forwarded; the stored bytes are the upstream copy.
    InFlight(Upstream),
    /// A Reject of our own is held back; the stored bytes are that Reject.
    Delayed,
    /// On its way to several pools, the parts of this fan-out; the stored bytes are the answer for when all of them have answered.
    FannedOut(FanOutId),
    /// Not recorded yet; the stored bytes are the answer for when it is.
    Recording,
    /// A hosted account's password is being checked elsewhere; the stored bytes are the request, in whose name the realm was found at
    /// this place.
    Looking(Option<NamePlace>),
    /// Answered; the stored bytes are the reply.
    Answered,
}

/// For whom a request is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// For the client that sent it.
    Client,
    /// For the whole that it is a part of, at this place among the parts.
    Part(Token, u16),
    /// For nobody: a copy of an accounting record.
    Copy,
}

/// The upstream side of a request in flight.
#[derive(Clone, Copy, Debug)]
pub struct Upstream {
    /// Whom it was sent to.
    pub home: HomeId,
    /// Where that is.
    pub address: SocketAddr,
    /// By which port, with which identifier.
    pub slot: Slot,
    /// When this home server first got it.
    pub first_sent: Time,
    /// When it was last sent.
    pub last_sent: Time,
    /// Servers of the pool that were tried: a bit for each place in the pool's list.
    pub tried: u64,
    /// The `response_window` has passed and was reported.
    pub overdue: bool,
    /// It was sent there because that server holds its conversation.
    pub held: bool,
    /// Challenges in its conversation before it.
    pub rounds: u8,
}

/// A request that is in flight, held back, or remembered.
#[derive(Debug)]
pub struct Request {
    /// Which.
    pub key: FlowKey,
    /// Which exactly.
    pub fingerprint: Fingerprint,
    /// Version of the snapshot that it was routed by.
    pub version: u64,
    /// Whose.
    pub client: ClientId,
    /// For whom.
    pub origin: Origin,
    /// It was made with its client's previous secret, and so is its answer.
    pub by_previous: bool,
    /// Only a holder of the secret can have made it.
    pub proven: bool,
    /// Its User-Name, where the home server got less than that.
    pub whole_name: Option<WholeName>,
    /// Routed to; `None` for a request that no realm was found for.
    pub realm: Option<RealmId>,
    /// When it came.
    pub arrived: Time,
    /// When its client has given up.
    pub deadline: Time,
    /// Upstream copy, held Reject, or reply.
    pub bytes: Stored,
    /// The batch that its bytes were last rewritten in: until its end they are unsigned.
    pub batch: u64,
    /// Its repetitions are answered elsewhere.
    pub published: Option<Ticket>,
    /// Where it stands.
    pub state: State,
}

/// A request in the table, by its place; `Table::live` says whether it is still the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Place.
    pub index: u32,
    generation: u32,
}

const CHUNK: usize = 1024;

#[derive(Debug, Default)]
struct Place {
    generation: u32,
    request: Option<Request>,
}

/// Requests by place and by key. Grows in chunks up to a bound, never shrinks.
#[derive(Debug)]
pub struct Table {
    places: Vec<Box<[Place]>>,
    free: Vec<u32>,
    by_key: HashTable<u32>,
    keys: HashKeys,
    len: usize,
}

impl Table {
    /// An empty table, hashing with these keys.
    pub fn new(keys: HashKeys) -> Table {
        Table { places: Vec::new(), free: Vec::new(), by_key: HashTable::new(), keys, len: 0 }
    }

    /// Requests in the table.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The place of the request with this key.
    pub fn find(&self, key: &FlowKey) -> Option<u32> {
        self.by_key.find(self.keys.flow(key), |index| self.at(*index).is_some_and(|found| found.key == *key)).copied()
    }

    /// The request at a place.
    pub fn at(&self, index: u32) -> Option<&Request> {
        self.places.get(index as usize / CHUNK)?[index as usize % CHUNK].request.as_ref()
    }

    /// The request at a place.
    pub fn at_mut(&mut self, index: u32) -> Option<&mut Request> {
        self.places.get_mut(index as usize / CHUNK)?[index as usize % CHUNK].request.as_mut()
    }

    /// A name for the request at this place that does not survive it.
    pub fn token(&self, index: u32) -> Option<Token> {
        let place = &self.places.get(index as usize / CHUNK)?[index as usize % CHUNK];
        Some(Token { index, generation: place.generation })
    }

    /// The place of a token's request, while that is in the table.
    pub fn live(&self, token: Token) -> Option<u32> {
        let place = &self.places.get(token.index as usize / CHUNK)?[token.index as usize % CHUNK];
        (place.generation == token.generation && place.request.is_some()).then_some(token.index)
    }

    /// The place that the next [`Table::insert`] will use.
    pub fn reserve(&mut self) -> u32 {
        if self.free.is_empty() {
            let first = (self.places.len() * CHUNK) as u32;
            self.places.push((0..CHUNK).map(|_| Place::default()).collect());
            self.free.extend((first..first + CHUNK as u32).rev());
            self.free.reserve(self.places.len() * CHUNK - self.free.len());
        }
        self.free.last().copied().unwrap_or(0)
    }

    /// Puts a request at the place that [`Table::reserve`] gave. Its key must not be in the table.
    pub fn insert(&mut self, request: Request) -> u32 {
        let index = self.reserve();
        let Table { places, by_key, keys, .. } = self;
        by_key.insert_unique(keys.flow(&request.key), index, |other| {
            match &places[*other as usize / CHUNK][*other as usize % CHUNK].request {
                Some(request) => keys.flow(&request.key),
                None => 0,
            }
        });
        self.insert_unlisted(request)
    }

    /// As [`Table::insert`], for a request of our own making: no client's packet finds it.
    pub fn insert_unlisted(&mut self, request: Request) -> u32 {
        let index = self.reserve();
        self.free.pop();
        let place = &mut self.places[index as usize / CHUNK][index as usize % CHUNK];
        place.generation = place.generation.wrapping_add(1);
        place.request = Some(request);
        self.len += 1;
        index
    }

    /// Takes a request out.
    pub fn remove(&mut self, index: u32) -> Option<Request> {
        let request = self.places.get_mut(index as usize / CHUNK)?[index as usize % CHUNK].request.take()?;
        if let Ok(entry) = self.by_key.find_entry(self.keys.flow(&request.key), |found| *found == index) {
            entry.remove();
        }
        self.free.push(index);
        self.len -= 1;
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_takes_what_the_page_on_performance_says() {
        // The place, its link in the timers (24), and its share of the index by key (5 at the fullest, 10 at the emptiest).
        let octets = size_of::<Place>() + 24 + 10;
        assert!((200..=300).contains(&octets), "{octets}");
    }
}
