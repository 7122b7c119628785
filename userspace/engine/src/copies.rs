//! Copies of accounting: a pool may send every record to further servers as well, fire and forget.
//!
//! A copy leaves when its record is forwarded for the first time. It is never repeated, never fails over, and the client's
//! answer does not wait for it. A server that is dead, or has no identifier left, is skipped, and that is counted; so are all
//! of them while the table fills up. One that stays silent for its `response_window` is judged by it like any other.

use sekisho_wire::secret::Secret;

use crate::{
    derived::Derived,
    engine::Engine,
    health::Health,
    snapshot::{HomeKind, Pool, RoutingSnapshot},
    table::Origin,
    time::Time,
    verdict::may_take,
};

impl Engine {
    /// Copies the request at `index`, whose stored bytes were made for a server with secret `from`, to wherever its pool says.
    pub(crate) fn copy_out(&mut self, now: Time, snapshot: &RoutingSnapshot, pool: &Pool, index: u32, from: &Secret) {
        for home in pool.copies.iter().filter_map(|id| snapshot.home(*id)).filter(|home| home.kind == HomeKind::Acct) {
            let health = home.health();
            let lives = matches!(health, Health::Alive | Health::Zombie);
            let able = lives && may_take(&self.identifiers, now, home, health) && self.has_room_to_spare();
            let deadline = now + home.response_window;
            let derived = Derived { snapshot, home, bit: 0, from, origin: Origin::Copy, deadline };
            let Some(request) = self.table.at(index) else { return };
            let sent = able
                && self.scratch.load(self.store.bytes(&request.bytes)).is_ok()
                && self.derive(now, index, &derived).is_some();
            let stats = home.stats.worker(self.settings.worker);
            if sent {
                stats.copies.increment();
            } else {
                stats.copies_skipped.increment();
                if lives {
                    // Perhaps for want of a port.
                    self.supply(now, home);
                }
            }
        }
    }

    /// Whether a quarter of the table's places is free of requests under way: clients' requests come before those that they set
    /// off.
    pub(crate) fn has_room_to_spare(&self) -> bool {
        let under_way = self.in_flight() + self.derived as usize;
        under_way < self.settings.limits.max_requests as usize / 4 * 3
    }
}
