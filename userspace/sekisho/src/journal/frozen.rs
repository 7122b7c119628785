//! A journal's directory with the segments that it had at one moment, and no later ones: what is read ends where the list did, also
//! beside a writer.

use std::{fs::File, io, path::Path};

use sekisho_journal::{Access, Directory, Disk};

const SUFFIX: &str = ".journal";
const DIGITS: usize = 20;

/// For reading only.
#[derive(Debug)]
pub(super) struct Frozen {
    directory: Directory,
    segments: Vec<u64>,
}

impl Frozen {
    /// The directory as it is now.
    pub fn new(directory: Directory) -> io::Result<Frozen> {
        let names = directory.list()?;
        let mut segments: Vec<u64> = names.iter().filter_map(|name| first_of(name)).collect();
        segments.sort_unstable();
        Ok(Frozen { directory, segments })
    }

    /// The numbers of its segments: each is the position of the first record that may be in it.
    pub fn segments(&self) -> &[u64] {
        &self.segments
    }
}

/// The name of a segment's file.
pub(super) fn file_of(segment: u64) -> String {
    format!("{segment:0DIGITS$}{SUFFIX}")
}

/// The number of the segment in a file of this name; `None`: it is none.
fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let number = digits.parse().ok()?;
    (digits.len() == DIGITS && file_of(number) == name).then_some(number)
}

impl Disk for Frozen {
    type File = File;

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn lock(&mut self) -> io::Result<bool> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.segments.iter().map(|segment| file_of(*segment)).collect())
    }

    fn create(&self, _: &str) -> io::Result<File> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn open(&self, name: &str, access: Access) -> io::Result<File> {
        match access {
            Access::Read => self.directory.open(name, access),
            Access::Write => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
        }
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn free(&self) -> io::Result<u64> {
        self.directory.free()
    }
}
