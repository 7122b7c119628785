//! The health of an LNS: probes, what is wanted of it, and sessions that fail.

mod model;
mod probes;
mod sources;
mod wanted;

use sekisho_lns::{
    SourceId, Time,
    health::Health,
    health::{Standing, State},
    l2tp::{Outcome, Refusal},
};

const REFUSED: Outcome = Outcome::Refused(Refusal { result: 4, error: 0 });

/// A source without failures.
const ANY: SourceId = SourceId(1_000);

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1_000)
}

/// An LNS in service since the beginning.
const USABLE: Standing = Standing::Usable { since: None };

fn is_usable(health: &Health, now: Time) -> bool {
    matches!(health.standing(now, ANY), Standing::Usable { .. })
}

fn state_of(standing: Standing) -> &'static [State] {
    match standing {
        Standing::Usable { .. } => &[State::Unknown, State::Up, State::Refusing],
        Standing::Avoided => &[],
        Standing::Full => &[State::Full],
        Standing::Draining => &[State::Draining],
        Standing::Down => &[State::Down],
    }
}
