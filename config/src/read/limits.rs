//! `[limits]`: what is kept, for how long, and how much anybody may send.

use std::time::Duration;

use super::rates::rates;
use crate::{node::Limits, rates::Rates, section::Section};

/// Reads the bounds of the node.
pub(super) fn limits(section: Option<&Section<'_>>) -> Option<Limits> {
    const SECOND: Duration = Duration::from_secs(1);
    let default = Limits {
        max_requests: 262_144,
        max_delayed_rejects: 16_384,
        duplicate_window: 10 * SECOND,
        retransmit_window: SECOND,
        rates: Rates::DEFAULT,
        max_sessions: 262_144,
    };
    let Some(section) = section else { return Some(default) };
    let max_requests = section.integer("max_requests", 1_024..=4_194_304u32).or(default.max_requests);
    let rejects = section.integer("max_delayed_rejects", 1..=1_048_576u32).or(default.max_delayed_rejects);
    let duplicate = section.duration("duplicate_window", 5 * SECOND..=30 * SECOND).or(default.duplicate_window);
    let retransmit =
        section.duration("retransmit_window", Duration::from_millis(10)..=5 * SECOND).or(default.retransmit_window);
    let rates = rates(section, default.rates);
    let max_sessions = section.integer("max_sessions", 1_024..=16_777_216u32).or(default.max_sessions);
    Some(Limits {
        max_requests: max_requests?,
        max_delayed_rejects: rejects?,
        duplicate_window: duplicate?,
        retransmit_window: retransmit?,
        rates: rates?,
        max_sessions: max_sessions?,
    })
}
