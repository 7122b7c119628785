//! What the kernel keeps of each contract: its buckets, their parameters, and what was counted for it.
//!
//! A contract may send from several addresses (an access network does), so this is apart from [`crate::source::Entry`], which
//! names a slot. Slot 0 is nobody's: sources without a contract are counted there.

use crate::{
    Outcome, Reason,
    gcra::{BucketParams, Cell},
};

/// The slot of sources that no contract stands behind.
pub const NOBODY: u32 = 0;
/// Tables of identity ranks ([`crate::identity::Identity::table`]) at most.
pub const PROFILES: u32 = 256;

/// The three limits of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The client's own bucket.
    pub client: BucketParams,
    /// The bucket of each of its sessions.
    pub session: BucketParams,
    /// The bucket of new sessions.
    pub new_session: BucketParams,
}

impl Limits {
    /// No limits.
    pub const NONE: Limits =
        Limits { client: BucketParams::NONE, session: BucketParams::NONE, new_session: BucketParams::NONE };
}

/// A slot. Every word may change at any time; those of the limits one after the other, so that for a moment a packet may be
/// judged by an old one and a new one.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Slot<C> {
    /// Whose it is ([`crate::numbers::owner`]); zero where it is free.
    pub owner: C,
    /// Index of the table of identity ranks.
    pub profile: C,
    /// The client's bucket.
    pub bucket: C,
    /// The bucket of new sessions.
    pub new_sessions: C,
    /// Parameters: increment and tolerance of the client's bucket, of its sessions', of its new sessions'.
    pub limits: [C; 6],
    /// Packets by [`ClientCounter`].
    pub counters: [C; ClientCounter::COUNT],
}

impl<C: Cell> Slot<C> {
    /// Parameters of the client's bucket.
    #[inline(always)]
    pub fn client(&self) -> BucketParams {
        BucketParams { increment: self.limits[0].load(), tolerance: self.limits[1].load() }
    }

    /// Parameters of each of its sessions' buckets.
    #[inline(always)]
    pub fn session(&self) -> BucketParams {
        BucketParams { increment: self.limits[2].load(), tolerance: self.limits[3].load() }
    }

    /// Parameters of the bucket of new sessions.
    #[inline(always)]
    pub fn new_session(&self) -> BucketParams {
        BucketParams { increment: self.limits[4].load(), tolerance: self.limits[5].load() }
    }
}

/// What is counted for each contract: every end that a packet from a registered source can have in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ClientCounter {
    /// Went up to userspace.
    Passed = 0,
    /// Answered by the kernel.
    Replied = 1,
    /// [`Reason::ClientRate`].
    ClientRate = 2,
    /// [`Reason::SessionRate`].
    SessionRate = 3,
    /// [`Reason::NewSessionRate`].
    NewSessionRate = 4,
    /// [`Reason::Contended`].
    Contended = 5,
    /// [`Reason::DuplicateInFlight`].
    DuplicateInFlight = 6,
    /// [`Reason::ShedInterim`].
    ShedInterim = 7,
    /// [`Reason::ShedStart`].
    ShedStart = 8,
    /// [`Reason::WrongIngress`].
    WrongIngress = 9,
    /// [`Reason::WrongService`].
    WrongService = 10,
    /// [`Reason::WrongRole`].
    WrongRole = 11,
    /// [`Reason::TooShort`].
    TooShort = 12,
    /// [`Reason::BadLength`].
    BadLength = 13,
    /// [`Reason::BadCode`].
    BadCode = 14,
    /// [`Reason::BadAttribute`].
    BadAttribute = 15,
}

impl ClientCounter {
    /// How many there are.
    pub const COUNT: usize = 16;

    /// Where an end is counted; `None` for ends of packets that are from no registered source.
    #[inline(always)]
    pub const fn of(outcome: Outcome) -> Option<ClientCounter> {
        Some(match outcome {
            Outcome::Passed | Outcome::Redirected => ClientCounter::Passed,
            Outcome::Replied => ClientCounter::Replied,
            Outcome::Dropped(Reason::ClientRate) => ClientCounter::ClientRate,
            Outcome::Dropped(Reason::SessionRate) => ClientCounter::SessionRate,
            Outcome::Dropped(Reason::NewSessionRate) => ClientCounter::NewSessionRate,
            Outcome::Dropped(Reason::Contended) => ClientCounter::Contended,
            Outcome::Dropped(Reason::DuplicateInFlight) => ClientCounter::DuplicateInFlight,
            Outcome::Dropped(Reason::ShedInterim) => ClientCounter::ShedInterim,
            Outcome::Dropped(Reason::ShedStart) => ClientCounter::ShedStart,
            Outcome::Dropped(Reason::WrongIngress) => ClientCounter::WrongIngress,
            Outcome::Dropped(Reason::WrongService) => ClientCounter::WrongService,
            Outcome::Dropped(Reason::WrongRole) => ClientCounter::WrongRole,
            Outcome::Dropped(Reason::TooShort) => ClientCounter::TooShort,
            Outcome::Dropped(Reason::BadLength) => ClientCounter::BadLength,
            Outcome::Dropped(Reason::BadCode) => ClientCounter::BadCode,
            Outcome::Dropped(Reason::BadAttribute) => ClientCounter::BadAttribute,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<Slot<u64>>(), (4 + 6 + 16) * 8);
    }

    #[test]
    fn every_counter_has_an_end_of_its_own() {
        let ends = Reason::ALL.iter().map(|reason| Outcome::Dropped(*reason));
        let ends = ends.chain([Outcome::Passed, Outcome::Replied]);
        let mut counters: Vec<u32> = ends.filter_map(ClientCounter::of).map(|counter| counter as u32).collect();
        counters.sort_unstable();
        assert_eq!(counters, (0..ClientCounter::COUNT as u32).collect::<Vec<_>>());
    }
}
