//! sekisho among real peers, in network namespaces. One file a behaviour; `sekisho_tests` is what they stand on.

mod accounting;
mod duplicates;
mod failover;
mod gate;
mod harness;
mod logins;
mod malformed;
mod outstanding;
mod scene;
mod separation;
mod soak;
