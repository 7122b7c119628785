//! What the operator is shown of an LNS.

use super::{FailingSource, Reason, State, Tally, Wanted};
use crate::{l2tp::Outcome, time::Time};

/// Everything that is known of an LNS's health.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Its state.
    pub state: State,
    /// Why it has that state; `Display` says it in words.
    pub reason: Reason,
    /// When it entered that state; `None`: at the beginning.
    pub since: Option<Time>,
    /// What its document says.
    pub document: Wanted,
    /// What the operator has commanded.
    pub operator: Option<Wanted>,
    /// When the last probe ended, and how.
    pub last_probe: Option<(Time, Outcome)>,
    /// Its last answer to a probe tells of a misconfiguration, here or there.
    pub misconfigured: Option<Outcome>,
    /// Its probes, counted.
    pub probes: Tally,
    /// The sources whose sessions fail on it.
    pub sources: Vec<FailingSource>,
}
