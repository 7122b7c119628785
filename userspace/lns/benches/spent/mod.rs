//! Time that the processor spent on something, not the clock on the wall: the machine may have others to serve.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long this thread worked.
pub fn spent(work: impl FnOnce()) -> Duration {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    let begin = now();
    work();
    now() - begin
}
