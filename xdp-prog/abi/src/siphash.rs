//! SipHash-1-3 with 64 bits of output (Aumasson and Bernstein, 2012), over words and octets.
//!
//! Keyed, so that nobody who does not know the key can construct two inputs with one hash. The kernel's program feeds it by
//! words, since it cannot take slices of a packet; [`octets`] does the same in userspace.

/// A hash in progress.
#[derive(Clone, Copy)]
pub struct SipHash([u64; 4]);

impl SipHash {
    /// Begins with this key.
    #[inline(always)]
    pub const fn new(key: [u64; 2]) -> SipHash {
        SipHash([
            key[0] ^ 0x736f_6d65_7073_6575,
            key[1] ^ 0x646f_7261_6e64_6f6d,
            key[0] ^ 0x6c79_6765_6e65_7261,
            key[1] ^ 0x7465_6462_7974_6573,
        ])
    }

    /// Takes eight octets, as a little-endian word.
    #[inline(always)]
    #[must_use]
    pub const fn word(mut self, word: u64) -> SipHash {
        self.0[3] ^= word;
        self = self.round();
        self.0[0] ^= word;
        self
    }

    /// Takes the last zero to seven octets in the low octets of `tail`, with the length of the whole, modulo 256, in its highest octet.
    #[inline(always)]
    pub const fn finish(self, tail: u64) -> u64 {
        let mut state = self.word(tail);
        state.0[2] ^= 0xff;
        state = state.round().round().round();
        state.0[0] ^ state.0[1] ^ state.0[2] ^ state.0[3]
    }

    #[inline(always)]
    const fn round(self) -> SipHash {
        let [mut a, mut b, mut c, mut d] = self.0;
        a = a.wrapping_add(b);
        b = b.rotate_left(13) ^ a;
        a = a.rotate_left(32);
        c = c.wrapping_add(d);
        d = d.rotate_left(16) ^ c;
        a = a.wrapping_add(d);
        d = d.rotate_left(21) ^ a;
        c = c.wrapping_add(b);
        b = b.rotate_left(17) ^ c;
        c = c.rotate_left(32);
        SipHash([a, b, c, d])
    }
}

/// Takes all of `octets` and ends. `before` is how many octets were taken as words before.
#[inline]
pub fn octets(mut state: SipHash, before: usize, octets: &[u8]) -> u64 {
    let (words, rest) = octets.as_chunks::<8>();
    for word in words {
        state = state.word(u64::from_le_bytes(*word));
    }
    let mut tail = [0; 8];
    for (to, from) in tail.iter_mut().zip(rest) {
        *to = *from;
    }
    state.finish(u64::from_le_bytes(tail) | ((before + octets.len()) as u64) << 56)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SipHash-1-3 of the octets 0, 1, 2 … under the key 00 01 … 0f, as the standard library of Rust has computed it since 1.13
    /// (`DefaultHasher` with another key); these values were made with the crate `siphasher`.
    #[test]
    fn agrees_with_another_implementation() {
        use std::hash::Hasher as _;
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        let input: Vec<u8> = (0..=255).collect();
        for length in 0..256 {
            let mut other = siphasher::sip::SipHasher13::new_with_keys(key[0], key[1]);
            other.write(&input[..length]);
            assert_eq!(octets(SipHash::new(key), 0, &input[..length]), other.finish(), "{length} octets");
        }
    }

    #[test]
    fn words_and_octets_are_the_same() {
        let key = [1, 2];
        let input: Vec<u8> = (0..40).collect();
        let state = SipHash::new(key).word(u64::from_le_bytes(input[..8].try_into().unwrap()));
        assert_eq!(octets(state, 8, &input[8..]), octets(SipHash::new(key), 0, &input));
    }
}
