//! The admin API, from both sides.

pub mod client;
mod query;
pub mod server;
mod vpdn;
