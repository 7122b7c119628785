//! The keys for rates and bursts: of `[limits]`, and what a client or an access network has instead.

use crate::{
    finding::Problem,
    rates::{Rate, Rates},
    section::Section,
};

/// The most requests a second, and at once, that a limit is given in. Beyond it there is none.
const MOST: u32 = 1_000_000;
/// An EAP-TLS login takes 20 rounds and more; a burst for two of them lets every device repeat one at once.
const TWO_LOGINS: u32 = 40;
/// A burst longer than that many seconds of its rate was hardly meant.
const LONG: u32 = 60;

/// The keys of one limit.
pub(super) struct Pair {
    rate: &'static str,
    burst: &'static str,
}

pub(super) const CLIENT: Pair = Pair { rate: "client_rate", burst: "client_burst" };
pub(super) const REALM: Pair = Pair { rate: "realm_rate", burst: "realm_burst" };
const SESSION: Pair = Pair { rate: "session_rate", burst: "session_burst" };
const NEW_SESSION: Pair = Pair { rate: "new_session_rate", burst: "new_session_burst" };

/// The six keys; what is left out is as in `otherwise`.
pub(super) fn rates(section: &Section<'_>, otherwise: Rates) -> Option<Rates> {
    let client = rate(section, &CLIENT, otherwise.client);
    let session = one(section, &SESSION, otherwise.session);
    let new_session = rate(section, &NEW_SESSION, otherwise.new_session);
    let rates = Rates { client: client?, session: session?, new_session: new_session? };
    let given = |pair: &Pair| section.has(pair.rate) || section.has(pair.burst);
    if given(&SESSION) && rates.session.limits() && rates.session.burst < TWO_LOGINS {
        let message = format!(
            "{} at once are less than two EAP-TLS logins take (20 rounds and more each), so a device that begins anew \
             is slowed down",
            rates.session.burst
        );
        let remedy = format!("Give `{}` of {TWO_LOGINS} or more.", SESSION.burst);
        section.warn(present(section, &SESSION), Problem::new(message, remedy));
    }
    if (given(&SESSION) || given(&NEW_SESSION)) && rates.session.limits() && !rates.new_session.limits() {
        let message = "sessions are limited, but not how many begin: whoever invents them is not held by their limit";
        let remedy = format!("Give `{}`, or set `{} = 0` too.", NEW_SESSION.rate, SESSION.rate);
        section.warn(present(section, &NEW_SESSION), Problem::new(message, remedy));
    }
    Some(rates)
}

/// A rate and its burst; what is left out is as in `otherwise`.
pub(super) fn rate(section: &Section<'_>, pair: &Pair, otherwise: Rate) -> Option<Rate> {
    let rate = one(section, pair, otherwise)?;
    if rate.limits() && section.has(pair.rate) && !section.has(pair.burst) && rate.burst / LONG >= rate.per_second {
        let message = format!(
            "{} requests may still come at once, which is what this rate lets through in {} seconds",
            rate.burst,
            rate.burst / rate.per_second
        );
        section.warn(pair.rate, Problem::new(message, format!("Give `{}` too.", pair.burst)));
    }
    Some(rate)
}

fn one(section: &Section<'_>, pair: &Pair, otherwise: Rate) -> Option<Rate> {
    let per_second = section.integer(pair.rate, 0..=MOST).or(otherwise.per_second);
    let burst = section.integer(pair.burst, 1..=MOST).or(otherwise.burst);
    let rate = Rate { per_second: per_second?, burst: burst? };
    if !rate.limits() && section.has(pair.burst) {
        let message = format!("means nothing where `{}` is 0, which is no limit", pair.rate);
        section.warn(pair.burst, Problem::new(message, format!("Give `{}`, or take it out.", pair.rate)));
    }
    Some(rate)
}

/// The key of a pair that is written in the section: the burst, where both are.
fn present(section: &Section<'_>, pair: &Pair) -> &'static str {
    if section.has(pair.burst) || !section.has(pair.rate) { pair.burst } else { pair.rate }
}
