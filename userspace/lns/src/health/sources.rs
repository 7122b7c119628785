//! Failures of sessions, kept apart for each source: one LAC's broken path to an LNS must not take the LNS from the others.
//!
//! A source whose sessions fail `soft_limit` times within a minute on an LNS, without a success between, avoids that LNS: for 30 s,
//! then twice as long after each further failure, up to ten minutes. When that time is over, a trickle is let through, [`TRICKLE`]
//! answers a second at most; its first failure sends the source away again, its first success ends it all.
//!
//! Bounds: 64 sources an LNS, at most 224 octets each; of more the one that failed longest ago is forgotten, those not avoided first.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arrayvec::ArrayVec;

use super::Policy;
use crate::{ids::SourceId, time::Time};

/// Failures further apart than this do not add up.
const WINDOW: Duration = Duration::from_secs(60);
/// The first time of avoidance.
const BACK_OFF: Duration = Duration::from_secs(30);
/// The longest.
const BACK_OFF_MAX: Duration = Duration::from_secs(600);
/// After the back-off, so many answers a second are [`super::Standing::Usable`]. More than one, so that a choice may look twice.
const TRICKLE: u8 = 8;
const TRICKLE_EVERY: Duration = Duration::from_secs(1);
const SOURCES: usize = 64;
const LIMIT_MAX: usize = 16;
const _: () = assert!(size_of::<Entry>() <= 224);

/// How a session failed that was given to an LNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoftFailure {
    /// Its Start names another LNS: the LAC tried this one, and went on.
    FailedOver,
    /// No Start came.
    NoStart,
    /// Its Stop came right after its Start.
    ShortStop,
}

impl SoftFailure {
    /// The name in metrics and status.
    pub const fn name(self) -> &'static str {
        match self {
            SoftFailure::FailedOver => "failed_over",
            SoftFailure::NoStart => "no_start",
            SoftFailure::ShortStop => "short_stop",
        }
    }
}

/// What has changed for one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceChanged {
    /// The LNS is not used for it.
    Avoided {
        /// Which.
        source: SourceId,
        /// Until then; after that a trickle.
        until: Time,
        /// The failure that decided.
        because: SoftFailure,
    },
    /// The LNS is used for it again: a session has lived.
    Cleared {
        /// Which.
        source: SourceId,
    },
}

/// A source whose sessions fail, for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailingSource {
    /// Which.
    pub source: SourceId,
    /// Failures since its last success.
    pub failures: u64,
    /// When the last one was, and what.
    pub last: (Time, SoftFailure),
    /// Until when it avoids the LNS; a time in the past means that a trickle is let through. `None`: not avoided.
    pub avoided_until: Option<Time>,
}

/// The sources with failures at one LNS. The masks have a bit for each of 64 groups of sources, so that the others take no lock.
#[derive(Debug, Default)]
pub(super) struct Sources {
    noted: AtomicU64,
    avoided: AtomicU64,
    entries: Mutex<VecDeque<Entry>>,
}

#[derive(Debug)]
struct Entry {
    source: SourceId,
    /// Of the last failures, oldest first.
    times: ArrayVec<Time, LIMIT_MAX>,
    failures: u64,
    last: (Time, SoftFailure),
    avoided: Option<Avoided>,
}

#[derive(Debug)]
struct Avoided {
    until: Time,
    back_off: Duration,
    /// When answers of the trickle were last given, and how many are left of that second's.
    trickle: (Time, u8),
}

impl Sources {
    /// Whether the source is to be kept away from the LNS now. Answers of the trickle are used up by asking, but for a choice, one
    /// moment, there are several.
    #[inline]
    pub(super) fn avoids(&self, now: Time, source: SourceId) -> bool {
        self.avoided.load(Relaxed) & bit(source) != 0 && self.avoids_slowly(now, source)
    }

    #[cold]
    fn avoids_slowly(&self, now: Time, source: SourceId) -> bool {
        let mut entries = self.lock();
        let entry = entries.iter_mut().find(|entry| entry.source == source);
        entry.and_then(|entry| entry.avoided.as_mut()).is_some_and(|avoided| !avoided.lets_through(now))
    }

    pub(super) fn failed(
        &self,
        now: Time,
        source: SourceId,
        failure: SoftFailure,
        policy: &Policy,
    ) -> Option<SourceChanged> {
        let mut entries = self.lock();
        entries.retain(|entry| entry.avoided.is_some() || now < entry.last.0 + WINDOW);
        let mut entry = match entries.iter().position(|entry| entry.source == source) {
            Some(place) => entries.remove(place)?,
            None => Entry { source, times: ArrayVec::new(), failures: 0, last: (now, failure), avoided: None },
        };
        let until = entry.fail(now, failure, policy.soft_limit as usize);
        if entries.len() == SOURCES {
            // They stand in the order of their last failures.
            let oldest = entries.iter().position(|entry| entry.avoided.is_none()).unwrap_or(0);
            entries.remove(oldest);
        }
        entries.push_back(entry);
        self.publish(&entries);
        until.map(|until| SourceChanged::Avoided { source, until, because: failure })
    }

    pub(super) fn succeeded(&self, source: SourceId) -> Option<SourceChanged> {
        if self.noted.load(Relaxed) & bit(source) == 0 {
            return None;
        }
        let mut entries = self.lock();
        let place = entries.iter().position(|entry| entry.source == source)?;
        let entry = entries.remove(place)?;
        self.publish(&entries);
        entry.avoided.map(|_| SourceChanged::Cleared { source })
    }

    pub(super) fn failing(&self, now: Time) -> Vec<FailingSource> {
        let entries = self.lock();
        let recent = entries.iter().filter(|entry| entry.avoided.is_some() || now < entry.last.0 + WINDOW);
        let view = |entry: &Entry| FailingSource {
            source: entry.source,
            failures: entry.failures,
            last: entry.last,
            avoided_until: entry.avoided.as_ref().map(|avoided| avoided.until),
        };
        recent.map(view).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, entries: &VecDeque<Entry>) {
        let mask = |avoided: bool| {
            let those = entries.iter().filter(|entry| !avoided || entry.avoided.is_some());
            those.fold(0, |mask, entry| mask | bit(entry.source))
        };
        self.noted.store(mask(false), Relaxed);
        self.avoided.store(mask(true), Relaxed);
    }
}

impl Entry {
    /// Until when the source is now sent away, if this failure decides that.
    fn fail(&mut self, now: Time, failure: SoftFailure, limit: usize) -> Option<Time> {
        self.failures += 1;
        self.last = (now, failure);
        if limit == 0 {
            self.avoided = None;
            return None;
        }
        if let Some(avoided) = &mut self.avoided {
            return avoided.fails(now);
        }
        let limit = limit.min(LIMIT_MAX);
        self.times.retain(|time| now < *time + WINDOW);
        if self.times.len() >= limit {
            self.times.drain(..=self.times.len() - limit);
        }
        self.times.push(now);
        (self.times.len() == limit).then(|| {
            self.times.clear();
            self.avoided.insert(Avoided { until: now + BACK_OFF, back_off: BACK_OFF, trickle: (Time(0), 0) }).until
        })
    }
}

impl Avoided {
    fn lets_through(&mut self, now: Time) -> bool {
        if now < self.until {
            return false;
        }
        let (begun, left) = self.trickle;
        // Before the back-off ended, nothing was let through.
        if begun < self.until || now >= begun + TRICKLE_EVERY {
            self.trickle = (now, TRICKLE - 1);
            return true;
        }
        let granted = now == begun && left > 0;
        self.trickle.1 -= u8::from(granted);
        granted
    }

    /// A failure during the back-off is that of a session given before it: nothing new.
    fn fails(&mut self, now: Time) -> Option<Time> {
        if now < self.until {
            return None;
        }
        self.back_off = (self.back_off * 2).min(BACK_OFF_MAX);
        self.until = now + self.back_off;
        Some(self.until)
    }
}

fn bit(source: SourceId) -> u64 {
    1 << (source.0 % u64::BITS)
}
