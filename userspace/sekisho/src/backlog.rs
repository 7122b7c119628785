//! How much waits, and what is shed for it: accounting that can be spared, while tables or receive queues are nearly full.
//!
//! One look every tenth of a second at all workers: how full their tables of requests are, by their own gauges, and how full
//! the receive queues of their service sockets are, by the kernel. The fullest of all decides (`sekisho_engine::shedding`), for
//! the whole node: the gate in the kernel and the workers shed alike.

use std::{
    io,
    net::UdpSocket,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sekisho_abi::shed::{CALM, INTERIMS};
use sekisho_engine::{
    shedding::{Load, Shedding},
    time::Time,
};
use tokio::time::{MissedTickBehavior, interval};

use crate::{report, running::Running};

/// It is looked at so often.
const EVERY: Duration = Duration::from_millis(100);

/// What was seen last, and what is shed for it.
#[derive(Default)]
pub struct Backlog(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    shedding: Shedding,
    level: u64,
    /// Since when it has been more than nothing.
    since: Time,
    tables: Load,
    queues: Load,
}

/// Service sockets of all workers, to look at their receive queues. They are the same sockets: to be dropped before the workers
/// leave, so that these close them.
pub struct Queues(Vec<UdpSocket>);

impl Queues {
    /// Takes another handle of each socket.
    ///
    /// # Errors
    ///
    /// No descriptor is free.
    pub fn of<'s>(sockets: impl Iterator<Item = &'s UdpSocket>) -> io::Result<Queues> {
        sockets.map(UdpSocket::try_clone).collect::<io::Result<Vec<_>>>().map(Queues)
    }

    /// The fullest of them. One that cannot be read counts as empty.
    fn fullest(&self) -> Load {
        let loads = self.0.iter().filter_map(|socket| sekisho_udp::receive_queue(socket).ok());
        loads.map(|queue| Load::of(queue.used.into(), queue.room.into())).max().unwrap_or_default()
    }
}

impl Backlog {
    /// Decides anew; gives the level and the one before it.
    fn look(&self, now: Time, tables: Load, queues: Load) -> (u64, u64) {
        let mut seen = self.seen();
        let before = seen.level;
        let level = seen.shedding.look(now, tables.max(queues));
        if before == CALM && level != CALM {
            seen.since = now;
        }
        (seen.level, seen.tables, seen.queues) = (level, tables, queues);
        (level, before)
    }

    /// What there is to see of it.
    pub fn report(&self, now: Time) -> report::Backlog {
        let seen = self.seen();
        report::Backlog {
            tables: share(seen.tables),
            queues: share(seen.queues),
            shedding: seen.level,
            since: (seen.level != CALM).then(|| (now - seen.since).as_secs_f64()),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn share(load: Load) -> f64 {
    f64::from(load.0) / 256.0
}

/// What is shed, in words.
pub const fn kinds(level: u64) -> &'static str {
    match level {
        CALM => "nothing",
        INTERIMS => "Interim-Updates",
        _ => "Interim-Updates and Starts",
    }
}

/// Looks, and has everybody shed accordingly, until the task is dropped.
pub async fn watch(running: Arc<Running>, queues: Queues) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let tables = running.fullest_table();
        let (level, before) = running.backlog.look(running.clock.now(), tables, queues.fullest());
        if level != before {
            running.shed(level);
            tell(&running, level, before);
        }
    }
}

fn tell(running: &Running, level: u64, before: u64) {
    let seen = running.backlog.report(running.clock.now());
    let fullest = seen.fullest();
    match level {
        CALM => tracing::info!("nothing is shed any more"),
        _ if level > before => tracing::warn!(fullest, "{} are shed from now on", kinds(level)),
        _ => tracing::info!(fullest, "only {} are shed from now on", kinds(level)),
    }
}

#[cfg(test)]
mod tests {
    use sekisho_abi::shed::STARTS;

    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn the_fuller_of_tables_and_queues_decides_and_is_told_of() {
        let backlog = Backlog::default();
        assert_eq!(backlog.look(at(1_000), Load(10), Load(20)), (CALM, CALM));
        assert_eq!(backlog.report(at(1_000)).since, None);
        assert_eq!(backlog.look(at(2_000), Load(10), Load(212)), (INTERIMS, CALM));
        let seen = backlog.report(at(14_000));
        assert_eq!(seen.in_words().unwrap(), "shedding Interim-Updates since 12 s: receive queues 83 % full");

        assert_eq!(backlog.look(at(15_000), Load(256), Load(0)), (STARTS, INTERIMS));
        let seen = backlog.report(at(15_000));
        let words = "shedding Interim-Updates and Starts since 13 s: tables of requests 100 % full";
        assert_eq!(seen.in_words().unwrap(), words);
    }

    #[test]
    fn what_is_calm_has_no_words() {
        assert_eq!(Backlog::default().report(at(1)).in_words(), None);
    }

    #[test]
    fn the_fullest_of_several_queues_counts() {
        let sockets = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
        let queues = Queues::of(sockets.iter()).unwrap();
        assert_eq!(queues.fullest(), Load(0));
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        (0..2000).for_each(|_| drop(peer.send_to(&[0; 1000], sockets[1].local_addr().unwrap())));
        assert!(queues.fullest() > Load(192), "{:?}", queues.fullest());
    }
}
