//! What is stored of accounts and documents: with their secrets sealed.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    account::{Account, Secret},
    hex,
    keys::{KeyError, KeyRing},
};

/// A hosted account as it is stored. Its fields are those of [`Account`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// The `group` contract that it belongs to.
    pub contract: String,
    /// The realm.
    pub realm: String,
    /// The part of User-Name without its realm.
    pub user: String,
    /// The registry's revision that made it what it is.
    pub revision: u64,
    /// What a password is checked with.
    pub secret: StoredSecret,
    /// Whether it may log in at all.
    pub enabled: bool,
    /// From when on it may not log in any more.
    pub expires: Option<Timestamp>,
    /// How many sessions it may have at a time.
    pub simultaneous: Option<u16>,
    /// The numbers that it may log in from.
    pub calling: Vec<String>,
    /// Attributes of its Accepts.
    pub reply: Vec<(String, String)>,
    /// What the operator wants to remember.
    pub note: String,
}

/// What a password is checked with, as it is stored. `Debug` shows the form only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoredSecret {
    /// The password itself, sealed for this account of this contract.
    Recoverable(#[serde(with = "hex")] Vec<u8>),
    /// A PHC string of argon2id.
    Argon2id(String),
}

/// What happened to an account after a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// It is new, or it is like this now.
    Changed(AccountRow),
    /// It was removed.
    Gone {
        /// Its realm.
        realm: String,
        /// Its name.
        user: String,
        /// The revision that removed it.
        revision: u64,
    },
}

/// A document as it is stored: the text that was applied, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedDocument {
    /// The entry of the history that recorded it.
    pub number: u64,
    /// Whose it is; `None` for the operator's own.
    pub customer: Option<String>,
    /// The text, sealed for this customer and this entry.
    #[serde(with = "hex")]
    pub sealed: Vec<u8>,
}

impl AccountRow {
    /// Opens its secret.
    pub fn secret(&self, keys: &KeyRing) -> Result<Secret, KeyError> {
        Ok(match &self.secret {
            StoredSecret::Recoverable(sealed) => {
                Secret::Recoverable(keys.open(&account_context(&self.contract, &self.realm, &self.user), sealed)?)
            }
            StoredSecret::Argon2id(phc) => Secret::Argon2id(phc.clone()),
        })
    }

    /// The account as it is in memory, with its secret opened.
    pub fn open(&self, keys: &KeyRing) -> Result<Account, KeyError> {
        Ok(Account {
            contract: self.contract.clone(),
            realm: self.realm.clone(),
            user: self.user.clone(),
            secret: self.secret(keys)?,
            enabled: self.enabled,
            expires: self.expires,
            simultaneous: self.simultaneous,
            calling: self.calling.clone(),
            reply: self.reply.clone(),
            note: self.note.clone(),
        })
    }

    /// The account with its secret sealed; of no revision yet.
    pub fn seal(account: Account, keys: &KeyRing) -> Result<AccountRow, KeyError> {
        let Account { contract, realm, user, secret, enabled, expires, simultaneous, calling, reply, note } = account;
        let secret = StoredSecret::seal(&secret, &account_context(&contract, &realm, &user), keys)?;
        Ok(AccountRow {
            contract,
            realm,
            user,
            revision: 0,
            secret,
            enabled,
            expires,
            simultaneous,
            calling,
            reply,
            note,
        })
    }
}

impl StoredSecret {
    pub(crate) fn seal(secret: &Secret, context: &str, keys: &KeyRing) -> Result<StoredSecret, KeyError> {
        Ok(match secret {
            Secret::Recoverable(password) => StoredSecret::Recoverable(keys.seal(context, password)?),
            Secret::Argon2id(phc) => StoredSecret::Argon2id(phc.clone()),
        })
    }
}

impl fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoredSecret::Recoverable(_) => "Recoverable(..)",
            StoredSecret::Argon2id(_) => "Argon2id(..)",
        })
    }
}

impl SealedDocument {
    /// Opens its text.
    pub fn open(&self, keys: &KeyRing) -> Result<Zeroizing<String>, KeyError> {
        let mut octets = keys.open(&document_context(self.customer.as_deref(), self.number), &self.sealed)?;
        // What was sealed was text, so that nothing can be lost here.
        String::from_utf8(std::mem::take(&mut *octets)).map(Zeroizing::new).map_err(|_| KeyError::Altered)
    }
}

/// What a document's text is sealed for. The operator's own has an empty customer, which no customer's name can be.
pub(crate) fn document_context(customer: Option<&str>, number: u64) -> String {
    format!("document/{}/{number}", customer.unwrap_or_default())
}

/// What an account's password is sealed for. Contract and realm have no slash in them (see `record`), so that no two accounts have one context.
pub(crate) fn account_context(contract: &str, realm: &str, user: &str) -> String {
    format!("account/{contract}/{realm}/{user}")
}
