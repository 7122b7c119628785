//! Which records wait, and where they are.

use std::{collections::BTreeMap, ops::RangeBounds};

/// The waiting records that have not been delivered: some 30 octets each.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    places: BTreeMap<u64, Place>,
    /// Marked in the batch that is not durable yet.
    marked: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// In its segment.
    at: u32,
    /// A mark is on its way.
    marked: bool,
}

impl Waiting {
    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn insert(&mut self, sequence: u64, at: u32) {
        self.places.insert(sequence, Place { at, marked: false });
    }

    /// It has been delivered, durably.
    pub fn remove(&mut self, sequence: u64) {
        self.places.remove(&sequence);
    }

    /// Whether it waits, and no mark is on its way.
    pub fn waits(&self, sequence: u64) -> bool {
        self.places.get(&sequence).is_some_and(|place| !place.marked)
    }

    /// A mark of it is in the batch.
    pub fn mark(&mut self, sequence: u64) {
        if let Some(place) = self.places.get_mut(&sequence) {
            place.marked = true;
            self.marked.push(sequence);
        }
    }

    /// The batch is durable.
    pub fn commit(&mut self) {
        self.marked.drain(..).for_each(|sequence| _ = self.places.remove(&sequence));
    }

    /// The batch is lost, which began with this sequence number.
    pub fn roll_back(&mut self, from: u64) {
        drop(self.places.split_off(&from));
        for sequence in self.marked.drain(..) {
            self.places.entry(sequence).and_modify(|place| place.marked = false);
        }
    }

    /// The oldest, marks in the batch left out of account.
    pub fn oldest(&self) -> Option<u64> {
        self.places.keys().next().copied()
    }

    /// Whether any of these waits, marks in the batch left out of account.
    pub fn any(&self, range: impl RangeBounds<u64>) -> bool {
        self.places.range(range).next().is_some()
    }

    /// The first of these that waits, and its place in its segment.
    pub fn first(&self, range: impl RangeBounds<u64>) -> Option<(u64, u32)> {
        let mut waiting = self.places.range(range).filter(|(_, place)| !place.marked);
        waiting.next().map(|(sequence, place)| (*sequence, place.at))
    }
}
