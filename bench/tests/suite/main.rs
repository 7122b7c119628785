//! The programs that measure, tried out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod common;
mod hosted;
mod load_and_home;
mod programs;
mod relay;
