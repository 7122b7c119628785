//! The gate in the running kernel. These tests need root.

mod figures;
mod odd;
mod rules;
mod world;
