//! One worker's engine: its state, and what its shell calls.

use std::{collections::VecDeque, sync::Arc};

use sekisho_wire::buf::Buf;

use crate::{
    fanout::FanOuts,
    hosted::Lookup,
    identifiers::AllIdentifiers,
    packet::{Action, Batch, Path, Socket, UpstreamPort},
    ports::Ports,
    random::{HashKeys, Random},
    recording::Unrecorded,
    settings::{Limits, Settings},
    shedding::Load,
    snapshot::{GroupId, HomeServer, RoutingSnapshot},
    snapshots::Snapshots,
    stages::Stages,
    stats::WorkerStats,
    store::Store,
    table::{FlowKey, Origin, State, Table, Token, Upstream},
    time::Time,
    timers::Timers,
};

/// What the shell has to do for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Open this port toward home servers, then call [`Engine::port_opened`] or [`Engine::port_failed`].
    OpenPort(UpstreamPort),
    /// Close this port: nobody answers to it any more. Its number may come again, in an [`Event::OpenPort`] that follows, and then
    /// stands for another socket.
    ClosePort(UpstreamPort),
}

/// A packet of the engine's own making, waiting for [`Engine::poll_transmit`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Transmit {
    /// An upstream copy to another home server.
    Upstream(Token),
    /// A Reject that was held back.
    Reply(Token),
}

/// The proxy as a state machine: one worker's requests, from arrival to the end of the duplicate window.
#[derive(Debug)]
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) stats: Arc<WorkerStats>,
    pub(crate) snapshots: Snapshots,
    pub(crate) table: Table,
    pub(crate) timers: Timers,
    pub(crate) store: Store,
    pub(crate) identifiers: AllIdentifiers,
    pub(crate) ports: Ports,
    pub(crate) random: Random,
    pub(crate) keys: HashKeys,
    pub(crate) draining: bool,
    pub(crate) delayed: u32,
    pub(crate) fan_outs: FanOuts,
    /// Requests of our own making in flight.
    pub(crate) derived: u32,
    /// Requests that wait to be recorded.
    pub(crate) recording: u32,
    /// Records that nobody has said anything of yet, also those whose request has ended meanwhile.
    pub(crate) handed_out: u32,
    /// Records that wait to be handed out.
    pub(crate) unrecorded: VecDeque<Unrecorded>,
    /// Requests whose hosted account's password is being checked elsewhere.
    pub(crate) looking: u32,
    /// Passwords that nobody has said anything of yet, also those whose request has ended meanwhile: whose contract's
    /// they are, and the hash that was asked of.
    pub(crate) looked_for: Vec<(Token, GroupId, Arc<str>)>,
    /// Passwords that wait to be handed out.
    pub(crate) lookups: VecDeque<Lookup>,
    /// When expired sessions of hosted accounts are looked for next.
    pub(crate) next_sweep: Time,
    /// Requests with a [`crate::edits::WholeName`].
    pub(crate) whole_names: u32,
    pub(crate) ready: VecDeque<Transmit>,
    pub(crate) scratch: Buf,
    pub(crate) stages: Stages,
    /// Servers that were dead when they were last looked at, by [`crate::snapshot::HomeId`].
    pub(crate) dead: Vec<bool>,
    pub(crate) next_health_look: Time,
    /// Counts batches, from 1.
    pub(crate) batches: u64,
}

impl Engine {
    /// A worker without requests. Ask for events at once: it wants its first ports.
    pub fn new(settings: Settings, snapshot: Arc<RoutingSnapshot>, stats: Arc<WorkerStats>) -> Engine {
        let mut random = Random::new(settings.seed);
        let mut engine = Engine {
            table: Table::new(random.hash_keys()),
            keys: random.hash_keys(),
            timers: Timers::new(Time(0)),
            store: Store::default(),
            identifiers: AllIdentifiers::default(),
            ports: Ports::new(settings.limits.max_ports),
            random,
            draining: false,
            delayed: 0,
            fan_outs: FanOuts::default(),
            derived: 0,
            recording: 0,
            handed_out: 0,
            unrecorded: VecDeque::new(),
            looking: 0,
            looked_for: Vec::new(),
            lookups: VecDeque::new(),
            next_sweep: Time(0),
            whole_names: 0,
            ready: VecDeque::new(),
            scratch: Buf::new(),
            stages: Stages::default(),
            dead: Vec::new(),
            next_health_look: Time(0),
            batches: 0,
            snapshots: Snapshots::new(snapshot),
            settings,
            stats,
        };
        engine.prepare_homes();
        engine
    }

    /// Puts another snapshot in force. Requests in flight end under the one that routed them.
    pub fn set_snapshot(&mut self, snapshot: Arc<RoutingSnapshot>) {
        self.snapshots.swap(snapshot);
        self.prepare_homes();
    }

    /// Changes bounds and windows, for requests from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.settings.limits = limits;
        self.ports.set_limit(limits.max_ports);
    }

    /// While it drains, a worker does not answer Status-Server, so that its clients turn to another node (RFC 5997 §4.2); all
    /// else is served as ever.
    pub fn set_draining(&mut self, draining: bool) {
        self.draining = draining;
    }

    /// Clients' requests in flight or held back: zero when the worker may stop without losing one.
    pub fn in_flight(&self) -> usize {
        self.table.len() - self.timers.remembered() - self.derived as usize
    }

    /// How full the table is of clients' requests in flight: a share of [`Limits::max_requests`].
    pub fn load(&self) -> Load {
        Load::of(self.in_flight() as u64, u64::from(self.settings.limits.max_requests))
    }

    /// Whether the books agree: every request has one stored copy, every fan-out one more, and every record that waits to be handed
    /// out; where a home server got only a part of a name, one more is of the name; every one in flight has one identifier and holds one snapshot, and every fan-out holds one, and every one whose password is being checked; those held back and those remembered are in their lists;
    /// the parts of a fan-out are in the table. Never false; for tests, after whatever they did.
    pub fn is_consistent(&self) -> bool {
        let (outstanding, fan_outs) = (self.identifiers.outstanding(), self.fan_outs.len());
        let waiting = self.in_flight() + self.derived as usize;
        let more = fan_outs + self.whole_names as usize + self.unrecorded.len();
        self.store.held() == self.table.len() + more
            && self.snapshots.in_flight() == outstanding + fan_outs + self.looking as usize
            && waiting == outstanding + fan_outs + (self.delayed + self.recording + self.looking) as usize
            && self.timers.armed() == waiting
            && self.fan_outs.sent().all(|part| self.table.live(part).is_some())
    }

    /// Does what is due: fails over, gives up, releases Rejects, forgets answers, retires ports. [`Engine::poll_transmit`] and
    /// [`Engine::poll_event`] afterwards.
    pub fn handle_timeout(&mut self, now: Time) {
        self.timers.advance(now);
        while let Some(index) = self.timers.due(now) {
            self.fire(now, index);
        }
        while let Some(index) = self.timers.forgotten(now) {
            self.remove(index);
        }
        self.leave_the_dead(now);
        self.sweep_hosted(now);
        self.look_after_ports(now);
        self.show_load();
    }

    /// When to call [`Engine::handle_timeout`], at the latest.
    pub fn poll_timeout(&self) -> Option<Time> {
        let has_sessions = self.settings.hosted.sessions.counts().records > 0;
        let sweep = has_sessions.then_some(self.next_sweep);
        [self.timers.next(), self.ports.next_look(), sweep].into_iter().flatten().min()
    }

    /// Adds packets of the engine's own making to the batch, as many as fit, and says how many.
    pub fn poll_transmit(&mut self, batch: &mut Batch) -> usize {
        let mut added = 0;
        while let Some(packet) = batch.free_mut().first_mut() {
            let Some(transmit) = self.ready.pop_front() else { break };
            let (Transmit::Upstream(token) | Transmit::Reply(token)) = transmit;
            let Some(request) = self.table.live(token).and_then(|index| self.table.at(index)) else { continue };
            let path = match (transmit, &request.state) {
                (Transmit::Upstream(_), State::InFlight(upstream)) => upstream.path(),
                (Transmit::Reply(_), State::Answered | State::FannedOut(_)) => request.key.path(),
                _ => continue,
            };
            if packet.buf.load(self.store.bytes(&request.bytes)).is_ok() {
                (packet.path, packet.action) = (path, Action::Send(path));
                batch.grow(1);
                added += 1;
            }
        }
        added
    }

    /// What the shell has to do next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.ports.poll_event()
    }

    pub(crate) fn show_load(&self) {
        self.stats.in_flight.set(self.in_flight() as u64);
        self.stats.remembered.set(self.timers.remembered() as u64);
        self.stats.looked_for.set(self.looked_for.len() as u64);
    }

    /// How many requests wait for a server that has just got or lost one, by the snapshot that routed it; and by the one in force,
    /// where a reload has given that server another name.
    pub(crate) fn show_outstanding(&self, routed: &RoutingSnapshot, home: &HomeServer) {
        let Some(identifiers) = self.identifiers.of(home.id) else { return };
        let outstanding = u64::from(identifiers.outstanding());
        home.stats.worker(self.settings.worker).outstanding.set(outstanding);
        let current = self.snapshots.current();
        if routed.version != current.version
            && let Some(home) = current.home_by_address.get(&home.address).and_then(|id| current.home(*id))
        {
            home.stats.worker(self.settings.worker).outstanding.set(outstanding);
        }
    }

    /// Takes a request out of the table, with all that belongs to it.
    pub(crate) fn remove(&mut self, index: u32) {
        self.timers.cancel(index);
        if let Some(request) = self.table.remove(index) {
            if request.origin != Origin::Client {
                self.derived = self.derived.saturating_sub(1);
            }
            self.store.give_back(request.bytes);
            if let (Some(ticket), Some(retransmits)) = (request.published, &self.settings.retransmits) {
                retransmits.withdraw(ticket);
            }
            if let Some(whole) = request.whole_name {
                self.whole_names = self.whole_names.saturating_sub(1);
                self.store.give_back(whole.name);
            }
        }
    }
}

impl Upstream {
    /// The way to the home server.
    pub(crate) fn path(&self) -> Path {
        let port = UpstreamPort { v6: self.address.is_ipv6(), index: self.slot.port };
        Path { socket: Socket::Upstream(port), peer: self.address, ifindex: 0 }
    }
}

impl FlowKey {
    /// The way back to the client: from the socket that the request came to (RFC 2865 §3).
    pub(crate) fn path(&self) -> Path {
        Path { socket: Socket::Service(self.service), peer: self.peer, ifindex: 0 }
    }
}
