//! The registry, `group` contracts and hosted accounts, as they are seen.

use serde::{Deserialize, Serialize};

use super::{Count, Histogram};

/// A `group` contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Name of the contract.
    pub contract: String,
    /// How its passwords are kept: `recoverable` or `argon2id`.
    pub passwords: String,
    /// Sessions of its accounts, and Accepts whose Start has not come yet.
    pub sessions: u32,
    /// How many it may have; 0: no limit.
    pub max_sessions: u32,
    /// Accepts.
    pub accepts: u64,
    /// Challenges.
    pub challenges: u64,
    /// Rejects by reason; all of them, also zeros.
    pub rejected: Vec<Count>,
}

/// The registry, as this node follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registry {
    /// Where it is, without a password.
    pub location: String,
    /// Whether it can be reached.
    pub up: bool,
    /// What is the matter, where it cannot.
    pub lost: Option<String>,
    /// When the mirror was written that is served from, where there was no registry at the start.
    pub mirror_of: Option<String>,
    /// How far it has been followed.
    pub revision: u64,
    /// When that was, in seconds since 1970.
    pub followed_at: u64,
    /// When the next contract or document comes into force, or goes.
    pub next_change: Option<String>,
    /// Accounts that can log in, as far as their own state allows.
    pub accounts: u64,
    /// Octets of memory that they take.
    pub account_octets: u64,
    /// Accounts of contracts that are not served yet.
    pub accounts_waiting: u64,
    /// Accounts that cannot be used.
    pub accounts_unusable: u64,
    /// Contracts that are not over and not served.
    pub unserved: Vec<Unserved>,
}

/// A contract that is not served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unserved {
    /// Whose.
    pub customer: String,
    /// Its name.
    pub contract: String,
    /// Where it is in its life.
    pub state: String,
    /// Why it is not served, a line each: rule, article, remedy.
    pub why: Vec<String>,
}

/// The table of hosted accounts' sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedSessions {
    /// Places in use, those of ends that are still remembered among them.
    pub records: u64,
    /// Sessions that ended because their device began another.
    pub superseded: u64,
    /// Sessions and reservations that found no room.
    pub untracked: u64,
}

/// Where passwords are checked that are kept as argon2id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hashes {
    /// Checked.
    pub checked: u64,
    /// Refused, since too many waited.
    pub busy: u64,
    /// How long a check took.
    pub time: Histogram,
}
