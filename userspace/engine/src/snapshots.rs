//! The snapshot in force, and older ones for as long as requests are in flight that were routed by them.

use std::sync::Arc;

use crate::snapshot::RoutingSnapshot;

#[derive(Debug)]
struct Held {
    snapshot: Arc<RoutingSnapshot>,
    in_flight: u32,
}

/// Snapshots, the oldest first; the last is in force.
#[derive(Debug)]
pub struct Snapshots {
    current: Held,
    older: Vec<Held>,
}

impl Snapshots {
    /// With the first snapshot.
    pub fn new(snapshot: Arc<RoutingSnapshot>) -> Snapshots {
        Snapshots { current: Held { snapshot, in_flight: 0 }, older: Vec::new() }
    }

    /// Puts another snapshot in force.
    pub fn swap(&mut self, snapshot: Arc<RoutingSnapshot>) {
        let old = std::mem::replace(&mut self.current, Held { snapshot, in_flight: 0 });
        if old.in_flight > 0 {
            self.older.push(old);
        }
    }

    /// The snapshot in force.
    pub fn current(&self) -> &Arc<RoutingSnapshot> {
        &self.current.snapshot
    }

    /// The snapshot with this version.
    pub fn version(&self, version: u64) -> Option<&Arc<RoutingSnapshot>> {
        self.newest_first().find(|snapshot| snapshot.version == version)
    }

    /// All of them, the one in force first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Arc<RoutingSnapshot>> {
        std::iter::once(&self.current).chain(self.older.iter().rev()).map(|held| &held.snapshot)
    }

    /// Requests in flight, whichever snapshot routed them.
    pub fn in_flight(&self) -> usize {
        std::iter::once(&self.current).chain(&self.older).map(|held| held.in_flight as usize).sum()
    }

    /// A request is in flight that the snapshot in force routed.
    pub fn hold(&mut self) {
        self.current.in_flight += 1;
    }

    /// One more request is in flight that the snapshot of this version routed, which is held already.
    pub fn hold_version(&mut self, version: u64) {
        let held = std::iter::once(&mut self.current).chain(&mut self.older);
        if let Some(held) = held.into_iter().find(|held| held.snapshot.version == version) {
            held.in_flight += 1;
        }
    }

    /// A request that the snapshot of this version routed is in flight no more.
    pub fn release(&mut self, version: u64) {
        if self.current.snapshot.version == version {
            self.current.in_flight = self.current.in_flight.saturating_sub(1);
            return;
        }
        if let Some(held) = self.older.iter_mut().find(|held| held.snapshot.version == version) {
            held.in_flight = held.in_flight.saturating_sub(1);
        }
        self.older.retain(|held| held.in_flight > 0);
    }
}
