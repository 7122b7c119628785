//! Bringing a node up: gate, sockets, workers, in this order.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use sekisho_abi::{Service, ServiceKey, address_bytes};
use sekisho_engine::{Limiter, Settings, snapshot::RoutingSnapshot, sticky::Sticky};
use sekisho_kernel::{DropReader, GateError};
use sekisho_lns::Loads;
use sekisho_service::{CompileErrors, Compiled, IdBook};

use crate::{
    admin,
    backlog::Queues,
    clock::Clock,
    documents::Documents,
    drops,
    gate::Gate,
    hosted::{self, pool::Pool},
    journal::{self, JournalError},
    learned::Keeper,
    names::{self, Names},
    registry::{
        feed::{Feed, News},
        follow::Follower,
    },
    reload::{self, Current},
    running::{Routing, Running, Workers},
    vpdn::Vpdn,
    worker::{self, Ended, Handle, SERVICE_BUFFER},
};

/// Why a node does not come up; written for its operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The documents do not fit this host.
    #[error("{0}")]
    Host(#[from] CompileErrors),
    /// The gate.
    #[error("{0}")]
    Gate(#[from] GateError),
    /// A service or admin address.
    #[error("cannot listen on {address} ({use_}): {}", explain(.source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The key that names it.
        use_: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// The journal.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// A thread or an epoll instance.
    #[error("cannot start a worker: {0}")]
    Worker(#[source] io::Error),
}

/// A node that is up, and what the program still has to serve or wait for.
pub struct Started {
    /// The node.
    pub running: Arc<Running>,
    /// To be served by [`admin::server::serve`].
    pub admin: std::net::TcpListener,
    /// The ends of the workers.
    pub ended: Vec<Ended>,
    /// The end of the journal's writer, after theirs.
    pub journal_ended: thread::JoinHandle<()>,
    /// Where ports toward home servers are opened, for [`health::run`](crate::health::run).
    pub upstream: worker::Upstream,
    /// The workers' receive queues, for [`backlog::watch`](crate::backlog::watch).
    pub queues: Queues,
    /// What the workers drop, for [`drops::watch`].
    pub samples: mpsc::Receiver<drops::Sample>,
    /// What the gate drops, for the same.
    pub ring: Option<DropReader>,
}

/// One service: its socket's address, what it is for, and the device it is bound to.
struct Listening<'a> {
    address: SocketAddr,
    key: &'static str,
    service: Service,
    device: Option<&'a String>,
}

/// Brings up the node that the documents describe, with what was found of its servers' names, and with the registry that they came
/// from. Strangers are dropped before the first socket opens.
///
/// # Errors
///
/// [`StartError`]; nothing stays behind then.
pub fn start(documents: Documents, names: Names, registry: Option<(Feed, News)>) -> Result<Started, StartError> {
    let clock = Clock::start();
    let workers = documents.workers();
    let loads = Arc::new(Loads::new());
    let compiled = reload::compile(&documents, &names, None, (&IdBook::default(), &loads), workers)?;
    let Compiled { snapshot, book, unresolved } = compiled;
    names::tell(&unresolved, &[]);
    let keeper = Keeper::open(&documents.node.state);
    keeper.known().teach(&snapshot);
    let vpdn = Vpdn::open(&documents.node, loads, &snapshot, clock.now());
    let (hosted, accounts_keeper) = hosted::open(&documents.node, &snapshot, clock.now());
    let hosted = Arc::new(hosted);
    let snapshot = Arc::new(snapshot);
    let listening = listening(&documents, &snapshot);

    let addresses = listening.iter().map(|one| one.address).collect();
    let writer = journal::writer(&documents.node, &snapshot)?;
    let gate = Gate::open(&documents.node, addresses, &snapshot.gate)?;
    let sockets = bind(&listening, workers)?;
    let address = documents.node.admin;
    let admin =
        admin::server::bind(address).map_err(|source| StartError::Listen { address, use_: "admin.address", source })?;

    let ring = gate.drops();
    let upstream = worker::Upstream {
        ipv4: documents.node.upstream.ipv4.map(IpAddr::V4),
        ipv6: documents.node.upstream.ipv6.map(IpAddr::V6),
        gate: gate.ports(),
    };
    let marker: [u8; 8] = rand::random();
    let sticky = Arc::new(Sticky::new(rand::random()));
    let seed = rand::random();
    let limiter = Arc::new(Limiter::new(seed, documents.node.limits.max_sessions));
    limiter.set_gated(gate.judges(&snapshot.gate));
    let from = &documents.node.hosted;
    let pool = Pool::new(from.argon2_workers as usize, from.argon2_queue as usize);
    let queues = Queues::of(sockets.iter().flatten()).map_err(StartError::Worker)?;
    let (sampled, samples) = drops::queue();
    let services: Vec<Service> = listening.iter().map(|one| one.service).collect();
    let (mut handles, mut ended) = (Vec::with_capacity(workers), Vec::with_capacity(workers));
    for (index, sockets) in sockets.into_iter().enumerate() {
        let (services, limits) = (services.clone(), reload::limits(&documents));
        let settings = Settings {
            worker: index,
            services,
            limits,
            seed: rand::random(),
            sticky: Arc::clone(&sticky),
            limiter: Arc::clone(&limiter),
            sessions: Arc::clone(&vpdn.sessions),
            hosted: Arc::clone(&hosted),
            epoch: clock.epoch(),
            retransmits: gate.publisher(),
            marker,
        };
        let (snapshot, upstream) = (Arc::clone(&snapshot), upstream.clone());
        let sampler = drops::Sampler::new(sampled.clone(), seed);
        let (records, checks) = (writer.inlet(index), pool.entrance(index));
        let start = worker::Start { settings, snapshot, sockets, upstream, clock, sampler, records, checks };
        let (handle, end) = Handle::start(start).map_err(StartError::Worker)?;
        handles.push(handle);
        ended.push(end);
    }
    let journal = writer.stats();
    let journal_ended = writer.start(handles.clone())?;
    let checked = pool.stats();
    pool.start(&handles).map_err(StartError::Worker)?;
    let documents = Arc::new(documents);
    let current = Current { documents: Arc::clone(&documents), names, book };
    let workers = Workers { workers: handles, limiter, vpdn, hosted, accounts_keeper, pool: checked, journal };
    let (follower, news) = registry.map(|(feed, news)| (Arc::new(Follower::new(feed)), news)).unzip();
    let running =
        Running::new(clock, gate, workers, Routing { snapshot, unresolved }, current, (keeper, follower.clone()));
    if let (Some(follower), Some(news)) = (follower, news) {
        if let Some(standing) = &documents.standing {
            follower.note(standing.next, standing.unserved.clone());
        }
        running.take_accounts(&follower, news, &documents);
    }
    // The gate may be an earlier process's: what has gone from the documents since then is no longer registered.
    running.gate.retire(Instant::now());
    Ok(Started { running: Arc::new(running), admin, ended, journal_ended, upstream, queues, samples, ring })
}

fn listening<'a>(documents: &'a Documents, snapshot: &RoutingSnapshot) -> Vec<Listening<'a>> {
    let each = documents.node.listeners.iter().flat_map(|listener| {
        let dynauth = listener.dynauth.map(|port| ("dynauth", port));
        listener.ports.each().chain(dynauth).filter_map(|(key, port)| {
            let place = ServiceKey { address: address_bytes(listener.address), port: u32::from(port) };
            let service = *snapshot.gate.services.get(&place)?;
            let address = SocketAddr::new(listener.address, port);
            Some(Listening { address, key, service, device: listener.device.as_ref() })
        })
    });
    each.collect()
}

/// For each worker its sockets, in the order of `listening`; a group's bind order is the workers' order.
fn bind(listening: &[Listening<'_>], workers: usize) -> Result<Vec<Vec<UdpSocket>>, StartError> {
    let mut by_worker: Vec<Vec<UdpSocket>> = (0..workers).map(|_| Vec::with_capacity(listening.len())).collect();
    for one in listening {
        let options = sekisho_udp::Options {
            device: one.device.cloned(),
            receive_buffer: Some(SERVICE_BUFFER),
            send_buffer: Some(SERVICE_BUFFER),
            ..sekisho_udp::Options::default()
        };
        let group = sekisho_udp::bind_group(one.address, workers, &options).map_err(|source| {
            let use_ = match one.key {
                "auth" => "listener.auth",
                "accounting" => "listener.accounting",
                _ => "listener.dynauth",
            };
            StartError::Listen { address: one.address, use_, source }
        })?;
        for (sockets, socket) in by_worker.iter_mut().zip(group) {
            sockets.push(socket);
        }
    }
    Ok(by_worker)
}

fn explain(error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::AddrInUse => "another program has it; `ss -lunp` and `ss -ltnp` show which",
        io::ErrorKind::AddrNotAvailable => "it is no address of this host; `ip address` shows those it has",
        io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE, and a device CAP_NET_RAW",
        _ => return error.to_string(),
    };
    format!("{error}: {remedy}")
}
