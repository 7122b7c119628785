//! Which of many keys comes next.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// One key, each time.
pub const ONE: &str = "one";
/// [`ACTIVE`] keys, the first of which comes most often.
pub const ZIPF: &str = "4,096 Zipf";
/// Each key as often as any other.
pub const UNIFORM: &str = "uniform";
/// Keys that are active where a few are.
pub const ACTIVE: u32 = 4096;
/// How many turns there are before they come again: a power of two, as a driver wants it.
pub const TURNS: usize = 1 << 20;

/// Turns over `keys` keys where key k (from 1) comes as often as 1/k says (Zipf, s = 1). Numbers from 0.
pub fn zipf(keys: u32) -> Vec<u32> {
    let mut random = ChaCha12Rng::seed_from_u64(1);
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=keys)
        .map(|key| {
            sum += 1.0 / f64::from(key);
            sum
        })
        .collect();
    let last = keys.saturating_sub(1);
    let turn = |drawn: f64| (sums.partition_point(|sum| *sum <= drawn) as u32).min(last);
    (0..TURNS).map(|_| turn(random.random::<f64>() * sum)).collect()
}

/// Turns in which every key comes as often as any other. Numbers from 0.
pub fn uniform(keys: u32) -> Vec<u32> {
    let mut turns: Vec<u32> = (0..TURNS as u32).map(|turn| turn % keys.max(1)).collect();
    turns.shuffle(&mut ChaCha12Rng::seed_from_u64(2));
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_key_comes_half_as_often_as_the_first() {
        let turns = zipf(ACTIVE);
        let count = |key| turns.iter().filter(|turn| **turn == key).count() as f64;
        assert!((0.48..0.52).contains(&(count(1) / count(0))), "{} {}", count(0), count(1));
        assert!(turns.iter().all(|turn| *turn < ACTIVE));
        assert!(count(ACTIVE - 1) > 0.0);
    }

    #[test]
    fn uniform_turns_take_every_key() {
        let mut seen = vec![false; 1_000_000];
        uniform(1_000_000).into_iter().for_each(|turn| seen[turn as usize] = true);
        assert!(seen.into_iter().all(|seen| seen));
    }
}
