//! CoA and Disconnect (RFC 5176): from a customer's server to a NAS of the same customer.
//!
//! The sender is one of `RoutingSnapshot::dynauth`, known by its address; it is never the client that the same address may be
//! elsewhere. What it asks for has to be its own customer's twice: the NAS, found by [`nas_of`], and the realm of the
//! subscriber, if he is named, to which an Access-Request would have to be routed (RFC 5176 §6.1). A realm that is not gets
//! silence; a NAS that is not, or that stays silent itself, a NAK that says why. A session of a `vpdn` contract is found by its
//! Acct-Session-Id, and its access network takes Disconnects.
//!
//! On its way such a request is like any other: it has an identifier and an authenticator of its own, the sender's repetitions
//! go on as the same octets, and its answer is remembered. There is but one NAS that can answer, so nothing fails over; and
//! whether it does says nothing of a server's health.

use sekisho_abi::Reason;
use sekisho_wire::{attr, attribute::attributes, build::turn_into_reply, code::Code, scan::Layout, verify::Verified};

use crate::{
    access::said,
    edits::apply_policies,
    engine::Engine,
    health::Health,
    nas::nas_of,
    packet::{Action, Packet},
    pool::Choice,
    reasons::unwritable,
    refusal::Cause,
    route::names_own_realm,
    snapshot::{Client, ClientRole, Customer, HomeId, HomeKind, HomeServer, RoutingSnapshot},
    stages::Unsealed,
    table::State,
    time::Time,
    verdict::{Arrival, Onward, may_take},
};

impl Engine {
    /// The verdict on a verified CoA- or Disconnect-Request.
    pub(crate) fn follow_dynauth(
        &mut self,
        arrival: &Arrival<'_>,
        customer: &Customer,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let Arrival { snapshot, client, .. } = *arrival;
        let layout = verified.layout();
        let bytes = layout.packet(packet.buf.bytes());
        if self.loops(layout, bytes) {
            self.stats.loops.increment();
            tracing::debug!(client = client.contract, "proxy loop: the request has been here before");
            return self.nak(arrival, Cause::NotRoutable, verified, packet);
        }
        if !names_own_realm(snapshot, client, customer, bytes, layout) {
            tracing::debug!(client = client.contract, "its subscriber's realm is none of this customer's");
            return Err(Reason::ReversePath);
        }
        let found = nas_of(customer, bytes, layout)
            .or_else(|cause| self.nas_of_session(arrival, customer, layout.code, bytes).unwrap_or(Err(cause)))
            .and_then(|id| nas(snapshot, id).ok_or(Cause::NotRoutable));
        self.tell_dynauth(arrival, layout, found);
        match found {
            Ok(home) if self.can_ask(arrival.now, home) => {
                self.forward_dynauth(arrival, home, verified, packet, unsealed)
            }
            Ok(_) => self.nak(arrival, Cause::NoAnswer, verified, packet),
            Err(cause) => self.nak(arrival, cause, verified, packet),
        }
    }

    /// The NAS of an access network that has the session which a request is about, if it is one of this customer's `vpdn` contracts. The
    /// network is the operator's and all customers': it takes Disconnects, and nothing else. `None`: there is no such session.
    fn nas_of_session(
        &self,
        arrival: &Arrival<'_>,
        customer: &Customer,
        code: Code,
        packet: &[u8],
    ) -> Option<Result<HomeId, Cause>> {
        let Arrival { now, snapshot, .. } = *arrival;
        let sessions = &self.settings.sessions;
        let of = |network: &Client| {
            let key = said::session(sessions, network.access.as_ref()?.session_name, packet)?;
            let session = sessions.find_by_session(now, network.source(), key)?;
            let (nas, id) = session.handle.filter(|_| session.customer == customer.id)?;
            let nas = snapshot.nas_by_source.get(&(network.id, nas)).copied()?;
            // Whatever else the request says may be another subscriber's, and a NAS may go by that.
            Some(if names_only(packet, &id, &session.user) { Ok(nas) } else { Err(Cause::NoSession) })
        };
        let networks = snapshot.clients.iter().flatten();
        let mut found = networks.filter(|it| matches!(it.role, ClientRole::AccessNetwork(_))).filter_map(|it| of(it));
        let nas = found.next()?;
        Some(match found.next() {
            // Which of two is meant nobody can tell.
            Some(_) => Err(Cause::NoSession),
            None if code != Code::DISCONNECT_REQUEST => Err(Cause::Prohibited),
            None => nas,
        })
    }

    /// Whether this NAS can be sent a request now. The first one to it finds it without identifiers.
    fn can_ask(&mut self, now: Time, home: &HomeServer) -> bool {
        self.supply(now, home);
        let health = home.health();
        health != Health::Down && may_take(&self.identifiers, now, home, health)
    }

    fn forward_dynauth(
        &mut self,
        arrival: &Arrival<'_>,
        home: &HomeServer,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let verified = apply_policies(arrival.client, verified, &mut packet.buf)?;
        let onward = Onward { realm: None, choice: Choice { home, bit: 1, held: false }, rounds: 0 };
        self.send_to(arrival, &onward, &verified, packet, unsealed)
    }

    /// A line for whoever looks for one sender's requests.
    fn tell_dynauth(&self, arrival: &Arrival<'_>, layout: &Layout, found: Result<&HomeServer, Cause>) {
        let verdict = match found {
            Ok(_) => "forwarded",
            Err(Cause::NoSession) => "refused: it names no NAS, or more than one",
            Err(_) => "refused: no NAS of this customer",
        };
        let nas = found.ok().map(|home| home.name.as_str());
        tracing::debug!(client = arrival.client.contract, code = layout.code.name(), nas, verdict, "request");
    }

    /// Refuses a request, at once: what its sender does next does not help whoever guesses passwords.
    fn nak(
        &mut self,
        arrival: &Arrival<'_>,
        cause: Cause,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let Arrival { now, snapshot, customer, .. } = *arrival;
        if cause != Cause::NoAnswer
            && let Some(customer) = customer
        {
            customer.stats.worker(self.settings.worker).unroutable.increment();
        }
        let attrs = [(attr::ERROR_CAUSE, &cause.octets()[..])];
        let code = nak_of(verified.layout().code);
        turn_into_reply(&mut packet.buf, verified, code, arrival.secret(), &attrs).map_err(unwritable)?;
        let request = self.record(arrival, None, State::Answered, packet.buf.bytes());
        let index = self.table.insert(request);
        self.remember(now, index);
        self.count_reply(snapshot, index, now);
        Ok(Action::Send(arrival.key.path()))
    }
}

/// Whether a Disconnect names a session by nothing but this Acct-Session-Id, this User-Name, and its NAS.
fn names_only(packet: &[u8], id: &[u8], user: &[u8]) -> bool {
    attributes(packet).all(|attribute| match attribute.number {
        attr::ACCT_SESSION_ID => attribute.value == id,
        attr::USER_NAME => attribute.value == user,
        attr::NAS_IP_ADDRESS | attr::NAS_IPV6_ADDRESS | attr::NAS_IDENTIFIER => true,
        attr::EVENT_TIMESTAMP | attr::PROXY_STATE | attr::MESSAGE_AUTHENTICATOR | attr::ACCT_TERMINATE_CAUSE => true,
        _ => false,
    }) && attributes(packet).any(|attribute| attribute.number == attr::ACCT_SESSION_ID)
}

/// A NAS that takes dynamic authorization.
fn nas(snapshot: &RoutingSnapshot, id: HomeId) -> Option<&HomeServer> {
    snapshot.home(id).map(|home| &**home).filter(|home| home.kind == HomeKind::DynAuth)
}

/// Disconnect-NAK or CoA-NAK.
pub(crate) fn nak_of(code: Code) -> Code {
    if code == Code::DISCONNECT_REQUEST { Code::DISCONNECT_NAK } else { Code::COA_NAK }
}
