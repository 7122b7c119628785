//! Which LNS a session gets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod fleet;
mod rebalance;
mod standing;
mod strategies;
