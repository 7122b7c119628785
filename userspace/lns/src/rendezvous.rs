//! Weighted rendezvous: of several servers a key always chooses the same one, in proportion to their weights; when one goes only
//! its keys move, and when it comes back they return.
//!
//! Each server draws a number from its name, the tier's seed and the key, and the smallest cost wins: −ln(u) / weight, u uniform
//! in (0, 1) (the logarithm method; Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005). What is drawn does not
//! depend on the machine: SipHash-1-3 under the seed, and a logarithm made of IEEE 754 operations that every processor rounds alike,
//! none of them from a library.

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
    fn what_is_drawn_is_the_same_everywhere_and_for_ever() {
        let costs = ["one", "two", "three"].map(|name| cost(7, name_hash(name), 3, [b"819012345678", b""]).to_bits());
        assert_eq!(costs, [4_591_228_245_996_007_076, 4_610_116_075_059_085_867, 4_587_867_835_082_339_488]);
    }
}
