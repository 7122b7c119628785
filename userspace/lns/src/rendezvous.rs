//! Weighted rendezvous: of several servers a key always chooses the same one, in proportion to their weights; when one goes only
//! its keys move, and when it comes back they return.
//!
//! Each server draws a number from its name, the tier's seed and the key, and the smallest cost wins: −ln(u) / weight, u uniform
//! in (0, 1) (the logarithm method; Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005). What is drawn does not
//! depend on the machine: SipHash-1-3 under the seed, and a logarithm made of IEEE 754 operations that every processor rounds alike,
//! none of them from a library.
//!
//! [`cost`] hashes the key anew for each server. A [`Draw`] hashes it once and mixes that with each server's name: another choice, a
//! tenth of the time where there are dozens of servers.

use std::{f64::consts, hash::Hasher};

use siphasher::sip::SipHasher13;

/// A hash without a secret key, the same on every node and after every restart.
pub(crate) fn hash(seed: u64, member: u64, key: [&[u8]; 2]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(seed, member);
    key.into_iter().for_each(|part| hasher.write(part));
    hasher.finish()
}

/// Of a server's name.
pub fn name_hash(name: &str) -> u64 {
    hash(0, 0, [name.as_bytes(), &[]])
}

/// What it costs to give this key (the two parts one after the other) to the server whose name has this [`name_hash`]: the
/// smallest wins. Zero or more.
pub fn cost(seed: u64, name: u64, weight: u32, key: [&[u8]; 2]) -> f64 {
    // By name, not by number or place: every node and every order of the document chooses alike.
    exponential(hash(seed, name, key)) / f64::from(weight.max(1))
}

/// A key for which servers draw.
#[derive(Clone, Copy, Debug)]
pub struct Draw(u64);

impl Draw {
    /// A key, under a tier's seed.
    pub fn new(seed: u64, key: &[u8]) -> Draw {
        Draw(hash(seed, 0, [key, &[]]))
    }

    /// What the server whose name has this [`name_hash`] draws: any number as likely as any other.
    pub fn number(self, name: u64) -> u64 {
        // The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
        let mut mixed = self.0 ^ name;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// What it costs to give the key to this server: the smallest wins. Zero or more.
    pub fn cost(self, name: u64, weight: u32) -> f64 {
        minus_log2(self.number(name)) as i64 as f64 / f64::from(weight.max(1))
    }
}

/// Bits of a logarithm's fraction.
const FRACTION: u32 = 32;
/// Logarithms are tabulated for so many parts of an octave, and straight between them: an error of 3 in a million at most.
const PARTS: usize = 256;
const LOG2: [u64; PARTS + 1] = log2_table();

/// −log₂ of the hash as a fraction, in units of 2^-32.
fn minus_log2(hash: u64) -> u64 {
    let hash = hash.max(1);
    let zeros = hash.leading_zeros();
    // The fraction is (1 + mantissa / 2^64) * 2^-(zeros + 1).
    let mantissa = hash << zeros << 1;
    let part = (mantissa >> (u64::BITS - PARTS.ilog2())) as usize;
    let within = (mantissa << PARTS.ilog2()) >> FRACTION;
    let step = LOG2[part + 1] - LOG2[part];
    (u64::from(zeros + 1) << FRACTION) - (LOG2[part] + ((step * within) >> FRACTION))
}

/// log₂(1 + part / [`PARTS`]) in units of 2^-32, bit by bit: squaring doubles a logarithm.
const fn log2_table() -> [u64; PARTS + 1] {
    const ONE: u128 = 1 << 63;
    let mut table = [0; PARTS + 1];
    let mut part = 0;
    while part < PARTS {
        let mut x = ONE + (part as u128) * (ONE / PARTS as u128);
        let mut bit = FRACTION;
        while bit > 0 {
            bit -= 1;
            x = (x * x) >> 63;
            if x >= 2 * ONE {
                x >>= 1;
                table[part] |= 1 << bit;
            }
        }
        part += 1;
    }
    table[PARTS] = 1 << FRACTION;
    table
}

/// −ln(u), u being the hash as a fraction.
fn exponential(hash: u64) -> f64 {
    const UNIT: f64 = 1.0 / (1u64 << 53) as f64;
    let fraction = ((hash >> 11) as f64 + 0.5) * UNIT;
    // fraction = mantissa * 2^exponent, the mantissa between √½ and √2.
    let bits = fraction.to_bits();
    let mut exponent = f64::from((bits >> 52) as i32 - 1023);
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > consts::SQRT_2 {
        (mantissa, exponent) = (mantissa / 2.0, exponent + 1.0);
    }
    // ln(m) = 2 artanh((m - 1) / (m + 1)), as a series: the terms left out are below 2^-50 of the whole.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..10).rev().fold(0.0, |sum, n| sum * square + 1.0 / f64::from(2 * n + 1));
    -(exponent * consts::LN_2 + 2.0 * s * series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_the_logarithm() {
        for hash in (0..10_000u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).chain([u64::MAX, u64::MAX >> 1, 1]) {
            let true_one = -(((hash >> 11) as f64 + 0.5) / (1u64 << 53) as f64).ln();
            let difference = (exponential(hash) - true_one).abs();
            assert!(difference <= 1e-14 * true_one.max(1.0), "{hash}: {} {true_one}", exponential(hash));
            assert!(exponential(hash) >= 0.0, "{hash}");
        }
    }

    #[test]
    fn the_tabulated_logarithm_is_near_the_logarithm_and_never_rises() {
        let true_one = |hash: u64| 64.0 - (hash as f64).log2();
        let hashes = (1..50_000u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for hash in hashes.chain([1, 2, 3, u64::MAX, u64::MAX >> 1, 1 << 63, (1 << 63) - 1]) {
            let difference = (minus_log2(hash) as f64 / f64::from(FRACTION).exp2() - true_one(hash)).abs();
            assert!(difference < 3e-6, "{hash}: {difference}");
        }
        let mut hashes: Vec<u64> = (0..50_000u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        hashes.sort_unstable();
        assert!(hashes.is_sorted_by(|a, b| minus_log2(*a) >= minus_log2(*b)));
        assert!(minus_log2(0) <= 64 << FRACTION);
    }

    #[test]
    fn a_draw_is_the_same_everywhere_and_for_ever() {
        let draw = Draw::new(7, b"819012345678");
        let costs = ["one", "two", "three"].map(|name| draw.cost(name_hash(name), 3).to_bits());
        assert_eq!(costs, [4740816005852648789, 4735830956408045568, 4746910783807072939]);
    }

    #[test]
    fn what_is_drawn_is_the_same_everywhere_and_for_ever() {
        let costs = ["one", "two", "three"].map(|name| cost(7, name_hash(name), 3, [b"819012345678", b""]).to_bits());
        assert_eq!(costs, [4_591_228_245_996_007_076, 4_610_116_075_059_085_867, 4_587_867_835_082_339_488]);
    }
}
