//! What the kernel's program keeps, looked at and meddled with.

use std::sync::atomic::Ordering::{AcqRel, Acquire};

use aya::maps::Array;
use sekisho_abi::sessions;

use crate::Gate;

impl Gate {
    /// The slot of an owner's buckets and counters.
    pub fn slot(&self, owner: u64) -> Option<u32> {
        let slots = &self.kernel()?.maps.slots;
        (0..).zip(slots.iter()).skip(1).find(|(_, slot)| slot.owner.load(Acquire) == owner).map(|(index, _)| index)
    }

    /// A set of session buckets: keys and when each is full again, in ticks.
    pub fn session_set(&self, set: u32) -> Option<[(u64, u64); sessions::WAYS]> {
        let map = self.kernel()?.ebpf.map("SESSIONS")?;
        let map: Array<_, [u64; 2 * sessions::WAYS]> = Array::try_from(map).ok()?;
        let words = map.get(&set, 0).ok()?;
        let mut places = words.as_chunks::<2>().0.iter().map(|[tag, tat]| (*tag, *tat));
        Some(std::array::from_fn(|_| places.next().unwrap_or_default()))
    }

    /// Counts the sequence number of every published request on by one: once, and all are being written; twice, and all
    /// have been.
    pub fn count_sequences_on(&self) {
        let replies = self.kernel().map(|kernel| &kernel.maps.replies);
        for sequence in replies.into_iter().flat_map(|replies| replies.iter()).filter_map(|slot| slot.first()) {
            sequence.fetch_add(1, AcqRel);
        }
    }
}
