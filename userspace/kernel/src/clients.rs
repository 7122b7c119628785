//! Contracts' slots: given out by owner, found again by owner, freed when nobody uses them.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Relaxed, Release},
        },
    },
    thread,
    time::Instant,
};

use sekisho_abi::{
    ClientCounter, Identity, Limits, Source,
    client::{self, NOBODY},
    table::REST,
};

use crate::{GateError, memory::Shared, profiles::Profiles, table};

/// Packets of one contract, by [`ClientCounter`].
pub type ClientCounts = [u64; ClientCounter::COUNT];

pub(crate) type Slots = Arc<Shared<client::Slot<AtomicU64>>>;

/// Who has which slot.
pub(crate) struct Clients {
    slots: Slots,
    profiles: Profiles,
    of_owner: HashMap<u64, u32>,
    /// For each slot, how many entries of sources and prefixes name it.
    users: Vec<u32>,
    /// Slots that lost their last user; some may have found another since.
    idle: Vec<u32>,
    /// Slots that were freed, and when.
    resting: VecDeque<(Instant, u32)>,
    /// The first slot that was never given out.
    next: u32,
}

impl Clients {
    /// The slots in this memory, with what is in them. Nobody uses them yet: what does is told by [`Clients::used`].
    pub(crate) fn new(slots: Slots, profiles: Profiles) -> Clients {
        let taken = (0..).zip(slots.iter()).skip(1).filter(|(_, slot)| slot.owner.load(Relaxed) != 0);
        let of_owner: HashMap<u64, u32> = taken.map(|(index, slot)| (slot.owner.load(Relaxed), index)).collect();
        let next = of_owner.values().max().map_or(NOBODY + 1, |last| last + 1);
        let now = Instant::now();
        let gaps =
            (1..next).filter(|index| slots.get(*index as usize).is_some_and(|slot| slot.owner.load(Relaxed) == 0));
        Clients {
            resting: gaps.map(|index| (now, index)).collect(),
            users: vec![0; slots.len()],
            // Whose sources are gone is not found again: nobody would ever take them off the list.
            idle: of_owner.values().copied().collect(),
            slots,
            profiles,
            of_owner,
            next,
        }
    }

    /// The slot of an owner, if it has one.
    pub(crate) fn find(&self, owner: u64) -> Option<u32> {
        if owner == 0 { Some(NOBODY) } else { self.of_owner.get(&owner).copied() }
    }

    /// How many slots there are for owners, and how many of them are given out.
    pub(crate) fn room(&self) -> (usize, usize) {
        (self.slots.len().saturating_sub(1), self.of_owner.len())
    }

    /// Whether the sessions of these sources can be told apart as they say.
    ///
    /// # Errors
    ///
    /// [`GateError::TableFull`].
    pub(crate) fn has_room_for(&self, identities: &HashSet<Identity>) -> Result<(), GateError> {
        self.profiles.has_room(identities, &self.slots)
    }

    /// The slot of a source's owner, with the source's limits and identity written into it. Its buckets go on.
    ///
    /// # Errors
    ///
    /// [`GateError::TableFull`].
    pub(crate) fn slot(&mut self, source: &Source) -> Result<u32, GateError> {
        let index = match self.find(source.owner) {
            Some(NOBODY) => return Ok(NOBODY),
            Some(index) => index,
            None => self.give_out(source.owner)?,
        };
        let slot = slot_of(&self.slots, index)?;
        let profile = u64::from(self.profiles.index(source.identity, &self.slots)?);
        set(&slot.profile, profile);
        let Limits { client, session, new_session } = source.limits;
        let words = [client, session, new_session].map(|bucket| [bucket.increment, bucket.tolerance]);
        for (limit, word) in slot.limits.iter().zip(words.as_flattened()) {
            set(limit, *word);
        }
        Ok(index)
    }

    /// An entry names the slot from now on.
    pub(crate) fn used(&mut self, slot: u32) {
        if let Some(users) = self.users.get_mut(slot as usize) {
            *users += 1;
        }
    }

    /// An entry no longer names the slot.
    pub(crate) fn left(&mut self, slot: u32) {
        if let Some(users) = self.users.get_mut(slot as usize) {
            *users = users.saturating_sub(1);
            if *users == 0 && slot != NOBODY {
                self.idle.push(slot);
            }
        }
    }

    /// Frees the slots that nothing names any more. What was counted in them is nobody's from now on, so that all slots
    /// together still say what the gate counted.
    pub(crate) fn free_idle(&mut self) {
        for index in std::mem::take(&mut self.idle) {
            let Some(slot) = self.slots.get(index as usize) else { continue };
            let owner = slot.owner.load(Relaxed);
            if owner != 0 && self.users.get(index as usize).is_none_or(|users| *users == 0) {
                self.of_owner.remove(&owner);
                slot.owner.store(0, Release);
                self.resting.push_back((Instant::now(), index));
                inherit(&self.slots, slot);
            }
        }
    }

    fn give_out(&mut self, owner: u64) -> Result<u32, GateError> {
        let index = self.free_slot()?;
        let slot = slot_of(&self.slots, index)?;
        // Packets that were under way when it was freed may have been counted since.
        inherit(&self.slots, slot);
        set(&slot.bucket, 0);
        set(&slot.new_sessions, 0);
        slot.owner.store(owner, Release);
        self.of_owner.insert(owner, index);
        Ok(index)
    }

    /// One that has rested, else one that was never used, else one for which it waits.
    fn free_slot(&mut self) -> Result<u32, GateError> {
        let rested = |since: &Instant| since.elapsed() >= REST;
        if !self.resting.front().is_some_and(|(since, _)| rested(since)) && (self.next as usize) < self.slots.len() {
            self.next += 1;
            return Ok(self.next - 1);
        }
        let (capacity, given) = self.room();
        let full = GateError::TableFull {
            table: table::CLIENTS.holds,
            capacity,
            needed: given + 1,
            remedy: table::CLIENTS.remedy,
        };
        let (since, index) = self.resting.pop_front().ok_or(full)?;
        thread::sleep(REST.saturating_sub(since.elapsed()));
        Ok(index)
    }
}

/// What was counted for each owner, and for nobody (0).
pub(crate) fn counts(slots: &Slots) -> Vec<(u64, ClientCounts)> {
    let taken = |(index, slot): &(usize, &client::Slot<AtomicU64>)| *index == 0 || slot.owner.load(Relaxed) != 0;
    let counts = |slot: &client::Slot<AtomicU64>| std::array::from_fn(|at| read(slot, at));
    slots.iter().enumerate().filter(taken).map(|(_, slot)| (slot.owner.load(Relaxed), counts(slot))).collect()
}

fn read(slot: &client::Slot<AtomicU64>, counter: usize) -> u64 {
    slot.counters.get(counter).map_or(0, |counter| counter.load(Relaxed))
}

/// Moves a slot's counts to nobody's.
fn inherit(slots: &Slots, slot: &client::Slot<AtomicU64>) {
    let Some(nobody) = slots.get(NOBODY as usize) else { return };
    for (from, to) in slot.counters.iter().zip(&nobody.counters) {
        if from.load(Relaxed) != 0 {
            to.fetch_add(from.swap(0, AcqRel), AcqRel);
        }
    }
}

fn slot_of(slots: &Slots, index: u32) -> Result<&client::Slot<AtomicU64>, GateError> {
    slots.get(index as usize).ok_or(GateError::TableFull {
        table: table::CLIENTS.holds,
        capacity: slots.len(),
        needed: index as usize + 1,
        remedy: table::CLIENTS.remedy,
    })
}

/// Writes a word only where it changes: of a million slots a reload dirties few cache lines.
fn set(word: &AtomicU64, value: u64) {
    if word.load(Relaxed) != value {
        word.store(value, Release);
    }
}
