//! Where passwords are checked that are kept as argon2id: some threads of their own, so that no worker waits for a hash.
//!
//! A worker hands a check over and goes on; what came of it comes back as a message. Of those that wait there are only so many: more are
//! refused at once, as busy, and the engine says so to whoever asked.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Instant,
};

use sekisho_engine::{
    Engine, Time,
    hosted::{Lookup, PasswordVerdict},
    stats::{Counter, Latency},
};
use sekisho_registry::argon;

use crate::worker::{Handle, Message};

/// What the pool has done.
#[derive(Debug, Default)]
pub struct PoolStats {
    /// Passwords that were checked.
    pub checked: Counter,
    /// Logins that found the queue full.
    pub busy: Counter,
    /// How long a check took, without the wait for it.
    pub time: Latency,
}

/// A password to be checked, and for whom.
struct Job {
    worker: usize,
    lookup: Lookup,
}

/// The threads' end, before they run.
pub struct Pool {
    jobs: Receiver<Job>,
    entrance: SyncSender<Job>,
    stats: Arc<PoolStats>,
    threads: usize,
}

/// Where one worker hands passwords over.
#[derive(Clone, Debug)]
pub struct Entrance {
    worker: usize,
    jobs: SyncSender<Job>,
    stats: Arc<PoolStats>,
}

impl Pool {
    /// With so many threads, and room for so many that wait.
    pub fn new(threads: usize, queue: usize) -> Pool {
        let (entrance, jobs) = sync_channel(queue);
        Pool { jobs, entrance, stats: Arc::default(), threads }
    }

    /// What it does.
    pub fn stats(&self) -> Arc<PoolStats> {
        Arc::clone(&self.stats)
    }

    /// Where a worker hands passwords over.
    pub fn entrance(&self, worker: usize) -> Entrance {
        Entrance { worker, jobs: self.entrance.clone(), stats: Arc::clone(&self.stats) }
    }

    /// Starts the threads; they end when the last worker has.
    ///
    /// # Errors
    ///
    /// The kernel gave no thread.
    pub fn start(self, workers: &[Handle]) -> io::Result<()> {
        let jobs = Arc::new(Mutex::new(self.jobs));
        for index in 0..self.threads {
            let (jobs, workers, stats) = (Arc::clone(&jobs), workers.to_vec(), Arc::clone(&self.stats));
            thread::Builder::new().name(format!("argon2-{index}")).spawn(move || {
                loop {
                    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(Job { worker, lookup }) = job else { break };
                    let began = Instant::now();
                    let checked = check(&lookup);
                    stats.checked.increment();
                    stats.time.record(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
                    if let Some(handle) = workers.get(worker) {
                        // Where it has gone, nobody waits.
                        let _ = handle.tell(Message::Checked(lookup.token, checked));
                    }
                }
            })?;
        }
        Ok(())
    }
}

impl Entrance {
    /// Hands over what the engine has; one that finds no room is busy at once.
    pub fn collect(&self, now: Time, engine: &mut Engine) {
        while let Some(lookup) = engine.poll_lookup() {
            let job = Job { worker: self.worker, lookup };
            if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) = self.jobs.try_send(job) {
                self.stats.busy.increment();
                engine.handle_verdict(now, job.lookup.token, PasswordVerdict::Busy);
            }
        }
    }
}

/// A hash that cannot be read is nobody's password.
fn check(lookup: &Lookup) -> PasswordVerdict {
    match argon::verify(&lookup.phc, &lookup.password) {
        Ok(true) => PasswordVerdict::Right,
        Ok(false) => PasswordVerdict::Wrong,
        Err(error) => {
            tracing::error!(%error, "an account's hash cannot be used: give it a new password");
            PasswordVerdict::Wrong
        }
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("worker", &self.worker).finish_non_exhaustive()
    }
}
