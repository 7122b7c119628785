//! How the kernel's program reads what is published, in userspace.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed},
    fence,
};

use sekisho_abi::{
    cached::{self, ANSWERED, Flow, IN_FLIGHT, Slot},
    halves,
};

use crate::{Gate, maps::ReplyWords};

/// What the kernel would do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repeated {
    /// Nothing: it goes up.
    Unknown,
    /// Drop it: it is in flight.
    Absorbed,
    /// Send this.
    Answered(Vec<u8>),
    /// It was written meanwhile.
    Written,
}

impl Gate {
    /// What the kernel would do with this request at this time, in nanoseconds.
    pub fn repeated(&self, flow: &Flow, request: &[u8], now: u64) -> Repeated {
        self.look_up(flow, request, now).unwrap_or(Repeated::Unknown)
    }

    fn look_up(&self, flow: &Flow, request: &[u8], now: u64) -> Option<Repeated> {
        let maps = &self.kernel()?.maps;
        let settings = maps.settings.first()?;
        let seed = settings.seed.each_ref().map(|word| word.load(Relaxed));
        let words = flow.words();
        let tag = cached::tag(seed[0], &words, *request.first_chunk()?);
        let set = cached::set_of(tag, maps.reply_tags.len() as u32) as usize;
        let way = maps.reply_tags.get(set)?.iter().position(|other| other.load(Acquire) == tag)?;
        let slot = maps.replies.get(set * cached::WAYS + way)?;

        let sequence = at(slot, std::mem::offset_of!(Slot<u64>, sequence));
        fence(Acquire);
        let field = |offset| at(slot, offset);
        let [first, second] = halves(request.get(4..)?.first_chunk()?);
        let authenticator = std::mem::offset_of!(Slot<u64>, authenticator);
        let is_same = field(std::mem::offset_of!(Slot<u64>, epoch)) == settings.epoch.load(Relaxed)
            && field(std::mem::offset_of!(Slot<u64>, digest)) == cached::digest(seed, &words, request)
            && [field(authenticator), field(authenticator + 8)] == [first, second]
            && field(std::mem::offset_of!(Slot<u64>, until)) > now;
        let state = field(std::mem::offset_of!(Slot<u64>, state));
        let length = field(std::mem::offset_of!(Slot<u64>, reply)) as u32 as usize;
        let octets = std::mem::offset_of!(Slot<u64>, octets);
        let octets = (0..length.div_ceil(8)).flat_map(|word| field(octets + 8 * word).to_ne_bytes());
        let reply: Vec<u8> = octets.take(length).collect();
        let sum = (field(std::mem::offset_of!(Slot<u64>, reply)) >> 32) as u16;
        fence(Acquire);
        if sequence & 1 != 0 || at(slot, std::mem::offset_of!(Slot<u64>, sequence)) != sequence {
            return Some(Repeated::Written);
        }
        Some(match state {
            IN_FLIGHT if is_same => Repeated::Absorbed,
            ANSWERED if is_same && sum == cached::sum(&reply) => Repeated::Answered(reply),
            _ => Repeated::Unknown,
        })
    }
}

fn at(slot: &ReplyWords, offset: usize) -> u64 {
    slot.get(offset / 8).map_or(0, |word: &AtomicU64| word.load(Relaxed))
}
