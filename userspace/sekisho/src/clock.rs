//! One clock for workers, control engine and status page.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sekisho_engine::time::Time;

/// Turns CLOCK_MONOTONIC into the engine's [`Time`]. Copies share their beginning, so that times of different threads
/// compare.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    beginning: Instant,
}

impl Clock {
    /// The engine reads a time of zero as "never", so the clock does not begin there.
    const OFFSET: Duration = Duration::from_secs(1);

    /// A clock that begins now.
    pub fn start() -> Clock {
        Clock { beginning: Instant::now() }
    }

    /// The present.
    #[inline]
    pub fn now(&self) -> Time {
        Time(0) + (self.beginning.elapsed() + Clock::OFFSET)
    }

    /// Unix time at [`Time`] zero, in seconds.
    pub fn epoch(&self) -> u64 {
        wall_seconds().saturating_sub(self.now().0 / 1_000_000_000)
    }

    /// How long the process has been up.
    pub fn uptime(&self) -> Duration {
        self.beginning.elapsed()
    }

    /// How long to wait for `time`; zero where it has passed.
    pub fn until(&self, time: Time) -> Duration {
        time - self.now()
    }
}

/// Unix time in nanoseconds, for what is read by people and other hosts.
pub fn wall_nanos() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Unix time in seconds.
pub fn wall_seconds() -> u64 {
    wall_nanos() / 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_never_zero_and_copies_agree() {
        let clock = Clock::start();
        let copy = clock;
        let first = clock.now();
        assert!(first > Time(0));
        assert!(copy.now() >= first);
    }
}
