//! The network that sekisho is tested in, and who lives in it.
//!
//! A test builds a [`network::Network`]: the proxy in a network namespace of its own, and each NAS, stranger and home
//! server in another, joined to the proxy by a veth pair, with IPv4 and IPv6. Then it starts real programs in them:
//! [`sekisho::Sekisho`] with documents that it writes, [`freeradius::FreeRadius`] as home server, `radclient` as NAS
//! ([`radclient`]), [`xl2tpd::Xl2tpd`] as LNS; and scripted ones where a real peer would behave too well: [`nas::Nas`] sends what it is told,
//! [`lac::Lac`] is an access network's equipment with many devices, [`home::ScriptedHome`] answers late, twice, falsely or never. What happened is read from the outside, as an operator
//! or a NAS would see it: replies, `/metrics`, `/status`, and the system's own counters of UDP datagrams. Where customers stand in a
//! registry, [`registry::Office`] has it, [`registry::Desk`] is where the operator types, and [`postgresql::PostgreSql`] a database.
//!
//! Namespaces have no names: they live in a thread and in the processes inside, so that nothing of them is left however
//! a test ends. Processes die with the thread that started them, for the same reason. Every wait is bounded ([`wait`]).
//!
//! The tests stand in `e2e/`, one file a behaviour. They need root, and the paths of the programs in the environment:
//! `make test` sees to both.

#![deny(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot go on fails the test"
)]

#[cfg(test)]
mod conformance;
mod customer;
pub mod documents;
pub mod eapol;
pub mod freeradius;
pub mod home;
pub mod hosts;
pub mod http;
pub mod lac;
pub mod load;
pub mod metrics;
pub mod namespace;
pub mod nas;
pub mod network;
pub mod packet;
mod passing;
pub mod pki;
pub mod postgresql;
pub mod process;
pub mod programs;
pub mod radclient;
pub mod readme;
pub mod registry;
pub mod sekisho;
pub mod service;
pub mod tunnels;
pub mod vpdn;
pub mod wait;
pub mod xl2tpd;
