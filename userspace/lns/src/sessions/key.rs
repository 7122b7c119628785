//! What sessions and devices are found by: digests of 128 bits, so that names need not be kept to be compared.

use std::{fmt, hash::Hasher as _, num::NonZeroU64};

use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// A digest of the parts of an identity, under the secret seed of one [`super::Sessions`]. Whoever does not know the seed can not
/// make two identities have the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    high: u64,
    low: NonZeroU64,
}

impl Key {
    pub(super) fn of(seed: &[u8; 16], parts: &[&[u8]]) -> Key {
        let mut hasher = SipHasher13::new_with_key(seed);
        for part in parts {
            // With its length before it: ("ab", "c") is not ("a", "bc").
            hasher.write(&(part.len() as u32).to_le_bytes());
            hasher.write(part);
        }
        let digest = hasher.finish128();
        Key { high: digest.h1, low: NonZeroU64::new(digest.h2).unwrap_or(NonZeroU64::MAX) }
    }

    /// Half of it: enough where a second condition is at hand.
    pub(super) fn half(self) -> NonZeroU64 {
        self.low
    }

    pub(super) fn to_words(self) -> [u64; 2] {
        [self.high, self.low.get()]
    }

    /// `None` for words that no key has.
    pub(super) fn from_words([high, low]: [u64; 2]) -> Option<Key> {
        Some(Key { high, low: NonZeroU64::new(low)? })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.high, self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts: &[&[u8]]| Key::of(&[7; 16], parts);
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"ab"]), of(&[b"ab", b""]));
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
    }

    #[test]
    fn another_seed_gives_other_keys_and_the_same_seed_the_same_for_ever() {
        assert_ne!(Key::of(&[7; 16], &[b"x"]), Key::of(&[8; 16], &[b"x"]));
        // They are in files on disk.
        assert_eq!(format!("{:?}", Key::of(&[7; 16], &[b"nas", b"17"])), "1ddcda7792acc1ef04872a7b591dcb2b");
    }

    #[test]
    fn words_give_back_the_key() {
        let key = Key::of(&[1; 16], &[b"x"]);
        assert_eq!(Key::from_words(key.to_words()), Some(key));
        assert_eq!(Key::from_words([1, 0]), None);
    }
}
