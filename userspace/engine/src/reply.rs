//! A packet from a home server: matched, verified, restored for the client, remembered.

use std::sync::Arc;

use sekisho_abi::{PortKind, Reason, Service, address_bytes};
use sekisho_wire::{code::Code, reply::restore_reply, scan::scan, verify::verify_reply};

use crate::{
    engine::Engine,
    identifiers::Slot,
    packet::{Action, Packet, UpstreamPort},
    request::{head, malformed, unwritable},
    snapshot::{HomeId, RoutingSnapshot},
    table::State,
    time::Time,
};

const UPSTREAM: Service = Service::new(PortKind::Upstream, 0);

impl Engine {
    /// Handles a datagram that came to a port toward home servers.
    pub(crate) fn handle_reply(
        &mut self,
        now: Time,
        snapshot: &RoutingSnapshot,
        port: UpstreamPort,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        self.stats.replies_received.increment();
        let home = self.sender(packet)?;
        let datagram = packet.buf.bytes();
        let layout = scan(datagram).map_err(malformed)?;
        let slot = Slot { port: port.index, id: layout.id };
        let Some(index) = self.identifiers.get(home.index()).and_then(|identifiers| identifiers.holder(slot)) else {
            if let Some(home) = snapshot.home(home) {
                home.stats.worker(self.settings.worker).unmatched.increment();
            }
            return Err(Reason::ReplyUnmatched);
        };
        let version = self.table.at(index).ok_or(Reason::ReplyUnmatched)?.version;
        if version == snapshot.version {
            return self.accept_reply(now, snapshot, snapshot, home, index, packet);
        }
        let routed = Arc::clone(self.snapshots.version(version).ok_or(Reason::ReplyUnwanted)?);
        self.accept_reply(now, snapshot, &routed, home, index, packet)
    }

    /// The home server that a reply claims to come from, admitted by the gate: by the snapshot in force, or by an older one while
    /// requests are in flight that it routed.
    fn sender(&self, packet: &Packet) -> Result<HomeId, Reason> {
        let datagram = packet.buf.bytes();
        let peer = packet.path.peer;
        let mut reason = Reason::Unregistered;
        for snapshot in self.snapshots.newest_first() {
            let ingress = snapshot.ingress(packet.path.ifindex);
            let from = address_bytes(peer.ip());
            match snapshot.gate.judge(ingress, from, UPSTREAM, head(datagram), datagram.len()) {
                Ok(_) => match snapshot.home_by_address.get(&peer) {
                    Some(home) => return Ok(*home),
                    // The right host, but another port: nobody we asked.
                    None => reason = Reason::ReplyUnmatched,
                },
                Err(Reason::Unregistered) => {}
                Err(other) => return Err(other),
            }
        }
        Err(reason)
    }

    /// `routed` is the snapshot that the request was routed by; `snapshot` the one in force.
    fn accept_reply(
        &mut self,
        now: Time,
        snapshot: &RoutingSnapshot,
        routed: &RoutingSnapshot,
        home: HomeId,
        index: u32,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let worker = self.settings.worker;
        let home = routed.home(home).ok_or(Reason::ReplyUnwanted)?;
        let stats = home.stats.worker(worker);
        let Engine { table, store, random, identifiers, settings, .. } = self;
        let request = table.at_mut(index).ok_or(Reason::ReplyUnmatched)?;
        let State::InFlight(upstream) = request.state else { return Err(Reason::ReplyUnmatched) };
        let sent = store.bytes(&request.bytes);
        let layout = scan(packet.buf.bytes()).map_err(malformed)?;
        if !layout.code.answers(Code(request.fingerprint.code)) {
            return Err(Reason::ReplyCode);
        }
        let authenticator = sent.get(4..20).and_then(|octets| octets.first_chunk()).ok_or(Reason::ReplyUnmatched)?;
        let verified =
            verify_reply(&packet.buf, &layout, authenticator, &home.secret, home.require_message_authenticator)
                .map_err(|_| {
                    // Discarded, and nothing else: the true reply may still come (RFC 2865 §2.3 step 4).
                    stats.forged.increment();
                    Reason::ReplyForged
                })?;

        // From here on the request is answered, whatever becomes of the reply.
        home.state.replied(now);
        if let Some(counter) = stats.replies.of(layout.code.0) {
            counter.increment();
        }
        stats.latency.record(now.since(upstream.first_sent));
        if let Some(identifiers) = identifiers.get_mut(home.id.index()) {
            identifiers.answered(upstream.slot);
            stats.outstanding.set(u64::from(identifiers.outstanding()));
        }
        let client = routed.client(request.client).filter(|client| snapshot.client(client.id).is_some());
        let outcome = match client {
            None => Err(Reason::ReplyUnwanted),
            Some(client) => restore_reply(
                &mut packet.buf,
                &verified,
                sent,
                &home.secret,
                &client.secret,
                request.key.id,
                &request.fingerprint.authenticator,
                &mut || random.salt(),
                &settings.marker,
            )
            .map_err(unwritable),
        };
        let (key, version) = (request.key, request.version);
        self.snapshots.release(version);
        let edits = match outcome {
            Ok(edits) => edits,
            Err(reason) => {
                self.remove(index);
                return Err(reason);
            }
        };
        request.state = State::Answered;
        store.replace(&mut request.bytes, packet.buf.bytes());
        if edits.undecryptable > 0 {
            self.stats.undecryptable.add(u64::from(edits.undecryptable));
            tracing::debug!(server = home.name, "left out attributes that do not decrypt: is its secret right?");
        }
        self.remember(now, index);
        self.count_reply(snapshot, index, now);
        Ok(Action::Send(key.path()))
    }

    /// Keeps an answer until the end of the `duplicate_window`.
    pub(crate) fn remember(&mut self, now: Time, index: u32) {
        self.timers.remember(index, now + self.settings.limits.duplicate_window);
    }

    /// Counts the reply that a request got, by the code of its stored bytes.
    pub(crate) fn count_reply(&self, snapshot: &RoutingSnapshot, index: u32, now: Time) {
        let Some(request) = self.table.at(index) else { return };
        let code = self.store.bytes(&request.bytes).first().copied().unwrap_or(0);
        let worker = self.settings.worker;
        let realm = request.realm.and_then(|id| snapshot.realm(id));
        let customer = snapshot.client(request.client).and_then(|client| snapshot.customer(client.customer));
        let counters = [
            self.stats.replies.of(code),
            realm.and_then(|realm| realm.stats.worker(worker).replies.of(code)),
            customer.and_then(|customer| customer.stats.worker(worker).replies.of(code)),
        ];
        counters.into_iter().flatten().for_each(|counter| counter.increment());
        if let Some(realm) = realm {
            realm.stats.worker(worker).latency.record(now.since(request.arrived));
        }
    }
}
