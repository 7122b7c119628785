//! DES under keys of seven octets (RFC 2433 §A.6–7, RFC 2759 §8.6).

use des::Des;
use des::cipher::{BlockCipherEncrypt, KeyInit};

/// `clear` under seven octets of key.
pub(super) fn encrypt(clear: &[u8; 8], key: &[u8; 7]) -> [u8; 8] {
    let mut block = (*clear).into();
    Des::new(&expand(key).into()).encrypt_block(&mut block);
    block.into()
}

/// The 56 bits of a key, seven in each octet, and below them the bit that makes the number of ones odd.
///
/// Some keys that DES calls weak can come out: the protocol knows none to avoid.
fn expand(key: &[u8; 7]) -> [u8; 8] {
    let [a, b, c, d, e, f, g] = *key;
    let bits = u64::from_be_bytes([0, a, b, c, d, e, f, g]);
    let mut octets = [0; 8];
    for (place, octet) in octets.iter_mut().rev().enumerate() {
        let seven = (bits >> (7 * place)) as u8 & 0x7f;
        *octet = seven << 1 | u8::from(seven.count_ones().is_multiple_of(2));
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_get_odd_parity_as_rfc_2433_shows() {
        let raw = [0xfc, 0x15, 0x6a, 0xf7, 0xed, 0xcd, 0x6c];
        assert_eq!(expand(&raw), [0xfd, 0x0b, 0x5b, 0x5e, 0x7f, 0x6e, 0x34, 0xd9]);
        let raw = [0x0e, 0xdd, 0xe3, 0x33, 0x7d, 0x42, 0x7f];
        assert_eq!(expand(&raw), [0x0e, 0x6e, 0x79, 0x67, 0x37, 0xea, 0x08, 0xfe]);
        assert_eq!(expand(&[0x4e, 0xac, 0, 0, 0, 0, 0]), [0x4f, 0x57, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn every_bit_of_a_key_counts_and_parity_is_always_odd() {
        let mut seen = std::collections::BTreeSet::new();
        for bit in 0..56 {
            let mut raw = [0; 7];
            raw[bit / 8] = 1 << (bit % 8);
            let key = expand(&raw);
            assert!(key.iter().all(|octet| octet.count_ones() % 2 == 1), "bit {bit}");
            assert!(seen.insert(encrypt(&[7; 8], &raw)), "bit {bit}");
        }
    }

    #[test]
    fn a_weak_key_is_used_like_any_other() {
        // All ones and all zeros are weak: to encrypt twice is to decrypt.
        for raw in [[0; 7], [0xff; 7]] {
            let once = encrypt(b"sekisho!", &raw);
            assert_ne!(&once, b"sekisho!");
            assert_eq!(&encrypt(&once, &raw), b"sekisho!");
        }
    }
}
