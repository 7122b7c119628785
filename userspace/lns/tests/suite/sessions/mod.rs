//! Sessions counted from accounting: each rule, and whatever may come over them.

mod bounds;
mod devices;
mod expiry;
mod lifecycle;
mod model;
mod random;
mod restarts;
mod snapshot;
mod threads;
mod world;
