//! The registry: what an operator does with it while a node serves, what becomes of that by itself at midnight, and what holds when its
//! database does not.

mod alone;
mod backups;
mod desks;
mod fleet;
mod followers;
mod midnight;
mod midnight_vpdn;
mod refusals;
mod rotation;
mod scene;
mod vanished;
