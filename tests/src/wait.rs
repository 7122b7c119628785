//! Waiting, always with an end.

use std::time::{Duration, Instant};

/// How long anything may take that takes a second on a calm machine.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Asks again and again, for at most [`PATIENCE`]; fails the test with `what` if the answer stays `None`.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, ask).unwrap_or_else(|| panic!("waited {PATIENCE:?} in vain: {what}"))
}

/// Asks again and again for at most `limit`.
pub fn within<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = ask() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
