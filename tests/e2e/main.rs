//! sekisho among real peers, in network namespaces. One file a behaviour; `sekisho_tests` is what they stand on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod access;
mod accounting;
mod addresses;
mod balance;
mod drops;
mod duplicates;
mod dynauth;
mod eap;
mod failover;
mod fan_out;
mod first_login;
mod first_service;
mod first_vpdn;
mod gate;
mod harness;
mod health;
mod hosted;
mod limits;
mod logins;
mod malformed;
mod message_authenticator;
mod names;
mod outstanding;
mod policies;
mod registry;
mod reload;
mod restart;
mod retransmit_storm;
mod retransmits;
mod scene;
mod secrets;
mod separation;
mod shedding;
mod soak;
mod stopping;
mod storms;
mod two_cpus;
mod verdicts;
mod vpdn;
