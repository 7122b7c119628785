//! sekisho among real peers, in network namespaces. One file a behaviour; `sekisho_tests` is what they stand on.

mod accounting;
mod duplicates;
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
