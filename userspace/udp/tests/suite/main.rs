//! Sockets that send and receive many packets at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod common;
mod group;
mod receive;
mod send;
mod together;
