//! Restarts: the sessions of a NAS, or of an LNS, are over that began before it did.
//!
//! A restart is noted, and the next round of the sweep carries it out: the table may be large and an On or Off costs its sender
//! nothing, so however many come, sessions are looked through no more often than they are anyway.

use std::{
    collections::HashMap,
    num::NonZeroU64,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Key, Sessions,
    record::{Session, unix},
};
use crate::{LnsId, SourceId};

/// Restarts that may wait to be carried out, and of those the NASes of one source: names of NASes can be made up.
const RESTARTS_MAX: usize = 4096;
const RESTARTS_OF_SOURCE_MAX: usize = 512;

/// Whose sessions are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    /// Of a NAS, in the scope of the source that named it.
    Nas(SourceId, NonZeroU64),
    Lns(LnsId),
}

#[derive(Clone, Copy, Debug)]
struct Restart {
    /// Unix seconds.
    event: u32,
    /// Ends of rounds of the sweep that it stays for. The first may be that of a round which was all but over.
    rounds: u8,
}

/// Restarts that are not carried out yet.
#[derive(Debug, Default)]
pub(super) struct Restarts(Mutex<HashMap<Of, Restart>>);

impl Sessions {
    /// Accounting-On or -Off: the sessions are over that this source has reported of this NAS and that began before `event` (Unix
    /// seconds, by the source's clock); those of other sources never are, whatever the packet says. Where it names no NAS, nothing
    /// is known to be over. Until the next round of [`Sessions::sweep`] they count.
    ///
    /// Whether it will be carried out: not if too many others wait.
    pub fn nas_restarted(&self, source: SourceId, nas: Option<Key>, event: u64) -> bool {
        nas.is_some_and(|nas| self.restarts.note(Of::Nas(source, nas.half()), unix(event)))
    }

    /// An LNS has restarted: likewise, for its sessions.
    pub fn lns_restarted(&self, lns: LnsId, event: u64) -> bool {
        self.restarts.note(Of::Lns(lns), unix(event))
    }
}

impl Restarts {
    fn note(&self, of: Of, event: u32) -> bool {
        let mut restarts = self.lock();
        let room = restarts.contains_key(&of) || (restarts.len() < RESTARTS_MAX && has_share(&restarts, of));
        if room && restarts.get(&of).is_none_or(|known| known.event < event) {
            restarts.insert(of, Restart { event, rounds: 2 });
        }
        room
    }

    /// Hands out what is to be carried out; until that is done no other is noted.
    pub(super) fn with<R>(&self, carry_out: impl FnOnce(Ending<'_>) -> R) -> R {
        carry_out(Ending(&self.lock()))
    }

    /// Every shelf has been visited.
    pub(super) fn round_is_over(&self) {
        self.lock().retain(|_, restart| {
            restart.rounds -= 1;
            restart.rounds > 0
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Of, Restart>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there is room for one more of the same source.
fn has_share(restarts: &HashMap<Of, Restart>, of: Of) -> bool {
    let Of::Nas(source, _) = of else { return true };
    let same = |other: &&Of| matches!(other, Of::Nas(its, _) if *its == source);
    restarts.keys().filter(same).count() < RESTARTS_OF_SOURCE_MAX
}

/// What is to be carried out.
#[derive(Clone, Copy)]
pub(super) struct Ending<'a>(&'a HashMap<Of, Restart>);

impl Ending<'_> {
    /// Whether the session is over.
    pub(super) fn ends(self, session: &Session) -> bool {
        let before = |of: Of| self.0.get(&of).is_some_and(|restart| session.started < restart.event);
        !self.0.is_empty()
            && (session.nas.is_some_and(|nas| before(Of::Nas(session.source, nas)))
                || session.place.lns.id().is_some_and(|lns| before(Of::Lns(lns))))
    }
}
