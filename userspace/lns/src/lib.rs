//! LNSs: which are alive, which one a session gets, and who is on it.
//!
//! A `vpdn` contract's sessions end on the customer's LNSs. What has to be known for that is shared by all workers and all
//! contracts, and outlives every reload: it is here, by numbers ([`mod@ids`]), and what belongs to one process only stays out. Nothing here
//! opens a socket, reads a clock or waits; time is an argument.
//!
//! # Where to start
//!
//! - [`health`] says whether an LNS gets sessions: what the operator wants, what probes find ([`l2tp`]), and for each access network
//!   apart, how its sessions fare there.
//! - [`balance`] chooses: tiers, strategies, limits, and what is answered where no LNS is left. By hash it does so with
//!   [`rendezvous`], so that two nodes choose alike.
//! - [`sessions`] counts: from the Accept that keeps a place, by Start, Interim and Stop, until a session is over in one way or
//!   another; the table is kept over a restart.
//! - [`Loads`] has all the numbers: an LNS's [`LnsState`] (its health and its [`load`]), a contract's and a customer's load.
//!
//! A session goes this way: `sessions.remembered(device)` → `balance.choose(…)` → `sessions.attach(…)` and the Accept; then its
//! accounting: `sessions.start`, `interim`, `stop`, whose [`sessions::Outcome`] says what its LNS's health is to be told. The control
//! engine calls `sessions.sweep` ten times a second.

#![forbid(unsafe_code)]

pub mod balance;
pub mod framed;
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
