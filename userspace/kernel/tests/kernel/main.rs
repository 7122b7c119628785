//! The gate in the running kernel. These tests need root.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod attach;
mod figures;
mod odd;
mod parity;
mod reload;
mod rules;
mod world;
