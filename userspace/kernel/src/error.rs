//! What can keep the gate from its work, in words for whoever must act on it.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use rustix::io::Errno;

use crate::Feature;

/// Why the gate could not be opened, changed or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// The kernel lacks what the program needs.
    #[error(
        "kernel {found} is too old for the XDP gate, which needs {} or newer ({}): upgrade it, or set xdp.mode to off", release(.feature.since), .feature.name
    )]
    KernelTooOld {
        /// The running kernel's release.
        found: String,
        /// Of what it lacks, what came last.
        feature: &'static Feature,
    },
    /// The process lacks a capability.
    #[error(
        "the XDP gate needs the capability {missing}: run as root, give the service AmbientCapabilities=CAP_BPF CAP_NET_ADMIN CAP_PERFMON, or set xdp.mode to off"
    )]
    Capability {
        /// Its name.
        missing: &'static str,
    },
    /// The kernel said no although the capabilities are there.
    #[error(
        "the kernel refuses BPF to this process although it has the capabilities ({source}): look for a seccomp filter of the container, a security module or kernel lockdown"
    )]
    Refused {
        /// What the kernel said.
        source: io::Error,
    },
    /// There is no such interface.
    #[error("there is no network interface named {interface}: `ip link` lists those of this host")]
    NoInterface {
        /// The name that was asked for.
        interface: String,
    },
    /// The driver cannot run XDP itself.
    #[error(
        "{}: set xdp.mode to generic or auto, or see the kernel's log for what the driver wants (MTU, queues, offloads)", no_native(.interface, .source)
    )]
    NoNative {
        /// The interface.
        interface: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Generic XDP does not work on the interface.
    #[error("{interface} does not take XDP in generic mode ({source}): set xdp.mode to off")]
    NoGeneric {
        /// The interface.
        interface: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Someone else's program is there.
    #[error(
        "another XDP program is attached to {interface}: `bpftool net` shows it, `ip link set {interface} xdp off` removes it unless a running process holds it"
    )]
    Occupied {
        /// The interface.
        interface: String,
    },
    /// The kernel's verifier refused the program.
    #[error("the kernel's verifier refuses the XDP gate ({source}, at: {last_line}); {}: please report it with that log", saved(.log))]
    Verifier {
        /// Where the log was saved, if it could be.
        log: Option<PathBuf>,
        /// The log's last line of substance.
        last_line: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A table of the kernel has no room for what it should hold.
    #[error("the gate's table of {table} has room for {capacity} entries, {needed} are needed: {remedy}")]
    TableFull {
        /// Which table.
        table: &'static str,
        /// Its size.
        capacity: usize,
        /// What it should hold.
        needed: usize,
        /// What the operator can do.
        remedy: &'static str,
    },
    /// There is no memory for a table.
    #[error(
        "no memory for the gate's table of {table} ({source}): lower xdp.max_sources, xdp.max_replies or limits.max_sessions, or raise the memory limit of the service"
    )]
    Memory {
        /// Which table.
        table: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A table could not be read or changed.
    #[error("the gate's table of {table} could not be {action} ({source})")]
    Table {
        /// Which table.
        table: &'static str,
        /// `read` or `changed`.
        action: &'static str,
        /// What the kernel said.
        source: aya::maps::MapError,
    },
    /// A table's memory could not be shared with the kernel.
    #[error(
        "the gate's table of {table} cannot be shared with the kernel ({source}): set xdp.mode to off, and please report it"
    )]
    Shared {
        /// Which table.
        table: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// The operating system gave no random numbers.
    #[error("the operating system has no random numbers for the gate ({source})")]
    Seed {
        /// What it said.
        source: io::Error,
    },
    /// Where the gate should be pinned is no bpffs.
    #[error(
        "{} is not on a BPF file system, so the XDP gate cannot stay while no process runs: `mount -t bpf bpf {}`, or set xdp.persist to false", directory.display(), mount_point(directory)
    )]
    NoBpffs {
        /// Where it should be pinned.
        directory: PathBuf,
    },
    /// Another process has the gate.
    #[error(
        "another process holds the XDP gate that is pinned in {}: stop it first, or give this one another xdp.directory", directory.display()
    )]
    InUse {
        /// Where it is pinned.
        directory: PathBuf,
    },
    /// There is no gate to detach.
    #[error("nothing is there: no XDP gate is pinned in {}", directory.display())]
    NothingPinned {
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// Pinning failed.
    #[error(
        "{} could not be {action} ({source}): look at its permissions, run `sekisho xdp detach` to begin anew, or set xdp.persist to false", path.display()
    )]
    Pins {
        /// Which file or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// An upstream port was opened on no address in particular.
    #[error(
        "{address} is no address that a reply can be sent to: upstream sockets must be bound to one of this host's addresses for the gate to know them"
    )]
    UnspecifiedAddress {
        /// The address and port.
        address: SocketAddr,
    },
    /// An upstream port is a port for requests.
    #[error("{address} takes requests, so it cannot be a port toward home servers")]
    PortTaken {
        /// The address and port.
        address: SocketAddr,
    },
    /// The program could not be loaded for another reason.
    #[error("the XDP gate could not be loaded ({source}): set xdp.mode to off, and please report it")]
    Load {
        /// What aya or the kernel said.
        source: Box<aya::EbpfError>,
    },
}

impl GateError {
    /// In half a line, why a better mode was not to be had. What is usual on an interface needs no advice.
    pub(crate) fn brief(&self) -> String {
        match self {
            GateError::NoNative { interface, source } if is_unsupported(source) => no_native(interface, source),
            GateError::NoNative { interface, source } => {
                let cause = no_native(interface, source);
                format!("{cause}: see the kernel's log for what its driver wants (MTU, queues, offloads)")
            }
            other => other.to_string(),
        }
    }
}

fn no_native(interface: &str, source: &io::Error) -> String {
    if is_unsupported(source) {
        format!("{interface} has no native XDP")
    } else {
        format!("{interface} refuses native XDP ({source})")
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::OPNOTSUPP)
}

fn release((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

/// The usual place for it, or the directory itself.
fn mount_point(directory: &Path) -> String {
    let usual = Path::new("/sys/fs/bpf");
    if directory.starts_with(usual) { usual } else { directory }.display().to_string()
}

fn saved(log: &Option<PathBuf>) -> String {
    match log {
        Some(path) => format!("its log is in {}", path.display()),
        None => "its log could not be saved".to_owned(),
    }
}
