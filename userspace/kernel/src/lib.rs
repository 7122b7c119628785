//! Loads the XDP gate, keeps its tables, reads its counters, explains its failures.
//!
//! The gate itself is the program in `xdp-prog`; the build embeds it here. A [`Gate`] is that program loaded, its tables
//! filled from a [`GateTable`] and then, only then, attached to the interfaces: it is never open, and never closed to a
//! registered client, in between. A reload is two steps: [`Gate::add`] brings what is new, [`Gate::remove`] takes away
//! what is gone, and between the two everything of both holds.
//!
//! The gate is never the only check. Userspace can do the whole job, so [`Mode::Off`] is a supported mode, and
//! [`Mode::Auto`] goes from native to generic to off and says why ([`Gate::attached`]). A gate that is off has the same
//! methods as any other: its tables are nowhere and its counters stay zero.
//!
//! The tables are memory that the kernel's program and this process share: a change is a few stores, and a lookup in the
//! kernel is no call of a helper. Pinned on a bpffs ([`GateOptions::pins`]), program, tables and buckets stay while no process
//! runs, and the next one takes them over; `sekisho xdp detach` removes them ([`Gate::detach`]).
//!
//! Requests that a worker publishes ([`Publisher`]) are absorbed or answered in the kernel when they are repeated.
//!
//! Workers open and close ports toward home servers as they go: [`UpstreamPorts`] tells the gate.
//!
//! Errors ([`GateError`]) are written for the operator: which capability, which interface, which setting, where the
//! verifier's log lies.
//!
//! Not here: what the tables say (`sekisho-service` compiles that), exporting the counters, and anything that would wait
//! for a packet.

#![deny(unsafe_code)]

mod attach;
mod clients;
mod counters;
mod diagnostics;
mod drops;
mod error;
mod features;
mod gate;
mod image;
mod kernel;
mod layout;
mod maps;
mod memory;
mod object;
mod open;
mod options;
mod pins;
mod ports;
mod prefixes;
mod profiles;
mod publisher;
mod quiet;
mod sources;
mod system;
mod table;
#[cfg(feature = "testing")]
pub mod testing;

pub use clients::ClientCounts;
pub use counters::Counters;
pub use diagnostics::interface_index;
pub use drops::DropReader;
pub use error::GateError;
pub use features::{FEATURES, Feature};
pub use gate::{Diff, Gate};
pub use options::{Attached, Attachment, GateOptions, Mode};
pub use pins::Detached;
pub use ports::UpstreamPorts;
pub use publisher::{Publisher, Ticket};
pub use sekisho_abi::gate::GateTable;
