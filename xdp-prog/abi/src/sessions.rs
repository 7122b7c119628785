//! Buckets of sessions, in a table of fixed size that never has to throw out a bucket that matters.
//!
//! A session's key names a set of [`WAYS`] places. A bucket that is full again is like one that never was, so its place can be
//! given to another session without anybody noticing, and a new session's bucket is full, so that taking a place is one
//! compare-and-swap of its tag. Only where no place of a set has a full bucket, the one that is nearest to it goes.

use crate::{
    gcra::{self, BucketParams, Cell, Verdict},
    ways::{first, note},
};

/// Places in a set: two cache lines.
pub const WAYS: usize = 8;

/// A place.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Place<C> {
    /// Key of the session; zero for none.
    pub tag: C,
    /// Its bucket.
    pub tat: C,
}

/// A set of places.
pub type Set<C> = [Place<C>; WAYS];

/// The set that a session belongs to, of a number of sets that is a power of two.
#[inline(always)]
pub const fn set_of(session: u64, sets: u32) -> u32 {
    (session >> 32) as u32 & sets.wrapping_sub(1)
}

/// How many sets hold so many sessions: a power of two.
pub const fn sets(sessions: u32) -> u32 {
    let sets = sessions.div_ceil(WAYS as u32);
    if sets > 1 << 24 { 1 << 24 } else { sets.next_power_of_two() }
}

/// What a session's bucket says to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionVerdict {
    /// It is admitted, and paid for.
    Admitted,
    /// The session's bucket is empty.
    Over,
    /// It would begin a session, and the client has begun too many.
    OverNew,
    /// Others changed the same words at every attempt.
    Contended,
}

/// The bucket of a session that has no limit of its own, while new ones have: it refuses nobody, and its word says when the
/// session was last seen, so that the one that was not seen for longest makes room.
const KNOWN: BucketParams = BucketParams::per_second(gcra::MAX_RATE, gcra::MAX_BURST);

/// Charges one packet of a session at `now`, in ticks; a session that is not in its set is charged to `new` first, which is the
/// client's bucket of new sessions.
#[inline(always)]
pub fn charge<C: Cell>(
    set: &Set<C>,
    session: u64,
    params: BucketParams,
    now: u64,
    new: (&C, BucketParams),
) -> SessionVerdict {
    let params = if params.limits() { params } else { KNOWN };
    let (mut way, mut found) = (0, 0);
    while way < WAYS {
        found = note::<C>(found, set[way].tag.load(), session, way);
        way += 1;
    }
    if found != 0 {
        // Where two processors have begun a session at once it has two places, and this one counts; the other one goes first.
        let place = &set[first(found) & (WAYS - 1)];
        return verdict(gcra::charge(&place.tat, params, now), SessionVerdict::Over);
    }
    match gcra::charge(new.0, new.1, now) {
        Verdict::Admitted => {}
        refused => return verdict(refused, SessionVerdict::OverNew),
    }
    let place = &set[fullest(set) & (WAYS - 1)];
    let (old, tat) = (place.tag.load(), place.tat.load());
    if !place.tag.compare_exchange(old, session) {
        return SessionVerdict::Contended;
    }
    if tat > now {
        // It was not full: the debts are not the new one's. Where another packet changed it meanwhile, they are.
        place.tat.compare_exchange(tat, now);
    }
    verdict(gcra::charge(&place.tat, params, now), SessionVerdict::Over)
}

/// The place whose bucket is fullest.
#[inline(always)]
fn fullest<C: Cell>(set: &Set<C>) -> usize {
    // The place in the lowest bits, which are half a nanosecond: one number to compare, and one to remember.
    let mut least = u64::MAX;
    let mut way = 0;
    while way < WAYS {
        let tat = C::opaque(set[way].tat.load() & !(WAYS as u64 - 1) | way as u64);
        if tat < least {
            least = tat;
        }
        way += 1;
    }
    least as usize & (WAYS - 1)
}

#[inline(always)]
const fn verdict(verdict: Verdict, over: SessionVerdict) -> SessionVerdict {
    match verdict {
        Verdict::Admitted => SessionVerdict::Admitted,
        Verdict::Over => over,
        Verdict::Contended => SessionVerdict::Contended,
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::gcra::ticks;

    const TEN: BucketParams = BucketParams::per_second(10, 2);

    fn one(set: &Set<AtomicU64>, session: u64, now: u64) -> SessionVerdict {
        charge(set, session, TEN, ticks(now), (&AtomicU64::new(0), BucketParams::NONE))
    }

    #[test]
    fn sessions_do_not_touch_each_other() {
        let set = Set::default();
        for session in 1..=8 {
            assert_eq!(one(&set, session, 0), SessionVerdict::Admitted);
            assert_eq!(one(&set, session, 0), SessionVerdict::Admitted);
            assert_eq!(one(&set, session, 0), SessionVerdict::Over);
        }
    }

    #[test]
    fn a_place_goes_to_another_session_only_when_its_bucket_is_full() {
        let set = Set::default();
        for session in 1..=8 {
            one(&set, session, 0);
            one(&set, session, 0);
        }
        // After 150 ms, session 3 alone asks again; after 210 ms the others' buckets are full.
        one(&set, 3, 150_000_000);
        for session in 11..=17 {
            assert_eq!(one(&set, session, 210_000_000), SessionVerdict::Admitted);
        }
        assert_eq!(one(&set, 3, 210_000_000), SessionVerdict::Admitted, "one of its two is back");
        assert_eq!(one(&set, 3, 210_000_000), SessionVerdict::Over, "and the bucket was not forgotten");
    }

    #[test]
    fn where_none_is_full_the_fullest_goes_and_its_debts_with_it() {
        let set = Set::default();
        for session in 1..=8 {
            one(&set, session, session * 1000);
            one(&set, session, session * 1000);
        }
        for _ in 0..2 {
            assert_eq!(one(&set, 99, 10_000), SessionVerdict::Admitted);
        }
        assert_eq!(one(&set, 99, 10_000), SessionVerdict::Over);
        assert_eq!(one(&set, 2, 10_000), SessionVerdict::Over, "session 1 was the fullest, session 2 stays");
    }

    #[test]
    fn new_sessions_are_charged_to_the_client_and_known_ones_are_not() {
        let set = Set::default();
        let (new, params) = (AtomicU64::new(0), BucketParams::per_second(1, 2));
        let ask = |session| charge(&set, session, BucketParams::per_second(1000, 1000), 0, (&new, params));
        assert_eq!(ask(1), SessionVerdict::Admitted);
        assert_eq!(ask(2), SessionVerdict::Admitted);
        assert_eq!(ask(3), SessionVerdict::OverNew);
        assert_eq!(ask(1), SessionVerdict::Admitted);
        assert_eq!(ask(2), SessionVerdict::Admitted);
    }

    #[test]
    fn a_session_that_two_processors_began_at_once_has_one_bucket_that_counts() {
        let set: Set<AtomicU64> = Set::default();
        set[2].tag.store(7, std::sync::atomic::Ordering::Relaxed);
        set[5].tag.store(7, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(one(&set, 7, 1), SessionVerdict::Admitted);
        assert_eq!(one(&set, 7, 1), SessionVerdict::Admitted);
        assert_eq!(one(&set, 7, 1), SessionVerdict::Over);
        assert_eq!((Cell::load(&set[2].tat) > 0, Cell::load(&set[5].tat)), (true, 0));
    }

    #[test]
    fn the_number_of_sets_is_a_power_of_two_that_is_enough() {
        assert_eq!((sets(1), sets(8), sets(9), sets(262_144), sets(1_000_000)), (1, 1, 2, 32_768, 131_072));
        assert_eq!(set_of(u64::MAX, 32_768), 32_767);
        assert_eq!(set_of(u64::MAX, 1), 0);
    }
}
