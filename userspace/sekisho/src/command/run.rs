//! `sekisho run`: up, until told to stop.

use std::{
    future::pending,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sekisho_abi::shed::CALM;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

use super::{Exit, LogArgs, say};
use crate::{
    admin::server,
    backlog,
    documents::{self, Documents},
    drops, health, learned, log,
    names::{self, Names},
    registry::{
        feed::{self, Feed, News},
        follow,
    },
    running::Running,
    start::{Started, start},
    summary, tables,
    vpdn::{prober, sweep},
    worker::{Ended, Message},
};

/// What to run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "SIGHUP reloads the documents; SIGTERM and SIGINT stop. SEKISHO_LOG, where set, overrides node.log."
)]
pub(super) struct Args {
    /// The node's document, or the directory that holds it as sekisho.toml
    #[arg(long, value_name = "PATH", default_value = documents::DEFAULT)]
    config: PathBuf,
    #[command(flatten)]
    log: LogArgs,
}

/// Requests in flight get this long to be answered at the end.
const DRAIN: Duration = Duration::from_secs(2);
/// Then workers get this long to close their sockets.
const LEAVE: Duration = Duration::from_secs(1);
/// What has been learned gets this long to reach its file.
const KEEP: Duration = Duration::from_secs(1);
/// Sessions may be many: they have until then, from the beginning of the end.
const SAVE: Duration = Duration::from_millis(4200);
/// Whatever happens, the process is gone after this.
const DEADLINE: Duration = Duration::from_millis(4500);

pub(super) fn run(args: &Args) -> Exit {
    node(&args.config, &args.log)
}

/// Runs the node that a document describes.
pub(super) fn node(config: &Path, format: &LogArgs) -> Exit {
    let documents = match Documents::node(config) {
        Ok(documents) => documents,
        Err(faults) => {
            eprintln!("{faults}");
            return Exit::Refused;
        }
    };
    if let Err(error) = log::start(documents.node.log.name(), format.log_format) {
        eprintln!("{error}");
        return Exit::Refused;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("control").enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return Exit::Failure;
        }
    };
    let (documents, registry) = match runtime.block_on(feed::documents(&documents.path)) {
        Ok(read) => read,
        Err(error) => {
            eprintln!("{error}");
            return Exit::Refused;
        }
    };
    let ended = runtime.block_on(live(documents, registry));
    runtime.shutdown_background();
    match ended {
        Ok(()) => Exit::Success,
        Err(error) => {
            eprintln!("{error}");
            Exit::Failure
        }
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next wish to stop.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn live(documents: Documents, registry: Option<(Feed, News)>) -> Result<(), String> {
    // Before anything is up: a signal that comes meanwhile must not leave the gate behind.
    let mut signals = Signals::new().map_err(|error| format!("cannot watch signals: {error}"))?;
    let warnings = documents.warnings.clone();
    let persist = documents.node.xdp.persist;
    let mut names = Names::default();
    names.refresh(&documents.node, &documents.customers, names::PATIENCE).await;
    let started = start(documents, names, registry).map_err(|error| error.to_string())?;
    let Started { running, admin, ended, journal_ended, upstream, queues, samples, ring } = started;
    let report = running.report();
    say(&summary::up(&report, admin.local_addr().ok()));
    let asked = report.gate.requested != "off";
    for interface in report.gate.interfaces.iter().filter(|interface| asked && interface.mode == "off") {
        tracing::warn!(interface = interface.name, "the XDP gate is off, though it was asked for");
    }
    if let Some(reason) = report.gate.goes.as_ref().filter(|_| persist) {
        tracing::warn!(reason, "the XDP gate goes with this process: until the next one is up strangers get through");
    }
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    tracing::info!("up");

    let mut workers = JoinSet::new();
    for (index, end) in ended.into_iter().enumerate() {
        workers.spawn(async move { end_of(index, end).await });
    }
    let api = tokio::spawn(server::serve(admin, Arc::clone(&running)));
    let tasks = [
        tokio::spawn(health::run(Arc::clone(&running), upstream)),
        tokio::spawn(names::watch(Arc::clone(&running))),
        tokio::spawn(learned::watch(Arc::clone(&running))),
        tokio::spawn(prober::run(Arc::clone(&running))),
        tokio::spawn(sweep::run(Arc::clone(&running))),
        tokio::spawn(tables::watch(Arc::clone(&running))),
        tokio::spawn(sample(Arc::clone(&running))),
        tokio::spawn(drops::watch(Arc::clone(&running), samples, ring)),
        tokio::spawn(follow::run(Arc::clone(&running))),
    ];
    let backlog = tokio::spawn(backlog::watch(Arc::clone(&running), queues));

    let failed = loop {
        tokio::select! {
            _ = signals.interrupt.recv() => break None,
            _ = signals.terminate.recv() => break None,
            _ = signals.hang_up.recv() => {
                let running = Arc::clone(&running);
                tokio::spawn(async move { running.reload().await.is_ok() });
            }
            end = workers.join_next() => break Some(match end {
                Some(Ok(message)) => message,
                _ => "a worker ended by itself".to_owned(),
            }),
        }
    };
    if let Some(message) = &failed {
        tracing::error!("{message}; stopping");
    }
    // It holds the service sockets as well: the workers are to be the last to close them.
    backlog.abort();
    let _ = backlog.await;
    running.shed(CALM);
    let stopping = Instant::now();
    stop(&running, &mut signals, &mut workers).await;
    api.abort();
    tasks.iter().for_each(|task| task.abort());
    // It ends when the last worker has.
    let written = tokio::task::spawn_blocking(move || journal_ended.join().is_ok());
    let (written, saved, kept) = tokio::join!(
        timeout(KEEP, written),
        timeout_at(stopping + SAVE, running.save_sessions()),
        timeout(KEEP, running.keep_learned()),
    );
    if !matches!(written, Ok(Ok(true))) {
        tracing::error!("the journal did not end in time; what was acknowledged is kept all the same");
    }
    if saved.is_err() {
        tracing::warn!("leaving before the sessions were saved: the next start has those of the last save");
    }
    if kept.is_err() {
        tracing::warn!("leaving without having kept what was learned last");
    }
    if let Some(directory) = running.gate.stays() {
        let directory = directory.display();
        tracing::info!(%directory, "the gate stays in place: `sekisho xdp detach` removes it");
    }
    tracing::info!("down");
    failed.map_or(Ok(()), Err)
}

async fn end_of(index: usize, end: Ended) -> String {
    match end.await {
        Ok(Ok(())) => format!("worker {index} ended"),
        Ok(Err(error)) => format!("worker {index} failed: {error}"),
        Err(_) => format!("worker {index} ended by a panic"),
    }
}

/// No new requests; what is in flight gets a moment to be answered; then all leave. A second signal skips the moment.
async fn stop(running: &Running, signals: &mut Signals, workers: &mut JoinSet<String>) {
    std::thread::spawn(|| {
        std::thread::sleep(DEADLINE);
        eprintln!("stopping took too long; leaving at once");
        std::process::exit(1);
    });
    tracing::info!("stopping: no new requests; a second signal leaves at once");
    running.set_draining(true);
    let finished = running.workers.iter().filter_map(|worker| {
        let (done, finished) = oneshot::channel();
        worker.tell(Message::Finish(done)).then_some(finished)
    });
    let finished: Vec<oneshot::Receiver<()>> = finished.collect();
    let all = async {
        for worker in finished {
            // An error is a worker that has ended already: nothing left to wait for.
            let _ = worker.await;
        }
    };
    tokio::select! {
        outcome = timeout(DRAIN, all) => if outcome.is_err() {
            tracing::warn!("stopping with requests in flight: their home servers have not answered");
        },
        () = signals.stop() => tracing::warn!("leaving at once"),
    }
    for worker in &running.workers {
        worker.tell(Message::Stop);
    }
    let left = timeout(LEAVE, async { while workers.join_next().await.is_some() {} }).await;
    if left.is_err() {
        tracing::error!("a worker does not leave");
    }
}

async fn sample(running: Arc<Running>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        seconds.tick().await;
        let running = Arc::clone(&running);
        if tokio::task::spawn_blocking(move || running.sample()).await.is_err() {
            // The runtime is shutting down.
            pending::<()>().await;
        }
    }
}
