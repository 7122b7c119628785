//! Workers: one thread each, with its own sockets and its own engine.
//!
//! A worker is a thread with a tokio runtime of its own. Its UDP sockets sit in one epoll instance (`sockets`) that
//! tokio watches as a single descriptor; while anything is readable the worker goes round (`rounds`): receive a
//! batch, let the engine judge it, send what it says (`send`). Workers share nothing but what the routing snapshot
//! points to. They are not pinned to cores: the kernel already brings a flow to its worker, and on a machine with other
//! jobs a pinned worker waits where a free one would run.

mod rounds;
mod send;
mod sockets;

use std::{io, net::UdpSocket, sync::Arc, thread};

use sekisho_engine::{
    Engine, Limits, Settings,
    hosted::PasswordVerdict,
    recording::Token,
    snapshot::{HomeId, RoutingSnapshot},
    stats::WorkerStats,
};
use tokio::sync::{mpsc, oneshot};

pub use self::sockets::{OpenError, SERVICE_BUFFER, Upstream, open_upstream};
use crate::{
    clock::Clock,
    drops::Sampler,
    hosted::pool::Entrance,
    journal::{Block, Inlet},
};

/// What a worker is told while it runs.
#[derive(Debug)]
pub enum Message {
    /// Route by this from now on; answer when the engine has it.
    Snapshot(Arc<RoutingSnapshot>, Limits, oneshot::Sender<()>),
    /// What became of records that it has handed over.
    Recorded(Block),
    /// What became of a password that it has handed over.
    Checked(Token, PasswordVerdict),
    /// End the session that these attributes name, at this NAS.
    Disconnect(HomeId, Vec<(u8, Box<[u8]>)>),
    /// From now on Status-Server is not answered, or is again; all else goes on.
    Draining(bool),
    /// Take no new requests; answer when nothing is in flight any more.
    Finish(oneshot::Sender<()>),
    /// Leave at once.
    Stop,
}

/// Everything a worker begins with.
pub struct Start {
    /// Number of the worker, and what its engine is told.
    pub settings: Settings,
    /// Routing.
    pub snapshot: Arc<RoutingSnapshot>,
    /// Its service sockets, in the order of `settings.services`.
    pub sockets: Vec<UdpSocket>,
    /// Where it opens ports toward home servers.
    pub upstream: Upstream,
    /// The clock that all share.
    pub clock: Clock,
    /// Tells of what it drops.
    pub sampler: Sampler,
    /// Takes what it has to record.
    pub records: Inlet,
    /// Takes passwords that are checked elsewhere.
    pub checks: Entrance,
}

/// A running worker, as others see it.
#[derive(Clone, Debug)]
pub struct Handle {
    /// What it counts.
    pub stats: Arc<WorkerStats>,
    messages: mpsc::UnboundedSender<Message>,
}

/// Resolves when the worker has ended and closed its sockets; an error where it did so by itself.
pub type Ended = oneshot::Receiver<io::Result<()>>;

impl Handle {
    /// Starts a worker.
    ///
    /// # Errors
    ///
    /// The kernel gave no thread or no epoll instance.
    pub fn start(start: Start) -> io::Result<(Handle, Ended)> {
        let stats = Arc::new(WorkerStats::default());
        let (messages, inbox) = mpsc::unbounded_channel();
        let (report, ended) = oneshot::channel();
        let name = format!("worker-{}", start.settings.worker);
        let sockets = sockets::Sockets::new(start.sockets, start.upstream)?;
        let engine = Engine::new(start.settings, Arc::clone(&start.snapshot), Arc::clone(&stats));
        let drops = rounds::Drops { sampler: start.sampler, snapshot: start.snapshot };
        let worker =
            rounds::Worker::new(engine, sockets, Arc::clone(&stats), start.clock, drops, (start.records, start.checks));
        thread::Builder::new().name(name).spawn(move || {
            // The main thread may have gone already; then nobody needs the report.
            let _ = report.send(run(worker, inbox));
        })?;
        Ok((Handle { stats, messages }, ended))
    }

    /// Tells the worker something; `false` where it has ended.
    pub fn tell(&self, message: Message) -> bool {
        self.messages.send(message).is_ok()
    }
}

fn run(worker: rounds::Worker, inbox: mpsc::UnboundedReceiver<Message>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(worker.run(inbox))
}
