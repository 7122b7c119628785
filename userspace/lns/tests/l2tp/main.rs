//! The L2TP probe: its octets, one exchange against LNSs of many kinds, the schedule of many, and bad networks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod codec;
mod exchange;
mod late;
mod lns;
mod network;
mod schedule;
mod vectors;
mod world;
