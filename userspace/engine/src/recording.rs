//! Accounting that ends here: acknowledged once it is recorded, and not before (RFC 2866 §4.1).
//!
//! The engine has no disk. It hands each record out by [`Engine::poll_record`], with a token; whoever keeps records says by
//! [`Engine::handle_recorded`] what became of it, and then the answer, which was made when the request came, leaves. Meanwhile the
//! request is in flight like any other: its repetitions are absorbed, and where its client's time is over it is forgotten without
//! an answer, so that the NAS keeps the record and sends it again.

use std::{hash::Hasher, net::SocketAddr, sync::Arc};

use sekisho_abi::Reason;
use sekisho_lns::ContractId;
use sekisho_wire::{attr, attribute::attributes, build::turn_into_reply, code::Code, verify::Verified};
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::{
    engine::{Engine, Transmit},
    packet::{Action, Packet},
    reasons::unwritable,
    snapshot::{ClientId, CustomerId, GroupId, RealmId, RoutingSnapshot},
    store::Stored,
    table::State,
    time::Time,
    verdict::Arrival,
};

pub use crate::table::Token;

/// Whose a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) customer: Option<CustomerId>,
    pub(crate) contract: Option<Holder>,
    pub(crate) realm: Option<RealmId>,
}

/// The contract that a record is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Of the kind `vpdn`.
    Vpdn(ContractId),
    /// Of the kind `group`.
    Group(GroupId),
}

impl Holder {
    /// The contract's name.
    fn name(self, snapshot: &RoutingSnapshot) -> Option<&str> {
        Some(match self {
            Holder::Vpdn(id) => &snapshot.vpdn(id)?.contract,
            Holder::Group(id) => &snapshot.group(id)?.contract,
        })
    }
}

/// A record that waits to be handed out.
#[derive(Debug)]
pub(crate) struct Unrecorded {
    token: Token,
    client: ClientId,
    peer: SocketAddr,
    kept: Kept,
}

/// What is recorded, and whose it is.
#[derive(Debug)]
pub(crate) struct Kept {
    claim: Claim,
    identity: u128,
    pub(crate) packet: Stored,
}

/// An accounting record, to be kept.
#[derive(Clone, Copy)]
pub struct Record<'e> {
    /// Says which request it is, when it comes back.
    pub token: Token,
    /// Equal for two requests that report the same: all is alike but identifier, authenticator, Acct-Delay-Time and Proxy-State.
    pub identity: u128,
    /// The contract or access network that sent it.
    pub source: &'e str,
    /// Where it came from.
    pub peer: SocketAddr,
    /// Whose subscriber's it is; empty: nobody's that is known.
    pub customer: &'e str,
    /// The contract that it is for; empty: none.
    pub contract: &'e str,
    /// The realm; empty: none.
    pub realm: &'e str,
    /// The Accounting-Request as it came.
    pub packet: &'e [u8],
}

impl Engine {
    /// Keeps the request until it is recorded.
    pub(crate) fn record_here(
        &mut self,
        arrival: &Arrival<'_>,
        claim: Claim,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let kept = self.keep(arrival, claim, verified, packet)?;
        let answered = turn_into_reply(&mut packet.buf, verified, Code::ACCOUNTING_RESPONSE, arrival.secret(), &[]);
        if let Err(error) = answered {
            self.store.give_back(kept.packet);
            return Err(unwritable(error));
        }
        let record = self.record(arrival, claim.realm, State::Recording, packet.buf.bytes());
        let deadline = record.deadline;
        let index = self.table.insert(record);
        self.timers.arm(index, deadline);
        self.recording += 1;
        self.hand_out(index, arrival, kept);
        Ok(Action::Hold)
    }

    /// Keeps a copy of the request, to be handed out.
    pub(crate) fn keep(
        &mut self,
        arrival: &Arrival<'_>,
        claim: Claim,
        verified: &Verified,
        packet: &Packet,
    ) -> Result<Kept, Reason> {
        if self.handed_out >= self.settings.limits.max_records {
            return Err(Reason::JournalFull);
        }
        let request = verified.layout().packet(packet.buf.bytes());
        let identity = identity(&arrival.client.contract, request);
        Ok(Kept { claim, identity, packet: self.store.put(request) })
    }

    /// Has a record handed out, for the request at this place.
    pub(crate) fn hand_out(&mut self, index: u32, arrival: &Arrival<'_>, kept: Kept) {
        let (client, peer) = (arrival.client.id, arrival.key.peer);
        match self.table.token(index) {
            Some(token) => {
                self.handed_out += 1;
                self.unrecorded.push_back(Unrecorded { token, client, peer, kept });
            }
            None => self.store.give_back(kept.packet),
        }
    }

    /// Hands out the next record that is to be kept.
    pub fn poll_record<T>(&mut self, take: impl FnOnce(&Record<'_>) -> T) -> Option<T> {
        let Unrecorded { token, client, peer, kept } = self.unrecorded.pop_front()?;
        let Kept { claim, identity, packet } = kept;
        let snapshot = self.snapshots.current();
        let record = Record {
            token,
            identity,
            source: snapshot.client(client).map_or("", |client| &client.contract),
            peer,
            customer: claim.customer.map_or("", |id| snapshot.customer_name(id)),
            contract: claim.contract.and_then(|holder| holder.name(snapshot)).unwrap_or(""),
            realm: claim.realm.and_then(|id| snapshot.realm(id)).map_or("", |realm| &realm.name),
            packet: self.store.bytes(&packet),
        };
        let taken = take(&record);
        self.store.give_back(packet);
        Some(taken)
    }

    /// Whether a record is kept for good. Its request is answered then, and forgotten otherwise; [`Engine::poll_transmit`]
    /// afterwards.
    pub fn handle_recorded(&mut self, now: Time, token: Token, is_kept: bool) {
        // Also of one that nobody waits for any more: until now it took room.
        self.handed_out = self.handed_out.saturating_sub(1);
        let Some(index) = self.table.live(token) else { return };
        let snapshot = Arc::clone(self.snapshots.current());
        let Some(request) = self.table.at(index) else { return };
        let client = request.client;
        let fan_out = match request.state {
            State::Recording => None,
            State::FannedOut(id) => Some(id),
            _ => return,
        };
        // A reload may have removed the client, who is a stranger then.
        if !is_kept || snapshot.client(client).is_none() {
            self.stats.unrecorded.increment();
            return self.give_up(now, index);
        }
        self.stats.recorded.increment();
        match (fan_out, self.table.at_mut(index)) {
            (Some(id), _) => self.fan_out_recorded(now, index, id),
            (None, Some(request)) => {
                request.state = State::Answered;
                self.recording = self.recording.saturating_sub(1);
                self.remember(now, index);
                self.publish_answer(now, index);
            }
            (None, None) => return,
        }
        self.count_reply(&snapshot, index, now);
        self.ready.push_back(Transmit::Reply(token));
    }

    /// Nobody has said in time that the record is kept.
    pub(crate) fn record_overdue(&mut self, now: Time, index: u32) {
        self.stats.expired.increment();
        self.stats.unrecorded.increment();
        self.give_up(now, index);
    }
}

/// What two requests have in common that report the same. A NAS that repeats itself after its retries gives identifier,
/// authenticator and Acct-Delay-Time anew (RFC 2866 §4.1, §5.2); proxies change Proxy-State. The same on every node and after
/// every restart.
fn identity(source: &str, packet: &[u8]) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write_usize(source.len());
    hasher.write(source.as_bytes());
    hasher.write(packet.get(..1).unwrap_or_default());
    for attribute in attributes(packet).filter(|it| !matches!(it.number, attr::ACCT_DELAY_TIME | attr::PROXY_STATE)) {
        hasher.write(&[attribute.number, attribute.value.len() as u8]);
        hasher.write(attribute.value);
    }
    hasher.finish128().into()
}

#[cfg(test)]
mod tests {
    use sekisho_wire::{build::RequestBuilder, secret::Secret};

    use super::*;

    fn packet(id: u8, delay: u32, session: &str) -> Vec<u8> {
        RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
            .attribute(attr::ACCT_SESSION_ID, session)
            .attribute(attr::ACCT_DELAY_TIME, delay.to_be_bytes())
            .attribute(attr::PROXY_STATE, [id])
            .build(&Secret::new("secret").unwrap())
            .unwrap()
    }

    #[test]
    fn a_repetition_with_another_delay_is_the_same_record_and_another_session_or_source_is_not() {
        let first = identity("carrier", &packet(1, 0, "s1"));
        assert_eq!(identity("carrier", &packet(9, 5, "s1")), first);
        assert_ne!(identity("carrier", &packet(1, 0, "s2")), first);
        assert_ne!(identity("another", &packet(1, 0, "s1")), first);
    }
}
