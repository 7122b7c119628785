//! The control engine's task: decides which home servers are alive, and tells.

use std::{sync::Arc, time::Duration};

use sekisho_engine::{Control, ControlEvent, health::Health, snapshot::RoutingSnapshot};

use crate::running::Running;

/// How long to sleep when the control engine waits for nothing.
const IDLE: Duration = Duration::from_secs(60);

/// Runs the control engine until the task is dropped.
pub async fn run(running: Arc<Running>) {
    let mut snapshots = running.control.subscribe();
    let mut snapshot = Arc::clone(&snapshots.borrow_and_update());
    let mut control = Control::new(Arc::clone(&snapshot));
    loop {
        let patience = control.poll_timeout().map_or(IDLE, |time| running.clock.until(time));
        tokio::select! {
            changed = snapshots.changed() => {
                if changed.is_err() {
                    return;
                }
                snapshot = Arc::clone(&snapshots.borrow_and_update());
                control.set_snapshot(Arc::clone(&snapshot));
            }
            () = tokio::time::sleep(patience) => control.handle_timeout(running.clock.now()),
        }
        while let Some(event) = control.poll_event() {
            tell(&snapshot, event);
        }
    }
}

fn tell(snapshot: &RoutingSnapshot, event: ControlEvent) {
    let ControlEvent::HealthChanged { home, from, to } = event;
    let Some(home) = snapshot.home(home) else { return };
    let customer = snapshot.customer(home.customer).map_or("", |customer| customer.name.as_str());
    let (server, kind, address) = (&home.name, home.kind.name(), home.address);
    let (from, to) = (from.name(), (to, to.name()));
    match to {
        (Health::Alive, to) => tracing::info!(customer, server, kind, %address, from, to, "a home server is back"),
        (_, to) => tracing::warn!(customer, server, kind, %address, from, to, "a home server does not answer"),
    }
}
