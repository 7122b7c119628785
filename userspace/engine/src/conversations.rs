//! Conversations of many rounds: which server holds them, and how many challenges there were.

use sekisho_wire::{code::Code, scan::Layout};

use crate::{
    snapshot::HomeServer,
    sticky::{Conversation, Sticky},
    table::Upstream,
    time::Time,
};

/// The conversation that an Access-Request for servers of this customer continues: by its State, which is the server's own
/// (RFC 5080 §2.1.1) and counts within the customer only.
pub(crate) fn conversation(
    sticky: &Sticky,
    now: Time,
    customer: u32,
    layout: &Layout,
    packet: &[u8],
) -> Option<Conversation> {
    let state = layout.state.filter(|_| layout.code == Code::ACCESS_REQUEST)?;
    sticky.find(now, sticky.key(customer, state.of(packet)))
}

/// Remembers where a conversation is held, by the State of a verified Access-Challenge.
pub(crate) fn note_challenge(
    sticky: &Sticky,
    now: Time,
    home: &HomeServer,
    upstream: &Upstream,
    layout: &Layout,
    packet: &[u8],
) {
    let Some(state) = layout.state else { return };
    let key = sticky.key(home.customer.0, state.of(packet));
    sticky.insert(now, key, Conversation { home: home.id, rounds: upstream.rounds.saturating_add(1) });
}
