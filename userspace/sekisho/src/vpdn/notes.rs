//! What becomes of LNSs: a line of the log for each change, and numbers for whoever looks.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sekisho_engine::snapshot::{LnsPlan, RoutingSnapshot};
use sekisho_lns::{
    LnsId,
    health::{Changed, SourceChanged, State},
    l2tp::{Outcome, Probed},
};

use super::naming;

/// The names of outcomes, in the order of [`Note::outcomes`].
pub const OUTCOMES: [&str; 6] = ["up", "full", "draining", "refused", "wrong_secret", "silent"];

/// What is noted of one LNS, since the start.
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// How often its state has changed.
    pub changes: u64,
    /// Its probes, by outcome.
    pub outcomes: [u64; OUTCOMES.len()],
    /// How long its last answer took.
    pub latency: Option<Duration>,
    /// Why it is not probed, though it should be.
    pub unprobed: Option<String>,
}

/// What is noted of each LNS.
#[derive(Debug, Default)]
pub struct Notes(Mutex<HashMap<LnsId, Note>>);

impl Notes {
    /// What is noted of an LNS.
    pub fn of(&self, lns: LnsId) -> Note {
        self.lock().get(&lns).cloned().unwrap_or_default()
    }

    /// Tells and counts a change, if there was one.
    pub fn tell(&self, snapshot: &RoutingSnapshot, plan: &LnsPlan, changed: Option<Changed>) {
        let Some(Changed { from, to, reason }) = changed else { return };
        self.note(plan.lns.id, |note| note.changes += 1);
        let (customer, lns, endpoint) = (snapshot.customer_name(plan.customer), &plan.lns.name, &plan.endpoint);
        let (from, state) = (from.name(), to.name());
        match to {
            State::Up => tracing::info!(customer, lns, %endpoint, from, to = state, "an LNS is up: {reason}"),
            State::Unknown => tracing::info!(customer, lns, %endpoint, from, to = state, "an LNS is used: {reason}"),
            State::Draining => {
                tracing::info!(customer, lns, %endpoint, from, to = state, "an LNS gets no new sessions: {reason}");
            }
            State::Full => tracing::warn!(customer, lns, %endpoint, from, to = state, "an LNS is full: {reason}"),
            State::Refusing => {
                tracing::warn!(customer, lns, %endpoint, from, to = state, "an LNS is used, but refuses us: {reason}");
            }
            State::Down => tracing::warn!(customer, lns, %endpoint, from, to = state, "an LNS is down: {reason}"),
        }
    }

    /// Tells of an LNS that one access network avoids from now on, or uses again.
    pub fn tell_of_source(&self, snapshot: &RoutingSnapshot, plan: &LnsPlan, changed: Option<SourceChanged>) {
        let (customer, lns) = (snapshot.customer_name(plan.customer), &plan.lns.name);
        match changed {
            None => {}
            Some(SourceChanged::Avoided { source, because, .. }) => tracing::warn!(
                customer,
                lns,
                network = naming::source(snapshot, source),
                because = because.name(),
                "sessions that this access network brings to the LNS fail: avoided for it, for a while"
            ),
            Some(SourceChanged::Cleared { source }) => tracing::info!(
                customer,
                lns,
                network = naming::source(snapshot, source),
                "sessions of this access network live on the LNS again"
            ),
        }
    }

    /// Counts a probe.
    pub fn probed(&self, probed: &Probed) {
        let outcome = match probed.outcome {
            Outcome::Up => 0,
            Outcome::Full => 1,
            Outcome::Draining => 2,
            Outcome::Refused(_) => 3,
            Outcome::WrongSecret => 4,
            Outcome::Silent => 5,
        };
        self.note(probed.lns, |note| {
            note.latency = probed.latency;
            if let Some(count) = note.outcomes.get_mut(outcome) {
                *count += 1;
            }
        });
    }

    /// Notes why an LNS is not probed, though it should be; `None`: it is.
    pub fn unprobed(&self, lns: LnsId, reason: Option<String>) {
        self.note(lns, |note| note.unprobed = reason);
    }

    fn note(&self, lns: LnsId, change: impl FnOnce(&mut Note)) {
        change(self.lock().entry(lns).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LnsId, Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use sekisho_lns::l2tp::Refusal;

    use super::*;

    #[test]
    fn every_outcome_is_counted_under_its_name() {
        let notes = Notes::default();
        let refused = Outcome::Refused(Refusal { result: 4, error: 0 });
        let all = [Outcome::Up, Outcome::Full, Outcome::Draining, refused, Outcome::WrongSecret, Outcome::Silent];
        assert_eq!(all.map(Outcome::name), OUTCOMES);
        for (index, outcome) in all.into_iter().enumerate() {
            notes.probed(&Probed { lns: LnsId(7), outcome, latency: None, requests: 1 });
            assert_eq!(notes.of(LnsId(7)).outcomes[index], 1, "{outcome:?}");
        }
        assert_eq!(notes.of(LnsId(8)).outcomes, [0; OUTCOMES.len()]);
    }
}
