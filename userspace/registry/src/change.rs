//! What is recorded at once, all of it or nothing.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use sekisho_regulation::event::Event;
use zeroize::Zeroizing;

use crate::account::{Account, Secret};

/// A change of the registry: it is recorded as a whole, or not at all.
#[derive(Default)]
pub struct Change {
    /// What the history says of it, in this order.
    pub entries: Vec<NewEntry>,
    /// The documents that were applied: the index of the entry that says so, the customer (`None`: the operator's own), and the text.
    pub documents: Vec<(usize, Option<String>, Zeroizing<String>)>,
    /// What is done to accounts, in this order.
    pub accounts: Vec<AccountEdit>,
    /// By contract, the most accounts that it may have after this change: a hard limit, checked where no other writer can come between.
    pub account_limits: BTreeMap<String, u32>,
}

/// An entry that has no number yet.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// When.
    pub at: Timestamp,
    /// Who does it.
    pub who: String,
    /// Why, in words.
    pub why: String,
    /// What.
    pub event: Event,
}

/// What is done to an account. Each names its contract, and an account of another contract is never touched.
#[derive(Clone, Debug)]
pub enum AccountEdit {
    /// It is like this from now on, whether it was there before or not. Whether its fields make sense was seen before: see
    /// [`Account::faults`].
    Put(Account),
    /// It is no more. It must have been there.
    Remove {
        /// Its contract.
        contract: String,
        /// Its realm.
        realm: String,
        /// Its name.
        user: String,
    },
    /// Something of it changes. It must be there.
    Set {
        /// Its contract.
        contract: String,
        /// Its realm.
        realm: String,
        /// Its name.
        user: String,
        /// What changes.
        set: Box<AccountSet>,
    },
}

/// What changes of an account; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountSet {
    /// What a password is checked with.
    pub secret: Option<Secret>,
    /// Whether it may log in.
    pub enabled: Option<bool>,
    /// From when on it may not log in any more; `Some(None)`: it may for ever.
    pub expires: Option<Option<Timestamp>>,
    /// How many sessions it may have at a time; `Some(None)`: as the contract says.
    pub simultaneous: Option<Option<u16>>,
    /// The numbers that it may log in from.
    pub calling: Option<Vec<String>>,
    /// Attributes of its Accepts.
    pub reply: Option<Vec<(String, String)>>,
    /// What the operator wants to remember.
    pub note: Option<String>,
}

/// How far the registry is after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The last entry of the history.
    pub last: u64,
    /// The registry's revision.
    pub revision: u64,
}

impl Change {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.documents.is_empty() && self.accounts.is_empty()
    }
}

impl fmt::Debug for Change {
    /// Without the documents' text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let documents: Vec<_> = self.documents.iter().map(|(entry, customer, _)| (entry, customer)).collect();
        f.debug_struct("Change")
            .field("entries", &self.entries)
            .field("documents", &documents)
            .field("accounts", &self.accounts)
            .field("account_limits", &self.account_limits)
            .finish()
    }
}
