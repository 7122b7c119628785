//! The program, started as an operator starts it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod accounts;
mod asking;
mod commands;
mod common;
mod drain;
mod drops;
mod dynauth;
mod intake;
mod journal;
mod learned;
mod lns;
mod lns_probe;
mod login;
mod logs;
mod mirror;
mod names;
mod networks;
mod planned;
mod probe;
mod refuse;
mod registry;
mod reload;
mod secrets;
mod service;
mod sessions;
mod shedding;
mod shipped;
mod statements;
mod stop;
mod vanished;
