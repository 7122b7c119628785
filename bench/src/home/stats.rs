//! What a home server has seen.

use std::iter::Sum;
use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counts since the start.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The same, written by one worker while others read.
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: Counter,)*
        }

        impl Counters {
            pub(super) fn read(&self) -> Stats {
                Stats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }

        impl Add for Stats {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self { $($name: self.$name + other.$name,)* }
            }
        }
    };
}

counters! {
    /// Datagrams received.
    received,
    /// Right requests that are the first of their source, id and Request Authenticator.
    distinct,
    /// Right requests that repeat the last one of their source and id.
    retransmits,
    /// Access-Accepts given, each request once.
    accepts,
    /// Access-Rejects given.
    rejects,
    /// Accounting-Responses given.
    accounting,
    /// Status-Servers answered.
    status,
    /// Malformed datagrams.
    malformed,
    /// Requests whose authenticators are wrong, or that break a rule of their code.
    refused,
    /// Requests of a code that is not for the port they came to.
    misplaced,
    /// Requests left unanswered on purpose.
    withheld,
    /// Forged replies sent on purpose.
    forged,
    /// Replies that the kernel would not send.
    unsent,
}

/// One count, written by one thread only.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: usize) {
        // One writer: no read-modify-write is needed.
        self.0.store(self.0.load(Ordering::Relaxed) + count as u64, Ordering::Relaxed);
    }
}

impl Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(stats: I) -> Self {
        stats.fold(Self::default(), Self::add)
    }
}
