//! The program: everything that touches the world, around an engine that touches nothing.
//!
//! `sekisho run` brings a node up in this order: documents are read, checked and compiled ([`documents`], [`reload`]);
//! the [`gate`] in the kernel is attached, so that strangers are dropped before the first socket opens; the sockets of
//! every service address are bound, one for each worker ([`start`]); then come the workers ([`worker`]), the control
//! engine that decides which home servers are alive ([`health`]), the one that decides what is shed ([`backlog`]), and the
//! admin API ([`admin`]). [`running`] holds what is
//! up, and [`command`] waits for signals and takes it down again.
//!
//! A packet meets [`worker`] only: receive a batch, let `sekisho-engine` judge and rewrite it, send what it says. Nothing
//! on that way takes a lock, allocates, or makes a system call for a single packet under load.
//!
//! What clients repeat is handed on to the gate ([`publishing`]), which then absorbs or answers the rest by itself.
//!
//! Accounting that ends here goes to the disk by the [`journal`]; sessions, LNSs and their probes are in [`vpdn`].
//!
//! Whoever looks at a node gets a [`report`], read from the workers' own counters when asked: `/status` serves it,
//! [`metrics`] renders it for Prometheus, [`page`] for people, and `sekisho probe` compares two of them to explain what
//! became of a login. [`advice`] says what each reason to drop means, and [`drops`] who is behind it, live.
//!
//! Not here: protocol (`sekisho-wire`), decisions (`sekisho-engine`), the syntax and rules of documents
//! (`sekisho-config`, `sekisho-service`), the XDP program and its loader (`sekisho-kernel`). This is the only crate that
//! sees them all, and the only one that knows tokio. It is a library so that its parts can be tested; the interface for
//! others is the command line and the admin API.

#![forbid(unsafe_code)]

pub mod admin;
pub mod advice;
pub mod asked;
pub mod backlog;
pub mod changes;
pub mod clock;
pub mod command;
pub mod documents;
pub mod drops;
pub mod gate;
pub mod health;
pub mod hosted;
pub mod journal;
pub mod learned;
pub mod log;
pub mod metrics;
pub mod names;
pub mod page;
pub mod publishing;
pub mod registry;
pub mod reload;
pub mod report;
pub mod running;
pub mod start;
pub mod state;
pub mod summary;
pub mod tables;
pub mod vpdn;
pub mod worker;
