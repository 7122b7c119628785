//! When a session of which nothing is heard any more is taken to be over: after three Interims that did not come; without Interims
//! some time after its Session-Timeout; without that after a day, or as the settings say, and then its LNS's count is an estimate.

use super::{
    Report,
    record::{Flags, Session, whole_seconds},
};

/// So many Interims must be missing.
const INTERIMS: u32 = 3;
/// Interims closer than this are not taken for a rhythm: a NAS may send one out of turn. Seconds.
const INTERIM_MIN: u32 = 60;
/// How late the Stop of a session may be that its Session-Timeout ends, in seconds.
const GRACE: u32 = 300;
/// Interims are not further apart than a third of this, in seconds.
const DAY: u32 = 86_400;

/// When a session expires that has just shown to be alive; `flags` say by what. One of which nothing is known does `otherwise` seconds from
/// now.
pub(super) fn renewed(
    now: u32,
    session: &mut Session,
    flags: &mut Flags,
    report: &Report<'_>,
    interim: bool,
    otherwise: u32,
) -> u32 {
    if interim {
        if flags.has(Flags::INTERIM) {
            session.interim = session.interim.max(now.saturating_sub(session.heard).min(DAY / INTERIMS));
        }
        flags.set(Flags::INTERIM, true);
        session.heard = now;
    }
    let by_timeout = flags.has(Flags::TIMEOUT);
    flags.set(Flags::TIMEOUT, false);
    flags.set(Flags::ESTIMATE, false);
    let learned = if session.interim < INTERIM_MIN { 0 } else { session.interim };
    let interval = report.interim.map_or(0, whole_seconds).max(learned);
    if interval > 0 {
        return now.saturating_add(interval.saturating_mul(INTERIMS));
    }
    if let Some(timeout) = report.session_timeout {
        flags.set(Flags::TIMEOUT, true);
        let left = whole_seconds(timeout).saturating_sub(report.session_time.unwrap_or(0));
        return now.saturating_add(left).saturating_add(GRACE);
    }
    if by_timeout {
        flags.set(Flags::TIMEOUT, true);
        return session.expires;
    }
    flags.set(Flags::ESTIMATE, true);
    now.saturating_add(otherwise)
}
