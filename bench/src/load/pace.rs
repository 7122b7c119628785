//! When another request is due.

use std::time::Duration;

/// How fast requests are begun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Closed loop: so many outstanding, always.
    Window(usize),
    /// Open loop: so many a second whatever the target does, as long as ids are free.
    Rate(f64),
}

impl Pace {
    /// How many requests may be outstanding.
    pub fn window(&self) -> usize {
        match self {
            Self::Window(window) => (*window).max(1),
            // Half a second's worth before ids run out, within reason.
            Self::Rate(rate) => (rate / 2.0).clamp(256.0, 131_072.0) as usize,
        }
    }

    /// When request `number` (from 0) is due after the start; `None` in the closed loop: as soon as there is room.
    pub fn due(&self, number: u64) -> Option<Duration> {
        match self {
            Self::Window(_) => None,
            Self::Rate(rate) => Duration::try_from_secs_f64(number as f64 / rate).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_loop_spaces_requests_evenly() {
        let pace = Pace::Rate(1000.0);
        assert_eq!(pace.due(0), Some(Duration::ZERO));
        assert_eq!(pace.due(1500), Some(Duration::from_millis(1500)));
        assert_eq!(Pace::Window(64).due(7), None);
        assert_eq!(Pace::Window(64).window(), 64);
        assert_eq!(pace.window(), 500);
    }
}
