//! The registry from the program's side.
//!
//! A running node serves what is in force now: [`feed`] reads it from the database, or from the mirror that an earlier run has left
//! while the database cannot be reached; [`follow`] has the node go by every change and every local midnight that makes one;
//! [`accounts`] keeps the hosted accounts in the workers' table. Commands change it at the [`desk`]: each proposes entries for the
//! history, which are checked over all dates before they are recorded, all or none. [`apply`] is what documents become of.

pub mod accounts;
pub mod alerts;
pub mod apply;
pub mod desk;
pub mod edit;
pub mod feed;
pub mod follow;
pub mod intake;
pub mod papers;
pub mod place;
pub mod trial;
mod trouble;
pub mod view;
