//! The proxy as a state machine.
//!
//! Nothing here opens a socket, reads a clock or waits: the shell (the `sekisho` program, or a test) hands in batches of packets
//! and the time, and is told what to send. So every retransmission, fail-over, duplicate, reload and overload is a fast,
//! deterministic test, and a simulator can run days of a network's life from one seed.
//!
//! # Where to start
//!
//! [`Engine`] is one worker: it owns its requests, identifiers and timers, and shares nothing but the [`snapshot`] (an `Arc`,
//! swapped whole), the home servers' [`health`], the buckets of the [`limiter`] and its own [`stats`]. [`Control`] is the one that decides on health, and
//! probes silent servers (`probing`).
//!
//! A request's way through the engine, a file for each part (`stages` is how a whole batch goes it):
//!
//! 1. `request`: the gate again (it can be off in the kernel), and then the limits; one pass over the packet, duplicates (and
//!    `retransmits`: those that need not come here again);
//! 2. `verdict`: forwarded, refused or answered here, by `route` (the realm, and what its client's customer may have of it) and
//!    `pool` (which server; `conversations` where it has no choice);
//! 3. `identifiers` and `ports`: 256 identifiers on each local port, oldest first; `supply` sees to it that there are enough ports
//!    and not too many;
//! 4. `reply`: matched by (port, server, identifier), then by authenticator; restored for the client, remembered;
//! 5. `failover`: what the wheel in `timers` sets off: another server, the end, a Reject held back.
//!
//! Requests of our own making, in `derived`: `fanout` (Accounting-On and -Off, to every pool) and `copies` (of accounting); `disconnect` ends sessions at their NAS.
//! A realm with a `group` contract has no home server: [`hosted`] answers it from accounts of the node's own.
//! What comes from an access network, the operator's and all customers', goes by `access`; CoA and Disconnect go by `dynauth`, to the NAS that `nas` finds. What goes first when there is too much of everything:
//! [`shedding`].
//! `table` finds requests by flow, `store` keeps the copies of their bytes, `random` makes what must not be guessed. After
//! warm-up, forwarding allocates nothing (`tests/allocation.rs` holds that).
//!
//! Not here: where realms and servers come from (`service`), who carries packets (`sekisho`), the kernel's part of the gate.

#![forbid(unsafe_code)]

mod access;
pub mod control;
mod conversations;
mod copies;
mod derived;
mod disconnect;
mod dynauth;
mod edits;
mod engine;
mod failover;
mod fanout;
mod guard;
pub mod health;
pub mod hosted;
mod identifiers;
pub mod limiter;
mod nas;
pub mod packet;
mod pool;
mod ports;
mod probing;
mod proof;
mod random;
mod reasons;
pub mod recording;
mod refusal;
mod reply;
mod request;
pub mod retransmits;
mod route;
mod settings;
pub mod shedding;
pub mod snapshot;
mod snapshots;
mod stages;
pub mod stats;
pub mod sticky;
mod store;
mod supply;
mod table;
mod timers;
mod verdict;

pub use control::{Control, ControlEvent, Probe};
pub use engine::{Engine, Event};
pub use limiter::Limiter;
pub use sekisho_lns::time::{self, Time};
pub use settings::{Limits, Settings};
