//! Repetitions that never get here: what the engine tells the kernel of requests that are being repeated.
//!
//! A client that repeats a request once often repeats it again. So the first repetition that the engine sees is *published*: from
//! then on the kernel itself absorbs the others, while the request is in flight, or answers them, once it has been answered. What is
//! published speaks for one request, octet for octet and from one place; everything else comes here as ever. A request that is
//! never repeated, as nearly all are, costs one branch.
//!
//! The engine decides what is published and for how long; who copies it into the kernel's reach is a [`Retransmits`].

use std::{fmt, num::NonZeroU64, time::Duration};

pub use crate::table::FlowKey;

/// Where requests are published. Called by all workers at once; no call may block or allocate.
///
/// There is room for some requests only, and an implementation may give a place to another one at any time: then its
/// [`Ticket`] stands for nothing any more, and calls with it do nothing.
pub trait Retransmits: Send + Sync + fmt::Debug {
    /// Publishes a request that has been verified: the whole of its octets, up to its RADIUS Length. `None` where there is no room
    /// for it, or where it or the reply is too long ([`sekisho_abi::cached::MAX_REQUEST`], [`sekisho_abi::cached::MAX_REPLY`]).
    ///
    /// `flow` names our own address and port by the place of the socket in [`crate::Settings::services`].
    fn publish(&self, flow: &FlowKey, request: &[u8], answer: Answer<'_>, lasts: Duration) -> Option<Ticket>;

    /// Publishes the same request in the same place with another answer, or for longer. `None` where the ticket stands for nothing,
    /// or the reply is too long; nothing is published then.
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
