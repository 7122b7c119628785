//! Requests that userspace publishes, for the kernel to absorb or answer their repetitions.
//!
//! Any worker may write any slot: whoever makes its sequence number odd has it, everybody else gives up. The kernel's program
//! reads a slot between two looks at its sequence number, and passes the packet where it was written meanwhile.

use std::{
    mem::offset_of,
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
            fence,
        },
    },
    time::Duration,
};

use rustix::time::ClockId;
use sekisho_abi::{
    cached::{self, ANSWERED, FREE, Flow, IN_FLIGHT, MAX_REPLY, MAX_REQUEST, WAYS},
    halves,
    header::HEADER_LEN,
    settings::Settings,
};

use crate::{maps::ReplyWords, memory::Shared};

/// Publishes requests and their replies. Cheap to clone; one for each worker. It takes no lock and no system call.
#[derive(Clone)]
pub struct Publisher {
    settings: Arc<Shared<Settings<AtomicU64>>>,
    tags: Arc<Shared<cached::Tags<AtomicU64>>>,
    slots: Arc<Shared<ReplyWords>>,
    max_reply: usize,
    injected_clock: bool,
}

/// A published request: void once something else has taken its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub NonZeroU64);

/// Bits of a ticket that tell the slot; the others are the low ones of the sequence number.
const PLACE_BITS: u32 = 24;

/// A slot's words.
const SEQUENCE: usize = word(offset_of!(cached::Slot<u64>, sequence));
const STATE: usize = word(offset_of!(cached::Slot<u64>, state));
const UNTIL: usize = word(offset_of!(cached::Slot<u64>, until));
const EPOCH: usize = word(offset_of!(cached::Slot<u64>, epoch));
const DIGEST: usize = word(offset_of!(cached::Slot<u64>, digest));
const AUTHENTICATOR: usize = word(offset_of!(cached::Slot<u64>, authenticator));
const REPLY: usize = word(offset_of!(cached::Slot<u64>, reply));
const OCTETS: usize = word(offset_of!(cached::Slot<u64>, octets));

const fn word(offset: usize) -> usize {
    offset / 8
}

/// A slot whose sequence number we made odd, and which others leave alone until it is even again.
struct Held<'s> {
    words: &'s ReplyWords,
    place: usize,
    /// The odd one.
    sequence: u64,
}

impl Publisher {
    pub(crate) fn new(
        settings: Arc<Shared<Settings<AtomicU64>>>,
        tags: Arc<Shared<cached::Tags<AtomicU64>>>,
        slots: Arc<Shared<ReplyWords>>,
        max_reply: usize,
        injected_clock: bool,
    ) -> Publisher {
        Publisher { settings, tags, slots, max_reply: max_reply.min(MAX_REPLY), injected_clock }
    }

    /// Publishes a request, as in flight (no reply yet) or answered, for this long.
    ///
    /// `place` is what an earlier call for the same request gave; while that is valid `request` is not needed. `request` is the
    /// whole packet up to its Length. Nothing is published, and what was is withdrawn, where the request or the reply is too
    /// long; nothing either while another worker writes the same slot.
    pub fn publish(
        &self,
        place: Option<Ticket>,
        flow: &Flow,
        request: Option<&[u8]>,
        reply: Option<&[u8]>,
        lasts: Duration,
    ) -> Option<Ticket> {
        if reply.is_some_and(|reply| reply.len() > self.max_reply || reply.len() < HEADER_LEN) {
            place.into_iter().for_each(|place| self.withdraw(place));
            return None;
        }
        let settings = self.settings.first()?;
        // Read first: what is flushed while it is written must not come back.
        let epoch = settings.epoch.load(Acquire);
        let until = self.now(settings).saturating_add(u64::try_from(lasts.as_nanos()).unwrap_or(u64::MAX));
        let held = match place.and_then(|place| self.hold_again(place)) {
            Some(held) if held.load(EPOCH) == epoch => held,
            Some(stale) => {
                self.drop_tag(&stale);
                stale.release(FREE);
                return self.publish(None, flow, request, reply, lasts);
            }
            None => self.claim(settings, epoch, flow, request?)?,
        };
        held.store(UNTIL, until);
        held.store(EPOCH, epoch);
        let state = match reply {
            Some(reply) => {
                held.write(reply);
                ANSWERED
            }
            None => IN_FLIGHT,
        };
        held.release(state)
    }

    /// The request is no longer what the kernel takes it for.
    pub fn withdraw(&self, ticket: Ticket) {
        if let Some(held) = self.hold_again(ticket) {
            self.drop_tag(&held);
            held.release(FREE);
        }
    }

    /// Withdraws everything: after a change of secrets, contracts or clients.
    pub fn flush(&self) {
        flush(&self.settings);
    }

    /// The longest reply that can be published, in octets.
    pub fn max_reply(&self) -> usize {
        self.max_reply
    }

    /// The slot of a ticket, if it still is what the ticket is for.
    fn hold_again(&self, Ticket(ticket): Ticket) -> Option<Held<'_>> {
        let place = (ticket.get() & ((1 << PLACE_BITS) - 1)) as usize;
        let words = self.slots.get(place)?;
        let sequence = words.get(SEQUENCE)?.load(Acquire);
        (sequence << PLACE_BITS == ticket.get() >> PLACE_BITS << PLACE_BITS).then_some(())?;
        hold(words, place, sequence)
    }

    /// A slot for a request that has none, with what tells the request.
    fn claim(&self, settings: &Settings<AtomicU64>, epoch: u64, flow: &Flow, request: &[u8]) -> Option<Held<'_>> {
        let (head, authenticator) = parts(request)?;
        let seed = settings.seed.each_ref().map(|word| word.load(Relaxed));
        let flow = flow.words();
        let tag = cached::tag(seed[0], &flow, head);
        let set = cached::set_of(tag, self.tags.len() as u32) as usize;
        let tags = self.tags.get(set)?;
        let way = self.way(set, tags, tag, epoch, self.now(settings))?;
        let place = set * WAYS + way;
        let words = self.slots.get(place)?;
        let held = hold(words, place, words.get(SEQUENCE)?.load(Acquire))?;
        held.store(DIGEST, cached::digest(seed, &flow, request));
        let [first, second] = halves(&authenticator);
        held.store(AUTHENTICATOR, first);
        held.store(AUTHENTICATOR + 1, second);
        // Who finds the tag now finds the slot being written.
        tags.get(way)?.store(tag, Release);
        Some(held)
    }

    /// The same tag's place, else an empty one, else one that answers no more, else the one that will be the first to.
    fn way(&self, set: usize, tags: &cached::Tags<AtomicU64>, tag: u64, epoch: u64, now: u64) -> Option<usize> {
        let held = tags.each_ref().map(|tag| tag.load(Relaxed));
        let ends = |way: &usize| {
            let slot = self.slots.get(set * WAYS + way);
            let is_of_now = slot.is_some_and(|slot| load(slot, EPOCH) == epoch);
            slot.filter(|_| is_of_now).map_or(0, |slot| load(slot, UNTIL)).max(now)
        };
        let same = held.iter().position(|other| *other == tag);
        let empty = || held.iter().position(|other| *other == 0);
        same.or_else(empty).or_else(|| (0..WAYS).min_by_key(ends))
    }

    fn drop_tag(&self, held: &Held<'_>) {
        let tag = self.tags.get(held.place / WAYS).and_then(|tags| tags.get(held.place % WAYS));
        if let Some(tag) = tag {
            tag.store(0, Release);
        }
    }

    /// Nanoseconds of `CLOCK_MONOTONIC`, as the kernel's program reads it.
    fn now(&self, settings: &Settings<AtomicU64>) -> u64 {
        if self.injected_clock {
            return settings.clock.load(Acquire);
        }
        let now = rustix::time::clock_gettime(ClockId::Monotonic);
        (now.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(now.tv_nsec as u64)
    }
}

impl<'s> Held<'s> {
    fn load(&self, word: usize) -> u64 {
        load(self.words, word)
    }

    fn store(&self, word: usize, value: u64) {
        if let Some(word) = self.words.get(word) {
            word.store(value, Relaxed);
        }
    }

    fn write(&self, reply: &[u8]) {
        self.store(REPLY, cached::reply_word(reply.len(), cached::sum(reply)));
        let (words, rest) = reply.as_chunks::<8>();
        for (at, octets) in (OCTETS..).zip(words) {
            self.store(at, u64::from_ne_bytes(*octets));
        }
        let mut last = [0; 8];
        if let Some(last) = last.get_mut(..rest.len()) {
            last.copy_from_slice(rest);
        }
        if !rest.is_empty() {
            self.store(OCTETS + words.len(), u64::from_ne_bytes(last));
        }
    }

    /// The slot is whole from now on.
    fn release(self, state: u64) -> Option<Ticket> {
        self.store(STATE, state);
        let sequence = self.sequence.wrapping_add(1);
        self.words.get(SEQUENCE)?.store(sequence, Release);
        NonZeroU64::new(sequence << PLACE_BITS | self.place as u64).map(Ticket)
    }
}

/// Everything that is published is forgotten.
pub(crate) fn flush(settings: &Shared<Settings<AtomicU64>>) {
    if let Some(settings) = settings.first() {
        settings.epoch.fetch_add(1, AcqRel);
    }
}

/// Slots that a process was writing when it ended are free again. Nobody else may write.
pub(crate) fn repair(slots: &Shared<ReplyWords>) {
    for (place, words) in slots.iter().enumerate() {
        let Some(sequence) = words.first().map(|word| word.load(Acquire)).filter(|sequence| sequence & 1 != 0) else {
            continue;
        };
        Held { words, place, sequence }.release(FREE);
    }
}

/// Makes an even sequence number odd, before anything else is written.
fn hold(words: &ReplyWords, place: usize, sequence: u64) -> Option<Held<'_>> {
    let odd = sequence.wrapping_add(1);
    let word = words.get(SEQUENCE).filter(|_| sequence & 1 == 0)?;
    word.compare_exchange(sequence, odd, AcqRel, Relaxed).ok()?;
    fence(Release);
    Some(Held { words, place, sequence: odd })
}

fn load(words: &ReplyWords, word: usize) -> u64 {
    words.get(word).map_or(0, |word| word.load(Relaxed))
}

/// First four octets and Request Authenticator of a request that can be published: its Length is its length.
fn parts(request: &[u8]) -> Option<([u8; 4], [u8; 16])> {
    let (head, rest) = request.split_first_chunk::<4>()?;
    let authenticator = rest.first_chunk::<16>()?;
    let [_, _, high, low] = *head;
    let is_whole = usize::from(u16::from_be_bytes([high, low])) == request.len();
    (is_whole && request.len() <= MAX_REQUEST).then_some((*head, *authenticator))
}
