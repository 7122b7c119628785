//! MD5 and HMAC-MD5 as RADIUS uses them: over a few segments of a packet, with a secret known long before.
//!
//! The compression function is RustCrypto's; the state around it is ours, so that it can be resumed from a point
//! computed once per secret (RFC 2104 §4) and copied for next to nothing.

pub mod batch;
pub mod lanes;

use md5::block_api::compress;
use zeroize::Zeroize;

const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// Octets in a block.
pub const BLOCK: usize = 64;

/// A digest in the making.
#[derive(Clone)]
pub struct Md5 {
    state: [u32; 4],
    block: [u8; BLOCK],
    /// Octets absorbed; those since the last multiple of 64 stand at the start of `block`.
    absorbed: u64,
}

impl Md5 {
    /// A digest over nothing yet.
    pub const fn new() -> Self {
        Self { state: INITIAL, block: [0; BLOCK], absorbed: 0 }
    }

    const fn resume(state: [u32; 4], blocks: u64) -> Self {
        Self { state, block: [0; BLOCK], absorbed: blocks * BLOCK as u64 }
    }

    /// The digest of one piece.
    pub fn digest(octets: &[u8]) -> [u8; 16] {
        let mut md5 = Self::new();
        md5.update(octets);
        md5.finish()
    }

    /// Absorbs `octets`.
    #[inline]
    pub fn update(&mut self, mut octets: &[u8]) {
        let filled = (self.absorbed % BLOCK as u64) as usize;
        self.absorbed += octets.len() as u64;
        if filled > 0 {
            let room = &mut self.block[filled..];
            let Some((fill, rest)) = octets.split_at_checked(room.len()) else {
                room[..octets.len()].copy_from_slice(octets);
                return;
            };
            room.copy_from_slice(fill);
            compress(&mut self.state, &[self.block]);
            octets = rest;
        }
        let (blocks, rest) = octets.as_chunks::<BLOCK>();
        compress(&mut self.state, blocks);
        self.block[..rest.len()].copy_from_slice(rest);
    }

    /// The digest of what was absorbed (RFC 1321 §3.1–3.5).
    #[inline]
    pub fn finish(mut self) -> [u8; 16] {
        let filled = (self.absorbed % BLOCK as u64) as usize;
        self.block[filled] = 0x80;
        self.block[filled + 1..].fill(0);
        if filled >= BLOCK - 8 {
            compress(&mut self.state, &[self.block]);
            self.block = [0; BLOCK];
        }
        self.block[BLOCK - 8..].copy_from_slice(&(self.absorbed * 8).to_le_bytes());
        compress(&mut self.state, &[self.block]);
        octets(self.state)
    }
}

impl Md5 {
    pub(crate) fn forget(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
    }
}

impl Default for Md5 {
    fn default() -> Self {
        Self::new()
    }
}

/// The two states that an HMAC key comes to: after the inner and after the outer pad.
#[derive(Clone, Copy)]
pub(crate) struct HmacKey {
    inner: [u32; 4],
    outer: [u32; 4],
}

impl HmacKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        match block.get_mut(..key.len()) {
            Some(room) => room.copy_from_slice(key),
            None => block[..16].copy_from_slice(&Md5::digest(key)),
        }
        let pad = |with: u8| {
            let mut state = INITIAL;
            compress(&mut state, &[block.map(|octet| octet ^ with)]);
            state
        };
        Self { inner: pad(0x36), outer: pad(0x5c) }
    }

    pub(crate) fn start(&self) -> Hmac {
        Hmac { inner: Md5::resume(self.inner, 1), outer: self.outer }
    }

    pub(crate) fn forget(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// An HMAC-MD5 (RFC 2104) in the making.
#[derive(Clone)]
pub struct Hmac {
    inner: Md5,
    outer: [u32; 4],
}

impl Hmac {
    /// Absorbs `octets`.
    #[inline]
    pub fn update(&mut self, octets: &[u8]) {
        self.inner.update(octets);
    }

    /// The code of what was absorbed.
    #[inline]
    pub fn finish(self) -> [u8; 16] {
        let mut state = self.outer;
        compress(&mut state, &[batch::outer_block(&self.inner.finish())]);
        octets(state)
    }
}

fn octets(state: [u32; 4]) -> [u8; 16] {
    let mut digest = [0; 16];
    for (four, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *four = word.to_le_bytes();
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{KeyInit, Mac};
    use md5::Digest;

    #[test]
    fn agrees_with_rustcrypto_for_every_length_and_split() {
        let octets: Vec<u8> = (0..300u32).map(|i| (i * 7) as u8).collect();
        for len in 0..octets.len() {
            let expected: [u8; 16] = md5::Md5::digest(&octets[..len]).into();
            for split in [0, 1, 20, 63, 64, 65, 128, len].into_iter().filter(|&s| s <= len) {
                let mut md5 = Md5::new();
                md5.update(&octets[..split]);
                md5.update(&octets[split..len]);
                assert_eq!(md5.finish(), expected, "{len} octets split at {split}");
            }
        }
    }

    #[test]
    fn keyed_digests_agree_with_rustcrypto_for_keys_shorter_and_longer_than_a_block() {
        for key in [1, 16, 48, 63, 64, 65, 256, 8192].map(|n| vec![0xa5u8; n]) {
            for len in [0, 1, 55, 56, 64, 180] {
                let message = vec![3u8; len];
                let mut theirs = hmac::Hmac::<md5::Md5>::new_from_slice(&key).unwrap();
                theirs.update(&message);
                let mut ours = HmacKey::new(&key).start();
                ours.update(&message);
                assert_eq!(ours.finish(), <[u8; 16]>::from(theirs.finalize().into_bytes()));
            }
        }
    }
}
