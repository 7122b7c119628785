//! Which records of the last minutes there are: a repeated request is not written twice.

use std::{
    collections::VecDeque,
    hash::{BuildHasher as _, RandomState},
};

use hashbrown::HashTable;

/// The identities of the last records, in the order in which they came.
///
/// Memory: 32 octets a record and 5 to 10 for the table, and both grow to the next power of two.
#[derive(Debug)]
pub(crate) struct Known {
    entries: VecDeque<Entry>,
    /// The number of the first entry; numbers wrap.
    base: u32,
    /// Numbers of entries. An identity that came again, after it was forgotten by time, has its last one here.
    table: HashTable<u32>,
    /// Identities can be chosen by whoever sends requests, places in the table cannot.
    hasher: RandomState,
    limit: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// A `u128` would be aligned to 16 octets, and the entry have 48.
    identity: [u64; 2],
    sequence: u64,
    received: u64,
}

impl Known {
    /// Remembers `limit` records at most.
    pub fn new(limit: usize) -> Known {
        let limit = limit.min(u32::MAX as usize / 2);
        Known { entries: VecDeque::new(), base: 0, table: HashTable::new(), hasher: RandomState::new(), limit }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The sequence number of the record with this identity.
    pub fn find(&self, identity: u128) -> Option<u64> {
        let identity = halves(identity);
        let at = *self.table.find(self.hasher.hash_one(identity), |at| self.identity(*at) == Some(identity))?;
        self.entries.get(at.wrapping_sub(self.base) as usize).map(|entry| entry.sequence)
    }

    /// Remembers a record; the oldest goes where there are too many.
    pub fn insert(&mut self, identity: u128, sequence: u64, received: u64) {
        if self.limit == 0 {
            return;
        }
        if self.entries.len() >= self.limit {
            self.forget_first();
        }
        let identity = halves(identity);
        let at = self.base.wrapping_add(self.entries.len() as u32);
        self.entries.push_back(Entry { identity, sequence, received });
        let Known { entries, base, table, hasher, .. } = self;
        let of = |at: &u32| entries.get(at.wrapping_sub(*base) as usize).map(|entry| entry.identity);
        let hash = hasher.hash_one(identity);
        match table.find_mut(hash, |at| of(at) == Some(identity)) {
            Some(known) => *known = at,
            None => _ = table.insert_unique(hash, at, |at| of(at).map_or(0, |identity| hasher.hash_one(identity))),
        }
    }

    /// Forgets what was received before `horizon`.
    pub fn expire(&mut self, horizon: u64) {
        while self.entries.front().is_some_and(|entry| entry.received < horizon) {
            self.forget_first();
        }
    }

    /// Forgets the records from `sequence` on: they have not become durable.
    pub fn forget_from(&mut self, sequence: u64) {
        while let Some(entry) = self.entries.back().filter(|entry| entry.sequence >= sequence) {
            let at = self.base.wrapping_add(self.entries.len() as u32 - 1);
            self.unlink(entry.identity, at);
            self.entries.pop_back();
        }
    }

    fn forget_first(&mut self) {
        if let Some(entry) = self.entries.front() {
            self.unlink(entry.identity, self.base);
            self.entries.pop_front();
            self.base = self.base.wrapping_add(1);
        }
    }

    fn unlink(&mut self, identity: [u64; 2], at: u32) {
        if let Ok(found) = self.table.find_entry(self.hasher.hash_one(identity), |known| *known == at) {
            found.remove();
        }
    }

    fn identity(&self, at: u32) -> Option<[u64; 2]> {
        self.entries.get(at.wrapping_sub(self.base) as usize).map(|entry| entry.identity)
    }
}

fn halves(identity: u128) -> [u64; 2] {
    [identity as u64, (identity >> 64) as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_where_there_are_too_many() {
        let mut known = Known::new(3);
        (1..=5).for_each(|n| known.insert(n.into(), n, n));
        assert_eq!((1..=5).map(|n| known.find(n)).collect::<Vec<_>>(), [None, None, Some(3), Some(4), Some(5)]);
    }

    #[test]
    fn time_forgets_from_the_front_and_failure_from_the_back() {
        let mut known = Known::new(100);
        (1..=9).for_each(|n| known.insert(n.into(), n, n * 10));
        known.expire(40);
        known.forget_from(7);
        assert_eq!((known.find(3), known.find(4), known.find(6), known.find(7)), (None, Some(4), Some(6), None));
        assert_eq!((known.len(), known.table.len()), (3, 3));
    }

    #[test]
    fn a_record_that_comes_again_is_known_by_its_last_place() {
        let mut known = Known::new(100);
        known.insert(1, 1, 10);
        known.insert(1, 2, 20);
        known.expire(15);
        assert_eq!((known.find(1), known.table.len()), (Some(2), 1));
    }

    #[test]
    fn numbers_of_entries_wrap() {
        let mut known = Known::new(4);
        known.base = u32::MAX - 2;
        (1..=40).for_each(|n| known.insert(n.into(), n, n));
        assert_eq!((known.find(37), known.find(36)), (Some(37), None));
    }
}
