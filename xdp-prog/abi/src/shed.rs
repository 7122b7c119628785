//! What goes first when there is too much of everything.
//!
//! Userspace decides how bad it is, from its backlog; who sees the packet first acts on it. Interim-Updates go first, since the
//! next one says the same and more; then Starts, since a Stop says all that counts. Logins and Stops are not shed.

use crate::Reason;

/// Nothing is shed.
pub const CALM: u64 = 0;
/// Interim-Updates are.
pub const INTERIMS: u64 = 1;
/// Interim-Updates and Starts are.
pub const STARTS: u64 = 2;

/// Acct-Status-Type of a Start (RFC 2866 §5.1).
const START: u32 = 1;
/// Acct-Status-Type of an Interim-Update.
const INTERIM_UPDATE: u32 = 3;

/// Whether an accounting request with this Acct-Status-Type goes at this level, and why.
#[inline(always)]
pub const fn shed(level: u64, status: u32) -> Option<Reason> {
    match status {
        INTERIM_UPDATE if level >= INTERIMS => Some(Reason::ShedInterim),
        START if level >= STARTS => Some(Reason::ShedStart),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interims_go_first_then_starts_and_nothing_else_ever() {
        const STOP: u32 = 2;
        assert_eq!(shed(CALM, INTERIM_UPDATE), None);
        assert_eq!(shed(INTERIMS, INTERIM_UPDATE), Some(Reason::ShedInterim));
        assert_eq!(shed(INTERIMS, START), None);
        assert_eq!(shed(STARTS, START), Some(Reason::ShedStart));
        for status in [0, STOP, 7, 8, 9, 15, u32::MAX] {
            assert_eq!(shed(STARTS, status), None);
        }
    }
}
