//! Files that are there whole, or as they were before.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::dump::DumpError;

/// What such a file may be opened by: its owner. It holds names and sealed secrets.
const MODE: u32 = 0o600;
const BUFFER: usize = 256 * 1024;

/// Writes a file anew: beside it first, and onto the disk, and then in its place. Where `write` fails, what was there stays.
pub(crate) fn replace<T>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> Result<T, DumpError> {
    let new = beside(path);
    let outcome = write_new(&new, write).and_then(|outcome| {
        fs::rename(&new, path)?;
        directory(path).and_then(|directory| directory.sync_all())?;
        Ok(outcome)
    });
    outcome.map_err(|source| {
        // Whatever came of it is of no use; and where it cannot be removed, it was not made.
        let _ = fs::remove_file(&new);
        DumpError::Io { path: path.to_owned(), doing: "written", source }
    })
}

fn write_new<T>(new: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>) -> io::Result<T> {
    // One that a crash has left may be somebody else's to read.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(new)?;
    let mut out = BufWriter::with_capacity(BUFFER, file);
    let outcome = write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(outcome)
}

/// The name that a file has until it is whole: no other process has it.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", std::process::id()))
}

fn directory(path: &Path) -> io::Result<File> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent),
        _ => File::open("."),
    }
}
