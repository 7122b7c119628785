//! A network in a test: one engine, one control engine, a clock that the test turns, and NASes and home servers that it plays.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use sekisho_abi::{
    Ingress, IngressKey, PortKind, Reason, Roles, Service, Source, SourceKey, address_bytes, gate::GateTable,
};
use sekisho_engine::{
    Control, Engine, Event, Limits, Probe, Settings, Time,
    health::HomeState,
    packet::{Action, Batch, Path, Socket, UpstreamPort},
    snapshot::*,
    stats::{HomeStats, PerWorker, WorkerStats},
    sticky::Sticky,
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
mod servers;
pub mod turns;

pub use servers::*;

pub const AUTH: u16 = 0;
pub const ACCT: u16 = 1;
pub const DYNAUTH: u16 = 2;
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

/// What a snapshot is made from.
#[derive(Clone)]
pub struct Plan {
    pub version: u64,
    pub clients: Vec<Option<(&'static str, u32, Vec<u8>)>>,
    pub auth: Vec<&'static str>,
    pub acct: Vec<&'static str>,
    pub kind: PoolKind,
    /// Tiers below the first, each with the servers (of `auth` and `acct`) that are in it.
    pub lower_tiers: Vec<(PoolKind, Vec<&'static str>)>,
    /// Servers' weights; 1 where nothing is said.
    pub weights: HashMap<&'static str, u32>,
    pub workers: usize,
    pub answer_within: Duration,
    pub reject_delay: Duration,
    /// The address of client 0 is another customer's client too, in another domain: that of the second client.
    pub overlapping: bool,
    /// Customer 0 has another contract, with servers for authentication only.
    pub auth_only: bool,
    pub max_outstanding: u32,
    pub response_timeouts: u32,
    pub status_check: Option<StatusCheck>,
    /// What the operator wants of a home server, by its address; up where nothing is said.
    pub services: HashMap<&'static str, HomeService>,
    /// Secrets that home servers had before.
    pub previous_home_secret: Option<Secret>,
    /// Changed by a reload, it gives all home servers other names, and so other numbers.
    pub names: u32,
    /// Names and addresses by number, never given again.
    pub book: Vec<(u32, &'static str)>,
    /// By number, as long as the process lives.
    pub home_stats: Vec<Arc<PerWorker<HomeStats>>>,
    pub states: HashMap<String, Arc<HomeState>>,
    /// The last word on every snapshot.
    pub shape: Shape,
}

impl Default for Plan {
    fn default() -> Plan {
        let secret = b"the secret of the NAS".to_vec();
        Plan {
            version: 1,
            clients: vec![Some((NAS, 0, secret.clone())), Some((NAS_B, 1, secret))],
            auth: vec![HOME_1, HOME_2],
            acct: vec![ACCT_1],
            kind: PoolKind::FailOver,
            lower_tiers: Vec::new(),
            weights: HashMap::new(),
            workers: 1,
            answer_within: Duration::from_secs(10),
            reject_delay: Duration::from_secs(1),
            overlapping: false,
            auth_only: false,
            max_outstanding: 65_536,
            response_timeouts: 1,
            status_check: None,
            services: HashMap::new(),
            previous_home_secret: None,
            names: 0,
            book: Vec::new(),
            home_stats: Vec::new(),
            states: HashMap::new(),
            shape: Arc::new(|_| {}),
        }
    }
}

impl Plan {
    /// The plan of most tests, but for what `shape` changes in its snapshots.
    pub fn shaped(shape: impl Fn(&mut RoutingSnapshot) + 'static) -> Plan {
        Plan { shape: Arc::new(shape), ..Plan::default() }
    }

    /// Changes snapshots further, from the next reload on.
    pub fn reshape(&mut self, shape: impl Fn(&mut RoutingSnapshot) + 'static) {
        let before = Arc::clone(&self.shape);
        self.shape = Plan::shaped(move |snapshot| {
            before(snapshot);
            shape(snapshot);
        })
        .shape;
    }

    /// A terminal as this plan has them.
    pub fn client(&self, number: u32, at: &str, customer: u32) -> Client {
        Client {
            id: ClientId(number),
            contract: format!("client-{number}"),
            role: ClientRole::Terminal,
            customer: CustomerId(customer),
            address: address(at).ip(),
            secret: nas_secret(),
            previous_secret: None,
            require_message_authenticator: Require::No,
            limit_proxy_state: true,
            reject_delay: self.reject_delay,
            answer_within: self.answer_within,
            when_unanswered: Verdict::Silence,
            nas: NasIdentity::default(),
            default_realm: None,
            bare_domain: false,
            outer_suffix: None,
            administrative: false,
            request_policies: Vec::new(),
            reply_policies: Vec::new(),
            state: Arc::default(),
        }
    }

    /// Customer 0 has `a.example` with a proxy; customer 1 has `b.example`, which nobody serves.
    pub fn compile(&mut self) -> Arc<RoutingSnapshot> {
        let mut gate = GateTable::default();
        let mut snapshot =
            RoutingSnapshot { version: self.version, country_code: "81".to_owned(), ..RoutingSnapshot::default() };
        gate.ingresses.insert(IngressKey::untagged(IFINDEX), Ingress { domain: 0, index: 0 });
        if self.overlapping {
            let key = SourceKey { domain: 1, address: address_bytes(address(NAS).ip()) };
            gate.ingresses.insert(IngressKey::untagged(ELSEWHERE), Ingress { domain: 1, index: 1 });
            gate.sources.insert(key, Source::unlimited(Roles::CLIENT, 1));
        }
        let mut register = |ip: IpAddr, roles: Roles, id: u32| {
            let key = SourceKey { domain: 0, address: address_bytes(ip) };
            let entry = gate.sources.entry(key).or_insert(Source::unlimited(roles, id));
            entry.roles = entry.roles.with(roles);
        };
        for (index, client) in self.clients.iter().enumerate() {
            snapshot.clients.push(client.as_ref().map(|(peer, customer, secret)| {
                register(address(peer).ip(), Roles::CLIENT, index as u32);
                Arc::new(Client { secret: Secret::new(secret).unwrap(), ..self.client(index as u32, peer, *customer) })
            }));
        }
        for (id, name) in ["a", "b"].into_iter().enumerate() {
            let realm = format!("{name}.example");
            snapshot.realms.push(Some(Arc::new(Realm {
                id: RealmId(id as u32),
                name: realm.clone(),
                customer: CustomerId(id as u32),
                service: (id == 0).then_some(RealmService::Proxy(PoolId(0))),
                stats: Arc::new(PerWorker::new(self.workers)),
            })));
            snapshot.customers.push(Some(Arc::new(Customer {
                id: CustomerId(id as u32),
                name: name.to_owned(),
                suffixes: Lookup::from([(realm.into_bytes().into(), RealmId(id as u32))]),
                prefixes: Lookup::new(),
                nt_domains: Lookup::new(),
                apns: Lookup::new(),
                patterns: Vec::new(),
                default_realm: None,
                nases: Lookup::new(),
                acct_pools: if id == 0 { vec![PoolId(0)] } else { Vec::new() },
                stats: Arc::new(PerWorker::new(self.workers)),
            })));
        }
        let homes =
            self.auth.iter().map(|at| (at, HomeKind::Auth)).chain(self.acct.iter().map(|at| (at, HomeKind::Acct)));
        let tier = |(seed, kind): (u64, PoolKind)| Tier { kind, seed, auth: Vec::new(), acct: Vec::new() };
        let kinds = std::iter::once(self.kind).chain(self.lower_tiers.iter().map(|(kind, _)| *kind));
        let mut tiers: Vec<Tier> = (1..).zip(kinds).map(tier).collect();
        for (index, (at, kind)) in homes.enumerate() {
            let known = self.book.iter().position(|known| *known == (self.names, *at));
            let number = known.unwrap_or_else(|| {
                self.book.push((self.names, *at));
                self.home_stats.push(Arc::new(PerWorker::new(self.workers)));
                self.book.len() - 1
            });
            let id = HomeId(number as u32);
            register(address(at).ip(), Roles::HOME_SERVER, Source::NO_ID);
            let weight = self.weights.get(at).copied().unwrap_or(1);
            let member = Member::new(id, &format!("home-{at}"), weight);
            let depth = self.lower_tiers.iter().position(|(_, servers)| servers.contains(at)).map_or(0, |it| it + 1);
            let tier = &mut tiers[depth];
            match kind {
                HomeKind::Auth => tier.auth.push(member),
                _ => tier.acct.push(member),
            }
            snapshot.home_by_address.insert(address(at), id);
            let state = self.states.entry((*at).to_owned()).or_default();
            let home = Some(Arc::new(HomeServer {
                id,
                name: format!("home-{at}"),
                customer: CustomerId(0),
                kind,
                address: address(at),
                secret: home_secret(index),
                previous_secret: self.previous_home_secret.clone(),
                require_message_authenticator: Require::No,
                response_window: Duration::from_secs(3),
                response_timeouts: self.response_timeouts,
                zombie_period: Duration::from_secs(20),
                revive_interval: Duration::from_secs(60),
                status_check: self.status_check,
                max_outstanding: self.max_outstanding,
                service: self.services.get(at).copied().unwrap_or(HomeService::Up),
                state: Arc::clone(state),
                stats: Arc::clone(&self.home_stats[number]),
            }));
            if snapshot.homes.len() <= number {
                snapshot.homes.resize(number + 1, None);
            }
            snapshot.homes[number] = home;
        }
        let pool = |contract: &str, tiers: Vec<Tier>| Pool {
            contract: contract.to_owned(),
            customer: CustomerId(0),
            tiers,
            copies: Vec::new(),
            strip: Strip::Nothing,
            when_down: Verdict::Silence,
            framed_networks: Vec::new(),
            auth_awaited: false,
            acct_awaited: false,
        };
        if self.auth_only {
            let only = Tier { kind: self.kind, seed: 1, auth: tiers[0].auth.clone(), acct: Vec::new() };
            snapshot.pools = vec![pool("proxy-a", tiers), pool("auth-only", vec![only])];
        } else {
            snapshot.pools = vec![pool("proxy-a", tiers)];
        }
        snapshot.gate = gate;
        (self.shape)(&mut snapshot);
        Arc::new(snapshot)
    }
}

/// A client of a snapshot that is not in use yet.
pub fn client(snapshot: &mut RoutingSnapshot, index: usize) -> &mut Client {
    Arc::get_mut(snapshot.clients[index].as_mut().unwrap()).unwrap()
}

/// A customer of a snapshot that is not in use yet.
pub fn customer(snapshot: &mut RoutingSnapshot, index: usize) -> &mut Customer {
    Arc::get_mut(snapshot.customers[index].as_mut().unwrap()).unwrap()
}

/// A home server of a snapshot that is not in use yet.
pub fn home(snapshot: &mut RoutingSnapshot, index: usize) -> &mut HomeServer {
    Arc::get_mut(snapshot.homes[index].as_mut().unwrap()).unwrap()
}

/// Gives a customer another realm, and a number for it.
pub fn realm(snapshot: &mut RoutingSnapshot, customer: u32, name: &str, service: Option<RealmService>) -> RealmId {
    let id = RealmId(snapshot.realms.len() as u32);
    let stats = Arc::new(PerWorker::new(1));
    let realm = Realm { id, name: name.to_owned(), customer: CustomerId(customer), service, stats };
    snapshot.realms.push(Some(Arc::new(realm)));
    id
}

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
        self.open_ports();
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

/// A PAP login with Message-Authenticator.
pub fn pap(id: u8, user: &str, authenticator: u8) -> Vec<u8> {
    RequestBuilder::new(Code::ACCESS_REQUEST, id, [authenticator; 16])
        .attribute(attr::USER_NAME, user)
        .user_password(b"opensesame", &nas_secret())
        .attribute(attr::NAS_IP_ADDRESS, [192, 0, 2, 10])
        .message_authenticator()
        .build(&nas_secret())
        .unwrap()
}

/// An accounting record of this Acct-Status-Type.
pub fn accounting(id: u8, user: &str, status: u32) -> Vec<u8> {
    let mut builder = RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes())
        .attribute(attr::ACCT_SESSION_ID, format!("session-{id}"));
    if !user.is_empty() {
        builder = builder.attribute(attr::USER_NAME, user);
    }
    builder.build(&nas_secret()).unwrap()
}

/// What the home server (`index` in the snapshot) makes of the request: verified as a server would.
pub fn verified_at_home(sent: &Sent, index: usize) -> Vec<(u8, Vec<u8>)> {
    let mut buf = Buf::new();
    buf.load(&sent.bytes).unwrap();
    let layout = scan(buf.bytes()).unwrap();
    let policy =
        RequestPolicy { require_message_authenticator: layout.code == Code::ACCESS_REQUEST, limit_proxy_state: true };
    verify_request(&buf, &layout, &home_secret(index), policy).unwrap();
    attributes(&sent.bytes).map(|attribute| (attribute.number, attribute.value.to_vec())).collect()
}

/// A home server's reply to a request of ours.
pub fn home_reply(sent: &Sent, index: usize, code: Code, attrs: &[(u8, &[u8])]) -> Vec<u8> {
    let mut buf = Buf::new();
    let authenticator = sent.bytes[4..20].try_into().unwrap();
    write_reply(&mut buf, code, sent.bytes[1], &authenticator, &home_secret(index), &sent.bytes, attrs).unwrap();
    buf.bytes().to_vec()
}

/// A home server's reply as `write` makes it, attribute after attribute, with a right Response Authenticator.
pub fn written_reply(
    sent: &Sent,
    secret: &str,
    code: Code,
    write: impl FnOnce(RequestBuilder) -> RequestBuilder,
) -> Vec<u8> {
    let authenticator = sent.bytes[4..20].try_into().unwrap();
    let key = Secret::new(secret).unwrap();
    let mut reply = write(RequestBuilder::new(code, sent.bytes[1], authenticator)).build(&key).unwrap();
    let digest = Md5::digest(&[&reply[..], secret.as_bytes()].concat());
    reply[4..20].copy_from_slice(&digest);
    reply
}

/// Verifies a reply as the NAS does, and gives its attributes.
pub fn verified_at_nas(reply: &Sent, request: &[u8]) -> Vec<(u8, Vec<u8>)> {
    verified_with(reply, request, &nas_secret())
}

/// The same for a NAS with this secret.
pub fn verified_with(reply: &Sent, request: &[u8], secret: &Secret) -> Vec<(u8, Vec<u8>)> {
    let mut buf = Buf::new();
    buf.load(&reply.bytes).unwrap();
    let layout = scan(buf.bytes()).unwrap();
    let authenticator = request[4..20].try_into().unwrap();
    verify_reply(&buf, &layout, &authenticator, secret, true).unwrap();
    assert_eq!(layout.id, request[1]);
    attributes(&reply.bytes).map(|attribute| (attribute.number, attribute.value.to_vec())).collect()
}

pub fn proxy_states(attrs: &[(u8, Vec<u8>)]) -> Vec<Vec<u8>> {
    attrs.iter().filter(|(number, _)| *number == attr::PROXY_STATE).map(|(_, value)| value.clone()).collect()
}
