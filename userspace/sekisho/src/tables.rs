//! Tables of sessions, kept over restarts: each in a file below `node.state`.
//!
//! They are written every `sessions.save_interval` and at the end, beside the workers, and read before the first socket opens. After a
//! crash there is what there was at the last save: a session that began since then is found by its next Interim, one that ended
//! expires. The files have subscribers' names and numbers in them: they are their owner's alone.

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

use sekisho_lns::framed::RestoreError;
use tokio::time::sleep_until;

use crate::{clock::wall_seconds, running::Running, state};

/// Octets that are read and written at once.
const BUFFER: usize = 256 << 10;

/// A table's file, and how saving goes.
#[derive(Debug)]
pub struct Keeper {
    directory: PathBuf,
    file: &'static str,
    /// Held while the file is written: a save at the end may meet one under way.
    writing: Mutex<()>,
    /// When it was saved last, in Unix seconds; zero: not yet.
    saved: AtomicU64,
    failing: AtomicBool,
}

impl Keeper {
    /// The table that an earlier run has left in `directory`, if there is one. A file that cannot be used is put aside and told of.
    pub fn open<T>(
        directory: &Path,
        file: &'static str,
        restore: impl FnOnce(BufReader<File>) -> Result<T, RestoreError>,
    ) -> (Keeper, Option<T>) {
        let path = directory.join(file);
        let table = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => opened
                .map_err(RestoreError::Io)
                .and_then(|file| restore(BufReader::with_capacity(BUFFER, file)))
                .inspect_err(|error| {
                    let aside = state::put_aside(directory, file);
                    tracing::error!(
                        file = %path.display(), %error,
                        "the sessions of the last run cannot be restored, and are counted anew: {aside}"
                    );
                })
                .ok(),
        };
        let keeper = Keeper {
            directory: directory.to_owned(),
            file,
            writing: Mutex::default(),
            saved: AtomicU64::new(0),
            failing: AtomicBool::new(false),
        };
        (keeper, table)
    }

    /// When the table was saved last, in Unix seconds.
    pub fn saved(&self) -> Option<u64> {
        Some(self.saved.load(Relaxed)).filter(|saved| *saved > 0)
    }

    /// Whether it could not be saved the last time.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// Writes the file; workers are not held up. It takes as long as the disk does. `write` says how many sessions it has written.
    pub fn save(&self, is_empty: bool, write: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<usize>) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // A node without such sessions has no such file. One that there is says what is no longer so.
        if is_empty && !self.directory.join(self.file).exists() {
            return;
        }
        let (began, mut sessions) = (Instant::now(), 0);
        let outcome = state::replace(&self.directory, self.file, |file| {
            let mut out = BufWriter::with_capacity(BUFFER, file);
            sessions = write(&mut out)?;
            out.flush()
        });
        match outcome {
            Ok(()) => {
                self.saved.store(wall_seconds(), Relaxed);
                tracing::debug!(file = self.file, sessions, took = ?began.elapsed(), "sessions are saved");
                if self.failing.swap(false, Relaxed) {
                    tracing::info!(file = self.file, "sessions are saved again");
                }
            }
            Err(error) => {
                if !self.failing.swap(true, Relaxed) {
                    tracing::warn!(
                        directory = %self.directory.display(), file = self.file, %error,
                        "sessions cannot be saved, and are forgotten at a restart: let sekisho's user write to the directory, \
                         make room on its disk, or name another as node.state"
                    );
                }
            }
        }
    }
}

impl Running {
    /// Saves all sessions; beside the runtime, since a disk may take its time.
    pub async fn save_sessions(self: &Arc<Running>) {
        let running = Arc::clone(self);
        let saved = tokio::task::spawn_blocking(move || {
            let (snapshot, now) = (running.routing.load(), running.clock.now());
            // First those whose going out of date refuses logins.
            let sessions = &running.hosted.sessions;
            running
                .accounts_keeper
                .save(sessions.counts().records == 0, |out| sessions.write_to(now, wall_seconds(), &snapshot, out));
            running.vpdn.save(&snapshot, now);
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
