//! A disk in memory that forgets, tears and fails: for tests, here and in other crates (feature `testing`).
//!
//! It keeps apart what the kernel has in memory and what is on the disk. A [crash](SimDisk::crash) leaves of what was not synced whatever
//! the disk likes: pieces of any size, whichever came first, a file's length with or without its octets, a file's name or not. A sync that
//! fails may have written some of it, and the kernel takes the rest for written from then on, as Linux does. All of that follows from one
//! seed.

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use crate::disk::{Access, Disk, DiskFile};

/// What a disk is asked to do, and can be told to [fail](SimDisk::fail) at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// To make a file.
    Create,
    /// To read.
    Read,
    /// To write; some octets may be written all the same.
    Write,
    /// To make room for a file.
    Allocate,
    /// To cut a file.
    Truncate,
    /// To sync a file.
    Sync,
    /// To sync the directory.
    SyncDirectory,
    /// To remove a file.
    Remove,
    /// To see whether a file is where it was.
    Look,
}

/// A directory on a simulated disk. Clones are the same disk.
#[derive(Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    /// Of this value, if it has the lock.
    lock: Option<Arc<()>>,
}

/// An open file.
#[derive(Debug)]
pub struct SimFile {
    state: Arc<Mutex<State>>,
    inode: usize,
    access: Access,
}

#[derive(Debug, Default)]
struct State {
    random: u64,
    capacity: u64,
    inodes: Vec<Inode>,
    /// Names as the kernel has them, and as the disk has them.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// How many times an operation still succeeds before it fails once.
    failing: BTreeMap<Operation, u32>,
    lock: Weak<()>,
    /// It cannot make room beforehand.
    cannot_allocate: bool,
}

#[derive(Debug, Default)]
struct Inode {
    cached: Vec<u8>,
    durable: Vec<u8>,
    changes: Vec<Change>,
    /// What the disk cannot read any more.
    bad: Range<usize>,
}

/// What the kernel still has to write.
#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, octets: Vec<u8> },
    Size(usize),
}

impl SimDisk {
    /// An empty disk of 1 GiB. The same seed gives the same disk.
    pub fn new(seed: u64) -> SimDisk {
        let state = State { random: seed, capacity: 1 << 30, ..State::default() };
        SimDisk { state: Arc::new(Mutex::new(state)), lock: None }
    }

    /// The machine stops and starts again: what was not synced is there, or is not, or in part.
    pub fn crash(&self) {
        let mut state = self.state();
        let State { random, inodes, names, durable_names, failing, .. } = &mut *state;
        for inode in &mut *inodes {
            for change in std::mem::take(&mut inode.changes) {
                change.survive(&mut inode.durable, random);
            }
            inode.cached.clone_from(&inode.durable);
        }
        let mut all = durable_names.clone();
        all.extend(names.clone());
        all.retain(|name, inode| match (names.get(name), durable_names.get(name)) {
            (Some(new), Some(old)) => {
                *inode = if chance(random, 2) { *new } else { *old };
                true
            }
            _ => chance(random, 2),
        });
        (*names, *durable_names) = (all.clone(), all);
        failing.clear();
    }

    /// The operation succeeds so many times more, and then fails once.
    pub fn fail(&self, operation: Operation, after: u32) {
        self.state().failing.insert(operation, after);
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.state().failing.clear();
    }

    /// So many octets can still be written.
    pub fn set_free(&self, octets: u64) {
        let mut state = self.state();
        state.capacity = state.used() + octets;
    }

    /// It is a file system now that cannot make room beforehand.
    pub fn refuse_to_allocate(&self) {
        self.state().cannot_allocate = true;
    }

    /// The names of the files, in order.
    pub fn names(&self) -> Vec<String> {
        self.state().names.keys().cloned().collect()
    }

    /// What a file has; nothing, where there is none.
    pub fn contents(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.names.get(name).map(|inode| state.inodes[*inode].cached.clone()).unwrap_or_default()
    }

    /// Puts a file there, durably, with these octets.
    pub fn put(&self, name: &str, octets: &[u8]) {
        let mut state = self.state();
        let inode = state.inodes.len();
        state.inodes.push(Inode { cached: octets.to_vec(), durable: octets.to_vec(), ..Inode::default() });
        state.names.insert(name.to_owned(), inode);
        state.durable_names.insert(name.to_owned(), inode);
    }

    /// Somebody removes the directory with all files, the lock too, and makes it again. Whoever has a file open goes on writing to it.
    pub fn take_away(&self) {
        let mut state = self.state();
        state.names.clear();
        state.lock = Weak::new();
    }

    /// These octets of a file can never be read again.
    pub fn spoil(&self, name: &str, octets: Range<usize>) {
        let mut state = self.state();
        if let Some(inode) = state.names.get(name).copied() {
            state.inodes[inode].bad = octets;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// The same disk, without its lock: as another process has it.
impl Clone for SimDisk {
    fn clone(&self) -> SimDisk {
        SimDisk { state: Arc::clone(&self.state), lock: None }
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn path(&self) -> &Path {
        Path::new("/sim")
    }

    fn lock(&mut self) -> io::Result<bool> {
        let mut state = lock(&self.state);
        if state.lock.strong_count() > 0 {
            return Ok(false);
        }
        let held = Arc::new(());
        state.lock = Arc::downgrade(&held);
        self.lock = Some(held);
        Ok(true)
    }

    fn has_lock(&self) -> io::Result<bool> {
        let held = self.state().lock.upgrade();
        Ok(held.zip(self.lock.as_ref()).is_some_and(|(held, ours)| Arc::ptr_eq(&held, ours)))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names())
    }

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let mut state = self.state();
        state.attempt(Operation::Create)?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        state.names.insert(name.to_owned(), inode);
        Ok(SimFile { state: Arc::clone(&self.state), inode, access: Access::Write })
    }

    fn open(&self, name: &str, access: Access) -> io::Result<SimFile> {
        let inode = self.state().names.get(name).copied();
        let inode = inode.ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { state: Arc::clone(&self.state), inode, access })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.attempt(Operation::Remove)?;
        state.names.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.attempt(Operation::SyncDirectory)?;
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn free(&self) -> io::Result<u64> {
        let state = self.state();
        Ok(state.capacity.saturating_sub(state.used()))
    }
}

impl DiskFile for SimFile {
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let mut state = lock(&self.state);
        state.attempt(Operation::Look)?;
        let name = path.file_name().and_then(|name| name.to_str());
        Ok(name.and_then(|name| state.names.get(name)) == Some(&self.inode))
    }

    fn size(&self) -> io::Result<u64> {
        Ok(lock(&self.state).inodes[self.inode].cached.len() as u64)
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let mut state = lock(&self.state);
        state.attempt(Operation::Read)?;
        let inode = &state.inodes[self.inode];
        let there = inode.cached.get(at as usize..).unwrap_or_default();
        let length = there.len().min(into.len());
        if inode.bad.start < at as usize + length && (at as usize) < inode.bad.end {
            return Err(input_output());
        }
        into[..length].copy_from_slice(&there[..length]);
        Ok(length)
    }

    fn write_at(&self, octets: &[u8], at: u64) -> io::Result<()> {
        let mut state = self.writable()?;
        let at = at as usize;
        let end = at + octets.len();
        let grows = end.saturating_sub(state.inodes[self.inode].cached.len()) as u64;
        let free = state.capacity.saturating_sub(state.used());
        let written = match state.attempt(Operation::Write) {
            Err(error) => Err((error, below(&mut state.random, octets.len() + 1))),
            Ok(()) if grows > free => {
                Err((io::ErrorKind::StorageFull.into(), octets.len().saturating_sub((grows - free) as usize)))
            }
            Ok(()) => Ok(()),
        };
        let length = written.as_ref().map_or_else(|(_, length)| *length, |()| octets.len());
        state.inodes[self.inode].change(Change::Write { at, octets: octets[..length].to_vec() });
        written.map_err(|(error, _)| error)
    }

    fn allocate(&self, octets: u64) -> io::Result<()> {
        let mut state = self.writable()?;
        state.attempt(Operation::Allocate)?;
        if state.cannot_allocate {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let size = state.inodes[self.inode].cached.len() as u64;
        if octets.saturating_sub(size) > state.capacity.saturating_sub(state.used()) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.inodes[self.inode].change(Change::Size(octets.max(size) as usize));
        Ok(())
    }

    fn truncate(&self, octets: u64) -> io::Result<()> {
        let mut state = self.writable()?;
        state.attempt(Operation::Truncate)?;
        state.inodes[self.inode].change(Change::Size(octets as usize));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = lock(&self.state);
        let failed = state.attempt(Operation::Sync);
        let State { random, inodes, .. } = &mut *state;
        let inode = &mut inodes[self.inode];
        for change in std::mem::take(&mut inode.changes) {
            match failed {
                Ok(()) => change.apply(&mut inode.durable),
                Err(_) => change.survive(&mut inode.durable, random),
            }
        }
        failed
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl SimFile {
    fn writable(&self) -> io::Result<MutexGuard<'_, State>> {
        if self.access == Access::Read { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(lock(&self.state)) }
    }
}

impl State {
    /// Whether an operation is to fail now.
    fn attempt(&mut self, operation: Operation) -> io::Result<()> {
        match self.failing.get_mut(&operation) {
            None => return Ok(()),
            Some(0) => {}
            Some(after) => {
                *after -= 1;
                return Ok(());
            }
        }
        self.failing.remove(&operation);
        Err(input_output())
    }

    fn used(&self) -> u64 {
        self.names.values().map(|inode| self.inodes[*inode].cached.len() as u64).sum()
    }
}

impl Inode {
    fn change(&mut self, change: Change) {
        change.clone().apply(&mut self.cached);
        self.changes.push(change);
    }
}

impl Change {
    fn apply(self, to: &mut Vec<u8>) {
        match self {
            Change::Size(size) => to.resize(size, 0),
            Change::Write { at, octets } => {
                let end = at + octets.len();
                to.resize(to.len().max(end), 0);
                to[at..end].copy_from_slice(&octets);
            }
        }
    }

    /// What of it gets to the disk, though nobody has waited for it: all, nothing, or pieces.
    fn survive(self, to: &mut Vec<u8>, random: &mut u64) {
        let Change::Write { at, octets } = self else {
            if chance(random, 2) {
                self.apply(to);
            }
            return;
        };
        let (all, none) = (chance(random, 4), chance(random, 4));
        let mut piece = 0;
        while piece < octets.len() {
            let most = if chance(random, 2) { 64 } else { 4096 };
            let end = octets.len().min(piece + 1 + below(random, most));
            if all || (!none && chance(random, 2)) {
                Change::Write { at: at + piece, octets: octets[piece..end].to_vec() }.apply(to);
            }
            piece = end;
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// EIO.
fn input_output() -> io::Error {
    io::Error::from_raw_os_error(5)
}

fn chance(random: &mut u64, one_in: usize) -> bool {
    below(random, one_in) == 0
}

/// A number below `most`, by splitmix64.
fn below(random: &mut u64, most: usize) -> usize {
    *random = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *random;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) % most as u64) as usize
}
