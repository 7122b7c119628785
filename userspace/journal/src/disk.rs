//! What the journal asks of a disk: one directory, and the files in it.
//!
//! Small, so that a simulated one ([`sim`](crate::sim)) can be as nasty as a real one. The real one is
//! [`Directory`](crate::Directory).

use std::{io, path::Path};

/// A directory that a journal is kept in.
pub trait Disk {
    /// A file in it.
    type File: DiskFile;

    /// Where it is, for messages.
    fn path(&self) -> &Path;

    /// Takes the directory for this writer until the value is dropped, and makes it where it does not exist. `false`: another one has it.
    ///
    /// # Errors
    ///
    /// As all others here: what the kernel says.
    fn lock(&mut self) -> io::Result<bool>;

    /// Whether what [`lock`](Disk::lock) has taken is still this writer's: where its file was removed or replaced, another one could take
    /// the directory. A disk that is never locked does not have to say.
    fn has_lock(&self) -> io::Result<bool> {
        Ok(false)
    }

    /// The names of the files in it, in any order.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Makes a file that does not exist yet, which only its owner may read and write.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Opens a file.
    fn open(&self, name: &str, access: Access) -> io::Result<Self::File>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes durable which files there are.
    fn sync(&self) -> io::Result<()>;

    /// Octets that the file system still has for us.
    fn free(&self) -> io::Result<u64>;
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To be read only.
    Read,
    /// To be read and written.
    Write,
}

/// A file. Offsets and lengths are in octets.
pub trait DiskFile {
    /// Whether this path leads to it. What is written to a file that was removed or moved away is lost for whoever looks there.
    fn is_at(&self, path: &Path) -> io::Result<bool>;

    /// Its length.
    fn size(&self) -> io::Result<u64>;

    /// Reads what is there at `at`, as much as it likes; 0 at the end.
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all the octets. After an error, some of them may have been.
    fn write_at(&self, octets: &[u8], at: u64) -> io::Result<()>;

    /// Makes the file `octets` long, of zeros, and sees to it that there is room for them. A file system that cannot says
    /// [`io::ErrorKind::Unsupported`].
    fn allocate(&self, octets: u64) -> io::Result<()>;

    /// Cuts off what is beyond `octets`.
    fn truncate(&self, octets: u64) -> io::Result<()>;

    /// Makes the octets durable, and what is needed to find them (`fdatasync`).
    fn sync_data(&self) -> io::Result<()>;

    /// Makes everything about the file durable (`fsync`).
    fn sync_all(&self) -> io::Result<()>;
}
