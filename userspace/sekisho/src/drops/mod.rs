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
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

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
pub async fn watch(running: Arc<Running>, samples: Receiver<Sample>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let now = running.clock.now();
        let mut table = running.drops();
        samples.try_iter().take(AT_ONCE).for_each(|sample| table.add(now, Place::Userspace, &sample));
    }
}
