//! That there are identifiers toward every home server when requests come: ports, and their identifiers, added and taken back.

use std::sync::Arc;

use crate::{
    engine::Engine,
    packet::{BATCH, UpstreamPort},
    snapshot::{HomeKind, HomeServer},
    time::Time,
};

/// Identifiers toward a home server that are kept in reserve: what two batches can take.
const RESERVE: usize = 2 * BATCH;

impl Engine {
    /// The port that was asked for is open.
    pub fn port_opened(&mut self, port: UpstreamPort) {
        self.ports.opened(port);
        self.stats.ports.set(self.ports.open() as u64);
        self.prepare_homes();
    }

    /// The port could not be opened: it is asked for again later, when identifiers are still short.
    pub fn port_failed(&mut self, now: Time, port: UpstreamPort) {
        self.ports.failed(now, port);
    }

    /// Gives every home server of the snapshot in force what identifiers it lacks, and asks for ports.
    pub(crate) fn prepare_homes(&mut self) {
        let snapshot = Arc::clone(self.snapshots.current());
        for home in snapshot.homes.iter().flatten() {
            self.identifiers.prepare(home.id, home.address);
            // What waits for a server under its old name counts for the new one.
            let outstanding = self.identifiers.of(home.id).map_or(0, |identifiers| identifiers.outstanding());
            home.stats.worker(self.settings.worker).outstanding.set(u64::from(outstanding));
            // There may be thousands of NASes that nobody ever sends CoA: identifiers when one does, but a port by then.
            if home.kind != HomeKind::DynAuth || self.ports.usable_of(home.address.is_ipv6()) == 0 {
                self.supply(Time(0), home);
            }
        }
    }

    /// Adds a port's identifiers where they run short, or asks for a port. To be called whenever one was taken.
    pub(crate) fn supply(&mut self, now: Time, home: &HomeServer) {
        let v6 = home.address.is_ipv6();
        let Some(identifiers) = self.identifiers.of_mut(home.id) else { return };
        while identifiers.free() < RESERVE && identifiers.ports() < self.ports.usable_of(v6) {
            identifiers.add_port();
        }
        self.ports.note_need(v6, identifiers.in_use() + RESERVE);
        if identifiers.free() < RESERVE
            && let Some(port) = self.ports.want(now, v6)
        {
            self.identifiers.of_family(v6).for_each(|identifiers| identifiers.restore(port));
        }
    }

    /// Gives up ports that have not been needed for a while.
    pub(crate) fn look_after_ports(&mut self, now: Time) {
        if !self.ports.is_due(now) {
            return;
        }
        for v6 in [false, true] {
            let in_use = self.identifiers.of_family(v6).map(|identifiers| {
                identifiers.wake(now);
                identifiers.in_use()
            });
            let need = in_use.max().unwrap_or(0);
            if let Some(usable) = self.ports.retire(now, v6, need + RESERVE) {
                self.identifiers.of_family(v6).for_each(|identifiers| identifiers.retire_from(usable));
            }
            while let Some(port) = self.ports.retired(v6)
                && self.identifiers.of_family(v6).all(|identifiers| identifiers.is_idle(now, port))
            {
                self.identifiers.of_family(v6).for_each(|identifiers| identifiers.remove_from(port));
                self.ports.close_retired(v6);
            }
        }
        self.stats.ports.set(self.ports.open() as u64);
    }
}
