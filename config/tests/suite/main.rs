//! The documents: what is taken, what is refused, and with which words.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod accepts;
mod access_networks;
mod addresses;
mod agreements;
mod balancing;
mod common;
mod counting;
mod customers;
mod dictionary;
mod documentation;
mod dynauth;
mod groups;
mod limits;
mod lns;
mod lookup;
mod node;
mod places;
mod policies;
mod protocol;
mod realms;
mod records;
mod registry;
mod robustness;
mod secrets;
mod served;
mod texts;
mod vpdn;
