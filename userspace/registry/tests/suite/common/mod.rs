//! What the tests of the registry share: a place of each kind, and things to put there.

pub mod postgresql;

use std::{path::PathBuf, sync::Arc};

use jiff::{Timestamp, civil::date};
use sekisho_registry::{
    AccountEdit, Change, Location, NewEntry, Registry,
    account::{Account, Secret},
    keys::KeyRing,
};
use sekisho_regulation::event::Event;
use tempfile::TempDir;

use self::postgresql::PostgreSql;

/// Runs each of the named tests, which take a `Place`, over SQLite and over PostgreSQL.
macro_rules! over_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::common::Place::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::common::Place::postgres()).await;
            })+
        }
    };
}

/// Where a registry is, and the keys that belong to it. All of it is gone in the end.
pub struct Place {
    pub location: Location,
    pub keys: KeyRing,
    pub server: Option<Arc<PostgreSql>>,
    directory: TempDir,
}

impl Place {
    pub fn sqlite() -> Place {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(directory.path().join("registry.sqlite"));
        Place { location, keys: KeyRing::generate().unwrap(), server: None, directory }
    }

    pub fn postgres() -> Place {
        Place::of(PostgreSql::shared())
    }

    /// A new database of a given server.
    pub fn of(server: Arc<PostgreSql>) -> Place {
        let location = Location::Postgres(server.database());
        Place {
            location,
            keys: KeyRing::generate().unwrap(),
            server: Some(server),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Another empty one of the same kind, with the same keys.
    pub fn another(&self) -> Place {
        let place = match &self.server {
            Some(server) => Place::of(Arc::clone(server)),
            None => Place::sqlite(),
        };
        Place { keys: self.keys.clone(), ..place }
    }

    pub async fn open(&self) -> Registry {
        Registry::open(&self.location, self.keys.clone()).await.unwrap()
    }

    /// A file beside the registry.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Says something to the database itself, past the registry.
    pub async fn say(&self, sql: &str) -> Result<(), sqlx::Error> {
        use sqlx::{AssertSqlSafe, Connection, Executor};
        match &self.location {
            Location::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                sqlx::SqliteConnection::connect_with(&options).await?.execute(AssertSqlSafe(sql)).await?;
            }
            Location::Postgres(url) => {
                sqlx::PgConnection::connect(url).await?.execute(AssertSqlSafe(sql)).await?;
            }
        }
        Ok(())
    }
}

pub const CONTRACT: &str = "acme-group";
pub const REALM: &str = "acme.example";

pub fn now() -> Timestamp {
    "2026-11-27T12:00:00.123456789Z".parse().unwrap()
}

pub fn entry(event: Event) -> NewEntry {
    NewEntry { at: now(), who: "sato".into(), why: "“申込” by telephone".into(), event }
}

pub fn accounts_entry(what: &str) -> NewEntry {
    entry(Event::Accounts { contract: CONTRACT.into(), what: what.into() })
}

/// An entry of the operator's document, with its text.
pub fn operator_document(text: &str) -> Change {
    Change {
        entries: vec![entry(Event::Operator { from: date(2026, 12, 1) })],
        documents: vec![(0, None, text.to_owned().into())],
        ..Change::default()
    }
}

pub fn account(user: &str) -> Account {
    Account {
        contract: CONTRACT.into(),
        realm: REALM.into(),
        user: user.into(),
        secret: Secret::Recoverable(format!("secret of {user}").into_bytes().into()),
        enabled: true,
        expires: Some("2027-03-31T15:00:00Z".parse().unwrap()),
        simultaneous: Some(2),
        calling: vec!["819012345678".into()],
        reply: vec![("Framed-IP-Address".into(), "192.0.2.1".into()), ("Reply-Message".into(), "ようこそ".into())],
        note: "line 1\nline 2".into(),
    }
}

/// A change that puts accounts, with its entry.
pub fn put(accounts: impl IntoIterator<Item = Account>) -> Change {
    let accounts: Vec<_> = accounts.into_iter().map(AccountEdit::Put).collect();
    Change { entries: vec![accounts_entry(&format!("added {}", accounts.len()))], accounts, ..Change::default() }
}

pub fn remove(user: &str) -> AccountEdit {
    AccountEdit::Remove { contract: CONTRACT.into(), realm: REALM.into(), user: user.into() }
}
