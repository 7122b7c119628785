//! sekisho among real peers, in network namespaces. One file a behaviour; `sekisho_tests` is what they stand on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod accounting;
mod duplicates;
mod eap;
mod failover;
mod first_login;
mod gate;
mod harness;
mod logins;
mod malformed;
mod outstanding;
mod reload;
mod scene;
mod separation;
mod soak;
mod stopping;
