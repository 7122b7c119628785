//! What is done when a time has come: failing over, giving up, releasing a held Reject.

use std::{sync::Arc, time::Duration};

use sekisho_wire::forward::redirect_request;

use crate::{
    engine::{Engine, Transmit},
    health::Health,
    pool,
    snapshot::{HomeServer, Pool, RealmService, RoutingSnapshot},
    table::{Origin, Request, State, Upstream},
    time::Time,
    timers::Timer,
    verdict::may_take,
};

/// How often servers' health is looked at.
const HEALTH_LOOK: Duration = Duration::from_millis(100);

impl Engine {
    /// The wheel says that this request's time has come.
    pub(crate) fn fire(&mut self, now: Time, index: u32) {
        match self.timer(index) {
            Some(Timer::ResponseWindow) => self.overdue(now, index),
            Some(Timer::NextPart) => self.next_part(now, index),
            Some(Timer::RejectDue) => self.release(now, index),
            Some(Timer::RecordOverdue) => self.record_overdue(now, index),
            Some(Timer::LookupOverdue) => self.lookup_overdue(now, index),
            Some(Timer::Forget) => self.remove(index),
            None => {}
        }
    }

    fn timer(&self, index: u32) -> Option<Timer> {
        Some(match self.table.at(index)?.state {
            State::InFlight(_) => Timer::ResponseWindow,
            State::FannedOut(_) => Timer::NextPart,
            State::Delayed => Timer::RejectDue,
            State::Recording => Timer::RecordOverdue,
            State::Looking(_) => Timer::LookupOverdue,
            State::Answered => Timer::Forget,
        })
    }

    fn release(&mut self, now: Time, index: u32) {
        let snapshot = Arc::clone(self.snapshots.current());
        self.delayed = self.delayed.saturating_sub(1);
        match self.table.at_mut(index) {
            Some(request) if snapshot.client(request.client).is_some() => request.state = State::Answered,
            // A reload has removed its client, who is a stranger now.
            _ => return self.remove(index),
        }
        self.remember(now, index);
        self.publish_answer(now, index);
        self.count_reply(&snapshot, index, now);
        if let Some(token) = self.table.token(index) {
            self.ready.push_back(Transmit::Reply(token));
        }
    }

    /// No answer within `response_window`, or none within the client's budget.
    fn overdue(&mut self, now: Time, index: u32) {
        let Some(request) = self.table.at(index) else { return };
        let State::InFlight(upstream) = request.state else { return };
        let (version, deadline, realm, origin) = (request.version, request.deadline, request.realm, request.origin);
        let Some(snapshot) = self.snapshots.version(version).map(Arc::clone) else { return self.remove(index) };
        self.report_unanswered(now, &snapshot, index, upstream);
        if now >= deadline && origin != Origin::Client {
            return self.give_up(now, index);
        }
        if now >= deadline {
            self.stats.expired.increment();
            if let Some(realm) = realm.and_then(|id| snapshot.realm(id)) {
                realm.stats.worker(self.settings.worker).expired.increment();
            }
            if !self.refuse_unanswered(now, &snapshot, index, upstream) {
                self.give_up(now, index);
            }
            return;
        }
        let home = snapshot.home(upstream.home);
        let held = upstream.held && home.is_some_and(|home| !matches!(home.health(), Health::Dead | Health::Down));
        // Even to a dead one, where nothing better is left: its answer is the first sign that it lives again.
        if held || !self.fail_over(now, &snapshot, index, upstream, Health::Dead) {
            // Nobody else, or nobody else that knows the conversation: the client's repetitions go on to the same server, until its
            // budget ends.
            self.timers.arm(index, deadline);
        }
    }

    /// Tells the control engine, once a server and request: unanswered for `response_window`, or for as long as a client waits
    /// that waits less than that. A server that got only the rest of that time is not blamed.
    fn report_unanswered(&mut self, now: Time, snapshot: &RoutingSnapshot, index: u32, upstream: Upstream) {
        let Some(home) = snapshot.home(upstream.home) else { return };
        let Some(request) = self.table.at(index) else { return };
        let all_of_the_budget = now >= request.deadline && upstream.first_sent == request.arrived;
        if upstream.overdue || !(all_of_the_budget || now >= upstream.first_sent + home.response_window) {
            return;
        }
        home.state.unanswered(upstream.first_sent);
        home.stats.worker(self.settings.worker).timeouts.increment();
        if let Some(State::InFlight(upstream)) = self.table.at_mut(index).map(|request| &mut request.state) {
            upstream.overdue = true;
        }
    }

    /// Sends a request to a server of its pool that has not had it and is in no worse state than `worst`; false where there is none.
    fn fail_over(&mut self, now: Time, snapshot: &RoutingSnapshot, index: u32, old: Upstream, worst: Health) -> bool {
        let Some(from) = snapshot.home(old.home) else { return false };
        let Some(request) = self.table.at(index) else { return false };
        let Some(pool) = self.pool_of(snapshot, request, from) else { return false };
        let (peer, deadline) = (request.key.peer, request.deadline);
        let choice = {
            let (identifiers, packet) = (&self.identifiers, self.store.bytes(&request.bytes));
            let asked = pool::Asked { packet, client: peer.ip(), held: None };
            pool::choose(snapshot, pool, from.kind, old.tried, &asked, |home, health| {
                health as u8 <= worst as u8 && may_take(identifiers, now, home, health)
            })
        };
        let Some(pool::Choice { home, bit, .. }) = choice else { return false };
        let Some(slot) = self.identifiers.of_mut(home.id).and_then(|ids| ids.take(now, index)) else {
            return false;
        };
        let authenticator = self.random.authenticator();
        let Engine { scratch, store, table, .. } = self;
        let Some(request) = table.at_mut(index) else { return false };
        let rewritten = scratch.load(store.bytes(&request.bytes)).is_ok()
            && redirect_request(scratch, &from.secret, &home.secret, slot.id, &authenticator).is_ok();
        if !rewritten {
            if let Some(identifiers) = self.identifiers.of_mut(home.id) {
                identifiers.answered(slot);
            }
            return false;
        }
        store.replace(&mut request.bytes, scratch.bytes());
        request.state = State::InFlight(Upstream {
            tried: old.tried | bit,
            rounds: old.rounds,
            ..Upstream::first(now, home, slot, bit)
        });
        self.rest_identifier(now, snapshot, old);
        self.stats.failed_over.increment();
        home.stats.worker(self.settings.worker).requests.increment();
        self.show_outstanding(snapshot, home);
        tracing::debug!(from = from.name, to = home.name, "failed over");
        if let Some(token) = self.table.token(index) {
            self.ready.push_back(Transmit::Upstream(token));
        }
        self.timers.arm(index, (now + home.response_window).min(deadline));
        self.supply(now, home);
        true
    }

    /// Looks ten times a second whether a server has been found dead, and then moves what waits for it, wherever a better one has not
    /// had it: most of that stayed for its conversation's sake, which nobody else could have continued.
    pub(crate) fn leave_the_dead(&mut self, now: Time) {
        if now < self.next_health_look || self.identifiers.outstanding() == 0 {
            return;
        }
        self.next_health_look = now + HEALTH_LOOK;
        let snapshot = Arc::clone(self.snapshots.current());
        if self.dead.len() < snapshot.homes.len() {
            self.dead.resize(snapshot.homes.len(), false);
        }
        for home in snapshot.homes.iter().flatten() {
            let is_dead = home.health() == Health::Dead;
            let was_dead = self.dead.get_mut(home.id.index()).map(|dead| std::mem::replace(dead, is_dead));
            if is_dead && was_dead == Some(false) {
                let waiting: Vec<u32> =
                    self.identifiers.of(home.id).map(|it| it.holders().collect()).unwrap_or_default();
                waiting.into_iter().for_each(|index| self.leave(now, index));
            }
        }
    }

    fn leave(&mut self, now: Time, index: u32) {
        let Some(request) = self.table.at(index) else { return };
        let State::InFlight(upstream) = request.state else { return };
        if let Some(snapshot) = self.snapshots.version(request.version).map(Arc::clone) {
            self.fail_over(now, &snapshot, index, upstream, Health::Zombie);
        }
    }

    /// The pool whose servers a request may go to.
    fn pool_of<'s>(&self, snapshot: &'s RoutingSnapshot, request: &Request, home: &HomeServer) -> Option<&'s Pool> {
        match request.origin {
            Origin::Copy => return None,
            Origin::Part(whole, place) => return snapshot.pool(self.pool_of_part(whole, place)?),
            Origin::Client => {}
        }
        match request.realm.and_then(|id| snapshot.realm(id)).and_then(|realm| realm.service) {
            Some(RealmService::Proxy(pool)) => snapshot.pool(pool),
            Some(RealmService::Group(_)) => None,
            None => {
                let has = |pool: &&Pool| pool.members(home.kind).any(|(_, member)| member.home == home.id);
                snapshot.pools.iter().find(has)
            }
        }
    }

    /// Ends a request without an answer: superseded, or out of time. Its identifier rests.
    pub(crate) fn give_up(&mut self, now: Time, index: u32) {
        let Some(request) = self.table.at(index) else { return };
        let (version, origin) = (request.version, request.origin);
        match request.state {
            State::InFlight(upstream) => {
                if let Some(snapshot) = self.snapshots.version(version).map(Arc::clone) {
                    self.rest_identifier(now, &snapshot, upstream);
                }
                self.snapshots.release(version);
                if let Origin::Part(whole, place) = origin {
                    self.part_lost(whole, place);
                }
            }
            State::FannedOut(parts) => {
                self.abandon_parts(now, parts);
                self.snapshots.release(version);
            }
            State::Delayed => self.delayed = self.delayed.saturating_sub(1),
            State::Recording => self.recording = self.recording.saturating_sub(1),
            State::Looking(_) => self.looked_up(version),
            State::Answered => {}
        }
        self.remove(index);
    }

    /// The identifier that a request had rests, since its server has not answered.
    pub(crate) fn rest_identifier(&mut self, now: Time, snapshot: &RoutingSnapshot, upstream: Upstream) {
        if let Some(identifiers) = self.identifiers.of_mut(upstream.home) {
            identifiers.gave_up(now, upstream.slot);
        }
        if let Some(home) = snapshot.home(upstream.home) {
            self.show_outstanding(snapshot, home);
        }
    }
}
