//! Documents and registry together: what the engine and the kernel get from them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod access_networks;
mod common;
mod compile;
mod contracts;
mod groups;
mod limits;
mod names;
mod reload;
mod vpdn;
