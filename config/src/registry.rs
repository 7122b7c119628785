//! Where customers' documents come from, and what a node needs for the registry and for hosted accounts: `[registry]` and
//! `[hosted]` of `sekisho.toml`.

use std::{fmt, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;
use zeroize::Zeroizing;

/// Where customers' documents come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomersFrom {
    /// From files of a directory, and served as they stand.
    Directory(PathBuf),
    /// From the registry, and served as their contracts' life and the service regulation say.
    Registry(Registry),
}

impl CustomersFrom {
    /// The registry, where there is one.
    pub const fn registry(&self) -> Option<&Registry> {
        match self {
            CustomersFrom::Directory(_) => None,
            CustomersFrom::Registry(registry) => Some(registry),
        }
    }
}

/// The registry of customers, contracts and hosted accounts, as a node reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// Its database.
    pub database: Database,
    /// Where the key is that its secrets are sealed with.
    pub key: KeySource,
    /// The time zone that days begin and end in: its IANA name, or its rule as POSIX has it.
    pub time_zone: String,
    /// The file that keeps the last good snapshot, for a start without the database.
    pub mirror: PathBuf,
}

impl Registry {
    /// The time zone that days begin and end in.
    pub fn zone(&self) -> TimeZone {
        // One of the two knows it: the document has been checked.
        TimeZone::get(&self.time_zone).or_else(|_| TimeZone::posix(&self.time_zone)).unwrap_or(TimeZone::UTC)
    }
}

/// A database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// SQLite, in a file that is made when it is needed.
    Sqlite(PathBuf),
    /// PostgreSQL.
    Postgres(DatabaseUrl),
}

/// The URL of a PostgreSQL database, `postgresql://…`. Its password is never shown, and is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Zeroizing<String>);

impl DatabaseUrl {
    pub(crate) fn new(url: Zeroizing<String>) -> DatabaseUrl {
        DatabaseUrl(url)
    }

    /// The whole URL, for connecting and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    /// Scheme, host and database: what may hold a password, before the host and behind `?`, is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.0.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        // The last @: a password may hold one that nobody has escaped.
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        write!(f, "{scheme}://{place}")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// In a systemd credential of this name.
    Credential(String),
}

/// How a node answers for hosted accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosted {
    /// Threads that check argon2id passwords: 1 to 64.
    pub argon2_workers: u32,
    /// The most logins that wait for one of them: 1 to 65,536.
    pub argon2_queue: u32,
    /// So many failures of an account from one calling number within `failure_window` lock the two: at most 1000; 0: never.
    pub max_failures: u16,
    /// The time in which failures are counted: 1 s to 24 h, in whole seconds.
    pub failure_window: Duration,
    /// How long a lock holds: 1 s to 24 h, in whole seconds.
    pub lock: Duration,
    /// So many failures of one client within `failure_window`, whatever the account, lock the client out of the contract;
    /// 0: never. An access network, which is everybody's, is never locked out.
    pub client_failures: u16,
    /// The most sessions of accounts that are followed at a time: 1024 to 16,777,216.
    pub max_sessions: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_shown_without_its_password() {
        let shown = |url: &str| {
            let url = DatabaseUrl::new(Zeroizing::new(url.into()));
            let (display, debug) = (url.to_string(), format!("{url:?}"));
            assert_eq!(debug, format!("DatabaseUrl({display})"));
            display
        };
        assert_eq!(shown("postgresql://sekisho:pass@db.example/registry"), "postgresql://db.example/registry");
        assert_eq!(shown("postgres://u:p@ss@db:5432/r?password=pass&x=@y"), "postgres://db:5432/r");
        assert_eq!(shown("postgresql:///registry?host=/run/postgresql"), "postgresql:///registry");
        // A path is not where a password belongs, but nobody keeps a hasty hand from it.
        assert_eq!(shown("postgresql://u:p/a@ss@db/r"), "postgresql://db/r");
    }
}
