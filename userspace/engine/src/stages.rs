//! A batch's way through the engine, in stages, so that the digests of many packets are computed side by side.
//!
//! 1. *Look*: everything that can be said without a digest: gate, limits, well-formedness, which request a reply answers.
//! 2. *Verify*: the digests that come with the packets, all of them at once.
//! 3. *Decide*, packet after packet in the order of arrival: duplicates, routing, rewriting in place; what is to be signed is
//!    noted.
//! 4. *Seal*: the digests that go out, all of them at once; then the stored copies get them too.
//!
//! Only stage 3 changes the engine's state, so that a batch has the effect that its packets would have one by one, with one
//! exception: a request repeated in the batch that answers it is absorbed, since the answer leaves with that very batch.

use std::sync::Arc;

use arrayvec::ArrayVec;
use sekisho_abi::Reason;
use sekisho_wire::{
    scan::Layout,
    seal::{Job, Seal, seal_all},
    verify::{
        Refusal, ReplyRefusal, ReplyToVerify, RequestToVerify, Verified, VerifiedReply, verify_replies, verify_requests,
    },
};

use crate::{
    engine::Engine,
    identifiers::Slot,
    packet::{Action, BATCH, Batch, Packet, Socket},
    proof,
    snapshot::{ClientId, HomeId, RoutingSnapshot},
    snapshots::Snapshots,
    table::{Fingerprint, FlowKey, Token},
    time::Time,
};

/// What the first stage found out about a packet, and the second added.
#[derive(Debug)]
pub(crate) enum Step {
    /// To be dropped.
    Drop(Reason),
    /// Identical to this request, which was verified when it first came.
    Repeat(Token, RequestStep),
    /// A client's request.
    Request(RequestStep),
    /// A home server's reply.
    Reply(ReplyStep),
}

/// A request before its verdict.
#[derive(Debug)]
pub(crate) struct RequestStep {
    pub(crate) client: ClientId,
    pub(crate) key: FlowKey,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) layout: Layout,
    pub(crate) verified: Option<Result<Verified, Refusal>>,
    /// Verified by the client's previous secret.
    pub(crate) by_previous: bool,
}

/// A reply before its verdict.
#[derive(Debug)]
pub(crate) struct ReplyStep {
    pub(crate) home: HomeId,
    /// The request that waits on its identifier.
    pub(crate) token: Token,
    /// Version of the snapshot that routed the request.
    pub(crate) version: u64,
    /// The identifier that it came for.
    pub(crate) slot: Slot,
    /// Our request's authenticator.
    pub(crate) authenticator: [u8; 16],
    pub(crate) layout: Layout,
    pub(crate) verified: Option<Result<VerifiedReply, ReplyRefusal>>,
    /// Verified by the home server's previous secret.
    pub(crate) by_previous: bool,
}

/// A packet that was rewritten and has to be signed, and whose copy is in the table.
#[derive(Debug)]
pub(crate) struct Unsealed {
    pub(crate) token: Token,
    pub(crate) seal: Seal,
    pub(crate) signer: Signer,
}

/// Whose secret signs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signer {
    /// The home server's, by the snapshot of this version.
    Home(HomeId, u64),
    /// The client's, by the snapshot of this version: the secret before the one in force, if `true`.
    Client(ClientId, u64, bool),
    /// The client's, by the snapshot in force, which nothing needs to hold for an answer that is made here.
    Here(ClientId, bool),
}

/// Memory of the stages, kept between batches.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    steps: Vec<Step>,
    unsealed: Vec<Option<Unsealed>>,
}

impl Engine {
    /// Decides on every packet of a batch, and rewrites those that go on, in place.
    pub fn handle_batch(&mut self, now: Time, batch: &mut Batch) {
        self.timers.advance(now);
        self.batches += 1;
        let snapshot = Arc::clone(self.snapshots.current());
        let mut stages = std::mem::take(&mut self.stages);
        stages.steps.clear();
        stages.unsealed.clear();
        for packet in batch.packets() {
            stages.steps.push(self.look(now, &snapshot, packet));
        }
        verify(&self.snapshots, batch.packets(), &mut stages.steps);
        for (step, packet) in stages.steps.drain(..).zip(batch.packets_mut()) {
            let mut unsealed = None;
            let outcome = match step {
                Step::Drop(reason) => Err(reason),
                Step::Repeat(token, step) => self.handle_repetition(now, &snapshot, token, step, packet, &mut unsealed),
                Step::Request(step) => self.handle_request(now, &snapshot, &step, packet, &mut unsealed),
                Step::Reply(step) => self.handle_reply(now, &snapshot, &step, packet, &mut unsealed),
            };
            packet.action = outcome.unwrap_or_else(|reason| {
                self.stats.count_drop(reason);
                Action::Drop(reason)
            });
            stages.unsealed.push(unsealed);
        }
        seal(&self.snapshots, batch.packets_mut(), &stages.unsealed);
        for (unsealed, packet) in stages.unsealed.iter().zip(batch.packets()) {
            let Some(unsealed) = unsealed else { continue };
            self.copy_seal(unsealed.token, packet);
            if let Signer::Client(_, version, _) = unsealed.signer {
                if let (Some(index), Action::Send(_)) = (self.table.live(unsealed.token), packet.action) {
                    self.publish_answer(now, index);
                }
                // Answered: only now is the snapshot that holds the client's secret needed no more.
                self.snapshots.release(version);
            }
        }
        self.stages = stages;
        self.show_load();
    }

    fn look(&mut self, now: Time, snapshot: &RoutingSnapshot, packet: &Packet) -> Step {
        let found = match packet.path.socket {
            Socket::Service(service) => self.look_at_request(now, snapshot, service, packet),
            Socket::Upstream(port) => self.look_at_reply(snapshot, port, packet),
        };
        found.unwrap_or_else(Step::Drop)
    }

    /// Gives the stored copy of a packet the authenticators that it has got: all within its first 38 octets.
    fn copy_seal(&mut self, token: Token, packet: &Packet) {
        if let Some(request) = self.table.live(token).and_then(|index| self.table.at(index)) {
            self.store.overwrite_start(&request.bytes, packet.buf.bytes(), Seal::REACH);
        }
    }
}

fn verify(snapshots: &Snapshots, packets: &[Packet], steps: &mut [Step]) {
    let mut requests = ArrayVec::<RequestToVerify<'_>, BATCH>::new();
    let mut replies = ArrayVec::<ReplyToVerify<'_>, BATCH>::new();
    // Places of the requests and replies among the steps.
    let mut places = (ArrayVec::<usize, BATCH>::new(), ArrayVec::<usize, BATCH>::new());
    for (place, (step, packet)) in steps.iter().zip(packets).enumerate() {
        match step {
            Step::Request(step) => {
                let Some(client) = snapshots.current().client(step.client) else { continue };
                let (secret, policy) = (&client.secret, proof::policy(client));
                requests.push(RequestToVerify { buf: &packet.buf, layout: &step.layout, secret, policy });
                places.0.push(place);
            }
            Step::Reply(step) => {
                let Some(home) = snapshots.version(step.version).and_then(|it| it.home(step.home)) else { continue };
                replies.push(ReplyToVerify {
                    buf: &packet.buf,
                    layout: &step.layout,
                    request_authenticator: &step.authenticator,
                    secret: &home.secret,
                    require_message_authenticator: proof::requires(home),
                });
                places.1.push(place);
            }
            Step::Drop(_) | Step::Repeat(..) => {}
        }
    }
    let mut verdicts = (ArrayVec::<_, BATCH>::new(), ArrayVec::<_, BATCH>::new());
    verify_requests(&requests, |_, verdict| verdicts.0.push(verdict));
    verify_replies(&replies, |_, verdict| verdicts.1.push(verdict));
    drop((requests, replies));
    for (place, verdict) in places.0.into_iter().zip(verdicts.0) {
        if let (Some(Step::Request(step)), Some(packet)) = (steps.get_mut(place), packets.get(place))
            && let Some(client) = snapshots.current().client(step.client)
        {
            let (verdict, by_previous) = proof::by_either(client, &packet.buf, &step.layout, verdict);
            (step.verified, step.by_previous) = (Some(verdict), by_previous);
        }
    }
    for (place, verdict) in places.1.into_iter().zip(verdicts.1) {
        if let (Some(Step::Reply(step)), Some(packet)) = (steps.get_mut(place), packets.get(place))
            && let Some(home) = snapshots.version(step.version).and_then(|it| it.home(step.home))
        {
            let (verdict, by_previous) =
                proof::reply_by_either(home, &packet.buf, &step.layout, &step.authenticator, verdict);
            (step.verified, step.by_previous) = (Some(verdict), by_previous);
        }
    }
}

fn seal(snapshots: &Snapshots, packets: &mut [Packet], unsealed: &[Option<Unsealed>]) {
    let mut jobs = ArrayVec::<Job<'_>, BATCH>::new();
    for (unsealed, packet) in unsealed.iter().zip(packets) {
        let Some(Unsealed { seal, signer, .. }) = unsealed else { continue };
        let secret = match *signer {
            Signer::Home(id, version) => snapshots.version(version).and_then(|it| it.home(id)).map(|home| &home.secret),
            Signer::Client(id, version, by_previous) => {
                snapshots.version(version).and_then(|it| it.client(id)).map(|client| client.secret_of(by_previous))
            }
            Signer::Here(id, by_previous) => snapshots.current().client(id).map(|client| client.secret_of(by_previous)),
        };
        match secret {
            Some(secret) => jobs.push(Job { packet: packet.buf.bytes_mut(), secret, seal: *seal }),
            None => packet.action = Action::Drop(Reason::ReplyUnwanted),
        }
    }
    seal_all(&mut jobs);
}
