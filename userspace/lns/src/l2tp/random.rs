//! What must not be guessed, and what must not fall together.

use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// The prober's generator: a CSPRNG, since whoever guesses a tunnel's number can answer in an LNS's place.
#[derive(Debug)]
pub(super) struct Random(ChaCha12Rng);

impl Random {
    pub(super) fn new(seed: [u8; 32]) -> Random {
        Random(ChaCha12Rng::from_seed(seed))
    }

    /// A tunnel's number, for which `is_free` holds. Zero is none.
    pub(super) fn tunnel(&mut self, is_free: impl Fn(u16) -> bool) -> u16 {
        loop {
            let number = self.0.next_u32() as u16;
            if number != 0 && is_free(number) {
                return number;
            }
        }
    }

    pub(super) fn challenge(&mut self) -> [u8; 16] {
        let mut octets = [0; 16];
        self.0.fill_bytes(&mut octets);
        octets
    }

    /// A time from zero to `longest`.
    pub(super) fn up_to(&mut self, longest: Duration) -> Duration {
        longest.mul_f64(f64::from(self.0.next_u32()) / f64::from(u32::MAX))
    }

    /// An interval a tenth longer or shorter at most, so that what began together does not stay together.
    pub(super) fn jittered(&mut self, interval: Duration) -> Duration {
        interval - interval / 10 + self.up_to(interval / 5)
    }
}
