//! The admin API, from both sides.

pub mod client;
pub mod server;
