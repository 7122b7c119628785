//! The registry in its database: opened, read and written.

mod edits;
mod failure;
mod open;
mod read;
mod record;
mod reseal;
mod rows;
mod schema;
mod session;

use std::{os::unix::fs::MetadataExt as _, path::PathBuf, sync::Arc};

pub(crate) use self::{
    edits::put_rows,
    read::{Position, all_documents, history_page, revision_page},
    record::{insert_document, insert_entry},
    rows::{number, values},
    session::{Pool, Session, Value, patience},
};
use self::{failure::explain, session::Row};
pub use self::{read::Page, reseal::Resealed};
use crate::{error::RegistryError, keys::KeyRing};

/// The registry. A clone is cheap, and is the same registry.
///
/// Every operation ends within seconds: with an error that says what the matter is, where the database is not there or too slow.
#[derive(Clone)]
pub struct Registry {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) pool: Pool,
    pub(crate) keys: KeyRing,
    /// Where it is, without any password.
    pub(crate) place: String,
    /// Which registry it is: a number of its own, which a restored one has another of.
    pub(crate) id: String,
    file: Option<OpenFile>,
}

/// A file of SQLite, as it was when it was opened.
struct OpenFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Registry {
    /// Which registry this is: a number of its own. What was read of one is nothing to another, and a restored one is another.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// The keys that its secrets are sealed with.
    pub fn keys(&self) -> &KeyRing {
        &self.inner.keys
    }

    /// Lets go of the database, after what is under way has ended. Every clone is closed with it.
    pub async fn close(&self) {
        match &self.inner.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

impl Inner {
    /// A transaction that sees one state of this very registry, and its revision.
    pub(crate) async fn reading(&self) -> Result<(Session, u64), RegistryError> {
        self.check_file()?;
        let mut session = self.pool.reading(&self.place).await?;
        let revision = self.look(&mut session, "SELECT id, revision FROM meta").await?;
        Ok((session, revision))
    }

    /// A transaction that writes to this very registry, and the revision that it will have by it. No other writes meanwhile.
    pub(crate) async fn writing(&self) -> Result<(Session, u64), RegistryError> {
        self.check_file()?;
        let mut session = self.pool.writing(&self.place).await?;
        // In PostgreSQL it is this row's lock that keeps writers one behind the other.
        let revision =
            self.look(&mut session, "UPDATE meta SET revision = revision + 1 RETURNING id, revision").await?;
        Ok((session, revision))
    }

    /// The revision, without any transaction.
    pub(crate) async fn revision(&self) -> Result<u64, RegistryError> {
        self.check_file()?;
        let mut session = self.pool.session(&self.place).await?;
        self.look(&mut session, "SELECT id, revision FROM meta").await
    }

    /// Commits, where the file is still the one that is read by others.
    pub(crate) async fn commit(&self, session: Session) -> Result<(), RegistryError> {
        self.check_file()?;
        session.commit().await?;
        self.check_file()
    }

    /// What a column holds, or that it is damaged.
    pub(crate) fn column<T>(&self, value: Result<T, sqlx::Error>) -> Result<T, RegistryError> {
        value.map_err(|error| explain(&self.place, self.pool.speaker(), error))
    }

    /// Something that is stored makes no sense.
    pub(crate) fn damaged(&self, what: String, matter: impl ToString) -> RegistryError {
        RegistryError::Damaged { place: self.place.clone(), what, matter: matter.to_string() }
    }

    /// What is counted from 0 upwards.
    pub(crate) fn count(&self, value: Result<i64, sqlx::Error>, what: &str) -> Result<u64, RegistryError> {
        let value = self.column(value)?;
        u64::try_from(value).map_err(|_| self.damaged(what.to_owned(), format!("it is {value}")))
    }

    async fn look(&self, session: &mut Session, sql: &'static str) -> Result<u64, RegistryError> {
        let row: Option<Row> = session.row(sql, vec![]).await?;
        let Some(row) = row else { return Err(RegistryError::Replaced { place: self.place.clone() }) };
        if self.column(row.text(0))? != self.id {
            return Err(RegistryError::Replaced { place: self.place.clone() });
        }
        self.count(row.int(1), "the revision")
    }

    /// SQLite would go on with a file that has no name any more, and all that was written to it would be gone with the process.
    fn check_file(&self) -> Result<(), RegistryError> {
        let Some(file) = &self.file else { return Ok(()) };
        match file.path.metadata() {
            Ok(now) if (now.dev(), now.ino()) == file.identity => Ok(()),
            _ => Err(RegistryError::Vanished { path: file.path.clone() }),
        }
    }
}
