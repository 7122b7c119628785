//! Sessions counted from accounting: each rule, and whatever may come over them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod bounds;
mod devices;
mod expiry;
mod lifecycle;
mod model;
mod random;
mod restarts;
mod snapshot;
mod threads;
mod world;
