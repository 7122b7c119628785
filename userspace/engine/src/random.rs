//! Unpredictable numbers: Request Authenticators, salts, jitter, and the keys of our hashes. One seed gives them all.

use std::{hash::Hasher, net::IpAddr, time::Duration};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use siphasher::sip::SipHasher13;

use crate::table::FlowKey;

/// A worker's generator: ChaCha with 12 rounds, a CSPRNG as RFC 2865 §3 asks for Request Authenticators.
#[derive(Debug)]
pub struct Random {
    generator: ChaCha12Rng,
    salt: u16,
}

impl Random {
    /// From 32 octets that only this worker has.
    pub fn new(seed: [u8; 32]) -> Random {
        let mut generator = ChaCha12Rng::from_seed(seed);
        let salt = generator.next_u32() as u16;
        Random { generator, salt }
    }

    /// A Request Authenticator.
    pub fn authenticator(&mut self) -> [u8; 16] {
        let mut octets = [0; 16];
        self.generator.fill_bytes(&mut octets);
        octets
    }

    /// The next salt: counted on, so that 32,768 in a row differ; top bit set (RFC 2868 §3.5).
    pub fn salt(&mut self) -> u16 {
        self.salt = self.salt.wrapping_add(1);
        self.salt | 0x8000
    }

    /// A time from zero to `longest`.
    pub fn up_to(&mut self, longest: Duration) -> Duration {
        let share = |part: u32| (longest.as_nanos().min(u128::from(u64::MAX)) * u128::from(part)) >> 32;
        Duration::from_nanos(share(self.generator.next_u32()) as u64)
    }

    /// An interval a tenth longer or shorter at most (RFC 5080 §2.2.1), so that what began together does not stay together.
    pub fn jittered(&mut self, interval: Duration) -> Duration {
        (interval - interval / 10).saturating_add(self.up_to(interval / 5))
    }

    /// Keys for hashes.
    pub fn hash_keys(&mut self) -> HashKeys {
        HashKeys(self.generator.next_u64(), self.generator.next_u64())
    }
}

/// Keys of SipHash-1-3: collisions must not be constructible from outside.
#[derive(Clone, Copy, Debug)]
pub struct HashKeys(u64, u64);

impl HashKeys {
    /// Of a flow's key.
    pub fn flow(&self, key: &FlowKey) -> u64 {
        let mut octets = [0; 25];
        match key.peer.ip() {
            IpAddr::V4(v4) => octets[..4].copy_from_slice(&v4.octets()),
            IpAddr::V6(v6) => octets[..16].copy_from_slice(&v6.octets()),
        }
        octets[16..18].copy_from_slice(&key.peer.port().to_ne_bytes());
        octets[18..20].copy_from_slice(&key.service.to_ne_bytes());
        octets[20] = key.id;
        octets[21..].copy_from_slice(&key.domain.to_ne_bytes());
        self.bytes(&octets)
    }

    /// Of octets that are one customer's.
    pub fn pair(&self, customer: u32, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write_u32(customer);
        hasher.write(bytes);
        hasher.finish()
    }

    /// Of several parts, which do not run into each other.
    pub fn parts(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        for part in parts {
            hasher.write_u32(part.len() as u32);
            hasher.write(part);
        }
        hasher.finish()
    }

    /// Of a packet.
    pub fn bytes(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write(bytes);
        hasher.finish()
    }
}
