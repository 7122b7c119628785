//! The gate in the running kernel. These tests need root.

mod attach;
mod figures;
mod odd;
mod parity;
mod reload;
mod rules;
mod world;
