//! The journal: what it keeps, whatever happens to it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod clock;
mod common;
mod damage;
mod directory;
mod failures;
mod full;
mod keeping;
mod model;
mod reading;
mod repeated;
mod torn;
mod vanished;
mod waiting;
