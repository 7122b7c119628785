//! Accounts that a load logs in with, each with a password of its own.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// Users and their passwords. A clone shares them.
#[derive(Clone)]
pub struct Accounts(Arc<[Account]>);

/// One of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Its User-Name, with or without a realm.
    pub user: String,
    /// Its password.
    pub password: String,
}

/// Why a file of accounts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// It could not be read, or is no CSV.
    #[error("cannot read accounts from {path}: {error}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why, with the line if it is one.
        error: csv::Error,
    },
    /// A column is missing.
    #[error("{path} has no column `{column}`: its first line names the columns, `user,password` at least")]
    Column {
        /// The file.
        path: PathBuf,
        /// `user` or `password`.
        column: &'static str,
    },
    /// Nobody is in it.
    #[error("{path} has no account: give one a line, below the line that names the columns")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Accounts {
    /// `user00000`, `user00001` and so on, as many as asked for, with passwords of twelve letters that depend on the number
    /// alone: every server that is compared can be given the same.
    pub fn numbered(count: usize) -> Self {
        const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz23456789";
        (0..count)
            .map(|number| {
                let mut random = ChaCha12Rng::seed_from_u64(number as u64);
                let letter = |_| LETTERS.get(random.random_range(0..LETTERS.len())).map(|letter| char::from(*letter));
                Account { user: format!("user{number:05}"), password: (0..12).filter_map(letter).collect() }
            })
            .collect()
    }

    /// Reads CSV (RFC 4180) whose first line names the columns; `user` and `password` are taken, others are left alone. It is
    /// what `sekisho accounts import` reads.
    ///
    /// # Errors
    /// When the file cannot be read, has not both columns, or has no account.
    pub fn read(path: &Path) -> Result<Self, AccountsError> {
        let unreadable = |error| AccountsError::Unreadable { path: path.to_owned(), error };
        let mut reader = csv::Reader::from_path(path).map_err(unreadable)?;
        let columns = reader.headers().map_err(unreadable)?.clone();
        let place = |column: &'static str| {
            let found = columns.iter().position(|name| name.trim_start_matches('\u{feff}') == column);
            found.ok_or(AccountsError::Column { path: path.to_owned(), column })
        };
        let (user, password) = (place("user")?, place("password")?);
        let field = |record: &csv::StringRecord, place| record.get(place).unwrap_or_default().to_owned();
        let accounts = reader.records().map(|record| {
            let record = record.map_err(unreadable)?;
            Ok(Account { user: field(&record, user), password: field(&record, password) })
        });
        let accounts = accounts.collect::<Result<Self, AccountsError>>()?;
        if accounts.is_empty() { Err(AccountsError::Empty { path: path.to_owned() }) } else { Ok(accounts) }
    }

    /// In the order they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, Account> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in an order that depends on `seed`.
    pub fn shuffled(&self, seed: u64) -> Vec<&Account> {
        let mut accounts: Vec<_> = self.iter().collect();
        accounts.shuffle(&mut ChaCha12Rng::seed_from_u64(seed));
        accounts
    }
}

impl FromIterator<Account> for Accounts {
    fn from_iter<I: IntoIterator<Item = Account>>(accounts: I) -> Self {
        Self(accounts.into_iter().collect())
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts({})", self.len())
    }
}

impl Account {
    /// The User-Name in `realm`: a user who has a realm already, or an empty realm, adds none.
    pub fn name(&self, realm: &str) -> String {
        if realm.is_empty() || self.user.contains('@') { self.user.clone() } else { format!("{}@{realm}", self.user) }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn read(text: &str) -> Result<Accounts, AccountsError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Accounts::read(file.path())
    }

    #[test]
    fn columns_are_found_by_their_names_and_quotes_are_understood() {
        let accounts = read("note,password,user\r\nvip,\"a,b\"\"c\",alice\r\n,builder,bob@other.example\r\n").unwrap();
        let all: Vec<_> = accounts.iter().map(|account| (account.name("acme.example"), &*account.password)).collect();
        assert_eq!(all, [("alice@acme.example".into(), "a,b\"c"), ("bob@other.example".into(), "builder")]);
    }

    #[test]
    fn a_file_without_accounts_or_a_column_is_refused_with_what_is_missing() {
        assert!(read("user,password\n").unwrap_err().to_string().contains("no account"));
        assert!(read("alice,wonderland\n").unwrap_err().to_string().contains("no column `user`"));
        assert!(read("user,secret\nalice,wonderland\n").unwrap_err().to_string().contains("no column `password`"));
        let short = read("user,password\nalice\n").unwrap_err();
        assert!(short.to_string().contains("line: 2"), "{short}");
        assert!(!format!("{short:?}").contains("wonderland"));
    }

    #[test]
    fn numbered_accounts_are_the_same_each_time_and_no_two_alike() {
        let accounts = Accounts::numbered(1000);
        let passwords: HashSet<_> = accounts.iter().map(|account| &account.password).collect();
        assert_eq!((accounts.len(), passwords.len()), (1000, 1000));
        assert!(passwords.iter().all(|password| password.len() == 12));
        assert_eq!(accounts.iter().last(), Accounts::numbered(1000).iter().last());
        assert!(!format!("{accounts:?} {:?}", accounts.shuffled(1)).contains(&accounts.0[7].password));
    }

    #[test]
    fn the_order_depends_on_the_seed_and_leaves_nobody_out() {
        let accounts = Accounts::numbered(100);
        assert_eq!(accounts.shuffled(1), accounts.shuffled(1));
        assert_ne!(accounts.shuffled(1), accounts.shuffled(2));
        let users: HashSet<_> = accounts.shuffled(1).into_iter().map(|account| &account.user).collect();
        assert_eq!(users.len(), 100);
    }
}
