//! What a row of probes says of an LNS: rise and fall.

use super::{Policy, Reason, RefusedIs, State};
use crate::{l2tp::Outcome, time::Time};

/// The probes so far.
///
/// Silence says nothing until a probe has succeeded: many LNSs ignore strangers. A refusal is an answer, and counts as the policy
/// says from the first one on. What an LNS says of itself (full, shut down, refusing) is true at once; that it is dead, or alive
/// again, takes several probes in a row.
#[derive(Debug, Default)]
pub(super) struct Probes {
    /// `None` before the first success.
    alive: Option<bool>,
    /// Good ones in a row.
    good: u32,
    /// Bad ones in a row.
    bad: u32,
    /// The last thing that it said, as long as that holds.
    said: Option<Outcome>,
    /// When what it said of itself ceases to hold.
    until: Time,
    reason: Reason,
    last: Option<(Time, Outcome)>,
    /// With the same outcome as the last, in a row.
    alike: u32,
    answered: u64,
    unanswered: u64,
}

impl Probes {
    pub(super) fn take(&mut self, now: Time, outcome: Outcome, policy: &Policy) {
        let good = match outcome {
            Outcome::Up | Outcome::Full | Outcome::Draining => true,
            Outcome::Refused(_) | Outcome::WrongSecret => policy.refused == RefusedIs::Up,
            Outcome::Silent => false,
        };
        let silent = outcome == Outcome::Silent;
        if good {
            (self.good, self.bad) = (self.good.saturating_add(1), 0);
        } else if !(silent && self.alive.is_none()) {
            (self.good, self.bad) = (0, self.bad.saturating_add(1));
        }
        self.alike = if self.last.is_some_and(|(_, last)| last == outcome) { self.alike.saturating_add(1) } else { 1 };
        let before = self.state();
        self.alive = match self.alive {
            None if good => Some(true),
            None | Some(true) if self.bad >= policy.fall.max(1) => Some(false),
            Some(false) if self.good >= policy.rise.max(1) => Some(true),
            unchanged => unchanged,
        };
        if !silent {
            self.said = Some(outcome);
        }
        // Of a dead one the reason is what took it down.
        let state = self.state();
        if state != before || !silent && state != State::Down {
            self.reason = Reason::Probed { outcome, in_a_row: self.alike };
        } else if self.reason == Reason::NotProbed {
            self.reason = Reason::Untested;
        }
        // A silent LNS is still what it said last, until it is down.
        self.until = now + policy.word_holds();
        self.last = Some((now, outcome));
        *if silent { &mut self.unanswered } else { &mut self.answered } += 1;
    }

    /// No probe has come for so long that what the LNS said of itself is no longer believed.
    pub(super) fn expire(&mut self) {
        (self.said, self.reason) = (None, Reason::Expired);
    }

    /// The end of probing: all is forgotten but the totals.
    pub(super) fn stop(&mut self) {
        let (answered, unanswered) = (self.answered, self.unanswered);
        *self = Probes { reason: Reason::NotProbed, answered, unanswered, ..Probes::default() };
    }

    pub(super) fn state(&self) -> State {
        match (self.alive, self.said) {
            (Some(false), _) => State::Down,
            (_, None | Some(Outcome::Silent)) => State::Unknown,
            (_, Some(Outcome::Up)) => State::Up,
            (_, Some(Outcome::Full)) => State::Full,
            (_, Some(Outcome::Draining)) => State::Draining,
            (_, Some(Outcome::Refused(_) | Outcome::WrongSecret)) => State::Refusing,
        }
    }

    /// Why it has this state.
    pub(super) fn reason(&self) -> Reason {
        self.reason
    }

    /// When the state ceases to hold unless a probe comes.
    pub(super) fn until(&self) -> Option<Time> {
        matches!(self.state(), State::Full | State::Draining).then_some(self.until)
    }

    /// The misconfiguration that its last answer told of.
    pub(super) fn misconfigured(&self) -> Option<Outcome> {
        self.said.filter(|said| said.is_misconfiguration())
    }

    /// When the last probe ended, and how.
    pub(super) fn last(&self) -> Option<(Time, Outcome)> {
        self.last
    }

    pub(super) fn tally(&self) -> Tally {
        Tally { good_in_a_row: self.good, bad_in_a_row: self.bad, answered: self.answered, unanswered: self.unanswered }
    }
}

/// Probes counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The last so many were good.
    pub good_in_a_row: u32,
    /// The last so many were bad.
    pub bad_in_a_row: u32,
    /// Answered, whatever the answer was.
    pub answered: u64,
    /// Not answered in time.
    pub unanswered: u64,
}
