//! Sessions, kept over restarts: the file `sessions` in `node.state`.
//!
//! It is written every `sessions.save_interval` and at the end, beside the workers, and read before the first socket opens. After a
//! crash there is what there was at the last save: a session that began since then is found by its next Interim, one that ended
//! expires. The file has subscribers' names and numbers in it: it is its owner's alone.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use sekisho_engine::{Time, snapshot::RoutingSnapshot};
use sekisho_lns::{
    Loads,
    sessions::{Restored, Sessions, Settings},
};
use tokio::time::sleep_until;

use super::naming::Names;
use crate::{clock::wall_seconds, running::Running, state};

/// Its name below `node.state`.
const FILE: &str = "sessions";
/// Octets that are written at once.
const BUFFER: usize = 256 << 10;

/// The file, and how saving goes.
#[derive(Debug)]
pub struct Keeper {
    directory: PathBuf,
    restored: Restored,
    /// Held while the file is written: a save at the end may meet one under way.
    writing: Mutex<()>,
    /// When it was saved last, in Unix seconds; zero: not yet.
    saved: AtomicU64,
    failing: AtomicBool,
}

impl Keeper {
    /// With the sessions that an earlier run has left in `directory`. A file that cannot be used is put aside and told of.
    pub fn open(
        directory: &Path,
        settings: Settings,
        loads: Arc<Loads>,
        snapshot: &RoutingSnapshot,
        now: Time,
    ) -> (Keeper, Sessions) {
        let path = directory.join(FILE);
        let (sessions, restored) = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => {
                let input = opened.map(|file| BufReader::with_capacity(BUFFER, file));
                let read = input.map_err(|error| error.to_string()).and_then(|input| {
                    let (loads, names) = (Arc::clone(&loads), Names::of(snapshot));
                    let read = Sessions::restore(settings, loads, input, now, wall_seconds(), &names);
                    read.map_err(|error| error.to_string())
                });
                read.inspect_err(|error| {
                    let aside = state::put_aside(directory, FILE);
                    tracing::error!(
                        file = %path.display(), error,
                        "the sessions of the last run cannot be restored, and are counted anew: {aside}"
                    );
                })
                .ok()
            }
        }
        .inspect(|(_, restored)| tell(restored))
        .unwrap_or_else(|| (Sessions::new(settings, rand::random(), loads), Restored::default()));
        let keeper = Keeper {
            directory: directory.to_owned(),
            restored,
            writing: Mutex::default(),
            saved: AtomicU64::new(0),
            failing: AtomicBool::new(false),
        };
        (keeper, sessions)
    }

    /// What the start has found.
    pub fn restored(&self) -> Restored {
        self.restored
    }

    /// When the sessions were saved last, in Unix seconds.
    pub fn saved(&self) -> Option<u64> {
        Some(self.saved.load(Relaxed)).filter(|saved| *saved > 0)
    }

    /// Whether they could not be saved the last time.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// Writes the file; workers are not held up. It takes as long as the disk does.
    pub fn save(&self, sessions: &Sessions, snapshot: &RoutingSnapshot, now: Time) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = sessions.counts();
        let is_empty = counts.sessions + counts.reservations + counts.memories + counts.ended == 0;
        // A node without VPDN has no such file. One that there is says what is no longer so.
        if is_empty && !self.directory.join(FILE).exists() {
            return;
        }
        let began = Instant::now();
        let mut written = None;
        let outcome = state::replace(&self.directory, FILE, |file| {
            let mut out = BufWriter::with_capacity(BUFFER, file);
            written = Some(sessions.write_to(now, wall_seconds(), &Names::of(snapshot), &mut out)?);
            out.flush()
        });
        match outcome {
            Ok(()) => {
                self.saved.store(wall_seconds(), Relaxed);
                let written = written.unwrap_or_default();
                let (sessions, octets, took) = (written.sessions, written.octets, began.elapsed());
                tracing::debug!(sessions, octets, ?took, "sessions are saved");
                if self.failing.swap(false, Relaxed) {
                    tracing::info!("sessions are saved again");
                }
            }
            Err(error) => {
                if !self.failing.swap(true, Relaxed) {
                    tracing::warn!(
                        directory = %self.directory.display(), %error,
                        "sessions cannot be saved, and are forgotten at a restart: let sekisho's user write to the directory, \
                         make room on its disk, or name another as node.state"
                    );
                }
            }
        }
    }
}

fn tell(restored: &Restored) {
    let Restored { sessions, reservations, expired, dropped, without_lns, no_room, .. } = *restored;
    tracing::info!(sessions, reservations, expired, "the sessions of the last run are restored");
    if dropped > 0 || without_lns > 0 {
        tracing::warn!(
            dropped,
            without_lns,
            "sessions of customers, contracts or access networks that no document has are not restored; those of LNSs that none has \
             count for their contracts alone"
        );
    }
    if no_room > 0 {
        tracing::warn!(no_room, "sessions are not restored: raise sessions.max_tracked");
    }
}

impl Running {
    /// Saves the sessions; beside the runtime, since a disk may take its time.
    pub async fn save_sessions(self: &Arc<Running>) {
        let running = Arc::clone(self);
        let saved = tokio::task::spawn_blocking(move || {
            running.vpdn.keeper.save(&running.vpdn.sessions, &running.routing.load(), running.clock.now());
        });
        // An error is the runtime's end; the program saves what there is before that.
        let _ = saved.await;
    }
}

/// Saves sessions until the task is dropped.
pub async fn watch(running: Arc<Running>) {
    let mut reloads = running.control.subscribe();
    let mut last = Instant::now();
    loop {
        let every = running.current.lock().await.documents.node.sessions.save_interval;
        tokio::select! {
            () = sleep_until((last + every).into()) => {
                running.save_sessions().await;
                last = Instant::now();
            }
            // Another interval may hold from now on.
            changed = reloads.changed() => if changed.is_err() {
                return;
            },
        }
    }
}
