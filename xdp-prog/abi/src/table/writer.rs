//! Changing a table.

use std::{
    collections::HashMap,
    sync::atomic::{
        AtomicU64,
        Ordering::{Relaxed, Release},
    },
    time::{Duration, Instant},
};

use super::{Memory, PROBES, Tags, WAYS, hash, home, mark, passed};

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
        self.count_passed(hash, probe, |count| count.saturating_add(1));
        set.0.store(set.0.load(Relaxed) | mark(hash) << (8 * way), Release);
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
            let word = set.0.load(Relaxed);
            for way in (0..WAYS).filter(|way| octet(word, *way) == mark(hash)) {
                let place = index * WAYS as u32 + way as u32;
                if self.memory.entry(place).is_some_and(|entry| super::is(entry, key)) {
                    set.0.store(word & !(0xff << (8 * way)), Release);
                    // A count that has reached its end stays there.
                    let less = |count: u8| if count == u8::MAX { count } else { count.saturating_sub(1) };
                    self.count_passed(hash, probe, less);
                    let now = Instant::now();
                    self.resting.insert(place, now);
                    self.removed = Some(now);
                    return true;
                }
            }
            if passed(word) == 0 {
                return false;
            }
        }
        false
    }

    /// Every key with its value.
    pub fn entries<const K: usize, const V: usize>(&self) -> impl Iterator<Item = ([u64; K], [u64; V])> + '_ {
        let occupied = (0..self.sets).filter_map(|index| Some((index, self.memory.set(index)?)));
        let places = occupied.flat_map(|(index, set)| {
            let word = set.0.load(Relaxed);
            let taken = (0..WAYS).filter(move |way| octet(word, *way) != 0);
            taken.map(move |way| index * WAYS as u32 + way as u32)
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
            let word = set.0.load(Relaxed);
            let mut free = (0..WAYS).filter(|way| octet(word, *way) == 0);
            free.find_map(|way| {
                let place = index * WAYS as u32 + way as u32;
                let rested = self.resting.get(&place).is_none_or(|since| since.elapsed() >= REST);
                rested.then_some((probe, set, way, place))
            })
        })
    }

    /// Changes the count of each set before the one `probes` further on.
    fn count_passed(&self, hash: u64, probes: u32, change: impl Fn(u8) -> u8) {
        for probe in 0..probes {
            let index = home(hash, self.sets).wrapping_add(probe) & (self.sets - 1);
            if let Some(set) = self.memory.set(index) {
                let word = set.0.load(Relaxed);
                let count = change(passed(word) as u8);
                set.0.store(word & (u64::MAX >> 8) | u64::from(count) << 56, Release);
            }
        }
    }
}

fn octet(word: u64, way: usize) -> u64 {
    word >> (8 * way) & 0xff
}

fn value<const N: usize, const V: usize>(entry: &[AtomicU64; N], from: usize) -> [u64; V] {
    std::array::from_fn(|at| entry.get(from + at).map_or(0, |word| word.load(Relaxed)))
}

fn write<const N: usize>(entry: &[AtomicU64; N], from: usize, words: &[u64]) {
    for (to, word) in entry.iter().skip(from).zip(words) {
        to.store(*word, Release);
    }
}
