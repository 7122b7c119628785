//! The L2TP probe: its octets, one exchange against LNSs of many kinds, the schedule of many, and bad networks.

mod codec;
mod exchange;
mod late;
mod lns;
mod network;
mod schedule;
mod vectors;
mod world;
