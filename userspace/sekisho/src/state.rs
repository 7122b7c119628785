//! Files in the directory `node.state`: what a node keeps over restarts.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// Writes a file beside the old one and puts it in its place: a crash leaves one of the two, whole. Directory and file are their
/// owner's alone.
///
/// # Errors
///
/// What the kernel says, or `write`; the old file is there as before then.
pub fn replace(directory: &Path, name: &str, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let (file, new) = (directory.join(name), directory.join(format!("{name}.new")));
    // One that a crash has left behind is nobody's, and its mode may be anything.
    if let Err(error) = fs::remove_file(&new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = write(&mut opened).and_then(|()| opened.sync_all()).and_then(|()| fs::rename(&new, &file));
    if written.is_err() {
        // Half a file takes room that the journal may need.
        let _ = fs::remove_file(&new);
    }
    written.and_then(|()| File::open(directory)?.sync_all())
}

/// Puts a file aside that cannot be used, so that the next save does not take its place; in words, for the log.
pub fn put_aside(directory: &Path, name: &str) -> String {
    let aside = format!("{name}.damaged");
    match fs::rename(directory.join(name), directory.join(&aside)) {
        Ok(()) => format!("it is kept as {aside}"),
        Err(error) => format!("it cannot be put aside ({error}), and the next save takes its place"),
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (state, file) = (directory.path().join("state"), directory.path().join("state/words"));
        replace(&state, "words", |file| file.write_all(b"one")).unwrap();
        fs::write(state.join("words.new"), "left behind by a crash").unwrap();
        replace(&state, "words", |file| file.write_all(b"two")).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        let failed = replace(&state, "words", |file| {
            file.write_all(b"thr")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(failed.is_err() && !state.join("words.new").exists());
        assert_eq!(fs::read(&file).unwrap(), b"two");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&state)), (0o600, 0o700));
    }
}
