//! UDP in batches: what a RADIUS proxy needs from the kernel's sockets, and no more.
//!
//! A proxy spends most of its time in the kernel's UDP stack, so one system call carries many datagrams. Five ideas, a
//! file each:
//!
//! - [`bind`] opens a socket with the options that RADIUS wants ([`Options`]): one address, one family, optionally one
//!   device, the ingress interface told with every datagram, no Don't-Fragment (a 4096-octet packet must pass).
//! - [`Receiver`] is `recvmmsg` with its arrays allocated once: datagrams land in the caller's buffers, [`Meta`] says how
//!   long each is, who sent it and where it came in.
//! - [`Sender`] is `sendmmsg` that takes what goes to one peer through the stack together, and gets past a packet which the
//!   kernel refuses: one unreachable NAS must not hold up the answers to the others. [`SendOutcome`] says what became of the
//!   batch.
//! - [`receive_queue`] tells how full a socket's receive queue is, for whoever has to do less.
//! - [`bind_group`] binds several sockets to one address and lets the kernel choose among them by (source address, source
//!   port), so that a flow always meets the same worker. [`selector_index`] is the same choice in Rust.
//!
//! There is no event loop here, no pool of buffers and no RADIUS. Sockets are plain [`std::net::UdpSocket`]s; every
//! function takes anything that is [`AsFd`](std::os::fd::AsFd).
//!
//! `unsafe` stands in `sockopt`, `receiver` and `sender` only: each block hands the kernel pointers into arrays that
//! outlive the call.

mod address;
mod control;
mod group;
mod options;
mod queue;
mod receiver;
mod selector;
mod sender;
mod sockopt;

pub use group::bind_group;
pub use options::{Options, bind};
pub use queue::{Queue, receive_queue};
pub use receiver::{Meta, Receiver};
pub use selector::selector_index;
pub use sender::{Failure, SendOutcome, Sender};

/// The number of datagrams that one system call carries at most.
///
/// Beyond some tens the cost of entering the kernel is spread thin and a larger batch only adds latency and cache misses.
pub const BATCH: usize = 64;
