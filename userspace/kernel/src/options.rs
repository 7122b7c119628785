//! What the operator asks of the gate, and what came of it.

use std::{fmt, path::PathBuf};

use sekisho_abi::capacity;

/// How the gate is to be attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Native where the driver can, else generic, else off.
    #[default]
    Auto,
    /// In the driver, or not at all.
    Native,
    /// In the network stack, before anything else there: any interface, at a higher cost a packet.
    Generic,
    /// No gate: userspace does the whole job.
    Off,
}

/// How an interface's gate is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// In the driver.
    Native,
    /// In the network stack.
    Generic,
    /// Not at all.
    Off,
}

/// One interface and its gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Name of the interface.
    pub interface: String,
    /// How it is attached.
    pub attached: Attached,
    /// Why [`Mode::Auto`] did not get the better way.
    pub reason: Option<String>,
}

/// What [`Gate::open`](crate::Gate::open) needs besides the tables.
#[derive(Clone, Debug)]
pub struct GateOptions {
    /// Names of the interfaces to attach to.
    ///
    /// A driver that takes VLAN tags out of frames (`ethtool -K … rxvlan off` stops it) hides them from the gate.
    pub interfaces: Vec<String>,
    /// How.
    pub mode: Mode,
    /// How many sources, and contracts, the gate has room for. It is allocated at once; [`crate::Gate::memory`] tells how much.
    pub max_sources: u32,
    /// How many sessions have a bucket of their own at a time.
    pub max_sessions: u32,
    /// How many requests are published at a time; 0 turns answering in the kernel off.
    pub max_replies: u32,
    /// Leaves answering to userspace where an interface is a veth: it takes what its peer's gate sends only where it has an XDP
    /// program itself, and from here that cannot be seen.
    pub spare_veth: bool,
    /// A directory on a bpffs in which program, tables and buckets stay while no process runs; without one they go with this
    /// process.
    pub pins: Option<PathBuf>,
    /// Where to save the verifier's log should the kernel refuse the program; by default in the temporary directory.
    pub verifier_log: Option<PathBuf>,
    /// The time is told by [`crate::Gate::set_clock`], instead of the kernel.
    #[cfg(feature = "testing")]
    pub injected_clock: bool,
}

impl Default for GateOptions {
    fn default() -> GateOptions {
        GateOptions {
            interfaces: Vec::new(),
            mode: Mode::Auto,
            max_sources: capacity::SOURCES,
            max_sessions: capacity::SESSIONS,
            max_replies: capacity::REPLIES,
            spare_veth: false,
            pins: None,
            verifier_log: None,
            #[cfg(feature = "testing")]
            injected_clock: false,
        }
    }
}

impl GateOptions {
    /// Whether a test tells the time.
    pub(crate) fn injects_clock(&self) -> bool {
        #[cfg(feature = "testing")]
        return self.injected_clock;
        #[cfg(not(feature = "testing"))]
        false
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Mode::Auto => "auto",
            Mode::Native => "native",
            Mode::Generic => "generic",
            Mode::Off => "off",
        })
    }
}

impl fmt::Display for Attached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Attached::Native => "native",
            Attached::Generic => "generic",
            Attached::Off => "off",
        })
    }
}
