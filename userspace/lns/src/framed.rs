//! Files that a table is kept in over a restart: a header, frames, the end, a digest of it all. What has a number in one process only
//! goes with its name.
//!
//! ```text
//! header   what it is (16), version (2), what the table wants (of a length it knows)
//! frame    kind (1), length (2), body
//! digest   SipHash-1-3 of all before (8)
//! ```
//!
//! Integers are little-endian. The digest finds what a disk has done, not what somebody wanted: nobody but its owner may write the file.

use std::{
    hash::Hasher as _,
    io::{self, Read, Write},
};

use siphasher::sip::SipHasher13;
use thiserror::Error;

/// The last frame's kind. Tables number theirs from one.
pub const END: u8 = 0;
/// Octets of a frame before its body: its kind and the body's length.
const HEAD: usize = 3;
/// Octets that a body may have.
const MAX_BODY: usize = u16::MAX as usize;

/// Why a file was not restored.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// Reading failed.
    #[error("it can not be read: {0}")]
    Io(io::Error),
    /// It is something else.
    #[error("it is not a file of sessions")]
    NotOurs,
    /// A later sekisho has written it.
    #[error("it has version {found}, and only version {known} is known: a later sekisho has written it")]
    Version {
        /// The file's.
        found: u16,
        /// Ours.
        known: u16,
    },
    /// It ends too early: whoever wrote it was interrupted.
    #[error("it ends before its end: it was not written to the end")]
    Truncated,
    /// It is not what was written.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

/// A file that is being written.
pub struct Writer<W> {
    out: W,
    hasher: SipHasher13,
    octets: u64,
}

impl<W: Write> Writer<W> {
    /// Writes a header. Give it a buffered writer, and put the file in its place when all is written and synced.
    ///
    /// # Errors
    ///
    /// What `out` says, as with all that follows.
    pub fn begin(out: W, magic: &[u8; 16], version: u16, head: &[&[u8]]) -> io::Result<Writer<W>> {
        let mut writer = Writer { out, hasher: SipHasher13::new(), octets: 0 };
        writer.put(magic)?;
        writer.put(&version.to_le_bytes())?;
        head.iter().try_for_each(|part| writer.put(part))?;
        Ok(writer)
    }

    /// Writes frames, and has none of them left.
    pub fn write(&mut self, frames: &mut Encoder) -> io::Result<()> {
        self.put(&frames.0)?;
        frames.0.clear();
        Ok(())
    }

    /// Writes the end. How many octets all has.
    pub fn end(mut self) -> io::Result<u64> {
        let mut last = Encoder::default();
        last.frame(END, |_| ());
        self.write(&mut last)?;
        let digest = self.hasher.finish();
        self.put(&digest.to_le_bytes())?;
        self.out.flush()?;
        Ok(self.octets)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.write(bytes);
        self.octets += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// Frames, one after the other.
#[derive(Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// Adds a frame with what `body` writes, at most 65,535 octets of it.
    pub fn frame(&mut self, kind: u8, body: impl FnOnce(&mut Encoder)) {
        let start = self.0.len();
        self.0.extend([kind, 0, 0]);
        body(self);
        let length = (self.0.len() - start - HEAD).min(MAX_BODY) as u16;
        self.0.truncate(start + HEAD + usize::from(length));
        self.0[start + 1..start + HEAD].copy_from_slice(&length.to_le_bytes());
    }

    /// Adds a frame that says what a number is named, unless no file could hold the name.
    pub fn name(&mut self, frame: u8, kind: u8, number: u32, name: &str) {
        if name.len() <= MAX_BODY - 5 {
            self.frame(frame, |out| {
                out.u8(kind);
                out.u32(number);
                out.bytes(name.as_bytes());
            });
        }
    }

    /// Octets as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// One octet.
    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// Two octets.
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_le_bytes());
    }

    /// Four octets.
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    /// Eight octets.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }
}

/// A file that is being read.
pub struct Reader<R> {
    input: R,
    hasher: SipHasher13,
    body: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// Reads what begins every header.
    ///
    /// # Errors
    ///
    /// It is no such file, or of a later version; reading failed, as with all that follows.
    pub fn begin(input: R, magic: &[u8; 16], version: u16) -> Result<Reader<R>, RestoreError> {
        let mut reader = Reader { input, hasher: SipHasher13::new(), body: Vec::new() };
        if reader.array()? != *magic {
            return Err(RestoreError::NotOurs);
        }
        match u16::from_le_bytes(reader.array()?) {
            found if found == version => Ok(reader),
            found => Err(RestoreError::Version { found, known: version }),
        }
    }

    /// More of the header.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], RestoreError> {
        let mut array = [0; N];
        fill(&mut self.input, &mut self.hasher, &mut array)?;
        Ok(array)
    }

    /// The next frame; `None` after the last, if all was as it was written.
    pub fn frame(&mut self) -> Result<Option<(u8, Decoder<'_>)>, RestoreError> {
        let [kind, length @ ..] = self.array::<HEAD>()?;
        self.body.resize(u16::from_le_bytes(length).into(), 0);
        fill(&mut self.input, &mut self.hasher, &mut self.body)?;
        if kind != END {
            return Ok(Some((kind, Decoder(&self.body))));
        }
        let digest = self.hasher.finish();
        if u64::from_le_bytes(self.array()?) != digest {
            return Err(RestoreError::Damaged("its digest is another"));
        }
        if self.input.read(&mut [0]).map_err(RestoreError::Io)? > 0 {
            return Err(RestoreError::Damaged("something follows its end"));
        }
        Ok(None)
    }
}

fn fill(input: &mut impl Read, hasher: &mut SipHasher13, bytes: &mut [u8]) -> Result<(), RestoreError> {
    input.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => RestoreError::Truncated,
        _ => RestoreError::Io(error),
    })?;
    hasher.write(bytes);
    Ok(())
}

/// The body of a frame. Its methods say `None` where it is too short, or has what no record has.
pub struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// One octet.
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Two octets.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four octets.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight octets.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// So many octets.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    /// So many octets.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(first)
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// What [`Encoder::name`] has written: a kind, a number, a name.
    pub fn name(mut self) -> Option<(u8, u32, &'a str)> {
        Some((self.u8()?, self.u32()?, str::from_utf8(self.0).ok()?))
    }
}

/// What a record's times, which are lengths of time, are reckoned from when it is read.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Seconds of this process's time.
    pub now: u32,
    /// Seconds since the file was written.
    pub passed: u32,
}

impl Clock {
    /// At the time of reading. `written` and `wall` are Unix time.
    pub fn new(now: u32, written: u64, wall: u64) -> Clock {
        Clock { now, passed: u32::try_from(wall.saturating_sub(written)).unwrap_or(u32::MAX) }
    }

    /// When a time that had so much left is over, if it is not yet.
    pub fn until(self, left: u32) -> Option<u32> {
        let left = left.checked_sub(self.passed).filter(|left| *left > 0)?;
        Some(self.now.saturating_add(left))
    }

    /// When it was so long ago.
    pub fn ago(self, ago: u32) -> u32 {
        self.now.saturating_sub(ago).saturating_sub(self.passed)
    }
}
