//! What a segment is made of: frames, each with its own sum.
//!
//! A frame, integers little-endian: length of the whole (4 octets), CRC-32 (4) over all the others, sequence number (8), identity
//! (16), where its batch begins in the segment (4), tag (1), body.
//!
//! The sum begins with the segment's salt, which nobody outside knows: so a packet that has a frame written inside, or octets that the disk
//! still had from another segment, are never taken for a frame. The place of the batch tells what was durable when the frame was
//! written: everything before it.

use crc32fast::Hasher;

use crate::{
    fields::Fields,
    record::{MAX_RECORD, Record, TooLong},
};

/// Octets of a frame before its body.
pub(crate) const HEAD: usize = 37;
/// Octets of the longest frame.
pub(crate) const MAX_FRAME: usize = HEAD + MAX_RECORD;

const RECORD: u8 = 1;
const DONE: u8 = 2;
const CLOSED: u8 = 3;

/// Where a frame stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// Of its segment.
    pub salt: u32,
    pub sequence: u64,
    /// Where the batch begins that the frame is written with.
    pub batch: u32,
}

/// The fixed part of a frame, as read. Of what it says, nothing has been verified.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Of the whole frame: from [`HEAD`] to [`MAX_FRAME`].
    pub length: usize,
    pub sequence: u64,
    pub identity: u128,
    pub batch: u32,
    sum: u32,
    tag: u8,
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body<'a> {
    /// A record, encoded.
    Record(&'a [u8]),
    /// The waiting record with this sequence number has been delivered.
    Done(u64),
    /// The writer has closed the segment: all before it is durable.
    Closed,
}

/// Appends a frame with a record to `into`.
pub(crate) fn push_record(
    into: &mut Vec<u8>,
    stamp: Stamp,
    identity: u128,
    record: &Record<'_>,
) -> Result<(), TooLong> {
    let start = into.len();
    begin(into, stamp, identity, RECORD);
    if let Err(error) = record.encode(into) {
        into.truncate(start);
        return Err(error);
    }
    seal(into, start, stamp.salt);
    Ok(())
}

/// Appends the mark that a waiting record has been delivered.
pub(crate) fn push_done(into: &mut Vec<u8>, stamp: Stamp, sequence: u64) {
    let start = into.len();
    begin(into, stamp, 0, DONE);
    into.extend(sequence.to_le_bytes());
    seal(into, start, stamp.salt);
}

/// Appends the mark that the segment ends here.
pub(crate) fn push_closed(into: &mut Vec<u8>, stamp: Stamp) {
    let start = into.len();
    begin(into, stamp, 0, CLOSED);
    seal(into, start, stamp.salt);
}

impl Head {
    /// The head that these octets may be: its length and tag are possible ones.
    pub fn read(octets: &[u8]) -> Option<Head> {
        let mut fields = Fields(octets);
        let length = fields.u32()? as usize;
        let head = Head {
            length,
            sum: fields.u32()?,
            sequence: fields.u64()?,
            identity: fields.u128()?,
            batch: fields.u32()?,
            tag: fields.u8()?,
        };
        ((HEAD..=MAX_FRAME).contains(&length) && (RECORD..=CLOSED).contains(&head.tag)).then_some(head)
    }

    /// Whether `octets` begin with the frame that this is the head of.
    pub fn verifies(&self, octets: &[u8], salt: u32) -> bool {
        octets.get(..self.length).is_some_and(|frame| sum(frame, salt) == self.sum) && self.body(octets).is_some()
    }

    /// The body of that frame, if it is one.
    pub fn body<'a>(&self, octets: &'a [u8]) -> Option<Body<'a>> {
        let body = octets.get(HEAD..self.length)?;
        match self.tag {
            RECORD => Some(Body::Record(body)),
            DONE => Some(Body::Done(u64::from_le_bytes(body.try_into().ok()?))),
            _ => body.is_empty().then_some(Body::Closed),
        }
    }
}

fn begin(into: &mut Vec<u8>, stamp: Stamp, identity: u128, tag: u8) {
    into.extend([0; 8]);
    into.extend(stamp.sequence.to_le_bytes());
    into.extend(identity.to_le_bytes());
    into.extend(stamp.batch.to_le_bytes());
    into.push(tag);
}

/// Fills in the length and the sum of the frame that begins at `start` and ends where `into` ends.
fn seal(into: &mut [u8], start: usize, salt: u32) {
    let frame = &mut into[start..];
    let length = frame.len() as u32;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    let sum = sum(frame, salt);
    frame[4..8].copy_from_slice(&sum.to_le_bytes());
}

/// The sum of a frame of [`HEAD`] octets or more.
fn sum(frame: &[u8], salt: u32) -> u32 {
    let mut hasher = Hasher::new_with_initial(salt);
    hasher.update(&frame[..4]);
    hasher.update(&frame[8..]);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { salt: 0x5EED, sequence: 9, batch: 8192 };

    #[test]
    fn a_frame_of_another_segment_is_none_of_this() {
        let mut octets = Vec::new();
        push_done(&mut octets, STAMP, 4);
        let head = Head::read(&octets).unwrap();
        assert!(head.verifies(&octets, 0x5EED));
        assert!(!head.verifies(&octets, 0x5EEE));
        assert_eq!(head.body(&octets), Some(Body::Done(4)));
    }

    #[test]
    fn zeros_are_no_frame() {
        assert!(Head::read(&[0; MAX_FRAME]).is_none());
    }

    #[test]
    fn no_octet_of_a_frame_can_change() {
        let mut octets = Vec::new();
        push_closed(&mut octets, STAMP);
        push_done(&mut octets, STAMP, 4);
        let done = octets.split_off(HEAD);
        for mut octets in [octets, done] {
            for at in 0..octets.len() {
                octets[at] ^= 4;
                assert!(!Head::read(&octets).is_some_and(|head| head.verifies(&octets, 0x5EED)), "octet {at}");
                octets[at] ^= 4;
            }
        }
    }
}
