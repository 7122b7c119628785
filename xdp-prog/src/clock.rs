//! The time.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use sekisho_abi::settings::Settings;

use crate::{cell::Word, maps};

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[inline(always)]
pub fn now(settings: &Settings<Word>) -> u64 {
    if maps::number(&maps::INJECTED_CLOCK) != 0 {
        return settings.clock.read();
    }
    // SAFETY: a helper without arguments.
    unsafe { bpf_ktime_get_ns() }
}
