//! Hash tables in memory that kernel and userspace share: the kernel's program looks up, one writer in userspace changes.
//!
//! A call of a kernel's map helper costs more than everything else that is done for a packet, and memory of an array map is
//! reached without one. So the gate's tables are arrays, and this is how keys are found in them: sets of [`WAYS`] places, each
//! with an octet of its key's hash, all of a set in one word; beside them as many entries of `N` words, the first `K` of them the
//! key. A key whose set is full goes to the next one, up to [`PROBES`] of them; a set counts the keys that went past it, so
//! that a look-up knows where to stop. What is not there costs one word to look at, most often.
//!
//! The writer fills an entry before it sets its octet, and clears the octet before anything else. A reader on another
//! processor sees an entry whole or not at all, if a place that was cleared rests before it is used again (`Writer::remove`).
//! Values that change in place do so word by word.

use crate::{gcra::Cell, ways::first};

/// Places in a set.
pub const WAYS: usize = 7;
/// Sets that a key may be in: its own and those that follow.
pub const PROBES: u32 = 8;

/// A set: for each place an octet of its key's hash, zero where it is free; in the highest octet how many keys found the set full
/// and are in one that follows, 255 standing for any number beyond.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Tags<C>(pub C);

/// One in every octet.
const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of every place's octet.
const PLACES: u64 = 0x0080_8080_8080_8080;

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

/// The hash of a key of up to three words. Keys are the operator's, so nobody makes them collide; a packet waits for it, so the
/// third goes in with the first.
#[inline(always)]
pub const fn hash<const K: usize>(key: &[u64; K]) -> u64 {
    const { assert!(K >= 1 && K <= 3) };
    let mut hash = key[0] ^ 0x243f_6a88_85a3_08d3;
    if K == 3 {
        hash ^= key[K - 1].rotate_left(17);
    }
    hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    if K > 1 {
        hash ^= key[1];
        hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    hash ^ hash >> 32
}

/// The set that a hash belongs to, of a number of sets that is a power of two.
#[inline(always)]
const fn home(hash: u64, sets: u32) -> u32 {
    (hash >> 32) as u32 & sets.wrapping_sub(1)
}

/// The octet of a hash that marks its place: not zero.
#[inline(always)]
const fn mark(hash: u64) -> u64 {
    hash >> 56 | 1
}

/// The places of a set that have this mark, a bit for each, and rarely another place besides.
#[inline(always)]
const fn marked(set: u64, mark: u64) -> u64 {
    // Octets that are zero afterwards; a borrow may make one above such an octet look like it.
    let difference = set ^ mark.wrapping_mul(ONES);
    difference.wrapping_sub(ONES) & !difference & PLACES
}

/// How many keys went past a set.
#[inline(always)]
const fn passed(set: u64) -> u64 {
    set >> 56
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
        let set = memory.set(index)?.0.load();
        let mut places = marked(set, mark(hash));
        let mut tried = 0;
        while places != 0 && tried < WAYS {
            let entry = memory.entry(index.wrapping_mul(WAYS as u32).wrapping_add(first(places) as u32))?;
            if is(entry, key) {
                return Some(entry);
            }
            places &= places.wrapping_sub(1);
            tried += 1;
        }
        if passed(set) == 0 {
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
mod writer;
#[cfg(feature = "std")]
pub use writer::{Full, REST, Writer};

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
    fn marks_are_found_wherever_they_are() {
        for way in 0..WAYS {
            for mark in [1, 3, 0x7f, 0x81, 0xff] {
                let set = mark << (8 * way) | 0xff << 56;
                // A borrow shows itself above the true one only.
                assert_eq!(first(marked(set, mark)), way, "{set:x}");
                assert_eq!(marked(set, mark ^ 2) & 0x80 << (8 * way), 0);
            }
        }
        assert_eq!(marked(0, 1), 0, "an empty set has nobody's mark");
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
        assert!(table.memory().sets.iter().all(|set| Cell::load(&set.0) == 0), "and nothing stays counted");
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
        assert_eq!(size_of::<Tags<u64>>(), 8);
    }
}
