//! LNSs: which are alive, which one a session gets, who is on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod balance;
mod health;
mod l2tp;
mod sessions;
