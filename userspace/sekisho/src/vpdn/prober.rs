//! LNSs are asked whether they live: the prober of `sekisho-lns`, with sockets and a clock.

use std::{collections::HashSet, sync::Arc, time::Duration};

use sekisho_engine::snapshot::{LnsId, LnsPlan, RoutingSnapshot};
use sekisho_lns::l2tp::{Probed, Prober, Target};

use super::ports::Ports;
use crate::running::Running;

/// How long to sleep when the prober waits for nothing.
const IDLE: Duration = Duration::from_secs(60);
/// Addresses that could not be bound are tried again, and those that nobody needs are closed, so often.
const AGAIN: Duration = Duration::from_secs(10);

/// Probes until the task is dropped, by the routing in force.
pub async fn run(running: Arc<Running>) {
    let mut snapshots = running.control.subscribe();
    let snapshot = Arc::clone(&snapshots.borrow_and_update());
    let (ports, mut inbox) = Ports::new();
    let prober = Prober::new(rand::random());
    let mut probing = Probing { running: Arc::clone(&running), snapshot, prober, ports, probed: HashSet::new() };
    probing.aim();
    let mut again = tokio::time::interval(AGAIN);
    loop {
        let due = probing.prober.poll_timeout();
        let patience = due.map_or(IDLE, |time| running.clock.until(time));
        tokio::select! {
            changed = snapshots.changed() => {
                if changed.is_err() {
                    return;
                }
                probing.snapshot = Arc::clone(&snapshots.borrow_and_update());
                probing.aim();
            }
            Some(datagram) = inbox.recv() => {
                let now = running.clock.now();
                probing.prober.handle_packet(now, datagram.from, datagram.local, &datagram.bytes);
            }
            _ = again.tick() => probing.look_again(),
            () = tokio::time::sleep(patience) => {}
        }
        probing.go_on().await;
    }
}

struct Probing {
    running: Arc<Running>,
    snapshot: Arc<RoutingSnapshot>,
    prober: Prober,
    ports: Ports,
    /// The LNSs that are probed.
    probed: HashSet<LnsId>,
}

impl Probing {
    /// Aims at what the routing in force wants probed, as far as there is an address to probe from.
    fn aim(&mut self) {
        let now = self.running.clock.now();
        let vpdn = &self.running.vpdn;
        let targets = || each_target(&self.snapshot);
        self.ports.provide(now, targets().map(|(_, target)| target));
        let able: Vec<Target> = targets()
            .map(|(_, target)| target)
            .filter(|target| self.ports.trouble(target).is_none())
            .cloned()
            .collect();
        let probed: HashSet<LnsId> = able.iter().map(|target| target.lns).collect();
        for lns in self.probed.difference(&probed) {
            vpdn.notes.unprobed(*lns, None);
            let changed = vpdn.loads.lns(*lns).health.no_longer_probed(now);
            // One that is in no document any more is nobody's concern.
            if let Some(plan) = self.snapshot.lns(*lns) {
                vpdn.notes.tell(&self.snapshot, plan, changed);
            }
        }
        for (plan, target) in targets() {
            let trouble = self.ports.trouble(target);
            vpdn.notes.unprobed(plan.lns.id, trouble.map(str::to_owned));
            if trouble.is_some() {
                vpdn.notes.tell(&self.snapshot, plan, plan.lns.state.health.no_longer_probed(now));
            }
        }
        self.probed = probed;
        self.prober.set_targets(now, able);
    }

    /// An address may have come to this host meanwhile.
    fn look_again(&mut self) {
        if self.ports.has_trouble() {
            self.aim();
        } else {
            self.ports.provide(self.running.clock.now(), each_target(&self.snapshot).map(|(_, target)| target));
        }
    }

    /// Does what is due, sends, and takes what was found out.
    async fn go_on(&mut self) {
        let now = self.running.clock.now();
        if self.prober.poll_timeout().is_some_and(|time| time <= now) {
            self.prober.handle_timeout(now);
        }
        while let Some(transmit) = self.prober.poll_transmit() {
            self.ports.send(&transmit).await;
        }
        while let Some(probed) = self.prober.poll_event() {
            self.take(&probed);
        }
    }

    fn take(&self, probed: &Probed) {
        let Some(plan) = self.snapshot.lns(probed.lns) else { return };
        let notes = &self.running.vpdn.notes;
        notes.probed(probed);
        let changed = plan.lns.state.health.probed(self.running.clock.now(), probed.outcome, &plan.policy);
        notes.tell(&self.snapshot, plan, changed);
    }
}

fn each_target(snapshot: &RoutingSnapshot) -> impl Iterator<Item = (&LnsPlan, &Target)> {
    snapshot.lnss.iter().flatten().filter_map(|plan| Some((&**plan, plan.probe.as_ref()?)))
}
