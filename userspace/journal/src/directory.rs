//! A directory of the file system.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FallocateFlags, FlockOperation, fallocate, flock, statvfs},
    io::{Errno, retry_on_intr},
};

use crate::disk::{Access, Disk, DiskFile};

/// The file whose lock says that a writer is at work.
pub(crate) const LOCK: &str = "lock";

/// A directory of the file system. Nothing is opened before it is used.
///
/// Directories that are made have mode 0700, files 0600: accounting tells who did what when.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Held as long as it is open, and where.
    lock: Option<(File, PathBuf)>,
}

impl Directory {
    /// The directory at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Directory {
        Directory { path: path.into(), lock: None }
    }
}

impl Disk for Directory {
    type File = File;

    fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&mut self) -> io::Result<bool> {
        make(&self.path)?;
        let path = self.path.join(LOCK);
        let lock = open().write(true).create(true).open(&path)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => self.lock = Some((lock, path)),
            Err(Errno::WOULDBLOCK) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        // It may have been removed, and taken by another one, before it was locked here.
        self.has_lock()
    }

    fn has_lock(&self) -> io::Result<bool> {
        self.lock.as_ref().map_or(Ok(false), |(lock, path)| lock.is_at(path))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn create(&self, name: &str) -> io::Result<File> {
        open().read(true).write(true).create_new(true).open(self.path.join(name))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<File> {
        open().read(true).write(access == Access::Write).open(self.path.join(name))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn free(&self) -> io::Result<u64> {
        let found = statvfs(&self.path)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}

impl DiskFile for File {
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let there = match fs::metadata(path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(false);
            }
            there => there?,
        };
        let held = self.metadata()?;
        Ok((there.dev(), there.ino()) == (held.dev(), held.ino()))
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, into, at)
    }

    fn write_at(&self, octets: &[u8], at: u64) -> io::Result<()> {
        self.write_all_at(octets, at)
    }

    fn allocate(&self, octets: u64) -> io::Result<()> {
        retry_on_intr(|| fallocate(self, FallocateFlags::empty(), 0, octets)).map_err(|error| match error {
            Errno::OPNOTSUPP | Errno::NOSYS | Errno::NODEV => io::ErrorKind::Unsupported.into(),
            error => error.into(),
        })
    }

    fn truncate(&self, octets: u64) -> io::Result<()> {
        self.set_len(octets)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        File::sync_all(self)
    }
}

fn open() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Makes a directory and those above it, durably.
fn make(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for made in missing {
        let above = made.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(above)?.sync_all()?;
    }
    Ok(())
}
