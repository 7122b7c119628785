//! Digests of many messages, eight at a time.
//!
//! Messages differ in length. Each of the eight lanes takes the next message as soon as its own is done, so a long
//! one delays no others; where a single lane is left the scalar function is faster and finishes it.

use md5::block_api::compress;

use super::lanes::{LANES, compress_lanes};
use super::{BLOCK, HmacKey, INITIAL, Md5, octets};

/// The most pieces that a message is put together from.
pub const PIECES: usize = 5;

/// A message whose MD5 or HMAC-MD5 is wanted, as pieces that need not lie together.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    state: [u32; 4],
    absorbed: u64,
    pieces: [&'a [u8]; PIECES],
    outer: Option<[u32; 4]>,
}

impl<'a> Message<'a> {
    /// MD5 of the pieces.
    pub fn new(pieces: [&'a [u8]; PIECES]) -> Self {
        Self { state: INITIAL, absorbed: 0, pieces, outer: None }
    }

    /// HMAC-MD5 of the pieces.
    pub(crate) fn keyed(key: &HmacKey, pieces: [&'a [u8]; PIECES]) -> Self {
        Self { state: key.inner, absorbed: BLOCK as u64, pieces, outer: Some(key.outer) }
    }

    /// The digest, of this message alone.
    pub fn digest(&self) -> [u8; 16] {
        let mut md5 = Md5 { state: self.state, block: [0; BLOCK], absorbed: self.absorbed };
        self.pieces.iter().for_each(|piece| md5.update(piece));
        let inner = md5.finish();
        self.outer.map_or(inner, |mut outer| {
            compress(&mut outer, &[outer_block(&inner)]);
            octets(outer)
        })
    }
}

/// What follows the outer pad of an HMAC: the inner digest and its padding.
pub(super) fn outer_block(inner: &[u8; 16]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..16].copy_from_slice(inner);
    block[16] = 0x80;
    block[BLOCK - 8..].copy_from_slice(&(8 * (BLOCK as u64 + 16)).to_le_bytes());
    block
}

/// Computes the digest of each message into the place of the same index. Messages beyond the shorter of the two
/// slices are left out.
pub fn digest_all(messages: &[Message<'_>], digests: &mut [[u8; 16]]) {
    let mut waiting = messages.iter().zip(digests);
    let mut lanes: [Option<Lane<'_>>; LANES] = [const { None }; LANES];
    let mut states = [[[0; 4]; 4]; LANES / 4];
    let mut blocks = [[[0; BLOCK]; 4]; LANES / 4];
    loop {
        let mut busy = 0;
        for ((lane, state), block) in lanes.iter_mut().zip(states.as_flattened_mut()).zip(blocks.as_flattened_mut()) {
            if lane.is_none() {
                *lane = waiting.next().map(|(message, digest)| {
                    *state = message.state;
                    Lane::new(message, digest)
                });
            }
            if let Some(lane) = lane {
                lane.fill(block);
                busy += 1;
            }
        }
        match busy {
            0 => return,
            1 => {
                let all = lanes.iter().zip(states.as_flattened_mut()).zip(blocks.as_flattened());
                for ((_, state), block) in all.filter(|((lane, _), _)| lane.is_some()) {
                    compress(state, &[*block]);
                }
            }
            _ => compress_lanes(&mut states, &blocks),
        }
        for (slot, state) in lanes.iter_mut().zip(states.as_flattened_mut()) {
            if slot.as_mut().is_some_and(|lane| lane.is_done(state)) {
                *slot = None;
            }
        }
    }
}

/// One message on its way through a lane.
struct Lane<'a> {
    pieces: [&'a [u8]; PIECES],
    piece: usize,
    bits: u64,
    digest: &'a mut [u8; 16],
    outer: Option<[u32; 4]>,
    next: Next,
}

/// What a lane's next block begins with.
#[derive(PartialEq)]
enum Next {
    /// The message, which may be at its end.
    Message,
    /// Padding after the octet 0x80.
    Padding,
    /// The inner digest of an HMAC.
    Outer([u8; 16]),
    /// Nothing: the last block was filled.
    Nothing,
}

impl<'a> Lane<'a> {
    fn new(message: &Message<'a>, digest: &'a mut [u8; 16]) -> Self {
        let length = message.absorbed + message.pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
        let Message { pieces, outer, .. } = *message;
        Self { pieces, piece: 0, bits: length * 8, digest, outer, next: Next::Message }
    }

    /// Writes the next block.
    fn fill(&mut self, block: &mut [u8; BLOCK]) {
        let mut filled = 0;
        match self.next {
            Next::Outer(inner) => {
                *block = outer_block(&inner);
                self.next = Next::Nothing;
                return;
            }
            Next::Message => {
                if self.copy_whole_block(block) {
                    return;
                }
                *block = [0; BLOCK];
                filled = self.copy_message(block);
                let Some(end) = block.get_mut(filled) else { return };
                *end = 0x80;
                filled += 1;
                self.next = Next::Padding;
            }
            Next::Padding | Next::Nothing => *block = [0; BLOCK],
        }
        if filled <= BLOCK - 8 {
            block[BLOCK - 8..].copy_from_slice(&self.bits.to_le_bytes());
            self.next = Next::Nothing;
        }
    }

    /// Copies a block that lies within one piece, which most do.
    fn copy_whole_block(&mut self, block: &mut [u8; BLOCK]) -> bool {
        let Some(piece) = self.pieces.get_mut(self.piece) else { return false };
        let Some((whole, later)) = piece.split_first_chunk() else { return false };
        *block = *whole;
        *piece = later;
        true
    }

    /// Copies as much of the message as is left and fits, and says how much that was.
    fn copy_message(&mut self, block: &mut [u8; BLOCK]) -> usize {
        let mut filled = 0;
        while let Some(piece) = self.pieces.get_mut(self.piece) {
            let room = &mut block[filled..];
            let (now, later) = piece.split_at(piece.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            filled += now.len();
            *piece = later;
            if !later.is_empty() {
                break;
            }
            self.piece += 1;
        }
        filled
    }

    /// After a block: takes the digest if it was the last, or begins the outer half of an HMAC.
    fn is_done(&mut self, state: &mut [u32; 4]) -> bool {
        if self.next != Next::Nothing {
            return false;
        }
        if let Some(outer) = self.outer.take() {
            self.next = Next::Outer(octets(*state));
            *state = outer;
            return false;
        }
        *self.digest = octets(*state);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_any_size_and_lengths_is_what_each_message_is_alone() {
        let text: Vec<u8> = (0..5000u32).map(|i| ((i * 31) >> 3) as u8).collect();
        let keys = [HmacKey::new(b"one"), HmacKey::new(&[7; 100])];
        let message = |i: usize| {
            let pieces = [
                &text[..i % 67],
                &text[i..i + i % 130],
                &[][..],
                &text[2 * i..2 * i + (i * i) % 700],
                &text[..(i % 3) * 64],
            ];
            match i % 3 {
                0 => Message::new(pieces),
                k => Message::keyed(&keys[k - 1], pieces),
            }
        };
        for count in (0..40).chain([256, 600]) {
            let messages: Vec<_> = (0..count).map(message).collect();
            let mut digests = vec![[0; 16]; count];
            digest_all(&messages, &mut digests);
            for (i, digest) in digests.iter().enumerate() {
                assert_eq!(*digest, messages[i].digest(), "message {i} of {count}");
                let octets = messages[i].pieces.concat();
                if i % 3 == 0 {
                    assert_eq!(*digest, Md5::digest(&octets));
                } else {
                    let mut hmac = keys[i % 3 - 1].start();
                    hmac.update(&octets);
                    assert_eq!(*digest, hmac.finish());
                }
            }
        }
    }
}
