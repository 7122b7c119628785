//! Anything may happen, in any order: what was acknowledged is there, once; what was never appended is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::common::*;
use proptest::{collection::vec, prelude::*, sample::select};
use sekisho_journal::{
    AppendError, Appended, CommitError, Journal, Kind, OpenError, Options, Position, Reader, Start,
    sim::{Operation, SimDisk},
};

#[derive(Clone, Debug)]
enum Step {
    /// A new record of so many octets, and whether it waits.
    New(bool, usize),
    /// One that was appended before, so many ago.
    Again(usize),
    Commit,
    /// One of those that wait.
    Done(usize),
    Maintain,
    /// Seconds.
    Pass(u64),
    Close,
    Kill,
    Crash,
    /// So many more succeed.
    Fail(Operation, u32),
    Free(u64),
    Heal,
}

fn step() -> impl Strategy<Value = Step> {
    let operation = select(vec![
        Operation::Create,
        Operation::Write,
        Operation::Write,
        Operation::Allocate,
        Operation::Truncate,
        Operation::Sync,
        Operation::Sync,
        Operation::Sync,
        Operation::SyncDirectory,
        Operation::Remove,
    ]);
    prop_oneof![
        12 => (prop::bool::weighted(0.3), prop_oneof![20..200usize, 3000..4097usize]).prop_map(|(waits, size)| Step::New(waits, size)),
        5 => (0..20usize).prop_map(Step::Again),
        10 => Just(Step::Commit),
        4 => (0..10usize).prop_map(Step::Done),
        2 => Just(Step::Maintain),
        3 => prop_oneof![Just(0), 1..700u64, Just(4000), Just(6000)].prop_map(Step::Pass),
        1 => Just(Step::Close),
        2 => Just(Step::Kill),
        3 => Just(Step::Crash),
        4 => (operation, 0..3u32).prop_map(|(operation, after)| Step::Fail(operation, after)),
        1 => prop_oneof![Just(0), 0..40_000u64].prop_map(Step::Free),
        2 => Just(Step::Heal),
    ]
}

struct World {
    disk: SimDisk,
    options: Options,
    journal: Option<Journal<SimDisk>>,
    now: u64,
    notes: Vec<Note>,
    /// Recorded: durable, as far as anybody was told or has read after a start.
    recorded: BTreeMap<Position, Note>,
    /// In the batch.
    staged: BTreeMap<Position, Note>,
    staged_done: BTreeSet<Position>,
    /// Never acknowledged, yet their octets may be found.
    limbo: BTreeMap<Position, Note>,
    limbo_done: BTreeSet<Position>,
    done: BTreeSet<Position>,
    /// Removed by retention. A crash may bring them back.
    removed: BTreeMap<Position, Note>,
    /// Another process, which reads along.
    follower: Reader<SimDisk>,
    followed: Read,
}

impl World {
    fn new(seed: u64, options: Options) -> World {
        let disk = SimDisk::new(seed);
        let follower = Reader::new(disk.clone(), Start::After(Position::START));
        let mut world = World {
            disk,
            options,
            journal: None,
            now: NOW,
            notes: Vec::new(),
            recorded: BTreeMap::new(),
            staged: BTreeMap::new(),
            staged_done: BTreeSet::new(),
            limbo: BTreeMap::new(),
            limbo_done: BTreeSet::new(),
            done: BTreeSet::new(),
            removed: BTreeMap::new(),
            follower,
            followed: Read::default(),
        };
        world.open();
        world
    }

    fn step(&mut self, step: Step) {
        // The clock goes on, and not always forward.
        self.now += if self.notes.len().is_multiple_of(7) { 0 } else { SECOND / 50 };
        match step {
            Step::New(waits, octets) => {
                let kind = if waits { Kind::Waiting } else { Kind::Ended };
                let note = Note::new(self.notes.len() as u32, kind, self.now - SECOND / 100, octets);
                self.notes.push(note.clone());
                self.append(note);
            }
            Step::Again(ago) => {
                let at = self.notes.len().checked_sub(ago + 1);
                if let Some(note) = at.map(|at| self.notes[at].clone()) {
                    self.append(Note { received: self.now, ..note });
                }
            }
            Step::Commit => self.commit(),
            Step::Done(which) => self.mark(which),
            Step::Maintain => {
                let now = self.now;
                if let Some(journal) = self.journal() {
                    let _ = journal.maintain(now);
                }
                self.heed_retention();
            }
            Step::Pass(seconds) => self.now += seconds * SECOND,
            Step::Close => {
                if let Some(journal) = self.journal.take() {
                    let durable = Position(self.staged.keys().next_back().map_or(0, |last| last.0));
                    match journal.close() {
                        Ok(()) => self.acknowledge(durable),
                        Err(_) => self.lose(),
                    }
                }
                self.open();
            }
            Step::Kill => {
                self.journal = None;
                self.lose();
                self.open();
            }
            Step::Crash => {
                self.journal = None;
                self.lose();
                self.disk.crash();
                self.follower = Reader::new(self.disk.clone(), Start::After(Position::START));
                self.followed = Read::default();
                self.open();
            }
            Step::Fail(operation, after) => self.disk.fail(operation, after),
            Step::Free(octets) => self.disk.set_free(octets),
            Step::Heal => self.heal(),
        }
    }

    /// The journal; after a start that failed, it is started again.
    fn journal(&mut self) -> Option<&mut Journal<SimDisk>> {
        if self.journal.is_none() {
            self.open();
        }
        self.journal.as_mut()
    }

    fn open(&mut self) {
        match Journal::open(self.disk.clone(), self.options.clone(), self.now) {
            Ok((journal, found)) => {
                assert_eq!(found.damaged, []);
                self.journal = Some(journal);
            }
            Err(OpenError::Failed(_)) => return,
            Err(error) => panic!("{error}"),
        }
        // What is found counts from now on, and what is not never comes back.
        let all = read(&self.disk);
        for position in &all.positions {
            if let Some(note) = self.limbo.remove(position) {
                self.recorded.insert(*position, note);
            }
        }
        self.limbo.clear();
        let waiting: BTreeSet<_> = pending(self.journal.as_ref().unwrap()).positions.into_iter().collect();
        let marked = std::mem::take(&mut self.limbo_done);
        self.done.extend(marked.into_iter().filter(|position| !waiting.contains(position)));
    }

    fn append(&mut self, note: Note) {
        let remembers = self.now - self.options.remember.as_nanos() as u64;
        let mut all = self.recorded.iter().chain(&self.staged).rev();
        let known = all.find(|(_, other)| other.number == note.number && other.received >= remembers);
        let known = known.map(|(position, _)| *position);
        let now = self.now;
        let Some(journal) = self.journal() else { return };
        let appended = match journal.append(now, note.identity(), &note.record()) {
            Err(AppendError::BatchFull) => {
                self.commit();
                let Some(journal) = self.journal() else { return };
                journal.append(now, note.identity(), &note.record())
            }
            appended => appended,
        };
        match appended {
            Ok(Appended::Known(position)) => {
                assert!(known == Some(position) || self.removed.contains_key(&position), "{note:?}");
            }
            Ok(Appended::New(position)) => {
                // A batch that was full may have failed, and the record with it.
                assert!(known.is_none_or(|known| self.limbo.contains_key(&known)), "{note:?} is at {known:?}");
                self.staged.insert(position, note);
            }
            Err(AppendError::Full(_) | AppendError::Failed(_)) => assert_eq!(known, None),
            Err(error) => panic!("{error}"),
        }
        self.heed_retention();
    }

    fn commit(&mut self) {
        let Some(journal) = self.journal() else { return };
        match journal.commit() {
            Ok(position) => {
                assert_eq!(journal.durable(), position);
                self.acknowledge(position);
            }
            Err(CommitError::Full(_) | CommitError::Failed(_)) => self.lose(),
            Err(error) => panic!("{error}"),
        }
    }

    fn mark(&mut self, which: usize) {
        let waits = |(position, note): (&Position, &Note)| {
            let waits =
                note.kind == Kind::Waiting && !self.done.contains(position) && !self.staged_done.contains(position);
            waits.then_some(*position)
        };
        let Some(position) = self.recorded.iter().filter_map(waits).nth(which) else { return };
        let now = self.now;
        let Some(journal) = self.journal() else { return };
        if let Ok(marked) = journal.done(now, position) {
            assert!(marked);
            assert!(!journal.done(now, position).unwrap());
            self.staged_done.insert(position);
        }
    }

    fn acknowledge(&mut self, durable: Position) {
        assert!(self.staged.keys().all(|position| *position <= durable));
        self.recorded.append(&mut self.staged);
        self.done.append(&mut self.staged_done);
    }

    fn lose(&mut self) {
        self.limbo.append(&mut self.staged);
        self.limbo_done.append(&mut self.staged_done);
    }

    /// What retention has removed was old enough, and did not wait.
    fn heed_retention(&mut self) {
        let there: BTreeSet<_> = read(&self.disk).positions.into_iter().collect();
        let horizon = self.now - self.options.retention.as_nanos() as u64;
        let World { recorded, removed, done, options, .. } = self;
        recorded.retain(|position, note| {
            let may_go = note.received < horizon || options.max_octets > 0;
            let is_gone = may_go && !there.contains(position);
            if is_gone {
                assert!(note.kind == Kind::Ended || done.contains(position), "{position} waits");
                removed.insert(*position, note.clone());
            }
            !is_gone
        });
    }

    fn heal(&mut self) {
        self.disk.heal();
        self.disk.set_free(1 << 20);
        self.now += SECOND;
        self.commit();
        let note = Note::new(self.notes.len() as u32, Kind::Ended, self.now, 30);
        self.notes.push(note.clone());
        self.append(note);
        assert_eq!(self.staged.len(), 1, "there is room, and the journal takes nothing");
        self.commit();
        assert!(self.staged.is_empty());
    }

    fn check(&mut self) {
        let all = read(&self.disk);
        assert_eq!(all.damaged, []);
        assert!(all.positions.is_sorted_by(|a, b| a < b));
        let found: BTreeMap<_, _> = all.positions.iter().copied().zip(all.notes).collect();
        for (position, note) in &self.recorded {
            assert_eq!(found.get(position), Some(note), "{position} was recorded");
        }
        for (position, note) in found.iter().filter(|(position, _)| !self.recorded.contains_key(position)) {
            let appended = [&self.staged, &self.limbo, &self.removed].into_iter().find_map(|notes| notes.get(position));
            assert_eq!(appended, Some(note), "{position} was never appended");
            let twice = self.recorded.iter().any(|(other, recorded)| {
                other > position
                    && recorded.number == note.number
                    && recorded.received - note.received < self.options.remember.as_nanos() as u64
            });
            assert!(!twice, "{note:?} is there twice");
        }

        let read = drain(&mut self.follower);
        assert_eq!(read.damaged, []);
        self.followed.positions.extend(read.positions);
        assert!(self.followed.positions.is_sorted_by(|a, b| a < b));
        let followed: BTreeSet<_> = self.followed.positions.iter().collect();
        assert!(self.recorded.keys().all(|position| followed.contains(position)), "the follower has missed some");

        if let Some(journal) = &self.journal {
            let waits = |(position, note): (&Position, &Note)| {
                let waits =
                    note.kind == Kind::Waiting && !self.done.contains(position) && !self.staged_done.contains(position);
                waits.then_some(*position)
            };
            let expected: Vec<_> = self.recorded.iter().filter_map(waits).collect();
            assert_eq!(pending(journal).positions, expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_is_there_once(seed: u64, bounded: bool, steps in vec(step(), 1..120)) {
        let max_octets = if bounded { 60_000 } else { 0 };
        let options = Options { remember: Duration::from_secs(600), max_octets, ..small() };
        let mut world = World::new(seed, options);
        for step in steps {
            world.step(step);
            world.check();
        }
        world.heal();
        world.check();
    }
}
