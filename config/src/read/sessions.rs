//! `[sessions]`: how sessions of `vpdn` contracts are followed.

use std::time::Duration;

use crate::{node::Sessions, section::Section};

/// Reads how sessions are followed.
pub(super) fn sessions(section: Option<&Section<'_>>) -> Option<Sessions> {
    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3_600);
    let default = Sessions {
        max_tracked: 1_000_000,
        reservation: 90 * SECOND,
        save_interval: 60 * SECOND,
        short: 5 * SECOND,
        without_interims: 24 * HOUR,
        customer_share: 50,
    };
    let Some(section) = section else { return Some(default) };
    let tracked = section.integer("max_tracked", 1_024..=16_777_216u32).or(default.max_tracked);
    let reservation = section.duration("reservation", 60 * SECOND..=120 * SECOND).or(default.reservation);
    let save = section.duration("save_interval", 10 * SECOND..=HOUR).or(default.save_interval);
    let short = section.duration("short", Duration::ZERO..=60 * SECOND).or(default.short);
    let without = section.duration("without_interims", HOUR..=168 * HOUR).or(default.without_interims);
    let share = section.integer("customer_share", 1..=100u8).or(default.customer_share);
    Some(Sessions {
        max_tracked: tracked?,
        reservation: reservation?,
        save_interval: save?,
        short: short?,
        without_interims: without?,
        customer_share: share?,
    })
}
