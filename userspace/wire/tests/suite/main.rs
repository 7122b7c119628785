//! RADIUS on the wire, seen from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests are not tests to clippy")]

mod attributes;
mod chap;
mod common;
mod corpus;
mod dynauth;
mod eap;
mod forward;
mod malformed;
mod mschap;
mod nai;
mod number;
mod policy;
mod policy_properties;
mod properties;
mod radius_crate;
mod reply;
mod set_first;
mod tunnel;
mod vectors;
mod verify;
