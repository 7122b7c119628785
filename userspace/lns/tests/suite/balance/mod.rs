//! Which LNS a session gets.

mod fleet;
mod rebalance;
mod standing;
mod strategies;
