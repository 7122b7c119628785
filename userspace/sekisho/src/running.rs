//! A node that is up: what the admin API, a reload and the end need to reach.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;
use sekisho_engine::{
    Limiter,
    hosted::Hosted,
    shedding::Load,
    snapshot::RoutingSnapshot,
    stats::{Counter, WorkerStats},
    time::Time,
};
use sekisho_service::Unresolved;
use tokio::sync::watch;

use crate::{
    backlog::Backlog,
    clock::Clock,
    documents::Documents,
    drops,
    gate::Gate,
    hosted::pool::PoolStats,
    journal::JournalStats,
    learned::Keeper,
    registry::follow::Follower,
    reload::Current,
    report::{self, Report},
    tables,
    vpdn::Vpdn,
    worker::{self, Message},
};

/// Everything of a node that is up.
pub struct Running {
    /// The clock of all its parts.
    pub clock: Clock,
    /// The gate in the kernel.
    pub gate: Gate,
    /// The workers.
    pub workers: Vec<worker::Handle>,
    /// Their rate limits, where the gate has none.
    pub limiter: Arc<Limiter>,
    /// Sessions and LNSs.
    pub vpdn: Vpdn,
    /// Hosted accounts.
    pub hosted: Arc<Hosted>,
    /// Keeps their sessions.
    pub accounts_keeper: tables::Keeper,
    /// Where hashes of passwords are checked.
    pub pool: Arc<PoolStats>,
    /// What it follows, where it has a registry.
    pub follower: Option<Arc<Follower>>,
    /// What the journal's writer does.
    pub journal: Arc<JournalStats>,
    /// How much waits, and what is shed for it.
    pub backlog: Backlog,
    /// Routing in force.
    pub routing: ArcSwap<RoutingSnapshot>,
    /// Home servers that it leaves out, since their names have no address.
    pub unresolved: ArcSwap<Vec<Unresolved>>,
    /// Tells the control engine of another routing.
    pub control: watch::Sender<Arc<RoutingSnapshot>>,
    /// The documents in force; a reload holds the lock from its beginning to its end.
    pub current: tokio::sync::Mutex<Current>,
    /// What has been learned, and its file.
    pub keeper: Mutex<Keeper>,
    draining: AtomicBool,
    drops: Mutex<drops::Table>,
    /// `limits.max_requests`.
    max_requests: AtomicU32,
    history: History,
    about: About,
}

/// The workers, and what they share.
pub struct Workers {
    /// The workers.
    pub workers: Vec<worker::Handle>,
    /// Their rate limits.
    pub limiter: Arc<Limiter>,
    /// Sessions and LNSs.
    pub vpdn: Vpdn,
    /// Hosted accounts.
    pub hosted: Arc<Hosted>,
    /// Keeps their sessions.
    pub accounts_keeper: tables::Keeper,
    /// Where hashes of passwords are checked.
    pub pool: Arc<PoolStats>,
    /// What writes their records.
    pub journal: Arc<JournalStats>,
}

/// Routing, and what could not be part of it.
pub struct Routing {
    /// Routing.
    pub snapshot: Arc<RoutingSnapshot>,
    /// Home servers without an address.
    pub unresolved: Vec<Unresolved>,
}

/// What never changes while a node is up.
struct About {
    name: String,
    config: std::path::PathBuf,
    listeners: Vec<String>,
    journal: std::path::PathBuf,
}

#[derive(Default)]
struct History {
    last: Mutex<Option<report::Reload>>,
    succeeded: AtomicU64,
    refused: AtomicU64,
    samples: Mutex<VecDeque<Sample>>,
}

#[derive(Clone, Copy)]
struct Sample {
    at: Time,
    requests: u64,
    replies: u64,
    dropped: u64,
}

/// Rates are taken over so many seconds.
const RATE_OVER: usize = 5;

impl Running {
    /// Puts the parts together.
    pub fn new(
        clock: Clock,
        gate: Gate,
        Workers { workers, limiter, vpdn, hosted, accounts_keeper, pool, journal }: Workers,
        Routing { snapshot, unresolved }: Routing,
        current: Current,
        (keeper, follower): (Keeper, Option<Arc<Follower>>),
    ) -> Running {
        let about = About::of(&current.documents);
        Running {
            clock,
            gate,
            workers,
            limiter,
            vpdn,
            hosted,
            accounts_keeper,
            pool,
            follower,
            journal,
            backlog: Backlog::default(),
            control: watch::Sender::new(Arc::clone(&snapshot)),
            routing: ArcSwap::new(snapshot),
            unresolved: ArcSwap::from_pointee(unresolved),
            max_requests: AtomicU32::new(current.documents.node.limits.max_requests),
            current: tokio::sync::Mutex::new(current),
            keeper: Mutex::new(keeper),
            draining: AtomicBool::new(false),
            drops: Mutex::default(),
            history: History::default(),
            about,
        }
    }

    /// Everything there is to see, now.
    pub fn report(&self) -> Report {
        let snapshot = self.routing.load();
        let workers = self.stats();
        let (totals, dropped) = report::totals(&workers);
        let mut gate = self.gate.report();
        let mut clients = self.gate.clients();
        gate.nobody = clients.remove(&0).unwrap_or_default();
        let now = self.clock.now();
        let rates = self.rates(Sample::of(now, &totals, &dropped, &gate));
        Report {
            node: report::Node {
                name: self.about.name.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                config: self.about.config.clone(),
                pid: std::process::id(),
                uptime: self.clock.uptime().as_secs_f64(),
                workers: self.workers.len(),
                listeners: self.about.listeners.clone(),
                draining: self.draining.load(Relaxed),
                version_of_routing: snapshot.version,
                reload: *self.history.last.lock().unwrap_or_else(PoisonError::into_inner),
                reloads_succeeded: self.history.succeeded.load(Relaxed),
                reloads_refused: self.history.refused.load(Relaxed),
            },
            gate,
            totals,
            rates,
            backlog: self.backlog.report(now),
            dropped,
            sessions: report::session_table(&self.vpdn, &self.accounts_keeper, &workers),
            journal: self.report_journal(&workers),
            registry: self.follower.as_ref().map(|follower| follower.report(&self.hosted.accounts)),
            hosted_sessions: report::hosted_sessions(&self.hosted.sessions),
            hashes: report::hashes(&self.pool),
            access_networks: report::access_networks(&snapshot, &clients, now),
            customers: report::customers(&snapshot, &self.unresolved.load(), &self.vpdn, &clients, now),
        }
    }

    fn report_journal(&self, workers: &[Arc<WorkerStats>]) -> report::Journal {
        let journal = &self.journal;
        let sum = |counter: fn(&WorkerStats) -> &Counter| workers.iter().map(|stats| counter(stats).read()).sum();
        report::Journal {
            directory: self.about.journal.clone(),
            written: journal.written.read(),
            known: journal.known.read(),
            refused: journal.refused.read(),
            commits: report::Histogram::sum(std::iter::once(&journal.commits)),
            octets: journal.octets.load(Relaxed),
            segments: journal.segments.load(Relaxed),
            waiting: journal.waiting.load(Relaxed),
            failing: journal.is_failing(),
            recorded: sum(|stats| &stats.recorded),
            unrecorded: sum(|stats| &stats.unrecorded),
            untold: sum(|stats| &stats.untold),
        }
    }

    /// What is dropped, the most at present first.
    pub fn report_drops(&self) -> Vec<report::Drop> {
        self.drops().report(self.clock.now(), &self.routing.load())
    }

    /// What the workers have dropped, by reason.
    pub fn dropped(&self) -> drops::Counts {
        let stats = self.stats();
        std::array::from_fn(|reason| {
            stats.iter().filter_map(|stats| stats.dropped.get(reason)).map(Counter::read).sum()
        })
    }

    /// The table of drops, locked.
    pub fn drops(&self) -> MutexGuard<'_, drops::Table> {
        self.drops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How full the fullest worker's table of requests is.
    pub fn fullest_table(&self) -> Load {
        let room = u64::from(self.max_requests.load(Relaxed));
        let loads = self.workers.iter().map(|worker| Load::of(worker.stats.in_flight.read(), room));
        loads.max().unwrap_or_default()
    }

    /// Notes how many requests a worker may have in flight.
    pub fn set_max_requests(&self, max_requests: u32) {
        self.max_requests.store(max_requests, Relaxed);
    }

    /// Has everybody shed at this level (`sekisho_abi::shed`).
    pub fn shed(&self, level: u64) {
        self.limiter.set_shed(level);
        self.gate.shed(level);
    }

    /// From now on whoever asks how this node is gets no answer (RFC 5997 §4.2), and everything else is served as ever;
    /// or all is as usual again. `false` where that was so already.
    pub fn set_draining(&self, draining: bool) -> bool {
        let changed = self.draining.swap(draining, Relaxed) != draining;
        for worker in &self.workers {
            worker.tell(Message::Draining(draining));
        }
        changed
    }

    /// Keeps what the workers have learned since the last time.
    pub async fn keep_learned(self: &Arc<Running>) {
        let current = self.current.lock().await;
        let (documents, snapshot) = (Arc::clone(&current.documents), self.routing.load_full());
        let running = Arc::clone(self);
        let kept = tokio::task::spawn_blocking(move || {
            running.keeper().learn(&snapshot, &documents);
        });
        // An error is the runtime's end; the program keeps what there is before that.
        let _ = kept.await;
    }

    /// What has been learned, locked.
    pub fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a sample for the rates; to be called once a second.
    pub fn sample(&self) {
        let (totals, dropped) = report::totals(&self.stats());
        let sample = Sample::of(self.clock.now(), &totals, &dropped, &self.gate.report());
        let mut samples = self.history.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push_back(sample);
        if samples.len() > RATE_OVER {
            samples.pop_front();
        }
    }

    /// Notes how an attempt to reload ended.
    pub fn note_reload(&self, succeeded: bool) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        *self.history.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(report::Reload { succeeded, at });
        let counter = if succeeded { &self.history.succeeded } else { &self.history.refused };
        counter.fetch_add(1, Relaxed);
    }

    fn stats(&self) -> Vec<Arc<WorkerStats>> {
        self.workers.iter().map(|worker| Arc::clone(&worker.stats)).collect()
    }

    fn rates(&self, now: Sample) -> report::Rates {
        let samples = self.history.samples.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(then) = samples.front() else { return report::Rates::default() };
        let over = (now.at - then.at).as_secs_f64();
        if over <= 0.0 {
            return report::Rates::default();
        }
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / over;
        report::Rates {
            over,
            requests: rate(now.requests, then.requests),
            replies: rate(now.replies, then.replies),
            dropped: rate(now.dropped, then.dropped),
        }
    }
}

impl About {
    fn of(documents: &Documents) -> About {
        let (name, config) = (documents.node.name.clone(), documents.path.clone());
        let journal = documents.node.journal.directory.clone();
        About { name, config, listeners: documents.listeners(), journal }
    }
}

impl Sample {
    fn of(at: Time, totals: &report::Totals, dropped: &[report::Count], gate: &report::Gate) -> Sample {
        Sample {
            at,
            requests: totals.access + totals.accounting + totals.status + totals.disconnect + totals.coa,
            replies: totals.replies.sum(),
            dropped: dropped.iter().chain(&gate.dropped).map(|found| found.count).sum(),
        }
    }
}
