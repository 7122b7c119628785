//! A packet from a client: gate, limits, well-formedness, duplicates, verification.

use sekisho_abi::{PortKind, Reason, SourceKey, address_bytes};
use sekisho_wire::{
    code::Code,
    scan::{Layout, scan},
    verify::Verified,
};

use crate::{
    engine::Engine,
    guard,
    limiter::Charged,
    packet::{Action, Packet},
    proof,
    reasons::{malformed, refused},
    snapshot::{Client, ClientId, ClientRole, RoutingSnapshot},
    stages::{RequestStep, Step, Unsealed},
    table::{Fingerprint, FlowKey, State, Token},
    time::Time,
    verdict::Arrival,
};

impl Engine {
    /// What can be said of a datagram on a service socket before its digest is known.
    pub(crate) fn look_at_request(
        &mut self,
        now: Time,
        snapshot: &RoutingSnapshot,
        service_index: u16,
        packet: &Packet,
    ) -> Result<Step, Reason> {
        self.stats.requests_received.increment();
        let service = *self.settings.services.get(usize::from(service_index)).ok_or(Reason::WrongService)?;
        let datagram = packet.buf.bytes();
        let from = address_bytes(packet.path.peer.ip());
        let ingress = snapshot.ingress(packet.path.ifindex);
        let admitted = snapshot.gate.judge(ingress, from, service, head(datagram), datagram.len())?;
        // A host may be terminal, home server and dynamic-authorization client at once, each with a secret of its own.
        let id = if service.kind == PortKind::DynAuth as u32 {
            let source = SourceKey { domain: admitted.domain, address: from };
            *snapshot.dynauth.get(&source).ok_or(Reason::Unregistered)?
        } else {
            ClientId(admitted.source.id)
        };
        let client = snapshot.client(id).ok_or(Reason::Unregistered)?;
        let limiter = &*self.settings.limiter;
        let is_limited = ingress.is_some_and(|ingress| limiter.limits(ingress.index));
        let charged = is_limited.then(|| Charged::of(&admitted.source, snapshot, client));
        let counted = |_: &Reason| self.count_client_drop(snapshot, client);
        if let Some(charged) = &charged {
            limiter.charge(now, charged).inspect_err(counted)?;
        }
        let layout = scan(datagram).map_err(malformed).inspect_err(counted)?;
        if let Some(charged) = &charged {
            limiter.charge_session(now, charged, layout.packet(datagram), &layout).inspect_err(counted)?;
        }
        let (domain, peer) = (admitted.domain, packet.path.peer);
        let key = FlowKey { service: service_index, domain, peer, id: layout.id };
        let fingerprint = Fingerprint {
            code: layout.code.0,
            authenticator: layout.authenticator(datagram).ok_or(Reason::TooShort)?,
            length: layout.length,
            hash: self.keys.bytes(layout.packet(datagram)),
        };
        // An identical packet was verified when it first came: unless its client may have changed since, that holds.
        let found = self.table.find(&key).and_then(|index| Some((index, self.table.at(index)?)));
        let same = found.filter(|(_, request)| request.fingerprint == fingerprint);
        if same.is_none()
            && is_limited
            && let Some(reason) = limiter.sheds(layout.packet(datagram), &layout)
        {
            self.count_client_drop(snapshot, client);
            return Err(reason);
        }
        let known = same.filter(|(_, request)| request.version == snapshot.version).map(|(index, _)| index);
        let step = RequestStep { client: client.id, key, fingerprint, layout, verified: None, by_previous: false };
        Ok(match known.and_then(|index| self.table.token(index)) {
            Some(token) => Step::Repeat(token, step),
            None => Step::Request(step),
        })
    }

    /// A packet identical to one that was verified.
    pub(crate) fn handle_repetition(
        &mut self,
        now: Time,
        snapshot: &RoutingSnapshot,
        token: Token,
        step: RequestStep,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let client = snapshot.client(step.client).ok_or(Reason::Unregistered)?;
        let Some(index) = self.table.live(token) else {
            // Ended by an earlier packet of this very batch: a new request, with nothing verified to stand for it.
            let (verified, by_previous) = proof::verify_one(client, &packet.buf, &step.layout);
            let step = RequestStep { verified: Some(verified), by_previous, ..step };
            return self.handle_request(now, snapshot, &step, packet, unsealed);
        };
        let outcome = self.repeat(now, snapshot, index, packet);
        if outcome.is_err() {
            self.count_client_drop(snapshot, client);
        }
        outcome
    }

    /// A request with its verdict.
    pub(crate) fn handle_request(
        &mut self,
        now: Time,
        snapshot: &RoutingSnapshot,
        step: &RequestStep,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let client = snapshot.client(step.client).ok_or(Reason::Unregistered)?;
        let customer = snapshot.customer(client.customer).map(|customer| &**customer);
        let RequestStep { key, fingerprint, .. } = *step;
        let outcome = match &step.verified {
            Some(Ok(verified)) => {
                proof::learn(client, verified);
                let by_previous = proof::takes_previous(client, now, verified, packet.buf.bytes(), step.by_previous);
                let proven = proof::is_proven(verified);
                let arrival = Arrival { now, snapshot, client, customer, key, fingerprint, by_previous, proven };
                self.handle_verified(&arrival, verified, packet, unsealed)
            }
            Some(Err(_)) if proof::is_downgrade(client, &step.layout) => Err(Reason::MessageAuthenticatorDowngrade),
            Some(Err(refusal)) => Err(refused(*refusal)),
            None => Err(Reason::Unregistered),
        };
        if outcome == Err(Reason::MessageAuthenticatorDowngrade) {
            proof::warn_of_downgrade(client, now);
        }
        if outcome.is_err() {
            self.count_client_drop(snapshot, client);
        }
        outcome
    }

    fn handle_verified(
        &mut self,
        arrival: &Arrival<'_>,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        // Looked up now, and not before: an earlier packet of this batch may have been the same request.
        let known = self.table.find(&arrival.key);
        if let Some(index) = known
            && self.table.at(index).is_some_and(|request| request.fingerprint == arrival.fingerprint)
        {
            return self.repeat(arrival.now, arrival.snapshot, index, packet);
        }
        let client = arrival.client;
        if proof::is_downgrade(client, verified.layout()) {
            return Err(Reason::MessageAuthenticatorDowngrade);
        }
        if client.nas.checked && verified.layout().code != Code::STATUS_SERVER {
            let source = arrival.key.peer.ip();
            if !guard::is_own(&client.nas, source, packet.buf.bytes(), verified.layout()) {
                return Err(Reason::NasMismatch);
            }
        }
        match verified.layout().code {
            Code::STATUS_SERVER => return self.answer_status(arrival, verified, packet),
            Code::ACCESS_REQUEST => self.stats.access.increment(),
            Code::DISCONNECT_REQUEST => self.stats.disconnect.increment(),
            Code::COA_REQUEST => self.stats.coa.increment(),
            _ => self.stats.accounting.increment(),
        }
        let room = match known {
            Some(index) if !arrival.proven && self.is_proven_and_waiting(index) => return Err(Reason::Unproven),
            Some(index) => {
                self.stats.superseded.increment();
                self.give_up(arrival.now, index);
                self.make_room()
            }
            None if begins_conversation(verified.layout()) && self.is_nearly_full() => Err(Reason::Overload),
            None => self.make_room(),
        };
        match (client.role, room) {
            (ClientRole::AccessNetwork(_), Err(_)) if verified.layout().code == Code::ACCESS_REQUEST => {
                return self.refuse_for_room(arrival, verified, packet);
            }
            (ClientRole::AccessNetwork(kind), Ok(())) => {
                return self.follow_access(arrival, kind, verified, packet, unsealed);
            }
            (ClientRole::Lns(lns), Ok(())) => return self.follow_lns(arrival, lns, verified, packet),
            (_, room) => room?,
        }
        let customer = arrival.customer.ok_or(Reason::Unregistered)?;
        customer.stats.worker(self.settings.worker).requests.increment();
        if verified.layout().code.is_dynamic_authorization() {
            return self.follow_dynauth(arrival, customer, verified, packet, unsealed);
        }
        self.follow_route(arrival, customer, verified, packet, unsealed)
    }

    /// Whether the request at this place came from a holder of the secret and has not been answered: whoever knows only where
    /// it came from must not be able to end it (RFC 5080 §2.2.2: a packet that does not verify touches nothing).
    fn is_proven_and_waiting(&self, index: u32) -> bool {
        self.table.at(index).is_some_and(|request| request.proven && !matches!(request.state, State::Answered))
    }

    /// Whether what room there is belongs to conversations in progress (RFC 5080 §2.2.3).
    fn is_nearly_full(&self) -> bool {
        self.in_flight() as u64 * 16 > u64::from(self.settings.limits.max_requests) * 15
    }

    fn count_client_drop(&self, snapshot: &RoutingSnapshot, client: &Client) {
        if let Some(customer) = snapshot.customer(client.customer) {
            customer.stats.worker(self.settings.worker).dropped.increment();
        }
    }

    /// A packet identical to one in the table (RFC 5080 §2.2.2).
    fn repeat(
        &mut self,
        now: Time,
        snapshot: &RoutingSnapshot,
        index: u32,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let request = self.table.at_mut(index).ok_or(Reason::Absorbed)?;
        if request.batch == self.batches {
            // Forwarded or answered by this very batch.
            return Err(Reason::Absorbed);
        }
        let path = match &mut request.state {
            State::InFlight(upstream) => {
                if now.since(upstream.last_sent) < self.settings.limits.retransmit_window.as_nanos() as u64 {
                    self.publish(now, index, packet.buf.bytes());
                    return Err(Reason::Absorbed);
                }
                upstream.last_sent = now;
                self.stats.retransmitted.increment();
                if let Some(home) = snapshot.home(upstream.home) {
                    home.stats.worker(self.settings.worker).retransmitted.increment();
                }
                upstream.path()
            }
            State::FannedOut(fan_out) => {
                let fan_out = *fan_out;
                if !self.is_answered(fan_out) {
                    return self.repeat_fan_out(now, index, fan_out);
                }
                self.stats.repeated.increment();
                self.table.at(index).ok_or(Reason::Absorbed)?.key.path()
            }
            State::Delayed | State::Recording | State::Looking(_) => {
                self.publish(now, index, packet.buf.bytes());
                return Err(Reason::Absorbed);
            }
            State::Answered => {
                self.stats.repeated.increment();
                request.key.path()
            }
        };
        self.publish(now, index, packet.buf.bytes());
        let request = self.table.at(index).ok_or(Reason::Absorbed)?;
        packet.buf.load(self.store.bytes(&request.bytes)).map_err(|_| Reason::TooLong)?;
        Ok(Action::Send(path))
    }
}

/// Whether this is an Access-Request that no Challenge came before.
fn begins_conversation(layout: &Layout) -> bool {
    layout.code == Code::ACCESS_REQUEST && layout.state.is_none()
}

/// The first four octets, zeros where there are fewer.
pub(crate) fn head(datagram: &[u8]) -> [u8; 4] {
    datagram.first_chunk().copied().unwrap_or_default()
}
