//! Customers, contracts and their rules, compiled for the engine and the gate.
//!
//! [`compile`] takes a checked configuration (`sekisho-config`) and makes one [`RoutingSnapshot`] of it: which source may
//! come in where (the gate's table, which the kernel gets too), whose terminal it is, which realm its customer has, and
//! which home servers serve that. Contracts that are not to be served, by Art. 5.1 of the service regulation, are left
//! out here, so the engine need not know of them.
//!
//! A reload compiles the whole again and hands over the new snapshot. What has kept its name keeps its number, its
//! counters and, for a home server, its health: requests in flight hold such numbers. [`IdBook`] remembers the numbers;
//! the program keeps it beside the snapshot and replaces both together, or neither.
//!
//! Files: `compile` (the whole, and its errors), `book` (numbers), `gate` (sources, services, ingresses), `limits` (what
//! a source is charged to), `hosts` (where home servers are), `routing` (customers and realms), `groups` (contracts
//! whose logins are answered here), `clients` (terminals, and
//! who may send them CoA), `networks` (access networks), `servers` (pools and home servers), `vpdn` (contracts of that kind, and LNSs).
//!
//! Not here: the syntax of documents (`config`), what is done with a packet (`engine`), and any input or output: the
//! indexes of interfaces and the addresses of names come from functions that the caller gives.

#![forbid(unsafe_code)]

mod book;
mod clients;
mod compile;
mod gate;
mod groups;
mod hosts;
mod limits;
mod networks;
mod routing;
mod servers;
mod vpdn;

pub use sekisho_engine::snapshot::RoutingSnapshot;

pub use crate::{
    book::IdBook,
    compile::{CompileError, CompileErrors, Compiled, Context, compile},
    hosts::{Unresolved, Why},
};
