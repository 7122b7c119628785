//! placeholder
#![forbid(unsafe_code)]
pub mod admin;
mod changes;
pub mod clock;
pub mod command;
mod documents;
mod gate;
mod health;
pub mod log;
pub mod metrics;
mod reload;
pub mod report;
mod running;
mod start;
mod summary;
pub mod worker;
