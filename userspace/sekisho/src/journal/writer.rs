//! The thread that writes the journal.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use sekisho_journal::{AppendError, Appended, Directory, Journal, OpenError, Options, Record};

use super::{Block, Inlet, JournalStats};
use crate::{
    clock::wall_nanos,
    worker::{Handle, Message},
};

/// Blocks that are committed together at most: the more there are, the less each costs, and the longer the first waits.
const BLOCKS: usize = 256;
/// How often segments are looked after.
const REST: Duration = Duration::from_secs(5);
/// How often a journal that could not be opened is tried again.
const REOPEN: Duration = Duration::from_secs(1);
/// How often a disk that takes nothing is complained about.
const COMPLAIN: Duration = Duration::from_secs(60);

/// Why accounting cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The journal.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// The thread.
    #[error("cannot start the journal's thread: {0}")]
    Thread(#[source] io::Error),
}

/// The writer, before it has its thread.
pub struct Writer {
    directory: PathBuf,
    options: Options,
    journal: Option<Journal<Directory>>,
    stats: Arc<JournalStats>,
    blocks: (mpsc::Sender<Block>, mpsc::Receiver<Block>),
    opened: Option<Instant>,
    complained: Option<Instant>,
}

impl Writer {
    /// A writer into this directory. With `now_or_never` the journal is opened at once; else with the first record, so that a node
    /// that records nothing has none.
    ///
    /// # Errors
    ///
    /// [`JournalError::Open`].
    pub fn new(directory: PathBuf, options: Options, now_or_never: bool) -> Result<Writer, JournalError> {
        let mut writer = Writer {
            directory,
            options,
            journal: None,
            stats: Arc::default(),
            blocks: mpsc::channel(),
            opened: None,
            complained: None,
        };
        if now_or_never {
            writer.open()?;
        }
        Ok(writer)
    }

    /// What it does.
    pub fn stats(&self) -> Arc<JournalStats> {
        Arc::clone(&self.stats)
    }

    /// Where this worker hands records over.
    pub fn inlet(&self, worker: usize) -> Inlet {
        Inlet { worker, blocks: self.blocks.0.clone(), spare: None, told: false }
    }

    /// Writes until all workers have gone.
    ///
    /// # Errors
    ///
    /// [`JournalError::Thread`].
    pub fn start(self, workers: Vec<Handle>) -> Result<thread::JoinHandle<()>, JournalError> {
        let thread = thread::Builder::new().name("journal".to_owned());
        thread.spawn(move || self.run(&workers)).map_err(JournalError::Thread)
    }

    fn run(mut self, workers: &[Handle]) {
        // Only the workers' own ends are left: when they have gone, so has the channel.
        let (_, closed) = mpsc::channel();
        let (ours, blocks) = std::mem::replace(&mut self.blocks, (mpsc::channel().0, closed));
        drop(ours);
        let mut batch = Vec::with_capacity(BLOCKS);
        let mut due = Instant::now() + REST;
        loop {
            // Whether records come or not.
            if Instant::now() >= due {
                self.rest();
                due = Instant::now() + REST;
            }
            match blocks.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(block) => batch.push(block),
                Err(mpsc::RecvTimeoutError::Timeout) => continue,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            batch.extend(blocks.try_iter().take(BLOCKS - 1));
            self.write(&mut batch);
            for block in batch.drain(..) {
                if let Some(worker) = workers.get(block.worker) {
                    // Where it has gone, nobody waits.
                    let _ = worker.tell(Message::Recorded(block));
                }
            }
        }
        if let Some(journal) = self.journal.take()
            && let Err(error) = journal.close()
        {
            tracing::error!(%error, "the journal did not end well; nothing that was acknowledged is lost");
        }
    }

    /// Appends every record, commits once, and marks what is kept.
    fn write(&mut self, batch: &mut [Block]) {
        let (began, now) = (Instant::now(), wall_nanos());
        if let Err(error) = self.open() {
            return self.complain(&error, batch);
        }
        let Some(journal) = &mut self.journal else { return };
        let mut appended: Vec<Option<Appended>> = Vec::new();
        let mut trouble = Trouble::default();
        for block in batch.iter() {
            for entry in &block.entries {
                let octets = block.octets.get(entry.place.clone()).unwrap_or_default();
                let outcome =
                    Record::decode(octets).ok().map(|record| match journal.append(now, entry.identity, &record) {
                        Err(AppendError::BatchFull) => {
                            commit(journal, &mut appended, &mut trouble);
                            journal.append(now, entry.identity, &record)
                        }
                        other => other,
                    });
                appended.push(match outcome {
                    Some(Ok(appended)) => Some(appended),
                    Some(Err(error)) => {
                        trouble.is_gone |= error.must_reopen();
                        trouble.says.get_or_insert_with(|| error.to_string());
                        None
                    }
                    None => None,
                });
            }
        }
        commit(journal, &mut appended, &mut trouble);
        let mut outcomes = appended.into_iter();
        for entry in batch.iter_mut().flat_map(|block| &mut block.entries) {
            let outcome = outcomes.next().flatten();
            entry.is_kept = outcome.is_some();
            match outcome {
                Some(Appended::New(_)) => &self.stats.written,
                Some(Appended::Known(_)) => &self.stats.known,
                None => &self.stats.refused,
            }
            .increment();
        }
        self.stats.commits.record(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.show();
        if trouble.is_gone {
            self.journal = None;
        }
        match trouble.says {
            Some(error) => self.say_failing(&error),
            None => {
                if self.stats.set_failing(false) {
                    self.complained = None;
                    tracing::info!("the journal takes records again: accounting is acknowledged");
                }
            }
        }
    }

    /// Segments end by age, and are removed by age, whether records come or not.
    fn rest(&mut self) {
        let Some(journal) = &mut self.journal else { return };
        match journal.maintain(wall_nanos()) {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "segments of the journal were old enough to go"),
            Err(error) => {
                self.say_failing(&error.to_string());
                if error.must_reopen() {
                    self.journal = None;
                }
            }
        }
        self.show();
    }

    /// Opens the journal where it is not open.
    fn open(&mut self) -> Result<(), OpenError> {
        if self.journal.is_some() {
            return Ok(());
        }
        let (journal, found) = Journal::open(Directory::new(&self.directory), self.options.clone(), wall_nanos())?;
        let usage = journal.usage();
        tracing::info!(
            directory = %self.directory.display(),
            segments = usage.segments,
            records = found.records,
            torn_octets = found.torn_octets,
            "the journal is open"
        );
        if !found.damaged.is_empty() {
            tracing::error!(
                places = found.damaged.len(),
                "the journal is damaged: `sekisho journal export` names the places; all other records are read"
            );
        }
        self.journal = Some(journal);
        self.show();
        Ok(())
    }

    /// It cannot be opened: nothing of this batch is kept.
    fn complain(&mut self, error: &OpenError, batch: &[Block]) {
        let refused: usize = batch.iter().map(|block| block.entries.len()).sum();
        self.stats.refused.add(refused as u64);
        self.say_failing(&error.to_string());
        // Not more often than this: opening reads a directory.
        if self.opened.replace(Instant::now()).is_some_and(|before| before.elapsed() < REOPEN) {
            thread::sleep(REOPEN / 10);
        }
    }

    fn say_failing(&mut self, error: &str) {
        self.stats.set_failing(true);
        if self.complained.is_none_or(|before| before.elapsed() >= COMPLAIN) {
            self.complained = Some(Instant::now());
            tracing::error!(%error, "accounting is not recorded, so it is not acknowledged; logins go on");
        }
    }

    fn show(&self) {
        use std::sync::atomic::Ordering::Relaxed;
        let Some(journal) = &self.journal else { return };
        let usage = journal.usage();
        self.stats.octets.store(usage.octets, Relaxed);
        self.stats.segments.store(usage.segments as u64, Relaxed);
        self.stats.waiting.store(usage.waiting as u64, Relaxed);
    }
}

/// Commits. Of what is not durable then the positions stand for nothing, now and later; and where the journal's files have been taken
/// away, of nothing at all.
fn commit(journal: &mut Journal<Directory>, appended: &mut [Option<Appended>], trouble: &mut Trouble) {
    let Err(error) = journal.commit() else { return };
    trouble.is_gone |= error.must_reopen();
    trouble.says = Some(error.to_string());
    let (durable, is_gone) = (journal.durable(), trouble.is_gone);
    for one in appended.iter_mut() {
        *one = one.take().filter(|one| !is_gone && one.position() <= durable);
    }
}

/// What went wrong with a batch.
#[derive(Default)]
struct Trouble {
    says: Option<String>,
    /// The journal's files have been taken away: it has to be opened anew.
    is_gone: bool,
}
