//! Token buckets as GCRA (the generic cell rate algorithm, ITU-T I.371): one word each, and one implementation for kernel and
//! userspace.
//!
//! The word is the *theoretical arrival time*: when the bucket will be full again. A packet moves it on by what it costs; a
//! packet that would move it further ahead of now than the bucket is deep is refused. The word is changed by
//! compare-and-swap, so that no update is lost between processors.

/// Ticks of bucket time in a nanosecond. Finer than a nanosecond, so that a rate is exact to 1 in 16,000 even at a million a
/// second; a word holds 36 years of them.
pub const TICKS: u64 = 16;

/// How much further ahead a word may be than its parameters can bring it before it is brought back: a processor that is
/// late, by an old reading of the clock or an interruption, must not take another one's "now" for a debt.
const LATE: u64 = TICKS * 100_000_000;

/// Attempts to change a word that others change at the same time.
pub const ATTEMPTS: u32 = 4;

/// The highest rate, in packets per second.
pub const MAX_RATE: u32 = 1_000_000;
/// The largest burst, in packets.
pub const MAX_BURST: u32 = 1_000_000;

/// A word that several processors change.
pub trait Cell {
    /// Its value.
    fn load(&self) -> u64;
    /// Replaces the value if it is `old`; whether it was.
    fn compare_exchange(&self, old: u64, new: u64) -> bool;

    /// The number, of which the compiler shall know nothing: the kernel's program computes some things without branches, which
    /// the verifier would have to follow one by one, and the compiler would put them back.
    #[inline(always)]
    fn opaque(number: u64) -> u64 {
        number
    }
}

/// A bucket's parameters in ticks, computed in userspace. Zero increment: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct BucketParams {
    /// What one packet costs: a second, divided by the rate.
    pub increment: u64,
    /// What may be owed: (burst − 1) × increment.
    pub tolerance: u64,
}

/// What a bucket says to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is admitted, and paid for.
    Admitted,
    /// The bucket is empty.
    Over,
    /// The word changed under every one of a few attempts.
    Contended,
}

impl BucketParams {
    /// No limit.
    pub const NONE: BucketParams = BucketParams { increment: 0, tolerance: 0 };

    /// `rate` packets a second on average, `burst` at once. A rate of zero is no limit; a burst of zero counts as one. Both are
    /// bounded by [`MAX_RATE`] and [`MAX_BURST`], so that nothing wraps.
    pub const fn per_second(rate: u32, burst: u32) -> BucketParams {
        if rate == 0 {
            return BucketParams::NONE;
        }
        let rate = if rate > MAX_RATE { MAX_RATE } else { rate };
        let burst = if burst > MAX_BURST { MAX_BURST } else { burst };
        let increment = 1_000_000_000 * TICKS / rate as u64;
        BucketParams { increment, tolerance: (burst as u64).saturating_sub(1) * increment }
    }

    /// Whether there is a limit.
    #[inline(always)]
    pub const fn limits(&self) -> bool {
        self.increment != 0
    }
}

/// Nanoseconds as ticks.
#[inline(always)]
pub const fn ticks(nanoseconds: u64) -> u64 {
    nanoseconds.wrapping_mul(TICKS)
}

/// Charges one packet at `now`, in ticks.
///
/// A word much further ahead than these parameters can bring it (they have just become stricter, or faster) is brought back to
/// the end of the bucket.
#[inline(always)]
pub fn charge(cell: &impl Cell, params: BucketParams, now: u64) -> Verdict {
    if !params.limits() {
        return Verdict::Admitted;
    }
    let mut attempt = 0;
    while attempt < ATTEMPTS {
        let tat = cell.load();
        let base = if tat > now { tat } else { now };
        let ahead = base - now;
        if ahead > params.tolerance {
            let end = params.tolerance + params.increment;
            if ahead > end + LATE {
                cell.compare_exchange(tat, now + end);
            }
            return Verdict::Over;
        }
        if cell.compare_exchange(tat, base + params.increment) {
            return Verdict::Admitted;
        }
        attempt += 1;
    }
    Verdict::Contended
}

#[cfg(feature = "std")]
impl Cell for std::sync::atomic::AtomicU64 {
    #[inline]
    fn load(&self) -> u64 {
        self.load(std::sync::atomic::Ordering::Relaxed)
    }

    #[inline]
    fn compare_exchange(&self, old: u64, new: u64) -> bool {
        use std::sync::atomic::Ordering::{AcqRel, Relaxed};
        self.compare_exchange(old, new, AcqRel, Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell as StdCell;

    use super::*;

    struct Word(StdCell<u64>);

    impl Cell for Word {
        fn load(&self) -> u64 {
            self.0.get()
        }

        fn compare_exchange(&self, old: u64, new: u64) -> bool {
            self.0.get() == old && {
                self.0.set(new);
                true
            }
        }
    }

    fn word() -> Word {
        Word(StdCell::new(0))
    }

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_rate_over_a_time_admits_rate_times_time_and_the_burst() {
        for (rate, burst) in [(1, 1), (3, 5), (7, 1), (20, 100), (999, 10), (70_001, 333), (1_000_000, 1_000_000)] {
            let params = BucketParams::per_second(rate, burst);
            let bucket = word();
            let start = 5 * SECOND;
            let over = 3 * SECOND;
            // Far more packets than the rate and the burst together allow: a bucket of one waits for the next that comes.
            let offered = 4 * (u64::from(rate) * 3 + u64::from(burst)) + 100_000;
            let mut admitted = 0;
            for n in 0..=offered {
                let now = start + over * n / offered;
                admitted += u64::from(charge(&bucket, params, ticks(now)) == Verdict::Admitted);
            }
            let exact = u64::from(rate) * 3 + u64::from(burst);
            assert!(admitted.abs_diff(exact) <= 1 + exact / 10_000, "{rate}/s, burst {burst}: {admitted}, not {exact}");
        }
    }

    #[test]
    fn a_burst_comes_at_once_and_no_more() {
        let params = BucketParams::per_second(10, 4);
        let bucket = word();
        let verdicts: [bool; 6] = core::array::from_fn(|_| charge(&bucket, params, ticks(SECOND)) == Verdict::Admitted);
        assert_eq!(verdicts, [true, true, true, true, false, false]);
        assert_eq!(
            charge(&bucket, params, ticks(SECOND + SECOND / 10)),
            Verdict::Admitted,
            "a tenth of a second is one"
        );
        assert_eq!(charge(&bucket, params, ticks(SECOND + SECOND / 10)), Verdict::Over);
    }

    #[test]
    fn who_is_refused_pays_nothing() {
        let params = BucketParams::per_second(1, 1);
        let bucket = word();
        assert_eq!(charge(&bucket, params, 0), Verdict::Admitted);
        let before = bucket.load();
        for _ in 0..1000 {
            assert_eq!(charge(&bucket, params, ticks(SECOND / 2)), Verdict::Over);
        }
        assert_eq!(bucket.load(), before);
    }

    #[test]
    fn no_limit_admits_all_and_changes_nothing() {
        let bucket = word();
        assert_eq!(charge(&bucket, BucketParams::NONE, 77), Verdict::Admitted);
        assert_eq!(charge(&bucket, BucketParams::per_second(0, 9), 77), Verdict::Admitted);
        assert_eq!(bucket.load(), 0);
    }

    #[test]
    fn a_limit_that_becomes_faster_is_not_held_up_by_old_debts() {
        let slow = BucketParams::per_second(1, 1000);
        let bucket = word();
        for _ in 0..1000 {
            charge(&bucket, slow, 0);
        }
        let fast = BucketParams::per_second(100, 10);
        assert_eq!(charge(&bucket, fast, 0), Verdict::Over);
        assert_eq!(
            charge(&bucket, fast, ticks(SECOND / 50)),
            Verdict::Admitted,
            "after two packets' time, not after 1000 s"
        );
    }

    #[test]
    fn a_word_that_others_keep_changing_is_contended() {
        struct Busy;
        impl Cell for Busy {
            fn load(&self) -> u64 {
                0
            }
            fn compare_exchange(&self, _: u64, _: u64) -> bool {
                false
            }
        }
        assert_eq!(charge(&Busy, BucketParams::per_second(5, 5), 9), Verdict::Contended);
    }

    #[test]
    fn the_largest_parameters_do_not_wrap() {
        let params = BucketParams::per_second(1, u32::MAX);
        assert_eq!(params.tolerance, u64::from(MAX_BURST - 1) * SECOND * TICKS);
        // Thirty years after the start, a million seconds may still be owed.
        assert!(ticks(30 * 365 * 86_400 * SECOND).checked_add(params.tolerance + params.increment).is_some());
    }
}
