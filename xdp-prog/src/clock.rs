//! The time.
//!
//! Reading the clock costs more than any look-up. So it is read once for [`USES`] packets of a processor, and anew in each of the
//! kernel's ticks (1 to 10 ms): where packets come thick and fast, which is where limits matter, it is some microseconds
//! late. A bucket that was full gets, at most, what its rate gives in one tick.

use aya_ebpf::helpers::generated::{bpf_jiffies64, bpf_ktime_get_ns};

use crate::{gate::Case, maps};

/// Packets that one reading is for.
const USES: u64 = 8;

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[inline(always)]
pub fn now(case: &Case<'_>) -> u64 {
    if maps::number(&maps::INJECTED_CLOCK) != 0 {
        return case.settings.clock.read();
    }
    let [tick, time, uses] = &case.scratch.clock;
    // SAFETY: a helper without arguments; the kernel replaces the call by a load.
    let current = unsafe { bpf_jiffies64() };
    if tick.get() != current || uses.get() >= USES {
        tick.set(current);
        uses.set(0);
        // SAFETY: a helper without arguments.
        time.set(unsafe { bpf_ktime_get_ns() });
    }
    uses.set(uses.get() + 1);
    time.get()
}
