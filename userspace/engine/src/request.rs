//! A packet from a client: gate, well-formedness, duplicates, verification, verdict, forwarding.

use std::net::IpAddr;

use sekisho_abi::{Reason, address_bytes};
use sekisho_wire::{
    attr,
    build::turn_into_reply,
    code::Code,
    forward::rewrite_request,
    scan::{Layout, scan},
    verify::{RequestPolicy, Verified, verify_request},
};

use crate::{
    engine::Engine,
    health::Health,
    identifiers::AllIdentifiers,
    packet::{Action, Packet},
    pool,
    reasons::{malformed, refused, unwritable},
    route::{Route, route},
    snapshot::{Client, ClientId, Customer, HomeKind, HomeServer, Pool, RealmId, RoutingSnapshot},
    stages::{RequestStep, Signer, Step, Unsealed},
    table::{Fingerprint, FlowKey, Request, State, Token, Upstream},
    time::Time,
};

/// More Proxy-States than this are a loop, whoever's they are (CONFORMANCE §2.7).
const MAX_PROXY_STATES: u16 = 10;
/// Error-Cause "Request Not Routable (Proxy)" (RFC 5176 §3.5).
const NOT_ROUTABLE: [u8; 4] = 502u32.to_be_bytes();
/// Requests that may wait for a dead home server: enough to notice soon that it lives again, few enough that the
/// identifiers which rest afterwards stay bounded, whatever the load.
const DEAD_OUTSTANDING: u32 = 64;

/// A request on its way through this file.
struct Arrival<'s> {
    now: Time,
    snapshot: &'s RoutingSnapshot,
    client: &'s Client,
    customer: &'s Customer,
    key: FlowKey,
    fingerprint: Fingerprint,
}

impl Engine {
    /// What can be said of a datagram on a service socket before its digest is known.
    pub(crate) fn look_at_request(
        &mut self,
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
        let client = snapshot.client(ClientId(admitted.source.id)).ok_or(Reason::Unregistered)?;
        let layout = scan(datagram).map_err(malformed).inspect_err(|_| self.count_client_drop(snapshot, client))?;
        let (domain, peer) = (admitted.domain, packet.path.peer);
        let key = FlowKey { service: service_index, domain, peer, id: layout.id };
        let fingerprint = Fingerprint {
            code: layout.code.0,
            authenticator: layout.authenticator(datagram).ok_or(Reason::TooShort)?,
            length: layout.length,
            hash: self.keys.bytes(layout.packet(datagram)),
        };
        // An identical packet was verified when it first came: unless its client may have changed since, that holds.
        let same = |request: &Request| request.fingerprint == fingerprint && request.version == snapshot.version;
        let known = self.table.find(&key).filter(|index| self.table.at(*index).is_some_and(same));
        let step = RequestStep { client: client.id, key, fingerprint, layout, verified: None };
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
            let verified = Some(verify_request(&packet.buf, &step.layout, &client.secret, policy(client)));
            return self.handle_request(now, snapshot, &RequestStep { verified, ..step }, packet, unsealed);
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
        let customer = snapshot.customer(client.customer).ok_or(Reason::Unregistered)?;
        let RequestStep { key, fingerprint, .. } = *step;
        let arrival = Arrival { now, snapshot, client, customer, key, fingerprint };
        let outcome = match &step.verified {
            Some(Ok(verified)) => self.handle_verified(&arrival, verified, packet, unsealed),
            Some(Err(refusal)) => Err(refused(*refusal)),
            None => Err(Reason::Unregistered),
        };
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
        match verified.layout().code {
            Code::STATUS_SERVER => return self.answer_status(arrival, verified, packet),
            Code::ACCESS_REQUEST => self.stats.access.increment(),
            _ => self.stats.accounting.increment(),
        }
        if let Some(index) = known {
            self.stats.superseded.increment();
            self.give_up(arrival.now, index);
        }
        self.make_room()?;
        arrival.customer.stats.worker(self.settings.worker).requests.increment();
        self.follow_route(arrival, verified, packet, unsealed)
    }

    fn count_client_drop(&self, snapshot: &RoutingSnapshot, client: &Client) {
        if let Some(customer) = snapshot.customer(client.customer) {
            customer.stats.worker(self.settings.worker).dropped.increment();
        }
    }

    /// The verdict table for a `client`: its own customer's realms are forwarded, everything else is refused.
    fn follow_route(
        &mut self,
        arrival: &Arrival<'_>,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let layout = verified.layout();
        if self.loops(layout, packet.buf.bytes()) {
            self.stats.loops.increment();
            tracing::debug!(client = arrival.client.contract, "proxy loop: the request has been here before");
            return self.refuse(arrival, None, verified, packet);
        }
        let route = route(arrival.snapshot, arrival.customer, packet.buf.bytes(), layout);
        tracing::debug!(client = arrival.client.contract, code = layout.code.name(), ?route, "request");
        let (realm, pool) = match route {
            Route::Proxy(realm, pool) => (Some(realm), pool),
            Route::WholeNas(pool) => (None, pool),
            Route::Unserved(realm) => return self.refuse(arrival, Some(realm), verified, packet),
            Route::Unknown => return self.refuse(arrival, None, verified, packet),
        };
        let pool = arrival.snapshot.pool(pool).ok_or(Reason::NoServer)?;
        if pool.members(HomeKind::of(layout.code)).is_empty() {
            return self.refuse(arrival, realm, verified, packet);
        }
        if let Some(realm) = realm.and_then(|id| arrival.snapshot.realm(id)) {
            realm.stats.worker(self.settings.worker).requests.increment();
        }
        self.forward(arrival, realm, pool, verified, packet, unsealed)
    }

    fn forward(
        &mut self,
        arrival: &Arrival<'_>,
        realm: Option<RealmId>,
        pool: &Pool,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let Arrival { now, snapshot, client, .. } = *arrival;
        let kind = HomeKind::of(verified.layout().code);
        let choice = {
            let identifiers = &self.identifiers;
            let key = address_bytes(arrival.key.peer.ip());
            pool::choose(snapshot, pool, kind, 0, &key, |home, health| may_take(identifiers, now, home, health))
        };
        let Some(pool::Choice { home, bit }) = choice else {
            // Perhaps for want of a port: where no request gets through, this is the only place to ask for one.
            for home in pool.members(kind).iter().filter_map(|id| snapshot.home(*id)) {
                self.supply(now, home);
            }
            return Err(lack(snapshot, pool, kind));
        };
        let index = self.table.reserve();
        let identifiers = self.identifiers.of_mut(home.id).ok_or(Reason::NoIdentifier)?;
        let slot = identifiers.take(now, index).ok_or(Reason::NoIdentifier)?;
        let authenticator = self.random.authenticator();
        let marker = &self.settings.marker;
        let buf = &mut packet.buf;
        let seal = rewrite_request(buf, verified, &client.secret, &home.secret, slot.id, &authenticator, marker)
            .map_err(unwritable)
            .inspect_err(|_| identifiers.answered(slot))?;
        let stats = home.stats.worker(self.settings.worker);
        stats.requests.increment();
        stats.outstanding.set(u64::from(identifiers.outstanding()));
        self.stats.forwarded.increment();
        let upstream = Upstream {
            home: home.id,
            address: home.address,
            slot,
            first_sent: now,
            last_sent: now,
            tried: bit,
            overdue: false,
        };
        let request = self.record(arrival, realm, State::InFlight(upstream), packet.buf.bytes());
        let due = (now + home.response_window).min(request.deadline);
        self.table.insert(request);
        let signer = Signer::Home(home.id, snapshot.version);
        *unsealed = self.table.token(index).map(|token| Unsealed { token, seal, signer });
        self.timers.arm(index, due);
        self.snapshots.hold();
        self.supply(now, home);
        Ok(Action::Send(upstream.path()))
    }

    /// A request that will not be served: a Reject after `reject_delay`; for accounting silence, so that the NAS keeps it.
    fn refuse(
        &mut self,
        arrival: &Arrival<'_>,
        realm: Option<RealmId>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let Arrival { now, client, customer, .. } = *arrival;
        customer.stats.worker(self.settings.worker).unroutable.increment();
        if verified.layout().code != Code::ACCESS_REQUEST {
            return Err(Reason::Unrouted);
        }
        let cause = [(attr::ERROR_CAUSE, &NOT_ROUTABLE[..])];
        turn_into_reply(&mut packet.buf, verified, Code::ACCESS_REJECT, &client.secret, &cause).map_err(unwritable)?;
        let hold = !client.reject_delay.is_zero() && self.delayed < self.settings.limits.max_delayed_rejects;
        let state = if hold { State::Delayed } else { State::Answered };
        let request = self.record(arrival, realm, state, packet.buf.bytes());
        let index = self.table.insert(request);
        if hold {
            self.delayed += 1;
            self.stats.delayed.increment();
            self.timers.arm(index, now + client.reject_delay);
            return Ok(Action::Hold);
        }
        if !client.reject_delay.is_zero() {
            self.stats.undelayed.increment();
        }
        self.remember(now, index);
        self.count_reply(arrival.snapshot, index, now);
        Ok(Action::Send(arrival.key.path()))
    }

    /// Answers a Status-Server: that we are here, whatever the state of home servers (RFC 5997 §3, §4.4). Not remembered: each
    /// has an identifier of its own, and its answer costs no more than a look-up would.
    fn answer_status(
        &mut self,
        arrival: &Arrival<'_>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        self.stats.status.increment();
        let service = self.settings.services.get(usize::from(arrival.key.service));
        let accounting = service.is_some_and(|service| service.kind == sekisho_abi::PortKind::Acct as u32);
        let code = if accounting { Code::ACCOUNTING_RESPONSE } else { Code::ACCESS_ACCEPT };
        turn_into_reply(&mut packet.buf, verified, code, &arrival.client.secret, &[]).map_err(unwritable)?;
        Ok(Action::Send(arrival.key.path()))
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
                    return Err(Reason::Absorbed);
                }
                upstream.last_sent = now;
                self.stats.retransmitted.increment();
                if let Some(home) = snapshot.home(upstream.home) {
                    home.stats.worker(self.settings.worker).retransmitted.increment();
                }
                upstream.path()
            }
            State::Delayed => return Err(Reason::Absorbed),
            State::Answered => {
                self.stats.repeated.increment();
                request.key.path()
            }
        };
        packet.buf.load(self.store.bytes(&request.bytes)).map_err(|_| Reason::TooLong)?;
        Ok(Action::Send(path))
    }

    /// Makes a record for the table, with a copy of `bytes`.
    fn record(&mut self, arrival: &Arrival<'_>, realm: Option<RealmId>, state: State, bytes: &[u8]) -> Request {
        Request {
            key: arrival.key,
            fingerprint: arrival.fingerprint,
            version: arrival.snapshot.version,
            client: arrival.client.id,
            realm,
            arrived: arrival.now,
            deadline: arrival.now + arrival.client.answer_within,
            bytes: self.store.put(bytes),
            batch: self.batches,
            state,
        }
    }

    /// Makes sure that the table has room, by forgetting the oldest answer if need be.
    fn make_room(&mut self) -> Result<(), Reason> {
        if self.table.len() >= self.settings.limits.max_requests as usize {
            let oldest = self.timers.oldest().ok_or(Reason::TableFull)?;
            self.remove(oldest);
        }
        Ok(())
    }

    fn loops(&self, layout: &Layout, datagram: &[u8]) -> bool {
        if layout.proxy_states == 0 {
            return false;
        }
        let marker = &self.settings.marker[..];
        layout.proxy_states > MAX_PROXY_STATES
            || layout
                .attributes(datagram)
                .any(|attribute| attribute.number == attr::PROXY_STATE && attribute.value == marker)
    }
}

impl HomeKind {
    /// The kind that takes requests with this code.
    fn of(code: Code) -> HomeKind {
        if code == Code::ACCESS_REQUEST { HomeKind::Auth } else { HomeKind::Acct }
    }
}

/// Whether another request may go to this home server now.
pub(crate) fn may_take(identifiers: &AllIdentifiers, now: Time, home: &HomeServer, health: Health) -> bool {
    identifiers.of(home.id).is_some_and(|identifiers| {
        identifiers.can_take(now)
            && identifiers.outstanding() < home.max_outstanding
            && (health != Health::Dead || identifiers.outstanding() < DEAD_OUTSTANDING)
    })
}

fn lack(snapshot: &RoutingSnapshot, pool: &Pool, kind: HomeKind) -> Reason {
    let mut homes = pool.members(kind).iter().filter_map(|id| snapshot.home(*id));
    if homes.any(|home| home.state.health() != Health::Dead) { Reason::NoIdentifier } else { Reason::NoServer }
}

/// What is asked of this client's requests.
pub(crate) fn policy(client: &Client) -> RequestPolicy {
    RequestPolicy {
        require_message_authenticator: client.require_message_authenticator,
        limit_proxy_state: client.limit_proxy_state,
    }
}

/// The first four octets, zeros where there are fewer.
pub(crate) fn head(datagram: &[u8]) -> [u8; 4] {
    datagram.first_chunk().copied().unwrap_or_default()
}

/// Octets of an address, for keys that do not care about the family.
pub(crate) fn octets(address: IpAddr) -> [u8; 16] {
    address_bytes(address)
}
