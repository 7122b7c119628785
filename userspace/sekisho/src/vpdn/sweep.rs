//! What time does to sessions and LNSs: ten times a second a little of the table is looked through.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use sekisho_lns::health::SoftFailure;
use tokio::time::{MissedTickBehavior, interval};

use crate::running::Running;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(100);
/// So many looks later, LNSs are looked at as well.
const LOOKS: u32 = 10;
/// Records of one look: every reservation twice a second, a million sessions in five.
const BUDGET: usize = 20_000;

/// Sessions that ended without a Stop, since the start.
#[derive(Debug, Default)]
pub struct Ended {
    expired: AtomicU64,
    restarted: AtomicU64,
}

impl Ended {
    /// Those of which nothing had been heard for too long.
    pub fn expired(&self) -> u64 {
        self.expired.load(Relaxed)
    }

    /// Those whose NAS or LNS had restarted.
    pub fn restarted(&self) -> u64 {
        self.restarted.load(Relaxed)
    }
}

/// Sweeps until the task is dropped.
pub async fn run(running: Arc<Running>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut looks = 0;
    loop {
        ticks.tick().await;
        let running = Arc::clone(&running);
        looks = (looks + 1) % LOOKS;
        let with_lnss = looks == 0;
        if tokio::task::spawn_blocking(move || running.sweep(with_lnss)).await.is_err() {
            // The runtime is shutting down.
            pending::<()>().await;
        }
    }
}

impl Running {
    /// Ends what is over: some sessions and reservations, and with `with_lnss` what LNSs have said of themselves.
    fn sweep(&self, with_lnss: bool) {
        let (now, snapshot, vpdn) = (self.clock.now(), self.routing.load(), &self.vpdn);
        let swept = vpdn.sessions.sweep(now, BUDGET, &mut |failed| {
            if let Some(plan) = snapshot.lns(failed.lns) {
                let health = &plan.lns.state.health;
                let changed = health.soft_failure(now, failed.source, SoftFailure::NoStart, &plan.policy);
                vpdn.notes.tell_of_source(&snapshot, plan, changed);
            }
        });
        vpdn.ended.expired.fetch_add(swept.expired as u64, Relaxed);
        vpdn.ended.restarted.fetch_add(swept.restarted as u64, Relaxed);
        self.rebalance(now, &snapshot);
        if with_lnss {
            for plan in snapshot.lnss.iter().flatten() {
                vpdn.notes.tell(&snapshot, plan, plan.lns.state.health.refresh(now));
            }
        }
    }
}
