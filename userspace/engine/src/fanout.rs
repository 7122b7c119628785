//! Accounting-On and -Off, which have no realm and concern every pool that a NAS accounts to (RFC 2607 §5.2).
//!
//! One that several pools have to hear of, the *whole*, becomes a part for each of them. Parts are ordinary upstream requests:
//! they have an identifier of their own, and fail over inside their pool. They leave one after another, [`PACE`] apart, so that
//! a NAS with hundreds of pools behind it sets off no burst. The client gets its one Accounting-Response when the last part has
//! been answered, since only then is the record kept everywhere (RFC 2866 §4.1); where a pool stays silent it gets nothing, and
//! what it repeats meanwhile goes again to those only that have not answered.

use std::{sync::Arc, time::Duration};

use sekisho_abi::Reason;
use sekisho_wire::{build::turn_into_reply, code::Code, forward::forward_request, verify::Verified};

use crate::{
    derived::Derived,
    engine::{Engine, Transmit},
    packet::{Action, Packet},
    pool,
    reasons::unwritable,
    recording::Claim,
    snapshot::{Customer, HomeKind, PoolId, RoutingSnapshot},
    store::Stored,
    table::{Origin, State, Token},
    time::Time,
    verdict::{Arrival, may_take},
};

/// From one part of a fan-out to the next.
pub const PACE: Duration = Duration::from_millis(20);

/// A fan-out, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FanOutId(u32);

/// Where the part for one pool stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not sent: its turn has not come, or no server could take it.
    Unsent,
    /// Under way.
    Sent(Token),
    /// Answered.
    Answered,
}

#[derive(Debug)]
struct Part {
    pool: PoolId,
    stage: Stage,
}

#[derive(Debug, Default)]
struct FanOut {
    /// The client's request, rewritten as if for a server that has the client's secret; `None` where this place is free.
    template: Option<Stored>,
    parts: Vec<Part>,
    /// Whose turn is next. Past the end: all have had theirs.
    next: usize,
    /// When the first had its turn.
    began: Time,
    /// When the client gets its answer.
    answer: Answer,
}

/// When the client gets its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Answer {
    /// When all parts have been answered.
    #[default]
    WithTheLast,
    /// When it is recorded here, which is a promise like a home server's: one of them that is silent must not keep an access network
    /// waiting, which is all customers'.
    WhenRecorded,
    /// It has it.
    Given,
}

/// Accounting-On and -Off under way to several pools.
#[derive(Debug, Default)]
pub struct FanOuts {
    places: Vec<FanOut>,
    free: Vec<u32>,
}

impl FanOuts {
    /// How many are under way.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Parts that have been sent and not answered.
    pub fn sent(&self) -> impl Iterator<Item = Token> {
        self.places.iter().flat_map(|fan_out| &fan_out.parts).filter_map(|part| match part.stage {
            Stage::Sent(token) => Some(token),
            Stage::Unsent | Stage::Answered => None,
        })
    }

    fn begin(&mut self, now: Time, template: Stored, pools: impl Iterator<Item = PoolId>, answer: Answer) -> FanOutId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(FanOut::default());
            self.places.len() as u32 - 1
        });
        if let Some(fan_out) = self.places.get_mut(index as usize) {
            fan_out.template = Some(template);
            fan_out.parts.extend(pools.map(|pool| Part { pool, stage: Stage::Unsent }));
            (fan_out.next, fan_out.began, fan_out.answer) = (0, now, answer);
        }
        FanOutId(index)
    }

    /// Ends one; what it had stored has to be given back.
    fn end(&mut self, id: FanOutId) -> Option<Stored> {
        let fan_out = self.places.get_mut(id.0 as usize)?;
        let template = fan_out.template.take()?;
        fan_out.parts.clear();
        self.free.push(id.0);
        Some(template)
    }

    fn of(&self, id: FanOutId) -> Option<&FanOut> {
        self.places.get(id.0 as usize)
    }

    fn set(&mut self, id: FanOutId, place: u16, stage: Stage) {
        let parts = self.places.get_mut(id.0 as usize).map(|fan_out| &mut fan_out.parts);
        if let Some(part) = parts.and_then(|parts| parts.get_mut(usize::from(place))) {
            part.stage = stage;
        }
    }

    /// The next part that has not been answered, whose turn this is.
    fn turn(&mut self, id: FanOutId) -> Option<(u16, Stage)> {
        let fan_out = self.places.get_mut(id.0 as usize)?;
        let skipped = fan_out.parts.iter().skip(fan_out.next).position(|part| part.stage != Stage::Answered);
        let Some(skipped) = skipped else {
            fan_out.next = fan_out.parts.len();
            return None;
        };
        let place = fan_out.next + skipped;
        fan_out.next = place + 1;
        Some((u16::try_from(place).ok()?, fan_out.parts.get(place)?.stage))
    }
}

impl FanOut {
    fn all_had_their_turn(&self) -> bool {
        self.next >= self.parts.len()
    }

    fn is_done(&self) -> bool {
        self.answer != Answer::WhenRecorded && self.parts.iter().all(|part| part.stage == Stage::Answered)
    }
}

/// The pools that an Accounting-On or -Off of this customer's clients goes to.
pub fn accounting_pools<'s>(
    snapshot: &'s RoutingSnapshot,
    customer: &'s Customer,
) -> impl Iterator<Item = PoolId> + use<'s> {
    customer.acct_pools.iter().copied().filter(|id| {
        let pool = snapshot.pool(*id).filter(|pool| pool.customer == customer.id);
        pool.is_some_and(|pool| pool.members(HomeKind::Acct).next().is_some())
    })
}

impl Engine {
    /// Begins a fan-out to these pools; with a claim it is recorded here as well, and answered then.
    pub(crate) fn fan_out(
        &mut self,
        arrival: &Arrival<'_>,
        pools: impl Iterator<Item = PoolId>,
        claim: Option<Claim>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let Arrival { now, client, .. } = *arrival;
        if !self.has_room_to_spare() {
            return Err(Reason::TableFull);
        }
        let (scratch, secret, marker) = (&mut self.scratch, arrival.secret(), &self.settings.marker);
        scratch.load(packet.buf.bytes()).map_err(|_| Reason::TooLong)?;
        forward_request(scratch, verified, secret, &client.secret, 0, &[0; 16], marker).map_err(unwritable)?;
        let kept = claim.map(|claim| self.keep(arrival, claim, verified, packet)).transpose()?;
        if let Err(error) = turn_into_reply(&mut packet.buf, verified, Code::ACCOUNTING_RESPONSE, secret, &[]) {
            kept.into_iter().for_each(|kept| self.store.give_back(kept.packet));
            return Err(unwritable(error));
        }
        let template = self.store.put(self.scratch.bytes());
        let answer = if kept.is_some() { Answer::WhenRecorded } else { Answer::WithTheLast };
        let id = self.fan_outs.begin(now, template, pools, answer);
        let realm = claim.and_then(|claim| claim.realm);
        let mut request = self.record(arrival, realm, State::FannedOut(id), packet.buf.bytes());
        if claim.is_some() {
            // The client does not wait for the parts, so they may take their time.
            request.deadline = request.deadline + PACE * self.fan_outs.of(id).map_or(0, |it| it.parts.len() as u32);
        }
        let index = self.table.insert(request);
        if let Some(kept) = kept {
            self.hand_out(index, arrival, kept);
        }
        self.snapshots.hold();
        self.stats.fanned_out.increment();
        self.stats.forwarded.increment();
        self.next_part(now, index);
        Ok(Action::Hold)
    }

    /// The next part has its turn; or the client's time is over.
    pub(crate) fn next_part(&mut self, now: Time, index: u32) {
        let Some(whole) = self.table.at(index) else { return };
        let State::FannedOut(id) = whole.state else { return };
        let (version, deadline) = (whole.version, whole.deadline);
        if now >= deadline {
            if self.is_answered(id) {
                self.stats.untold.increment();
                return self.end_answered(now, index);
            }
            self.stats.expired.increment();
            return self.give_up(now, index);
        }
        let Some(snapshot) = self.snapshots.version(version).map(Arc::clone) else { return };
        while let Some((place, stage)) = self.fan_outs.turn(id) {
            let sent = match stage {
                Stage::Sent(token) => self.repeat_part(now, &snapshot, token),
                Stage::Unsent | Stage::Answered => self.send_part(now, &snapshot, index, id, place),
            };
            // What cannot be sent takes no time from the others.
            if sent {
                break;
            }
        }
        let done = self.fan_outs.of(id).is_none_or(FanOut::all_had_their_turn);
        let due = if done { deadline } else { deadline.min(now + PACE) };
        self.timers.arm(index, due);
    }

    /// The client has repeated itself: parts that were not answered go out again.
    pub(crate) fn repeat_fan_out(&mut self, now: Time, index: u32, id: FanOutId) -> Result<Action, Reason> {
        let window = self.settings.limits.retransmit_window.as_nanos() as u64;
        let fan_out = self.fan_outs.places.get_mut(id.0 as usize).ok_or(Reason::Absorbed)?;
        if !fan_out.all_had_their_turn() || now.since(fan_out.began) < window {
            return Err(Reason::Absorbed);
        }
        (fan_out.next, fan_out.began) = (0, now);
        self.next_part(now, index);
        Ok(Action::Hold)
    }

    fn repeat_part(&mut self, now: Time, snapshot: &RoutingSnapshot, token: Token) -> bool {
        let index = self.table.live(token);
        let Some(request) = index.and_then(|index| self.table.at_mut(index)) else { return false };
        let State::InFlight(upstream) = &mut request.state else { return false };
        if now.since(upstream.last_sent) < self.settings.limits.retransmit_window.as_nanos() as u64 {
            return false;
        }
        upstream.last_sent = now;
        self.stats.retransmitted.increment();
        if let Some(home) = snapshot.home(upstream.home) {
            home.stats.worker(self.settings.worker).retransmitted.increment();
        }
        self.ready.push_back(Transmit::Upstream(token));
        true
    }

    fn send_part(&mut self, now: Time, snapshot: &RoutingSnapshot, index: u32, id: FanOutId, place: u16) -> bool {
        let Some(fan_out) = self.fan_outs.of(id) else { return false };
        let Some(pool) = fan_out.parts.get(usize::from(place)).and_then(|part| snapshot.pool(part.pool)) else {
            return false;
        };
        let (Some(whole), Some(token)) = (self.table.at(index), self.table.token(index)) else { return false };
        let (Some(client), Some(template)) = (snapshot.client(whole.client), &fan_out.template) else { return false };
        let (peer, deadline) = (whole.key.peer, whole.deadline);
        if !self.has_room_to_spare() {
            return false;
        }
        let choice = {
            let (identifiers, packet) = (&self.identifiers, self.store.bytes(template));
            let asked = pool::Asked { packet, client: peer.ip(), held: None };
            pool::choose(snapshot, pool, HomeKind::Acct, 0, &asked, |home, health| {
                may_take(identifiers, now, home, health)
            })
        };
        let Some(pool::Choice { home, bit, .. }) = choice else {
            for home in pool.members(HomeKind::Acct).filter_map(|(_, member)| snapshot.home(member.home)) {
                self.supply(now, home);
            }
            tracing::debug!(client = client.contract, contract = pool.contract, "no server of the pool can be asked");
            return false;
        };
        if self.scratch.load(self.store.bytes(template)).is_err() {
            return false;
        }
        let (origin, from) = (Origin::Part(token, place), &client.secret);
        let derived = Derived { snapshot, home, bit, from, origin, deadline };
        let Some(part) = self.derive(now, index, &derived) else { return false };
        self.fan_outs.set(id, place, Stage::Sent(part));
        if let Some(part) = self.table.live(part) {
            self.copy_out(now, snapshot, pool, part, &home.secret);
        }
        true
    }

    /// A part has been answered. The last one's answer is the whole's.
    pub(crate) fn part_answered(
        &mut self,
        now: Time,
        whole: Token,
        place: u16,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let index = self.table.live(whole).ok_or(Reason::ReplyUnwanted)?;
        let request = self.table.at_mut(index).ok_or(Reason::ReplyUnwanted)?;
        let State::FannedOut(id) = request.state else { return Err(Reason::ReplyUnwanted) };
        self.fan_outs.set(id, place, Stage::Answered);
        if !self.fan_outs.of(id).is_none_or(FanOut::is_done) {
            return Ok(Action::Hold);
        }
        let snapshot = Arc::clone(self.snapshots.current());
        if snapshot.client(request.client).is_none() {
            // A reload has removed the client, who is a stranger now.
            self.give_up(now, index);
            return Err(Reason::ReplyUnwanted);
        }
        if self.is_answered(id) {
            self.end_answered(now, index);
            return Ok(Action::Hold);
        }
        let request = self.table.at_mut(index).ok_or(Reason::ReplyUnwanted)?;
        packet.buf.load(self.store.bytes(&request.bytes)).map_err(|_| Reason::TooLong)?;
        (request.state, request.batch) = (State::Answered, self.batches);
        let (path, version) = (request.key.path(), request.version);
        self.end_fan_out(id);
        self.snapshots.release(version);
        self.remember(now, index);
        self.count_reply(&snapshot, index, now);
        Ok(Action::Send(path))
    }

    /// It is recorded here, and the client gets its answer, whoever of the pools has given one.
    pub(crate) fn fan_out_recorded(&mut self, now: Time, index: u32, id: FanOutId) {
        if let Some(fan_out) = self.fan_outs.places.get_mut(id.0 as usize) {
            fan_out.answer = Answer::Given;
        }
        if self.fan_outs.of(id).is_none_or(FanOut::is_done) {
            self.end_answered(now, index);
        }
    }

    /// Whether the client of a fan-out has its answer already.
    pub(crate) fn is_answered(&self, id: FanOutId) -> bool {
        self.fan_outs.of(id).is_some_and(|fan_out| fan_out.answer == Answer::Given)
    }

    /// The parts have ended, or nobody waits for them any more; the client has its answer.
    fn end_answered(&mut self, now: Time, index: u32) {
        let Some(request) = self.table.at_mut(index) else { return };
        let State::FannedOut(id) = request.state else { return };
        let version = request.version;
        request.state = State::Answered;
        self.abandon_parts(now, id);
        self.snapshots.release(version);
        self.remember(now, index);
    }

    /// A part has ended without an answer; it may be sent anew.
    pub(crate) fn part_lost(&mut self, whole: Token, place: u16) {
        let whole = self.table.live(whole).and_then(|index| self.table.at(index));
        if let Some(State::FannedOut(id)) = whole.map(|whole| &whole.state) {
            self.fan_outs.set(*id, place, Stage::Unsent);
        }
    }

    /// The client waits no more: nor do the parts.
    pub(crate) fn abandon_parts(&mut self, now: Time, id: FanOutId) {
        let count = self.fan_outs.of(id).map_or(0, |fan_out| fan_out.parts.len());
        for place in 0..count {
            let part = self.fan_outs.of(id).and_then(|fan_out| fan_out.parts.get(place));
            if let Some(Part { stage: Stage::Sent(token), .. }) = part
                && let Some(index) = self.table.live(*token)
            {
                self.give_up(now, index);
            }
        }
        self.end_fan_out(id);
    }

    /// The pool that a part is for.
    pub(crate) fn pool_of_part(&self, whole: Token, place: u16) -> Option<PoolId> {
        let State::FannedOut(id) = self.table.at(self.table.live(whole)?)?.state else { return None };
        Some(self.fan_outs.of(id)?.parts.get(usize::from(place))?.pool)
    }

    fn end_fan_out(&mut self, id: FanOutId) {
        if let Some(template) = self.fan_outs.end(id) {
            self.store.give_back(template);
        }
    }
}
