//! One clock for workers, control engine and status page.

use std::time::{Duration, Instant};

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

    /// How long the process has been up.
    pub fn uptime(&self) -> Duration {
        self.beginning.elapsed()
    }

    /// How long to wait for `time`; zero where it has passed.
    pub fn until(&self, time: Time) -> Duration {
        time - self.now()
    }
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
