//! What is dropped, live: who sends it, why, how much of it.
//!
//! Nobody tells of every drop: the gate samples into a ring, workers sample into a queue (`sample`), and both count every drop by
//! its reason. A task ([`watch`]) gathers samples, shares out among them what was counted meanwhile (`shares`), and adds that
//! to a [`Table`] of bounded size, which `GET /drops` shows. So a flood costs hardly more than a trickle, the sums by reason are
//! right, and the share of a single sender is as good as samples are.
//!
//! No subscriber is named: a session is a keyed hash, good for telling two apart while its tables live.

mod sample;
mod shares;
mod table;

use std::{
    net::Ipv6Addr,
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use sekisho_abi::{Reason, event::DropEvent};
use sekisho_kernel::DropReader;
use tokio::time::{MissedTickBehavior, interval};

pub use self::{
    sample::{Sample, Sampler, queue},
    shares::{Counts, Shares},
    table::{Place, Table},
};
use crate::running::Running;

/// Samples are gathered so often.
const EVERY: Duration = Duration::from_millis(100);
/// So many are taken from one place at a time: more are there only if somebody floods the queues themselves.
const AT_ONCE: usize = 8192;

/// Gathers samples until the task is dropped.
pub async fn watch(running: Arc<Running>, samples: Receiver<Sample>, mut ring: Option<DropReader>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut kernel = Shares::new(running.gate.dropped());
    let mut userspace = Shares::new(running.dropped());
    let mut gathered = Vec::new();
    loop {
        ticks.tick().await;
        let now = running.clock.now();
        gathered.extend(ring.iter_mut().flatten().take(AT_ONCE).filter_map(|event| of_event(&event)));
        // What is sampled has been counted before.
        if !gathered.is_empty() {
            kernel.settle(&gathered, running.gate.dropped(), |sample, count| {
                running.drops().add(now, Place::Kernel, sample, count);
            });
        }
        gathered.clear();
        gathered.extend(samples.try_iter().take(AT_ONCE));
        if !gathered.is_empty() {
            userspace.settle(&gathered, running.dropped(), |sample, count| {
                running.drops().add(now, Place::Userspace, sample, count);
            });
        }
        gathered.clear();
    }
}

/// A drop in the kernel as one of ours; `None` for a reason that there is not.
fn of_event(event: &DropEvent) -> Option<Sample> {
    Some(Sample {
        source: Ipv6Addr::from(event.source).to_canonical(),
        domain: event.domain,
        ifindex: event.ifindex,
        reason: *Reason::ALL.get(event.reason as usize)?,
        session: event.session,
    })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use sekisho_abi::address_bytes;

    use super::*;

    #[test]
    fn a_drop_in_the_kernel_keeps_its_sender_and_reason() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let reason = Reason::ClientRate as u32;
        let event = DropEvent { source: address_bytes(address), reason, ..DropEvent::default() };
        let sample = of_event(&event).unwrap();
        assert_eq!((sample.source, sample.reason), (address, Reason::ClientRate));
        assert_eq!(of_event(&DropEvent { reason: 10_000, ..event }), None);
    }
}
