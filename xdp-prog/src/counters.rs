//! Counting: once `Seen`, once where the packet ended.

use sekisho_abi::Outcome;

use crate::maps::COUNTERS;

/// Adds one to the counter of this CPU.
#[inline(always)]
pub fn count(outcome: Outcome) {
    if let Some(counter) = COUNTERS.get_ptr_mut(outcome.slot()) {
        // SAFETY: the map returned a valid pointer to this CPU's own value, and one CPU runs one XDP program at a time.
        unsafe { *counter += 1 };
    }
}
