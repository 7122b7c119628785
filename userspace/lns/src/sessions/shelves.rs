//! Records in a DashMap of shelves.
//!
//! A shelf holds some hundreds of records; a record's key says which. One shelf is one entry of the DashMap, so that its lock is all
//! that a worker takes, and what belongs together for a key is changed together. Why not the records themselves in the DashMap:
//! a shelf can be visited by its number, so that a sweep goes a little further each time and holds a lock for some microseconds; a
//! growing shelf moves hundreds of records, not a shard's worth; and the number of shelves is not a power of two, so that at
//! their bound tables are well filled.

use std::{
    hash::{BuildHasherDefault, Hasher},
    num::NonZeroU64,
};

use dashmap::DashMap;

/// Records of a shelf when the whole table is at its bound: of a hash table with 1024 places, which grows at 896, and four standard
/// deviations below that.
const FULL: usize = 768;
/// So many at least, so that workers seldom meet.
const SHELVES_MIN: usize = 64;

/// Shelves, by number from zero.
#[derive(Debug)]
pub(super) struct Shelves<T> {
    map: DashMap<u32, T, BuildHasherDefault<Spread>>,
    count: u32,
}

impl<T: Default> Shelves<T> {
    /// For that many records.
    pub(super) fn new(records: usize) -> Shelves<T> {
        let count = records.div_ceil(FULL).clamp(SHELVES_MIN, 1 << 24) as u32;
        let map =
            DashMap::with_hasher_and_shard_amount(BuildHasherDefault::default(), count.next_power_of_two() as usize);
        (0..count).for_each(|shelf| drop(map.insert(shelf, T::default())));
        Shelves { map, count }
    }

    /// How many shelves.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The shelf of a record whose key has this half.
    pub(super) fn of(&self, half: NonZeroU64) -> u32 {
        ((u128::from(half.get()) * u128::from(self.count)) >> 64) as u32
    }

    /// Changes a shelf. Nothing that is called from here may come for another one: they may share a lock.
    pub(super) fn change<R>(&self, shelf: u32, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.map.entry(shelf).or_default())
    }

    /// Looks at a shelf; as with [`Shelves::change`].
    pub(super) fn view<R>(&self, shelf: u32, view: impl FnOnce(&T) -> R) -> R {
        match self.map.get(&shelf) {
            Some(shelf) => view(&shelf),
            None => view(&T::default()),
        }
    }
}

/// The hash of a record within its shelf. The upper bits of its key are much the same for all in a shelf; hash tables use the
/// upper bits as well.
pub(super) fn hash(half: NonZeroU64) -> u64 {
    half.get().rotate_left(32)
}

/// Hashes numbers of shelves, which count up: a multiplication brings that to the upper bits, by which shards are found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(u32::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::key::Key;

    #[test]
    fn a_table_at_its_bound_fills_its_shelves_evenly() {
        let shelves: Shelves<u32> = Shelves::new(100_000);
        for n in 0..100_000u32 {
            let key = Key::of(&[3; 16], &[&n.to_be_bytes()]);
            shelves.change(shelves.of(key.half()), |count| *count += 1);
        }
        let counts: Vec<u32> = (0..shelves.count()).map(|shelf| shelves.view(shelf, |count| *count)).collect();
        assert_eq!(counts.iter().sum::<u32>(), 100_000);
        assert!(counts.iter().all(|count| (600..896).contains(count)), "{counts:?}");
    }
}
