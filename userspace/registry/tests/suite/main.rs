//! The registry over SQLite and PostgreSQL, its accounts and their formats.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

#[macro_use]
mod common;

mod accounts;
mod argon;
mod backup;
mod following;
mod formats;
mod formats_csv;
mod formats_sql;
mod formats_users;
mod keys;
mod mirror;
mod opening;
mod recording;
mod rotation;
mod slow;
