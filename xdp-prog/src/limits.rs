//! Rate limits: a contract's bucket, the buckets of its sessions, and the one of its new sessions.

use sekisho_abi::{
    Outcome, Reason,
    client::Slot,
    gcra::{self, Verdict, ticks},
    sessions::{self, SessionVerdict},
};

use crate::{attributes, cell::Word, clock, gate::Case, maps};

/// It is of no session.
const STATUS_SERVER: u8 = 12;

/// Charges a packet to its contract's own bucket.
///
/// # Errors
///
/// [`Reason::ClientRate`], [`Reason::Contended`].
#[inline(always)]
pub fn client(case: &Case<'_>, client: &Slot<Word>) -> Result<(), Outcome> {
    if client.client().limits() || client.session().limits() || client.new_session().limits() {
        case.scratch.now.set(ticks(clock::now(case)));
    }
    match gcra::charge(&client.bucket, client.client(), case.scratch.now.get()) {
        Verdict::Admitted => Ok(()),
        Verdict::Over => Err(Outcome::Dropped(Reason::ClientRate)),
        Verdict::Contended => Err(Outcome::Dropped(Reason::Contended)),
    }
}

/// Charges a packet to its session's bucket, and a session's first to the bucket of new sessions before.
///
/// # Errors
///
/// [`Reason::SessionRate`], [`Reason::NewSessionRate`], [`Reason::Contended`].
#[inline(always)]
pub fn session(case: &Case<'_>, client: &Slot<Word>) -> Result<(), Outcome> {
    let scratch = case.scratch;
    let is_limited = client.session().limits() || client.new_session().limits();
    if !is_limited || scratch.code() == STATUS_SERVER {
        return Ok(());
    }
    scratch.session.set(attributes::session(case));
    let session = scratch.session.get();
    if session == 0 {
        return Ok(());
    }
    let set = maps::sessions(session).ok_or(Outcome::Passed)?;
    let new = (&client.new_sessions, client.new_session());
    match sessions::charge(set, session, client.session(), scratch.now.get(), new) {
        SessionVerdict::Admitted => Ok(()),
        SessionVerdict::Over => Err(Outcome::Dropped(Reason::SessionRate)),
        SessionVerdict::OverNew => Err(Outcome::Dropped(Reason::NewSessionRate)),
        SessionVerdict::Contended => Err(Outcome::Dropped(Reason::Contended)),
    }
}
