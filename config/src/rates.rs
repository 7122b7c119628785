//! How much a source may send: rates and bursts, the same in the kernel and in userspace.

/// What a source may send, and each of the sessions that it speaks for. Requests count, replies do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Everything that the source sends.
    pub client: Rate,
    /// Each of its sessions.
    pub session: Rate,
    /// Sessions that have not been heard of before.
    pub new_session: Rate,
}

impl Rates {
    /// What holds where documents say nothing.
    pub const DEFAULT: Rates = Rates {
        client: Rate { per_second: 10_000, burst: 20_000 },
        session: Rate { per_second: 20, burst: 100 },
        new_session: Rate { per_second: 5_000, burst: 10_000 },
    };
}

/// A token bucket: so many a second in the long run, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second, at most 1,000,000; 0: no limit.
    pub per_second: u32,
    /// Requests at once from a full bucket: 1 to 1,000,000.
    pub burst: u32,
}

impl Rate {
    /// Whether anything is limited.
    pub const fn limits(self) -> bool {
        self.per_second != 0
    }
}
