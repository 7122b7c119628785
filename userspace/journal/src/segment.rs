//! A segment: one file of the journal, its name and its header.
//!
//! The name is the sequence number of its first frame, in twenty digits. Sequence numbers rise by one from frame to frame within a
//! segment, and never come twice; between segments some may be missing.
//!
//! The header stands there twice, in a block each, so that one bad block loses nothing. It also says how the segment before
//! ended: **what that one has beyond is void**. That is what becomes of a batch whose write has failed, since nobody can say which of its
//! octets will be on the disk.

use std::io;

use crate::{
    disk::DiskFile,
    fields::Fields,
    scan::{CHUNK, read_full},
};

/// Octets of one copy of the header.
pub(crate) const BLOCK: usize = 4096;
/// Where frames begin.
pub(crate) const HEADER: u64 = 2 * BLOCK as u64;
/// The format that this code writes.
pub(crate) const VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"sekishoJ";
const SUFFIX: &str = ".journal";
const DIGITS: usize = 20;
/// Nobody writes so many records, and numbers of frames can be added to it.
const MAX_FIRST: u64 = 1 << 62;

/// What is written at the beginning of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Where its frames' sums begin.
    pub salt: u32,
    /// The sequence number of its first frame.
    pub first: u64,
    /// When it was made, nanoseconds since 1970.
    pub created: u64,
    /// No record before this one was waiting when it was made.
    pub oldest_waiting: u64,
    /// The segment before.
    pub previous: Option<Ended>,
}

/// How a segment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The sequence number of its first frame.
    pub first: u64,
    /// How many octets of it are durable, header included, and count.
    pub octets: u64,
    /// When the latest of its records was received; where it has none, when it was made.
    pub newest: u64,
    /// Whether it has waiting records, or marks of delivery.
    pub waits: bool,
}

/// What stands where a header should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFound {
    /// A header, and the offset of the copy of it that is damaged.
    Header(Header, Option<u64>),
    /// That of a later version.
    Newer(u32),
    /// Neither copy can be read.
    None,
}

/// The name of the file whose first frame has this sequence number.
pub(crate) fn name(first: u64) -> String {
    format!("{first:0DIGITS$}{SUFFIX}")
}

/// The sequence number of the first frame of the file with this name; `None`: it is no segment.
pub(crate) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    let decimal = digits.len() == DIGITS && digits.bytes().all(|octet| octet.is_ascii_digit());
    digits.parse().ok().filter(|first| decimal && (1..=MAX_FIRST).contains(first))
}

/// Reads the header of the segment whose name says `first`.
pub(crate) fn read_header(file: &impl DiskFile, first: u64) -> HeaderFound {
    let (mut found, mut damaged) = (None, None);
    for at in [0, BLOCK as u64] {
        let mut block = [0; BLOCK];
        // A block that cannot be read is as good as a damaged one.
        let _ = read_full(file, &mut block, at);
        match Header::decode(&block) {
            Some(Ok(header)) if header.first == first => found = Some(header),
            Some(Err(version)) => return HeaderFound::Newer(version),
            _ => damaged = Some(at),
        }
    }
    found.map_or(HeaderFound::None, |header| HeaderFound::Header(header, damaged))
}

/// Whether there is nothing but zeros in the file behind the place of the header: it was being made when everything stopped.
pub(crate) fn is_blank(file: &impl DiskFile) -> io::Result<bool> {
    let mut chunk = vec![0; CHUNK];
    let mut at = HEADER;
    loop {
        match read_full(file, &mut chunk, at)? {
            0 => return Ok(true),
            length if chunk[..length].iter().all(|octet| *octet == 0) => at += length as u64,
            _ => return Ok(false),
        }
    }
}

impl Header {
    /// Both copies.
    pub fn encode(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(2 * BLOCK);
        block.extend(MAGIC);
        block.extend(VERSION.to_le_bytes());
        block.extend([0; 4]);
        block.extend(self.salt.to_le_bytes());
        for number in [self.first, self.created, self.oldest_waiting] {
            block.extend(number.to_le_bytes());
        }
        if let Some(previous) = &self.previous {
            for number in [previous.first, previous.octets, previous.newest] {
                block.extend(number.to_le_bytes());
            }
            block.push(u8::from(previous.waits));
        }
        block.resize(BLOCK, 0);
        let sum = sum(&block);
        block[12..16].copy_from_slice(&sum.to_le_bytes());
        block.extend_from_within(..);
        block
    }

    /// One copy; the version in place of a header of a later one.
    fn decode(block: &[u8; BLOCK]) -> Option<Result<Header, u32>> {
        let mut fields = Fields(block);
        let (magic, version, written) = (fields.array::<8>()?, fields.u32()?, fields.u32()?);
        if magic != *MAGIC || written != sum(block) {
            return None;
        }
        if version != VERSION {
            return Some(Err(version));
        }
        let salt = fields.u32()?;
        let (first, created, oldest_waiting) = (fields.u64()?, fields.u64()?, fields.u64()?);
        let previous =
            Ended { first: fields.u64()?, octets: fields.u64()?, newest: fields.u64()?, waits: fields.u8()? != 0 };
        let previous = Some(previous).filter(|previous| previous.first != 0);
        Some(Ok(Header { salt, first, created, oldest_waiting, previous }))
    }
}

/// The sum of a block, its place left out.
fn sum(block: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&block[..12]);
    hasher.update(&block[16..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_twenty_digits_and_nothing_else_is_one() {
        assert_eq!(name(1), "00000000000000000001.journal");
        assert_eq!(first_of(&name(MAX_FIRST)), Some(MAX_FIRST));
        assert_eq!(first_of(&name(u64::MAX)), None);
        for other in [
            "1.journal",
            "lock",
            "+0000000000000000001.journal",
            "00000000000000000000.journal",
            "00000000000000000001.journal.gz",
        ] {
            assert_eq!(first_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let previous = Ended { first: 2, octets: 9000, newest: 5, waits: true };
        for previous in [None, Some(previous)] {
            let header = Header { salt: 3, first: 7, created: 11, oldest_waiting: 6, previous };
            let octets = header.encode();
            assert_eq!(octets.len() as u64, HEADER);
            for copy in octets.chunks(BLOCK) {
                assert_eq!(Header::decode(copy.try_into().unwrap()), Some(Ok(header)));
            }
        }
    }
}
