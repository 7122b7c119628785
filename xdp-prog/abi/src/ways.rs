//! Looking for one of eight words without branches, which the verifier of the kernel's program would have to follow one by one.
//!
//! What was found is a bit for each place: the highest bit of octet `place`.

use crate::gcra::Cell;

/// Adds `place` to what was found where `word` is the one that is wanted.
#[inline(always)]
pub fn note<C: Cell>(found: u64, word: u64, wanted: u64, place: usize) -> u64 {
    let difference = word ^ wanted;
    let all_if_equal = (C::opaque(difference | difference.wrapping_neg()) >> 63).wrapping_sub(1);
    found | (0x80 << (8 * place)) & all_if_equal
}

/// The first of the places that were found; 0 where none was.
#[inline(always)]
pub const fn first(found: u64) -> usize {
    // The lowest bit alone, as 2^(8n): it brings octet 7 - n of the factor to the top, which is n.
    let lowest = (found & found.wrapping_neg()) >> 7;
    (lowest.wrapping_mul(0x0001_0203_0405_0607) >> 56) as usize & 7
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn the_first_of_equal_words_is_found() {
        let find = |words: [u64; 8], wanted| {
            let found =
                words.iter().enumerate().fold(0, |found, (place, word)| note::<AtomicU64>(found, *word, wanted, place));
            (found != 0).then(|| first(found))
        };
        for place in 0..8 {
            let mut words = [u64::MAX; 8];
            words[place] = 5;
            words[7] = 5;
            assert_eq!(find(words, 5), Some(place));
            assert_eq!(find(words, 6), None);
        }
        assert_eq!(find([0; 8], 0), Some(0));
        assert_eq!(find([1 << 63; 8], 0), None);
    }
}
