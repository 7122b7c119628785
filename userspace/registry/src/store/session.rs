//! The one door to both databases: a connection, a transaction, values and rows.
//!
//! Everything above says one and the same SQL to SQLite and PostgreSQL. No statement is waited for without end: the database has its own
//! limits ([`patience`]), and where it does not answer at all, the connection is given up.

use std::{future::Future, time::Duration};

use sqlx::{
    PgPool, Postgres, Row as _, SqlSafeStr, SqlStr, Sqlite, SqlitePool, pool::PoolConnection, postgres::PgRow,
    sqlite::SqliteRow,
};
use tokio::time::timeout;

use super::failure::{Speaker, explain};
use crate::error::RegistryError;

/// How long things may take.
pub(crate) mod patience {
    use super::Duration;

    /// Until there is a connection.
    pub(crate) const ACQUIRE: Duration = Duration::from_secs(5);
    /// Until one statement is done, by PostgreSQL's clock.
    pub(crate) const STATEMENT: Duration = Duration::from_secs(5);
    /// Until another writer is done.
    pub(crate) const LOCK: Duration = Duration::from_secs(4);
    /// Until a database that holds to none of the above is given up.
    pub(crate) const ANSWER: Duration = Duration::from_secs(8);
    /// How long PostgreSQL lets a process of ours hold a transaction without saying anything: it may have been stopped.
    pub(crate) const IDLE: Duration = Duration::from_secs(30);
    /// Until a schema is brought up to date.
    pub(crate) const MIGRATION: Duration = Duration::from_secs(600);
}

/// The connections to the database.
#[derive(Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub(crate) fn speaker(&self) -> Speaker {
        match self {
            Pool::Sqlite(_) => Speaker::Sqlite,
            Pool::Postgres(_) => Speaker::Postgres,
        }
    }

    /// A connection for single statements.
    pub(crate) async fn session(&self, place: &str) -> Result<Session, RegistryError> {
        let acquired = match self {
            Pool::Sqlite(pool) => pool.acquire().await.map(Connection::Sqlite),
            Pool::Postgres(pool) => pool.acquire().await.map(Connection::Postgres),
        };
        match acquired {
            Ok(connection) => {
                Ok(Session { connection: Some(connection), place: place.to_owned(), unfinished: false, busy: false })
            }
            Err(sqlx::Error::PoolTimedOut) => Err(self.why_no_connection(place).await),
            Err(error) => Err(explain(place, self.speaker(), error)),
        }
    }

    /// A transaction that sees one state of the registry, and changes nothing.
    pub(crate) async fn reading(&self, place: &str) -> Result<Session, RegistryError> {
        self.begin(place, "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    /// A transaction that writes.
    pub(crate) async fn writing(&self, place: &str) -> Result<Session, RegistryError> {
        // SQLite is asked for its lock at once: to be refused it halfway would be an error that nobody can wait out. PostgreSQL's level is
        // named, since an administrator may have set another: who has waited for the writer before must see what that one has written.
        self.begin(place, "BEGIN IMMEDIATE", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await
    }

    async fn begin(&self, place: &str, sqlite: &'static str, postgres: &'static str) -> Result<Session, RegistryError> {
        let mut session = self.session(place).await?;
        let statement = match self {
            Pool::Sqlite(_) => sqlite,
            Pool::Postgres(_) => postgres,
        };
        session.execute(statement, vec![]).await?;
        session.unfinished = true;
        Ok(session)
    }

    /// The pool tries again and again to connect and says nothing of what it met, so one attempt is made beside it.
    pub(crate) async fn why_no_connection(&self, place: &str) -> RegistryError {
        let Pool::Postgres(pool) = self else { return explain(place, self.speaker(), sqlx::Error::PoolTimedOut) };
        let options = pool.connect_options();
        match timeout(Duration::from_secs(1), sqlx::ConnectOptions::connect(&*options)).await {
            Ok(Ok(_)) => explain(place, self.speaker(), sqlx::Error::PoolTimedOut),
            Ok(Err(error)) => explain(place, self.speaker(), error),
            Err(_) => {
                let matter = format!("it does not answer within {} s", patience::ACQUIRE.as_secs());
                RegistryError::Unreachable {
                    place: place.to_owned(),
                    matter,
                    remedy: "see that the database runs and that this machine reaches it",
                }
            }
        }
    }
}

/// A connection, and perhaps a transaction on it: dropped before [`commit`](Session::commit), it has changed nothing.
pub(crate) struct Session {
    connection: Option<Connection>,
    place: String,
    /// Has a transaction that is neither committed nor rolled back.
    unfinished: bool,
    /// A statement is on its way, and nobody knows how far it came.
    busy: bool,
}

enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// What a statement is given. Each has a type even where it is nothing, which PostgreSQL wants to know.
#[derive(Clone)]
pub(crate) enum Value {
    Int(i64),
    Flag(bool),
    Text(String),
    Octets(Vec<u8>),
    MaybeInt(Option<i64>),
    MaybeText(Option<String>),
}

/// What a statement gives.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A query of one database, with its values.
macro_rules! query {
    ($database:ty, $sql:expr, $values:expr) => {{
        let mut query = sqlx::query::<$database>($sql);
        for value in $values {
            query = match value {
                Value::Int(it) => query.bind(it),
                Value::Flag(it) => query.bind(it),
                Value::Text(it) => query.bind(it),
                Value::Octets(it) => query.bind(it),
                Value::MaybeInt(it) => query.bind(it),
                Value::MaybeText(it) => query.bind(it),
            };
        }
        query
    }};
}

impl Session {
    /// Which database it is of.
    pub(crate) fn speaker(&self) -> Speaker {
        match self.connection {
            Some(Connection::Postgres(_)) => Speaker::Postgres,
            Some(Connection::Sqlite(_)) | None => Speaker::Sqlite,
        }
    }

    /// Does it, and says how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<u64, RegistryError> {
        let sql = sql.into_sql_str();
        self.patiently(async |connection| match connection {
            Connection::Sqlite(it) => {
                query!(Sqlite, sql, values).execute(&mut **it).await.map(|done| done.rows_affected())
            }
            Connection::Postgres(it) => {
                query!(Postgres, sql, values).execute(&mut **it).await.map(|done| done.rows_affected())
            }
        })
        .await
    }

    /// All rows of it.
    pub(crate) async fn rows(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Vec<Row>, RegistryError> {
        let sql: SqlStr = sql.into_sql_str();
        self.patiently(async |connection| match connection {
            Connection::Sqlite(it) => {
                let rows = query!(Sqlite, sql, values).fetch_all(&mut **it).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Connection::Postgres(it) => {
                let rows = query!(Postgres, sql, values).fetch_all(&mut **it).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        })
        .await
    }

    /// The first row of it, where there is one.
    pub(crate) async fn row(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Option<Row>, RegistryError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Makes it so.
    pub(crate) async fn commit(mut self) -> Result<(), RegistryError> {
        let outcome = self.execute("COMMIT", vec![]).await;
        match outcome {
            Ok(_) => {
                self.unfinished = false;
                Ok(())
            }
            // The database may have committed and not lived to say so.
            Err(RegistryError::Unreachable { place, matter, .. } | RegistryError::Slow { place, matter }) => {
                Err(RegistryError::Uncertain { place, matter })
            }
            Err(error) => Err(error),
        }
    }

    /// Ends it, with nothing changed. It cannot fail: where it would, the connection is given up, which does the same.
    pub(crate) async fn rollback(mut self) {
        if self.execute("ROLLBACK", vec![]).await.is_ok() {
            self.unfinished = false;
        }
    }

    async fn patiently<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, sqlx::Error>,
    ) -> Result<T, RegistryError> {
        let place = self.place.clone();
        let speaker = self.speaker();
        let Some(connection) = self.connection.as_mut() else {
            return Err(explain(&place, speaker, sqlx::Error::PoolClosed));
        };
        self.busy = true;
        let outcome = timeout(patience::ANSWER, work(connection)).await;
        self.busy = outcome.is_err();
        match outcome {
            Ok(outcome) => outcome.map_err(|error| explain(&place, speaker, error)),
            Err(_) => {
                let matter = format!("no answer to a statement within {} s", patience::ANSWER.as_secs());
                Err(RegistryError::Slow { place, matter })
            }
        }
    }
}

impl Drop for Session {
    /// A connection in the middle of something does not go back to the others: it is closed, which rolls back whatever it was.
    fn drop(&mut self) {
        if self.unfinished || self.busy {
            match self.connection.take() {
                Some(Connection::Sqlite(it)) => drop(it.detach()),
                Some(Connection::Postgres(it)) => drop(it.detach()),
                None => {}
            }
        }
    }
}

/// A column of a row, from 0.
macro_rules! column {
    ($name:ident, $type:ty) => {
        pub(crate) fn $name(&self, column: usize) -> Result<$type, sqlx::Error> {
            match self {
                Row::Sqlite(row) => row.try_get(column),
                Row::Postgres(row) => row.try_get(column),
            }
        }
    };
}

impl Row {
    column!(int, i64);
    column!(flag, bool);
    column!(text, String);
    column!(octets, Vec<u8>);
    column!(maybe_int, Option<i64>);
    column!(maybe_text, Option<String>);
}

/// What `future` gives, or the error that a schema's change takes too long.
pub(crate) async fn within_migration<T>(place: &str, future: impl Future<Output = T>) -> Result<T, RegistryError> {
    timeout(patience::MIGRATION, future).await.map_err(|_| RegistryError::Slow {
        place: place.to_owned(),
        matter: format!("the schema was not up to date after {} s", patience::MIGRATION.as_secs()),
    })
}
