//! The formats that accounts come in and go out by.
//!
//! | format | in | out |
//! |---|---|---|
//! | [`csv`] with a header | everything | everything: what was written is read back the same |
//! | [`users`], a file of FreeRADIUS's `rlm_files` | its entries of single users | all but notes and hashes |
//! | [`sql`], the tables of FreeRADIUS's `rlm_sql` | from SQLite or PostgreSQL, groups flattened | as INSERT statements, likewise |
//!
//! An import is read to its end and every fault reported with its line and a remedy, the first hundred in full; with any fault nothing is imported.
//! A [warning](Imported::warnings) is about something that has no counterpart here and was left out. What a message quotes is never a password,
//! and never a subscriber's name.

pub mod csv;
mod expiration;
mod faults;
mod importer;
mod items;
mod lines;
mod meaning;
pub mod sql;
pub mod users;

use jiff::tz::TimeZone;

pub use self::faults::{ExportError, Fault, Faults, ImportErrors, MAX_FAULTS, Place};
use crate::account::Account;

/// What an import is for, and what holds where a row says nothing.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// The contract that all accounts get.
    pub contract: String,
    /// The realm of a user who is named without one, as documents show realms: `acme.example`, `prefix:acme`. A user is split at the last `@`
    /// where this is a domain or `None`, and has this realm taken off the front where it is a `prefix:` or an `nt:`.
    pub realm: Option<String>,
    /// The contract's realms: an account of another is refused. `None` where whoever asked checks that.
    pub realms: Option<Vec<String>>,
    /// Where an `Expiration` of FreeRADIUS's is local time.
    pub time_zone: TimeZone,
}

impl Defaults {
    /// For a contract, with a realm for users without one; of any realm, and in UTC.
    pub fn new(contract: impl Into<String>, realm: Option<&str>) -> Defaults {
        Defaults { contract: contract.into(), realm: realm.map(str::to_owned), realms: None, time_zone: TimeZone::UTC }
    }
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// The accounts, in the order in which they were found; no two of the same realm and user.
    pub accounts: Vec<Account>,
    /// Where each of them stands, for whoever finds another fault in one.
    pub places: Vec<Place>,
    /// What was left out, each with its place; the first hundred, and how many more.
    pub warnings: Vec<String>,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many accounts.
    pub accounts: usize,
    /// What the format has no room for, and how often.
    pub warnings: Vec<String>,
}

/// Whether an export has the passwords and hashes in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// They are left out, and not looked at: an account's may be anything.
    Withheld,
    /// They are in it, passwords in plain text. Whoever reads the export can log in.
    Shown,
}
