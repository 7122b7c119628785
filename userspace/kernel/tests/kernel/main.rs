//! The gate in the running kernel. These tests need root.

mod rules;
mod world;
