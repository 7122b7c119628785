//! Whether an LNS may be given sessions, and why not.
//!
//! Three voices, the strongest first:
//!
//! 1. what is [`Wanted`]: the operator's command, and without one the customer's document;
//! 2. probes ([`crate::l2tp`]): so many good or bad ones in a row, as the [`Policy`] says; silence means nothing until one has
//!    succeeded;
//! 3. sessions that fail, for each source apart ([`SoftFailure`]): they work without probes.
//!
//! Workers ask for the [`Standing`] of each LNS of a choice: two loads where all is well. Whoever brings news (the control engine,
//! workers that count sessions, the operator) is told what it changed, to log and count it.

mod explain;
mod policy;
mod probes;
mod reason;
mod sources;
mod standing;

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use probes::Probes;
use sources::Sources;
use standing::Word;

pub use explain::Explanation;
pub use policy::{Policy, RefusedIs};
pub use probes::Tally;
pub use reason::{Changed, Reason};
pub use sources::{FailingSource, SoftFailure, SourceChanged};
pub use standing::{Standing, State, Wanted};

use crate::{ids::SourceId, l2tp::Outcome, time::Time};

/// One LNS's health.
#[derive(Debug, Default)]
pub struct Health {
    /// A [`Word`].
    word: AtomicU64,
    /// When the state in `word` ceases to hold, for those that do: what an LNS said of itself. Nanoseconds.
    until: AtomicU64,
    sources: Sources,
    inner: Mutex<Inner>,
}

/// What the word is made of.
#[derive(Debug, Default)]
struct Inner {
    probes: Probes,
    document: Wanted,
    operator: Option<Wanted>,
    state: State,
    /// When it entered that state; `None`: it began in it.
    entered: Option<Time>,
    /// When it came back into service.
    in_service: Option<Time>,
}

impl Health {
    /// Whether the LNS gets sessions from this source.
    ///
    /// Ask once for each LNS of a choice, with one time for the whole choice: when a source that avoided the LNS is let through
    /// again, only a few answers a second say so.
    #[inline]
    pub fn standing(&self, now: Time, source: SourceId) -> Standing {
        let word = Word(self.word.load(Acquire));
        let standing = match word.state() {
            State::Unknown | State::Up | State::Refusing => Standing::Usable { since: word.since() },
            State::Down => Standing::Down,
            state => self.self_declared(now, state, word),
        };
        if matches!(standing, Standing::Usable { .. }) && self.sources.avoids(now, source) {
            return Standing::Avoided;
        }
        standing
    }

    /// What the operator wants, or else the document: an LNS that is to be down or draining gets no session even where all others
    /// are down, and one that only its probes find down may.
    #[inline]
    pub fn wanted(&self) -> Wanted {
        Word(self.word.load(Relaxed)).wanted()
    }

    /// Its state, for all sources.
    pub fn state(&self, now: Time) -> State {
        let state = Word(self.word.load(Acquire)).state();
        let expired = matches!(state, State::Full | State::Draining) && now.0 >= self.until.load(Relaxed);
        if expired { State::Unknown } else { state }
    }

    /// A probe has ended.
    pub fn probed(&self, now: Time, outcome: Outcome, policy: &Policy) -> Option<Changed> {
        self.change(now, |inner| inner.probes.take(now, outcome, policy))
    }

    /// It is not probed any more: what probes have found is forgotten.
    pub fn no_longer_probed(&self, now: Time) -> Option<Changed> {
        self.change(now, |inner| inner.probes.stop())
    }

    /// What its document says.
    pub fn set_document(&self, now: Time, wanted: Wanted) -> Option<Changed> {
        self.change(now, |inner| inner.document = wanted)
    }

    /// The operator's command, which goes before the document; `None` takes it back.
    pub fn set_operator(&self, now: Time, wanted: Option<Wanted>) -> Option<Changed> {
        self.change(now, |inner| inner.operator = wanted)
    }

    /// Time has passed: reports it where a state has ceased to hold, because probes stopped. Everybody sees that without it.
    pub fn refresh(&self, now: Time) -> Option<Changed> {
        self.change(now, |_| ())
    }

    /// The operator's command in force, to be saved.
    pub fn operator(&self) -> Option<Wanted> {
        self.lock().operator
    }

    /// A session from this source failed that was given to this LNS.
    pub fn soft_failure(
        &self,
        now: Time,
        source: SourceId,
        failure: SoftFailure,
        policy: &Policy,
    ) -> Option<SourceChanged> {
        self.sources.failed(now, source, failure, policy)
    }

    /// A session from this source started on this LNS, and lived: its failures are forgotten. One load where it has none.
    #[inline]
    pub fn succeeded(&self, source: SourceId) -> Option<SourceChanged> {
        self.sources.succeeded(source)
    }

    /// All of it, for the operator.
    pub fn explain(&self, now: Time) -> Explanation {
        let inner = self.lock();
        let expired = inner.until().filter(|until| now >= *until);
        let (state, reason) = if expired.is_some() { (State::Unknown, Reason::Expired) } else { inner.verdict() };
        Explanation {
            state,
            reason,
            since: expired.or(inner.entered),
            document: inner.document,
            operator: inner.operator,
            last_probe: inner.probes.last(),
            misconfigured: inner.probes.misconfigured(),
            probes: inner.probes.tally(),
            sources: self.sources.failing(now),
        }
    }

    /// What the LNS said of itself holds for a time only.
    #[cold]
    fn self_declared(&self, now: Time, state: State, word: Word) -> Standing {
        let until = self.until.load(Relaxed);
        match state {
            State::Draining if now.0 >= until => Standing::Usable { since: Some(Time(until)) },
            State::Draining => Standing::Draining,
            _ if now.0 >= until => Standing::Usable { since: word.since() },
            _ => Standing::Full,
        }
    }

    fn change(&self, now: Time, input: impl FnOnce(&mut Inner)) -> Option<Changed> {
        let mut inner = self.lock();
        let from = inner.state;
        if let Some(until) = inner.probes.until().filter(|until| now >= *until) {
            inner.probes.expire();
            inner.enter(until);
        }
        input(&mut inner);
        let (to, reason) = inner.enter(now);
        // A reader that sees the new state sees its end as well.
        self.until.store(inner.until().map_or(u64::MAX, |until| until.0), Relaxed);
        self.word.store(Word::new(inner.state, inner.wanted(), inner.in_service).0, Release);
        (to != from).then_some(Changed { from, to, reason })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn wanted(&self) -> Wanted {
        self.operator.unwrap_or(self.document)
    }

    /// When the state ceases to hold.
    fn until(&self) -> Option<Time> {
        self.probes.until().filter(|_| self.wanted() == Wanted::Up)
    }

    /// The state that follows from all that is known, and why.
    fn verdict(&self) -> (State, Reason) {
        let reason = self.operator.map_or(Reason::Document(self.document), Reason::Operator);
        match (self.wanted(), self.probes.state()) {
            (Wanted::Down, _) => (State::Down, reason),
            (Wanted::Draining, State::Down) | (Wanted::Up, _) => (self.probes.state(), self.probes.reason()),
            (Wanted::Draining, _) => (State::Draining, reason),
        }
    }

    fn enter(&mut self, now: Time) -> (State, Reason) {
        let (to, reason) = self.verdict();
        if to != self.state {
            if self.state.is_out() && !to.is_out() {
                self.in_service = Some(now);
            }
            (self.state, self.entered) = (to, Some(now));
        }
        (to, reason)
    }
}
