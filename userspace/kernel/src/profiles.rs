//! Tables of which attributes name a session: one for each identity that some contract has.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{Relaxed, Release},
        },
    },
    thread,
};

use sekisho_abi::{Identity, client, table::REST};

use crate::{GateError, clients::Slots, memory::Shared, table};

/// [`Identity::table`] as words.
type Ranks = [u64; 32];

/// The tables, the first of them for sources without a contract.
pub(crate) struct Profiles {
    memory: Arc<Shared<[AtomicU64; 32]>>,
    /// By content, as they are found in the maps of an earlier process.
    of_ranks: HashMap<Ranks, u32>,
    /// The same by identity.
    of_identity: HashMap<Identity, u32>,
}

impl Profiles {
    /// The tables in this memory, with what is in them.
    pub(crate) fn new(memory: Arc<Shared<[AtomicU64; 32]>>) -> Profiles {
        let read = |words: &[AtomicU64; 32]| words.each_ref().map(|word| word.load(Relaxed));
        // No table is all zeros: each has the rank of Acct-Status-Type.
        let taken = (0..).zip(memory.iter().map(read)).filter(|(_, ranks)| *ranks != [0; 32]);
        let of_ranks = taken.map(|(index, ranks)| (ranks, index)).collect();
        let profiles = Profiles { memory, of_ranks, of_identity: HashMap::new() };
        profiles.write(0, &ranks(Identity::NONE));
        profiles
    }

    /// Where an identity's table is. One that is not there takes a free place, or one that no slot names any more.
    ///
    /// # Errors
    ///
    /// [`GateError::TableFull`].
    pub(crate) fn index(&mut self, identity: Identity, slots: &Slots) -> Result<u32, GateError> {
        if let Some(index) = self.of_identity.get(&identity) {
            return Ok(*index);
        }
        let ranks = ranks(identity);
        let index = match self.of_ranks.get(&ranks) {
            Some(index) => *index,
            None => {
                let index = self.free(slots)?;
                self.write(index, &ranks);
                self.of_ranks.insert(ranks, index);
                index
            }
        };
        self.of_identity.insert(identity, index);
        Ok(index)
    }

    /// Whether there is room for these identities beside those that slots name.
    ///
    /// # Errors
    ///
    /// [`GateError::TableFull`].
    pub(crate) fn has_room(&self, identities: &HashSet<Identity>, slots: &Slots) -> Result<(), GateError> {
        let new: HashSet<Ranks> = identities.iter().map(|identity| ranks(*identity)).collect();
        if self.of_ranks.len() + new.len() <= client::PROFILES as usize {
            return Ok(());
        }
        let named = named(slots);
        let kept = self.of_ranks.iter().filter(|(ranks, index)| named.contains(index) && !new.contains(*ranks));
        table::fits(table::PROFILES, kept.count() + new.len(), client::PROFILES)
    }

    fn free(&mut self, slots: &Slots) -> Result<u32, GateError> {
        if let Some(index) = self.unused() {
            return Ok(index);
        }
        let named = named(slots);
        self.of_ranks.retain(|_, index| named.contains(index));
        self.of_identity.retain(|_, index| named.contains(index));
        thread::sleep(REST);
        self.unused().ok_or(GateError::TableFull {
            table: table::PROFILES.holds,
            capacity: client::PROFILES as usize,
            needed: client::PROFILES as usize + 1,
            remedy: table::PROFILES.remedy,
        })
    }

    fn unused(&self) -> Option<u32> {
        let used: HashSet<u32> = self.of_ranks.values().copied().collect();
        (1..client::PROFILES).find(|index| !used.contains(index))
    }

    fn write(&self, index: u32, ranks: &Ranks) {
        let Some(words) = self.memory.get(index as usize) else { return };
        for (word, value) in words.iter().zip(ranks) {
            word.store(*value, Release);
        }
    }
}

/// Places that a slot names, and the one of sources without a contract.
fn named(slots: &Slots) -> HashSet<u32> {
    let taken = slots.iter().filter(|slot| slot.owner.load(Relaxed) != 0);
    taken.map(|slot| slot.profile.load(Relaxed) as u32).chain([0]).collect()
}

fn ranks(identity: Identity) -> Ranks {
    let table = identity.table();
    let mut words = table.as_chunks::<8>().0.iter().map(|octets| u64::from_ne_bytes(*octets));
    std::array::from_fn(|_| words.next().unwrap_or(0))
}
