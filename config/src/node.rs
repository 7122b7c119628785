//! This node, as checked: `sekisho.toml`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use zeroize::Zeroizing;

use crate::{
    access::AccessNetwork,
    dictionary::Dictionary,
    rates::Rates,
    registry::{CustomersFrom, Hosted},
};

/// One node of sekisho.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name, as logs and metrics show it.
    pub name: String,
    /// Where customers' documents come from.
    pub customers: CustomersFrom,
    /// The directory below which `secret_file` may point.
    pub secrets: Option<PathBuf>,
    /// The directory that holds what has been learned while running, over restarts.
    pub state: PathBuf,
    /// Attributes by name: those that are built in, and the operator's.
    pub dictionary: Arc<Dictionary>,
    /// The country code, in digits, that national numbers are compared with.
    pub country_code: String,
    /// How many workers; `None` for one for each core.
    pub workers: Option<NonZeroUsize>,
    /// What is logged.
    pub log: LogLevel,
    /// At least one; names are unique, and no way in belongs to two.
    pub domains: Vec<Domain>,
    /// Where requests are taken: at least one, at most [`MAX_LISTENERS`].
    pub listeners: Vec<Listener>,
    /// Our side toward home servers.
    pub upstream: Upstream,
    /// The gate in the kernel.
    pub xdp: Xdp,
    /// Bounds of what is kept.
    pub limits: Limits,
    /// Accounting records on disk.
    pub journal: Journal,
    /// Sessions of `vpdn` contracts.
    pub sessions: Sessions,
    /// Our side toward LNSs.
    pub l2tp: L2tp,
    /// The operator's access networks: of this document and, with a registry, of the operator's document there.
    pub access_networks: Vec<AccessNetwork>,
    /// Where the admin API and the metrics are served (HTTP).
    pub admin: SocketAddr,
    /// Accounts that `sekisho probe` knows the password of.
    pub probes: Vec<Probe>,
    /// How hosted accounts are answered for.
    pub hosted: Hosted,
}

/// The most ingresses that a node can have: a source's ways in are the bits of one word in the kernel.
pub const MAX_INGRESSES: usize = 64;
/// The most listeners that a node can have, for the same reason.
pub const MAX_LISTENERS: usize = 64;

/// The most prefixes of access networks: the gate's second table.
pub const MAX_PREFIXES: usize = 4_096;
/// The most different session identities: each is a table in the gate.
pub const MAX_IDENTITIES: usize = 250;

impl Node {
    /// Every ingress of every domain.
    pub fn ingresses(&self) -> impl Iterator<Item = (&Domain, &Ingress)> {
        self.domains.iter().flat_map(|domain| domain.ingresses.iter().map(move |ingress| (domain, ingress)))
    }

    /// Our address toward home servers of the same family as `server`.
    pub fn upstream_for(&self, server: IpAddr) -> Option<IpAddr> {
        match server {
            IpAddr::V4(_) => self.upstream.ipv4.map(IpAddr::V4),
            IpAddr::V6(_) => self.upstream.ipv6.map(IpAddr::V6),
        }
    }

    /// Our address toward LNSs of the same family as `lns`, where the LNS's probe names none.
    pub fn l2tp_for(&self, lns: IpAddr) -> Option<IpAddr> {
        match lns {
            IpAddr::V4(_) => self.l2tp.ipv4.map(IpAddr::V4),
            IpAddr::V6(_) => self.l2tp.ipv6.map(IpAddr::V6),
        }
    }
}

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Something is broken and stays so until somebody acts.
    Error,
    /// Something is wrong that sekisho copes with.
    Warn,
    /// What an operator did, and changes of state.
    Info,
    /// Details; subscribers' identities from here on.
    Debug,
    /// Every packet.
    Trace,
}

impl LogLevel {
    /// The word in the document.
    pub const fn name(self) -> &'static str {
        match self {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }
    }
}

/// A space of addresses: within one domain, an address is one host. Customers' private networks overlap, so each has a
/// domain of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// The ways in that lead from it; at least one.
    pub ingresses: Vec<Ingress>,
}

/// One way into this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    /// Its name, unique in the node.
    pub name: String,
    /// The interface that frames arrive on.
    pub interface: String,
    /// The VLAN tags that they carry; `None` for frames without a tag.
    pub vlan: Option<Vlan>,
}

/// VLAN tags, and the interface that the kernel makes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vlan {
    /// Outer identifier, 1 to 4094.
    pub outer: u16,
    /// Inner identifier of a doubly tagged frame, 1 to 4094.
    pub inner: Option<u16>,
    /// The interface that a socket sees for this VLAN.
    pub interface: String,
}

/// The ports of one address: for authentication, for accounting, or both; of a listener for CoA alone, neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Authentication only.
    Auth(u16),
    /// Accounting only.
    Accounting(u16),
    /// Both, on two different ports.
    Both {
        /// Authentication.
        auth: u16,
        /// Accounting.
        accounting: u16,
    },
    /// Neither; no server has this.
    Neither,
}

impl Ports {
    /// The port for authentication.
    pub const fn auth(self) -> Option<u16> {
        match self {
            Ports::Auth(auth) | Ports::Both { auth, .. } => Some(auth),
            Ports::Accounting(_) | Ports::Neither => None,
        }
    }

    /// The port for accounting.
    pub const fn accounting(self) -> Option<u16> {
        match self {
            Ports::Accounting(accounting) | Ports::Both { accounting, .. } => Some(accounting),
            Ports::Auth(_) | Ports::Neither => None,
        }
    }

    /// Every port, with the key that it stands under.
    pub fn each(self) -> impl Iterator<Item = (&'static str, u16)> {
        let auth = self.auth().map(|port| ("auth", port));
        auth.into_iter().chain(self.accounting().map(|port| ("accounting", port)))
    }
}

/// One of our addresses, where requests are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The address; never unspecified: the gate knows our addresses one by one.
    pub address: IpAddr,
    /// Its ports.
    pub ports: Ports,
    /// The interface or VRF that its sockets are bound to.
    pub device: Option<String>,
    /// Where CoA and Disconnect are taken (RFC 5176); 3799 is usual.
    pub dynauth: Option<u16>,
    /// The address carries nothing but RADIUS: fragments from strangers may be dropped.
    pub dedicated: bool,
}

impl Listener {
    /// Every port, with the key that it stands under.
    pub fn each_port(&self) -> impl Iterator<Item = (&'static str, u16)> {
        self.ports.each().chain(self.dynauth.map(|port| ("dynauth", port)))
    }
}

/// Our side toward home servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Source address toward IPv4 home servers.
    pub ipv4: Option<Ipv4Addr>,
    /// Source address toward IPv6 home servers.
    pub ipv6: Option<Ipv6Addr>,
    /// The most source ports for each worker and family: each allows 256 requests outstanding at every home server.
    pub max_ports: u16,
}

/// The gate in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xdp {
    /// How it is attached.
    pub mode: XdpMode,
    /// The interfaces that it is attached to.
    pub interfaces: Vec<String>,
    /// How many registered sources its table has room for.
    pub max_sources: u32,
    /// How many answers the kernel keeps to give them again by itself; 0: none.
    pub max_replies: u32,
    /// The kernel answers on a veth too, whose other end takes that only where it has an XDP program itself.
    pub replies_on_veth: bool,
    /// Program and tables stay while no process runs: the gate is never open, and no bucket is filled anew.
    pub persist: bool,
    /// Where they are pinned: an absolute path in a BPF file system.
    pub directory: PathBuf,
}

/// How the gate is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XdpMode {
    /// The best that works: native, generic, off.
    Auto,
    /// In the driver, or not at all.
    Native,
    /// In the network stack: any interface, at some cost.
    Generic,
    /// Userspace does it all.
    Off,
}

/// Bounds of what is kept, for how long, and of how much is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests in flight and answers remembered, for each worker.
    pub max_requests: u32,
    /// Rejects held back at the same time, for each worker; more are sent at once.
    pub max_delayed_rejects: u32,
    /// How long an answer is remembered for retransmissions (RFC 5080 §2.2.2).
    pub duplicate_window: Duration,
    /// A client's retransmissions go upstream at most once in this time.
    pub retransmit_window: Duration,
    /// How much a client may send that says nothing else.
    pub rates: Rates,
    /// Sessions whose rate is watched, in all.
    pub max_sessions: u32,
}

/// Where accounting records are kept, and for how long. Sizes are octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// The directory of its segments.
    pub directory: PathBuf,
    /// A segment ends at this size: 1 MiB to 1024 MiB.
    pub segment_size: u64,
    /// A segment ends at this age: 1 min to 24 h.
    pub segment_age: Duration,
    /// Segments are removed at this age: 1 h to 10 years.
    pub retention: Duration,
    /// The oldest segments are removed beyond this size: at least two segments; 0: no bound.
    pub max_size: u64,
    /// With less free space on the disk nothing is acknowledged.
    pub reserve: u64,
    /// The most records that wait for the disk, for each worker: 64 to 1,048,576.
    pub queue: u32,
}

/// How sessions of `vpdn` contracts are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// The most sessions that are followed at a time: 1024 to 16,777,216.
    pub max_tracked: u32,
    /// An Accept counts as a session that long without a Start: 60 s to 120 s.
    pub reservation: Duration,
    /// How often they are saved to `state`: 10 s to 1 h.
    pub save_interval: Duration,
    /// A Stop that soon after its Start says that the LNS may be at fault: up to 60 s; 0: none does.
    pub short: Duration,
    /// How much of that one customer may have, in hundredths: 1 to 100.
    pub customer_share: u8,
    /// A session of which nothing else is known is over after this time: 1 h to 168 h.
    pub without_interims: Duration,
}

/// Our side toward LNSs: probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L2tp {
    /// What we call ourselves (Host Name, RFC 2661 §4.4.3).
    pub host_name: String,
    /// Source address toward IPv4 LNSs.
    pub ipv4: Option<Ipv4Addr>,
    /// Source address toward IPv6 LNSs.
    pub ipv6: Option<Ipv6Addr>,
}

/// An account that `sekisho probe` knows the password of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The User-Name.
    pub user: String,
    /// Its password.
    pub password: Password,
}

/// A password that is never shown and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    pub(crate) fn new(octets: Zeroizing<Vec<u8>>) -> Password {
        Password(octets)
    }

    /// The octets, for putting into a request and nothing else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}
