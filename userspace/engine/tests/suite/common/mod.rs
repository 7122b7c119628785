//! A network in a test: one engine, one control engine, a clock that the test turns, and NASes and home servers that it plays.

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use sekisho_abi::{
    BucketParams, Identity, Ingress, IngressKey, Limits as Rates, PortKind, Prefix, Reason, Roles, Service, Source,
    SourceKey, address_bytes, gate::GateTable,
};
use sekisho_engine::{
    Control, Engine, Event, Limiter, Limits, Probe, Settings, Time,
    health::HomeState,
    packet::{Action, Batch, Path, Socket, UpstreamPort},
    retransmits::Retransmits,
    snapshot::*,
    stats::{HomeStats, PerWorker, WorkerStats},
    sticky::Sticky,
};
use sekisho_lns::{
    Loads,
    sessions::{Sessions, Settings as SessionSettings},
};
use sekisho_wire::{
    attr,
    attribute::attributes,
    buf::Buf,
    build::{RequestBuilder, write_reply},
    code::Code,
    md5::Md5,
    scan::scan,
    secret::Secret,
    verify::{RequestPolicy, verify_reply, verify_request},
};

pub mod dynauth;
pub mod hosted;
mod kernel;
mod packets;
mod plan;
mod servers;
pub mod turns;
pub mod vpdn;

pub use kernel::*;
pub use packets::*;
pub use plan::*;

pub use servers::*;

pub const AUTH: u16 = 0;
pub const ACCT: u16 = 1;
pub const DYNAUTH: u16 = 2;
/// Unix time at the beginning of a world's.
pub const EPOCH: u64 = 1_800_000_000;
pub const IFINDEX: u32 = 7;
/// An interface with a domain of its own.
pub const ELSEWHERE: u32 = 8;
pub const NAS: &str = "192.0.2.10:40000";
pub const NAS_B: &str = "192.0.2.20:40000";
pub const HOME_1: &str = "198.51.100.1:1812";
pub const HOME_2: &str = "198.51.100.2:1812";
pub const ACCT_1: &str = "198.51.100.1:1813";

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn nas_secret() -> Secret {
    Secret::new("the secret of the NAS").unwrap()
}

pub fn home_secret(index: usize) -> Secret {
    Secret::new(format!("the secret of home {index}")).unwrap()
}

/// Changes a snapshot before it is taken into use.
pub type Shape = Arc<dyn Fn(&mut RoutingSnapshot)>;

/// A packet that left the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub path: Path,
    pub bytes: Vec<u8>,
}

impl Sent {
    pub fn upstream_port(&self) -> UpstreamPort {
        match self.path.socket {
            Socket::Upstream(port) => port,
            Socket::Service(_) => panic!("sent to a client: {self:?}"),
        }
    }

    pub fn to_client(&self) -> bool {
        matches!(self.path.socket, Socket::Service(_))
    }
}

pub struct World {
    pub plan: Plan,
    pub snapshot: Arc<RoutingSnapshot>,
    pub settings: Settings,
    pub engine: Engine,
    pub control: Control,
    /// Probes that the control engine has sent.
    pub probes: Vec<(Time, Probe)>,
    pub stats: Arc<WorkerStats>,
    pub now: Time,
    pub batch: Batch,
    /// Ports toward home servers that are open.
    pub ports: BTreeSet<UpstreamPort>,
    /// The operating system refuses to open ports.
    pub no_ports: bool,
    /// By which interface packets come in.
    pub ifindex: u32,
}

impl World {
    pub fn new() -> World {
        World::with(Plan::default(), Limits::default())
    }

    pub fn with(plan: Plan, limits: Limits) -> World {
        let mut world = World::without_ports(plan, limits);
        world.open_ports();
        world
    }

    /// A world whose engine has asked for ports and got none yet.
    pub fn without_ports(mut plan: Plan, limits: Limits) -> World {
        let snapshot = plan.compile();
        let stats = Arc::new(WorkerStats::default());
        let settings = Settings {
            worker: 0,
            services: [PortKind::Auth, PortKind::Acct, PortKind::DynAuth].map(|kind| Service::new(kind, 0)).to_vec(),
            limits,
            seed: [5; 32],
            sticky: Arc::new(Sticky::new([7; 32])),
            limiter: Arc::new(Limiter::new([8, 9], 65_536)),
            sessions: Arc::new(Sessions::new(SessionSettings::default(), [4; 16], Arc::clone(&plan.loads))),
            hosted: Arc::new(hosted::no_accounts(Default::default())),
            epoch: EPOCH,
            retransmits: plan.kernel.clone().map(|kernel| kernel as Arc<dyn Retransmits>),
            marker: *b"this one",
        };
        let engine = Engine::new(settings.clone(), Arc::clone(&snapshot), Arc::clone(&stats));
        let control = Control::new(Arc::clone(&snapshot), [6; 32]);
        let now = Time::from_millis(1_000);
        let batch = Batch::default();
        World {
            plan,
            snapshot,
            settings,
            engine,
            control,
            probes: Vec::new(),
            stats,
            now,
            batch,
            ports: BTreeSet::new(),
            no_ports: false,
            ifindex: IFINDEX,
        }
    }

    /// Another worker of the same node, with the same home servers.
    pub fn beside(&self, worker: usize) -> World {
        let stats = Arc::new(WorkerStats::default());
        let settings = Settings { worker, seed: [worker as u8; 32], ..self.settings.clone() };
        let engine = Engine::new(settings.clone(), Arc::clone(&self.snapshot), Arc::clone(&stats));
        let mut world = World {
            plan: self.plan.clone(),
            snapshot: Arc::clone(&self.snapshot),
            settings,
            engine,
            control: Control::new(Arc::clone(&self.snapshot), [6; 32]),
            probes: Vec::new(),
            stats,
            now: self.now,
            batch: Batch::default(),
            ports: BTreeSet::new(),
            no_ports: false,
            ifindex: self.ifindex,
        };
        world.open_ports();
        world
    }

    pub fn reload(&mut self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan);
        self.plan.version += 1;
        self.snapshot = self.plan.compile();
        self.engine.set_snapshot(Arc::clone(&self.snapshot));
        self.control.set_snapshot(Arc::clone(&self.snapshot));
        if let Some(kernel) = &self.plan.kernel {
            kernel.forget();
        }
        self.open_ports();
    }

    /// Tells the kernel, if there is one, what time it is.
    fn tick(&self) {
        if let Some(kernel) = &self.plan.kernel {
            kernel.set_now(self.now);
        }
    }

    pub fn open_ports(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::OpenPort(port) if self.no_ports => self.engine.port_failed(self.now, port),
                Event::OpenPort(port) => {
                    assert!(self.ports.insert(port), "{port:?} is open already");
                    self.engine.port_opened(port);
                }
                Event::ClosePort(port) => assert!(self.ports.remove(&port), "{port:?} is not open"),
            }
        }
    }

    /// One packet in; what comes of it.
    pub fn receive(&mut self, socket: Socket, peer: SocketAddr, bytes: &[u8]) -> (Action, Option<Sent>) {
        let mut all = self.receive_all(&[(socket, peer, bytes.to_vec())]);
        all.remove(0)
    }

    /// Packets in, in batches; what comes of each.
    pub fn receive_all(&mut self, packets: &[(Socket, SocketAddr, Vec<u8>)]) -> Vec<(Action, Option<Sent>)> {
        self.tick();
        let mut out = Vec::new();
        for chunk in packets.chunks(sekisho_engine::packet::BATCH) {
            self.batch.clear();
            for (packet, (socket, peer, bytes)) in self.batch.free_mut().iter_mut().zip(chunk) {
                packet.buf.receive_space()[..bytes.len()].copy_from_slice(bytes);
                packet.buf.set_received(bytes.len());
                packet.path = Path { socket: *socket, peer: *peer, ifindex: self.ifindex };
            }
            self.batch.grow(chunk.len());
            self.engine.handle_batch(self.now, &mut self.batch);
            assert!(self.engine.is_consistent());
            out.extend(self.batch.packets().iter().map(|packet| {
                let sent = match packet.action {
                    Action::Send(path) if !self.has(path.socket) => panic!("sent by a closed port: {path:?}"),
                    Action::Send(path) => Some(Sent { path, bytes: packet.buf.bytes().to_vec() }),
                    _ => None,
                };
                (packet.action, sent)
            }));
            self.open_ports();
        }
        out
    }

    /// Puts packets into the batch, for a test that handles it itself.
    #[allow(dead_code, reason = "for the benches and the test of allocations, which are programs of their own")]
    pub fn fill<'a>(&mut self, packets: impl Iterator<Item = (Path, &'a [u8])>) {
        self.batch.clear();
        for (path, bytes) in packets {
            let packet = &mut self.batch.free_mut()[0];
            packet.buf.receive_space()[..bytes.len()].copy_from_slice(bytes);
            packet.buf.set_received(bytes.len());
            packet.path = Path { ifindex: IFINDEX, ..path };
            self.batch.grow(1);
        }
    }

    /// From the NAS to the authentication socket.
    pub fn ask(&mut self, request: &[u8]) -> Option<Sent> {
        self.receive(Socket::Service(AUTH), address(NAS), request).1
    }

    pub fn ask_acct(&mut self, request: &[u8]) -> Option<Sent> {
        self.receive(Socket::Service(ACCT), address(NAS), request).1
    }

    /// The home server that got `sent` answers with these bytes.
    pub fn answer(&mut self, sent: &Sent, reply: &[u8]) -> (Action, Option<Sent>) {
        self.receive(sent.path.socket, sent.path.peer, reply)
    }

    /// Time passes, in steps of 10 ms; what the engine sends meanwhile, with the time.
    pub fn pass(&mut self, duration: Duration) -> Vec<(Time, Sent)> {
        let end = self.now + duration;
        let mut out = Vec::new();
        while self.now < end {
            self.now = (self.now + Duration::from_millis(10)).min(end);
            self.tick();
            self.engine.handle_timeout(self.now);
            assert!(self.engine.is_consistent());
            if self.control.poll_timeout().is_some_and(|at| at <= self.now) {
                self.control.handle_timeout(self.now);
                let probes = std::iter::from_fn(|| self.control.poll_transmit());
                self.probes.extend(probes.map(|probe| (self.now, probe)));
            }
            loop {
                self.batch.clear();
                if self.engine.poll_transmit(&mut self.batch) == 0 {
                    break;
                }
                for packet in self.batch.packets() {
                    let Action::Send(path) = packet.action else { panic!("not to be sent") };
                    assert!(self.has(path.socket), "sent by a closed port: {path:?}");
                    out.push((self.now, Sent { path, bytes: packet.buf.bytes().to_vec() }));
                }
            }
            self.open_ports();
        }
        out
    }

    fn has(&self, socket: Socket) -> bool {
        match socket {
            Socket::Upstream(port) => self.ports.contains(&port),
            Socket::Service(_) => true,
        }
    }

    pub fn dropped(&self, reason: Reason) -> u64 {
        self.stats.dropped[reason as usize].read()
    }
}
