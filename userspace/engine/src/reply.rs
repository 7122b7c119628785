//! A packet from a home server: matched, verified, restored for the client, remembered.

use std::{sync::Arc, time::Duration};

use sekisho_abi::{PortKind, Reason, Service, address_bytes};
use sekisho_wire::{
    code::Code,
    reply::{Hops, rewrite_reply},
    scan::scan,
    seal::Seal,
    verify::VerifiedReply,
};

use crate::{
    access::{Login, NoTunnel},
    conversations::note_challenge,
    edits::edit_reply,
    engine::Engine,
    guard,
    identifiers::Slot,
    packet::{Action, Packet, UpstreamPort},
    proof,
    reasons::{malformed, unwritable},
    refusal,
    request::head,
    snapshot::{Client, HomeId, HomeServer, RoutingSnapshot},
    stages::{ReplyStep, Signer, Step, Unsealed},
    table::{Origin, State},
    time::Time,
};

const UPSTREAM: Service = Service::new(PortKind::Upstream, 0);

/// A verified reply on its way to its client.
struct Answer<'s> {
    /// The snapshot that its request was routed by.
    routed: &'s RoutingSnapshot,
    home: &'s HomeServer,
    client: &'s Client,
    /// The request's place.
    index: u32,
    /// It was made with the home server's previous secret.
    by_previous: bool,
    /// How many its conversation has had before.
    challenges: u8,
}

impl Engine {
    /// What can be said of a datagram on a port toward home servers before its digest is known.
    pub(crate) fn look_at_reply(
        &mut self,
        snapshot: &RoutingSnapshot,
        port: UpstreamPort,
        packet: &Packet,
    ) -> Result<Step, Reason> {
        self.stats.replies_received.increment();
        let sender = self.sender(packet)?;
        let layout = scan(packet.buf.bytes()).map_err(malformed)?;
        let slot = Slot { port: port.index, id: layout.id };
        let holder = self.identifiers.of(sender).and_then(|identifiers| identifiers.holder(slot));
        let found = holder.and_then(|index| Some((self.table.token(index)?, self.table.at(index)?)));
        let Some((token, request)) = found else { return Err(self.unmatched(snapshot, sender)) };
        // Asked perhaps under a name that it had before a reload.
        let home = match request.state {
            State::InFlight(upstream) => upstream.home,
            _ => return Err(self.unmatched(snapshot, sender)),
        };
        let sent = self.store.bytes(&request.bytes);
        let authenticator = *sent.get(4..20).and_then(|it| it.first_chunk()).ok_or(Reason::ReplyUnmatched)?;
        let version = request.version;
        Ok(Step::Reply(ReplyStep {
            home,
            token,
            version,
            slot,
            authenticator,
            layout,
            verified: None,
            by_previous: false,
        }))
    }

    fn unmatched(&self, snapshot: &RoutingSnapshot, home: HomeId) -> Reason {
        if let Some(home) = snapshot.home(home) {
            home.stats.worker(self.settings.worker).unmatched.increment();
        }
        Reason::ReplyUnmatched
    }

    /// A reply with its verdict.
    pub(crate) fn handle_reply(
        &mut self,
        now: Time,
        snapshot: &RoutingSnapshot,
        step: &ReplyStep,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        if step.version == snapshot.version {
            return self.accept_reply(now, snapshot, snapshot, step, packet, unsealed);
        }
        let routed = match self.snapshots.version(step.version) {
            Some(routed) => Arc::clone(routed),
            // Its last request was answered by an earlier packet of this batch.
            None => return Err(self.unmatched(snapshot, step.home)),
        };
        self.accept_reply(now, snapshot, &routed, step, packet, unsealed)
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
                // No home server any more, but perhaps one that was asked when it was.
                Err(Reason::Unregistered | Reason::WrongRole) => {}
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
        step: &ReplyStep,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let worker = self.settings.worker;
        let home = routed.home(step.home).ok_or(Reason::ReplyUnwanted)?;
        let stats = home.stats.worker(worker);
        // Superseded or answered by an earlier packet of this batch: nobody waits any more.
        let Some(index) = self.table.live(step.token) else { return Err(self.unmatched(snapshot, step.home)) };
        let Engine { table, identifiers, settings, .. } = self;
        let request = table.at(index).ok_or(Reason::ReplyUnmatched)?;
        let upstream = match request.state {
            State::InFlight(upstream) if (upstream.home, upstream.slot) == (step.home, step.slot) => upstream,
            _ => {
                stats.unmatched.increment();
                return Err(Reason::ReplyUnmatched);
            }
        };
        if !step.layout.code.answers(Code(request.fingerprint.code)) {
            return Err(Reason::ReplyCode);
        }
        if proof::is_reply_downgrade(home, &step.layout) {
            stats.forged.increment();
            proof::warn_of_reply_downgrade(home, now);
            return Err(Reason::ReplyDowngrade);
        }
        let Some(Ok(verified)) = &step.verified else {
            // Discarded, and nothing else: the true reply may still come (RFC 2865 §2.3 step 4).
            stats.forged.increment();
            return Err(Reason::ReplyForged);
        };

        // From here on the request is answered, whatever becomes of the reply.
        home.state.replied(now);
        proof::learn_from_reply(home, now, verified, step.by_previous);
        if let Some(counter) = stats.replies.of(step.layout.code.0) {
            counter.increment();
        }
        stats.latency.record(now.since(upstream.first_sent));
        if step.layout.code == Code::ACCESS_CHALLENGE {
            note_challenge(&settings.sticky, now, home, &upstream, &step.layout, packet.buf.bytes());
        }
        if let Some(identifiers) = identifiers.of_mut(home.id) {
            identifiers.answered(upstream.slot);
        }
        let (key, client, version, by_previous) = (request.key, request.client, request.version, request.by_previous);
        let is_derived = request.origin != Origin::Client;
        self.show_outstanding(routed, home);
        if is_derived {
            return self.derived_answered(now, index, packet);
        }
        let restored = match routed.client(client).filter(|client| snapshot.client(client.id).is_some()) {
            None => Err(Reason::ReplyUnwanted),
            Some(client) => {
                let by_previous = step.by_previous;
                let answer = Answer { routed, home, client, index, by_previous, challenges: upstream.rounds };
                self.restore(now, &answer, verified, packet)
            }
        };
        let seal = match restored {
            Ok(seal) => seal,
            // Silence would be taken for ours by a network that all customers share.
            Err(_) if self.refuse_unusable(routed, index, packet) => None,
            Err(reason) => {
                self.snapshots.release(version);
                self.remove(index);
                return Err(reason);
            }
        };
        let Engine { table, store, batches, .. } = self;
        if let Some(request) = table.at_mut(index) {
            request.state = State::Answered;
            request.batch = *batches;
            store.replace(&mut request.bytes, packet.buf.bytes());
        }
        let Some(seal) = seal else {
            self.snapshots.release(version);
            let reject_delay = routed.client(client).map_or(Duration::ZERO, |client| client.reject_delay);
            return Ok(self.reject_in_time(now, snapshot, index, reject_delay));
        };
        let signer = Signer::Client(client, version, by_previous);
        *unsealed = Some(Unsealed { token: step.token, seal, signer });
        self.remember(now, index);
        self.count_reply(snapshot, index, now);
        Ok(Action::Send(key.path()))
    }

    /// Makes a verified reply the one that its client gets, and says what that still lacks; `None`: nothing, it has become a
    /// Reject of our own.
    fn restore(
        &mut self,
        now: Time,
        answer: &Answer<'_>,
        verified: &VerifiedReply,
        packet: &mut Packet,
    ) -> Result<Option<Seal>, Reason> {
        let Answer { routed, home, client, index, by_previous, challenges } = *answer;
        let buf = &mut packet.buf;
        let request = self.table.at(index).ok_or(Reason::ReplyUnmatched)?;
        let login = Login::of(routed, client, request);
        let edited = edit_reply(self, routed, (client, login), request, verified, buf).map_err(unwritable)?;
        let verified = edited.as_ref().unwrap_or(verified);
        let networks = match &login {
            Some(login) => login.framed_networks(),
            None => refusal::pool_of(routed, request).map_or(&[][..], |pool| &pool.framed_networks),
        };
        let challenges = (challenges, self.settings.limits.max_challenges);
        let breach = guard::breach(client, networks, buf.bytes(), verified.layout(), challenges);
        let Engine { store, random, settings, .. } = self;
        let hops = Hops {
            upstream_request: store.bytes(&request.bytes),
            from: home.secret_of(by_previous),
            to: client.secret_of(request.by_previous),
            client_id: request.key.id,
            client_ra: &request.fingerprint.authenticator,
            own_proxy_state: &settings.marker,
            salted: &routed.salted,
        };
        let first_salt = random.salt();
        let (edits, seal) = rewrite_reply(buf, verified, &hops, &mut || first_salt).map_err(unwritable)?;
        if edits.undecryptable > 0 {
            self.stats.undecryptable.add(u64::from(edits.undecryptable));
            tracing::debug!(server = home.name, "left out attributes that do not decrypt: is its secret right?");
        }
        let Some(breach) = breach else {
            let Some(login) = login else { return Ok(Some(seal)) };
            // No salt twice in a packet (RFC 2868 §3.5): those before are used, one after the other.
            let salt = first_salt.wrapping_add(edits.reencrypted).wrapping_add(edits.undecryptable);
            let request = self.table.at(index).ok_or(Reason::ReplyUnmatched)?;
            let joined = self.join_tunnels(now, routed, &login, (client, request), salt, buf).map_err(unwritable)?;
            let Some(NoTunnel { cause, message }) = joined else { return Ok(Some(seal)) };
            self.reject_instead(client, index, cause, message, packet)?;
            return Ok(None);
        };
        breach.counter(&self.stats.withheld).increment();
        home.stats.worker(self.settings.worker).withheld.increment();
        tracing::debug!(
            server = home.name,
            client = client.contract,
            ?breach,
            "a Reject instead of the server's answer"
        );
        self.reject_instead(client, index, breach.cause(), None, packet)?;
        Ok(None)
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
        // An access network is nobody's; what it asks for is somebody's.
        let owner = realm.map(|realm| realm.customer).or_else(|| Some(snapshot.client(request.client)?.customer));
        let customer = owner.and_then(|id| snapshot.customer(id));
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
