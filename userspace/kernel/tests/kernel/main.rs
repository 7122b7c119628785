//! The gate in the running kernel. These tests need root.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod answers;
mod arrivals;
mod attach;
mod attributes;
mod capacity;
mod clients;
mod driver;
mod drops;
mod figures;
mod identity;
mod limits;
mod odd;
mod parity;
mod persist;
mod published;
mod publisher;
mod raw;
mod reload;
mod rules;
mod shed;
mod signals;
mod two_cpus;
mod wire;
mod world;
