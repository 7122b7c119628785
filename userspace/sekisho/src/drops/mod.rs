//! What is dropped, live: who sends it, why, how much of it.
//!
//! Nobody tells of every drop: the gate samples into a ring, workers sample into a queue ([`sample`]), and each sample says how
//! many drops it stands for. A task ([`watch`]) gathers both into a [`Table`] of bounded size, which `GET /drops` shows. So a
//! flood costs hardly more than a trickle, the sums are right, and single rows are as good as samples are.
//!
//! No subscriber is named: a session is a keyed hash, good for telling two apart while the process lives.

mod sample;
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
    loop {
        ticks.tick().await;
        let now = running.clock.now();
        let mut table = running.drops();
        for event in ring.iter_mut().flatten().take(AT_ONCE) {
            if let Some(sample) = of_event(&event) {
                table.add(now, Place::Kernel, &sample);
            }
        }
        samples.try_iter().take(AT_ONCE).for_each(|sample| table.add(now, Place::Userspace, &sample));
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
        weight: event.weight,
    })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use sekisho_abi::address_bytes;

    use super::*;

    #[test]
    fn a_drop_in_the_kernel_keeps_its_sender_and_weight() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let reason = Reason::ClientRate as u32;
        let event = DropEvent { source: address_bytes(address), reason, weight: 64, ..DropEvent::default() };
        let sample = of_event(&event).unwrap();
        assert_eq!((sample.source, sample.reason, sample.weight), (address, Reason::ClientRate, 64));
        assert_eq!(of_event(&DropEvent { reason: 10_000, ..event }), None);
    }
}
