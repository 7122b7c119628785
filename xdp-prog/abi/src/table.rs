//! Hash tables in memory that kernel and userspace share: the kernel's program looks up, one writer in userspace changes.
//!
//! A call of a kernel's map helper costs more than everything else that is done for a packet, and memory of an array map is
//! reached without one. So the gate's tables are arrays, and this is how keys are found in them: sets of [`WAYS`] tags, a
//! cache line each, beside them as many entries of `N` words, the first `K` of them the key. A key whose set is full goes to
//! the next one, up to [`PROBES`] of them; a set counts the keys that went past it, so that a look-up knows where to stop.
//!
//! The writer fills an entry before it sets the tag, and clears the tag before anything else. A reader on another
//! processor sees an entry whole or not at all, if a place that was cleared rests before it is used again ([`Writer::remove`]).
//! Values that change in place do so word by word.

use crate::gcra::{Cell, note};

/// Tags in a set.
pub const WAYS: usize = 7;
/// Sets that a key may be in: its own and those that follow.
pub const PROBES: u32 = 8;

/// A set.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Tags<C> {
    /// Keys that found this set full and are in one that follows.
    pub passed: C,
    /// For each place the hash of its key; zero where it is free.
    pub tags: [C; WAYS],
}

/// The two arrays of a table.
pub trait Memory<C, const N: usize> {
    /// A set.
    fn set(&self, index: u32) -> Option<&Tags<C>>;
    /// An entry: place `index % WAYS` of set `index / WAYS`.
    fn entry(&self, index: u32) -> Option<&[C; N]>;
}

/// How many sets a table for so many entries has: a power of two, at most three quarters full.
pub const fn sets(entries: u32) -> u32 {
    let sets = (entries as u64 * 4).div_ceil(WAYS as u64 * 3);
    if sets > 1 << 24 { 1 << 24 } else { (sets as u32).next_power_of_two() }
}

/// The hash of a key: never zero. Keys are the operator's, so nobody makes them collide.
#[inline(always)]
pub const fn hash<const K: usize>(key: &[u64; K]) -> u64 {
    let mut hash = 0x243f_6a88_85a3_08d3_u64;
    let mut at = 0;
    while at < K {
        hash ^= key[at];
        hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        at += 1;
    }
    hash ^= hash >> 32;
    if hash == 0 { 1 } else { hash }
}

/// The set that a hash belongs to, of a number of sets that is a power of two.
#[inline(always)]
const fn home(hash: u64, sets: u32) -> u32 {
    (hash >> 32) as u32 & sets.wrapping_sub(1)
}

/// Where a key is: its entry, of which the words from `K` on are the value.
#[inline(always)]
pub fn find<'m, C: Cell + 'm, const N: usize, const K: usize>(
    memory: &'m impl Memory<C, N>,
    sets: u32,
    key: &[u64; K],
) -> Option<&'m [C; N]> {
    let hash = hash(key);
    let mut probe = 0;
    while probe < PROBES {
        let index = home(hash, sets).wrapping_add(probe) & sets.wrapping_sub(1);
        let set = memory.set(index)?;
        // Two keys of one hash are never in one set ([`Writer::put`]), so at most one tag fits.
        let (mut way, mut found) = (0, 0);
        while way < WAYS {
            found = note::<C>(found, set.tags[way].load(), hash, way);
            way += 1;
        }
        if found != 0 {
            let place = index.wrapping_mul(WAYS as u32).wrapping_add(found as u32).wrapping_sub(1);
            let entry = memory.entry(place)?;
            if is(entry, key) {
                return Some(entry);
            }
        }
        if set.passed.load() == 0 {
            return None;
        }
        probe += 1;
    }
    None
}

#[inline(always)]
fn is<C: Cell, const N: usize, const K: usize>(entry: &[C; N], key: &[u64; K]) -> bool {
    let (mut at, mut differences) = (0, 0);
    while at < K {
        differences |= entry[at].load() ^ key[at];
        at += 1;
    }
    differences == 0
}

#[cfg(feature = "std")]
pub use writer::{Full, REST, Writer};

#[cfg(feature = "std")]
mod writer {
    use std::{
        collections::HashMap,
        sync::atomic::{
            AtomicU64,
            Ordering::{Relaxed, Release},
        },
        time::{Duration, Instant},
    };

    use super::{Memory, PROBES, Tags, WAYS, hash, home};

    /// How long a place rests that a key was taken out of: far longer than a packet is under way in the kernel's program.
    pub const REST: Duration = Duration::from_millis(10);

    /// The one that changes a table.
    #[derive(Debug)]
    pub struct Writer<M, const N: usize> {
        memory: M,
        sets: u32,
        /// Places that a key was taken out of, and when.
        resting: HashMap<u32, Instant>,
        /// When that was done last.
        removed: Option<Instant>,
    }

    /// No place is free, and rested, where the key may be.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Full;

    impl<M: Memory<AtomicU64, N>, const N: usize> Writer<M, N> {
        /// For a table of so many sets, a power of two.
        pub fn new(memory: M, sets: u32) -> Writer<M, N> {
            Writer { memory, sets, resting: HashMap::new(), removed: None }
        }

        /// The arrays.
        pub fn memory(&self) -> &M {
            &self.memory
        }

        /// The value of a key.
        pub fn get<const K: usize, const V: usize>(&self, key: &[u64; K]) -> Option<[u64; V]> {
            let entry = super::find(&self.memory, self.sets, key)?;
            Some(value(entry, K))
        }

        /// Adds a key, or changes its value in place, word by word.
        ///
        /// # Errors
        ///
        /// [`Full`]; nothing is changed then. Where places rest, it may work once they have ([`Writer::rests`]).
        pub fn put<const K: usize, const V: usize>(&mut self, key: &[u64; K], value: &[u64; V]) -> Result<(), Full> {
            if let Some(entry) = super::find(&self.memory, self.sets, key) {
                write(entry, K, value);
                return Ok(());
            }
            if !self.rests() {
                self.resting = HashMap::new();
            }
            let hash = hash(key);
            let (probe, set, way, index) = self.free(hash).ok_or(Full)?;
            let entry = self.memory.entry(index).ok_or(Full)?;
            write(entry, 0, key);
            write(entry, K, value);
            self.passed(hash, probe, |count| count + 1);
            if let Some(tag) = set.tags.get(way) {
                tag.store(hash, Release);
            }
            Ok(())
        }

        /// Whether a place still rests that a key was taken out of.
        pub fn rests(&self) -> bool {
            !self.resting.is_empty() && self.removed.is_some_and(|last| last.elapsed() < REST)
        }

        /// Takes a key out; whether it was there. Its place rests before it is used again: a packet may be under way in the
        /// kernel's program that has found the key and not yet read its value.
        pub fn remove<const K: usize>(&mut self, key: &[u64; K]) -> bool {
            let hash = hash(key);
            for probe in 0..PROBES {
                let index = home(hash, self.sets).wrapping_add(probe) & (self.sets - 1);
                let Some(set) = self.memory.set(index) else { return false };
                for (way, tag) in set.tags.iter().enumerate() {
                    let place = index * WAYS as u32 + way as u32;
                    let entry = self.memory.entry(place);
                    if tag.load(Relaxed) == hash && entry.is_some_and(|entry| super::is(entry, key)) {
                        tag.store(0, Release);
                        self.passed(hash, probe, |count| count.saturating_sub(1));
                        let now = Instant::now();
                        self.resting.insert(place, now);
                        self.removed = Some(now);
                        return true;
                    }
                }
                if set.passed.load(Relaxed) == 0 {
                    return false;
                }
            }
            false
        }

        /// Every key with its value.
        pub fn entries<const K: usize, const V: usize>(&self) -> impl Iterator<Item = ([u64; K], [u64; V])> + '_ {
            let occupied = (0..self.sets).filter_map(|index| Some((index, self.memory.set(index)?)));
            let places = occupied.flat_map(|(index, set)| {
                let taken = set.tags.iter().enumerate().filter(|(_, tag)| tag.load(Relaxed) != 0);
                taken.map(move |(way, _)| index * WAYS as u32 + way as u32)
            });
            places.filter_map(|place| {
                let entry = self.memory.entry(place)?;
                Some((value(entry, 0), value(entry, K)))
            })
        }

        fn free(&self, hash: u64) -> Option<(u32, &Tags<AtomicU64>, usize, u32)> {
            (0..PROBES).find_map(|probe| {
                let index = home(hash, self.sets).wrapping_add(probe) & (self.sets - 1);
                let set = self.memory.set(index)?;
                let mut free = set.tags.iter().enumerate().filter(|(_, tag)| tag.load(Relaxed) == 0);
                free.find_map(|(way, _)| {
                    let place = index * WAYS as u32 + way as u32;
                    let rested = self.resting.get(&place).is_none_or(|since| since.elapsed() >= REST);
                    rested.then_some((probe, set, way, place))
                })
            })
        }

        /// Changes the count of each set before the one `probes` further on.
        fn passed(&self, hash: u64, probes: u32, change: impl Fn(u64) -> u64) {
            for probe in 0..probes {
                let index = home(hash, self.sets).wrapping_add(probe) & (self.sets - 1);
                if let Some(set) = self.memory.set(index) {
                    set.passed.store(change(set.passed.load(Relaxed)), Release);
                }
            }
        }
    }

    fn value<const N: usize, const V: usize>(entry: &[AtomicU64; N], from: usize) -> [u64; V] {
        std::array::from_fn(|at| entry.get(from + at).map_or(0, |word| word.load(Relaxed)))
    }

    fn write<const N: usize>(entry: &[AtomicU64; N], from: usize, words: &[u64]) {
        for (to, word) in entry.iter().skip(from).zip(words) {
            to.store(*word, Release);
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::{collections::HashMap, sync::atomic::AtomicU64};

    use super::*;

    struct Heap {
        sets: Vec<Tags<AtomicU64>>,
        entries: Vec<[AtomicU64; 3]>,
    }

    impl Memory<AtomicU64, 3> for Heap {
        fn set(&self, index: u32) -> Option<&Tags<AtomicU64>> {
            self.sets.get(index as usize)
        }
        fn entry(&self, index: u32) -> Option<&[AtomicU64; 3]> {
            self.entries.get(index as usize)
        }
    }

    fn heap(sets: u32) -> Writer<Heap, 3> {
        let heap = Heap {
            sets: (0..sets).map(|_| Tags::default()).collect(),
            entries: (0..sets as usize * WAYS).map(|_| Default::default()).collect(),
        };
        Writer::new(heap, sets)
    }

    #[test]
    fn it_agrees_with_a_map_through_every_change() {
        let mut table = heap(sets(1000));
        let mut model: HashMap<[u64; 2], [u64; 1]> = HashMap::new();
        let mut state = 1_u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = [state >> 33 & 0x7ff, 5];
            if state >> 60 < 9 && model.len() < 1000 {
                while table.put(&key, &[state]).is_err() {
                    assert!(table.rests(), "room is short only while places rest");
                    std::thread::sleep(REST);
                }
                model.insert(key, [state]);
            } else {
                assert_eq!(table.remove(&key), model.remove(&key).is_some());
            }
            let other = [state >> 20 & 0x7ff, 5];
            assert_eq!(table.get::<2, 1>(&other), model.get(&other).copied());
        }
        let all: HashMap<[u64; 2], [u64; 1]> = table.entries().collect();
        assert_eq!(all, model);
    }

    #[test]
    fn a_table_takes_as_many_entries_as_it_is_made_for() {
        // The worst case: as many as just do not need another power of two.
        let sets = 1 << 15;
        let entries = sets / 4 * 3 * WAYS as u32;
        assert_eq!(super::sets(entries), sets);
        for run in 0..8_u64 {
            let mut table = heap(sets);
            for n in 0..u64::from(entries) {
                // IPv4 addresses in a row, as networks are given out, from another start each time.
                let address = (0x0a00_0000 + run * 977_777 + n) as u32;
                let key = [0, u64::from_ne_bytes([0, 0, 0xff, 0xff, 0, 0, 0, 0]) | u64::from(address.to_be()) << 32];
                table.put(&key, &[n]).unwrap_or_else(|_| panic!("full at {n} of {entries}"));
            }
            assert_eq!(table.entries::<2, 1>().count(), entries as usize);
        }
    }

    #[test]
    fn a_look_up_goes_past_full_sets_and_stops_where_nothing_went_further() {
        let mut table = heap(2);
        for n in 0..14 {
            table.put(&[n, 0], &[n]).unwrap();
        }
        assert_eq!(table.put(&[99, 0], &[0]), Err(Full));
        for n in 0..14 {
            assert_eq!(table.get::<2, 1>(&[n, 0]), Some([n]));
        }
        for n in 0..14 {
            assert!(table.remove(&[n, 0]));
        }
        assert!(!table.remove(&[3, 0]));
        assert_eq!(table.get::<2, 1>(&[3, 0]), None);
        assert!(table.memory().sets.iter().all(|set| Cell::load(&set.passed) == 0), "and nothing stays counted");
    }

    #[test]
    fn a_place_rests_before_it_is_used_again() {
        let mut table = heap(1);
        for n in 0..7 {
            table.put(&[n, 0], &[n]).unwrap();
        }
        assert!(table.remove(&[3, 0]));
        assert!(table.rests());
        assert_eq!(table.put(&[9, 0], &[9]), Err(Full));
        std::thread::sleep(REST);
        assert!(!table.rests());
        table.put(&[9, 0], &[9]).unwrap();
        assert_eq!(table.get::<2, 1>(&[9, 0]), Some([9]));
    }

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<Tags<u64>>(), 64);
    }
}
