//! Rate limits where the kernel keeps none: the same buckets, in tables that all workers share.
//!
//! A packet is limited once. What comes in by an ingress with the gate in its kernel's path was charged there, and is not
//! charged again; everything else is charged here, in the same order and by the same functions (`sekisho_abi`).
//!
//! A client's own two buckets hang on its [`crate::health::ClientState`] and outlive a reload with it; those of its sessions are
//! in a table of fixed size. One limit exists in userspace only: that of an access network's logins for one realm, since whoever is
//! over that gets a Reject, and no silence.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sekisho_abi::{
    BucketParams, gcra,
    sessions::{self, Set},
    shed,
};

/// Sets of the table of (access network, realm): 16,384 buckets, in 256 KiB.
const REALM_SETS: u32 = 2048;

/// Limits of one node. Shared by its workers, told by its shell.
#[derive(Debug)]
pub struct Limiter {
    seed: [u64; 2],
    gated: AtomicU64,
    shed: AtomicU64,
    sessions: Sets,
    realms: Sets,
}

/// A client's buckets: its own, and that of its new sessions.
#[derive(Debug, Default)]
pub struct ClientBuckets {
    pub(crate) requests: AtomicU64,
    pub(crate) new_sessions: AtomicU64,
}

/// Sets of buckets; their number is a power of two.
type Sets = Box<[Aligned]>;

/// A set of buckets on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Aligned(Set<AtomicU64>);

impl Limiter {
    /// Buckets for so many sessions, all of them full. `seed` keys the hash of what names a session, so that nobody outside can
    /// make two sessions one.
    pub fn new(seed: [u64; 2], max_sessions: u32) -> Limiter {
        Limiter {
            seed,
            gated: AtomicU64::new(0),
            shed: AtomicU64::new(shed::CALM),
            sessions: table(sessions::sets(max_sessions)),
            realms: table(REALM_SETS),
        }
    }

    /// Says where the kernel limits and sheds: bit `i` for the ingress with index `i`. What comes in there is not charged here.
    pub fn set_gated(&self, ingresses: u64) {
        self.gated.store(ingresses, Relaxed);
    }

    /// What is shed from now on of what comes in elsewhere: [`shed::CALM`], [`shed::INTERIMS`] or [`shed::STARTS`].
    pub fn set_shed(&self, level: u64) {
        self.shed.store(level, Relaxed);
    }

    /// What is shed.
    pub fn shed(&self) -> u64 {
        self.shed.load(Relaxed)
    }

    /// Whether what comes in by this ingress is limited here.
    #[inline]
    pub(crate) fn limits(&self, ingress: u32) -> bool {
        self.gated.load(Relaxed) >> (ingress & 63) & 1 == 0
    }
}

fn table(sets: u32) -> Sets {
    (0..sets).map(|_| Aligned::default()).collect()
}
