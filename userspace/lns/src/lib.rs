//! LNSs: which are alive, which one a session gets, and who is on it.

#![forbid(unsafe_code)]

pub mod balance;
pub mod health;
pub mod ids;
pub mod l2tp;
pub mod load;
pub mod loads;
pub mod rendezvous;
pub mod sessions;
pub mod state;
pub mod time;

pub use ids::{ContractId, CustomerId, LnsId, SourceId};
pub use loads::Loads;
pub use state::LnsState;
pub use time::Time;
