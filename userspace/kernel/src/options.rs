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
    /// How many sources the gate has room for. It is allocated at once, about 150 octets each.
    pub max_sources: u32,
    /// Where to save the verifier's log should the kernel refuse the program; by default in the temporary directory.
    pub verifier_log: Option<PathBuf>,
}

impl Default for GateOptions {
    fn default() -> GateOptions {
        GateOptions { interfaces: Vec::new(), mode: Mode::Auto, max_sources: capacity::SOURCES, verifier_log: None }
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
