//! Repetitions that never get here: what the engine tells the kernel of requests that are being repeated.
//!
//! A client that repeats a request once often repeats it again. So the first repetition that the engine sees is *published*: from
//! then on the kernel itself absorbs the others, while the request is in flight, or answers them, once it has been answered. What is
//! published speaks for one request, octet for octet and from one place; everything else comes here as ever. A request that is
//! never repeated, as nearly all are, costs one branch.
//!
//! The engine decides what is published and for how long; who copies it into the kernel's reach is a [`Retransmits`].

use std::{fmt, num::NonZeroU64, time::Duration};

use sekisho_abi::cached::{MAX_REPLY, MAX_REQUEST};

pub use crate::table::FlowKey;
use crate::{
    engine::Engine,
    store::Store,
    table::{Request, State},
    time::Time,
};

/// Where requests are published. Called by all workers at once; no call may block or allocate.
///
/// There is room for some requests only, and an implementation may give a place to another one at any time: then its
/// [`Ticket`] stands for nothing any more, and calls with it do nothing. The same is so of all tickets after a reload: once every
/// worker has the new snapshot, its shell makes void what was published before, since secrets and clients may have gone.
pub trait Retransmits: Send + Sync + fmt::Debug {
    /// Publishes a request that has been verified: the whole of its octets, up to its RADIUS Length, [`MAX_REQUEST`] of them at
    /// most, and for `lasts` from now on an answer, [`MAX_REPLY`] octets of it at most. `None` where there is no room.
    ///
    /// `flow` names our own address and port by the place of the socket in [`crate::Settings::services`].
    fn publish(&self, flow: &FlowKey, request: &[u8], answer: Answer<'_>, lasts: Duration) -> Option<Ticket>;

    /// Publishes the same request with another answer, or for another time. `None` where the ticket stands for nothing.
    fn renew(&self, ticket: Ticket, answer: Answer<'_>, lasts: Duration) -> Option<Ticket>;

    /// Ends it: repetitions come to the engine again.
    fn withdraw(&self, ticket: Ticket);
}

/// A published request, by whatever number its publisher finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(pub NonZeroU64);

/// What repetitions of a published request get.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Nothing: it is in flight, or its Reject is held back.
    InFlight,
    /// This reply.
    Reply(&'a [u8]),
}

/// Without the reply: it is its subscriber's.
impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::InFlight => f.write_str("InFlight"),
            Answer::Reply(reply) => write!(f, "Reply({} octets)", reply.len()),
        }
    }
}

impl Engine {
    /// The request at this place has been repeated, by this packet: further repetitions need not come here for a while.
    pub(crate) fn publish(&mut self, now: Time, index: u32, packet: &[u8]) {
        let Engine { table, store, timers, settings, .. } = self;
        let (Some(retransmits), Some(request)) = (&settings.retransmits, table.at_mut(index)) else { return };
        let Some(packet) = packet.get(..usize::from(request.fingerprint.length)) else { return };
        if packet.len() > MAX_REQUEST {
            return;
        }
        let ticket = request.published.take();
        let Some((answer, lasts)) =
            answer(now, request, store, timers.due_of(index), settings.limits.retransmit_window)
        else {
            ticket.into_iter().for_each(|ticket| retransmits.withdraw(ticket));
            return;
        };
        let renewed = ticket.and_then(|ticket| retransmits.renew(ticket, answer, lasts));
        request.published = renewed.or_else(|| retransmits.publish(&request.key, packet, answer, lasts));
    }

    /// A request has got its answer, signed and all, or one that is held back. If it is published, so is that.
    ///
    /// Unless there has been a reload since it came: what has been published before that is void, since the secret that the
    /// request was verified by may be.
    pub(crate) fn publish_answer(&mut self, now: Time, index: u32) {
        let Engine { table, store, timers, settings, snapshots, .. } = self;
        let Some(request) = table.at_mut(index) else { return };
        let Some(ticket) = request.published.take() else { return };
        let Some(retransmits) = &settings.retransmits else { return };
        let known = answer(now, request, store, timers.due_of(index), settings.limits.retransmit_window)
            .filter(|_| request.version == snapshots.current().version);
        match known {
            Some((answer, lasts)) => request.published = retransmits.renew(ticket, answer, lasts),
            None => retransmits.withdraw(ticket),
        }
    }
}

/// What repetitions of a request get from now on, and how long that holds. `None`: they have to come here.
///
/// `due` is when its Reject leaves, or when its answer is forgotten.
fn answer<'s>(
    now: Time,
    request: &Request,
    store: &'s Store,
    due: Option<Time>,
    retransmit_window: Duration,
) -> Option<(Answer<'s>, Duration)> {
    let (answer, until) = match &request.state {
        // The one that comes after the window has to go on to the home server.
        State::InFlight(upstream) => (Answer::InFlight, upstream.last_sent + retransmit_window),
        State::Delayed | State::Recording | State::Looking(_) => (Answer::InFlight, due?),
        State::Answered => (Answer::Reply(store.bytes(&request.bytes)), due?),
        State::FannedOut(_) => return None,
    };
    let is_short = !matches!(answer, Answer::Reply(reply) if reply.len() > MAX_REPLY);
    (is_short && until > now).then(|| (answer, until - now))
}
