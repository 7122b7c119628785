//! Opening: a file that is made where there is none, a schema that is up to date, keys that fit.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rand::{TryRng as _, rngs::SysRng};
use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Inner, OpenFile, Registry,
    failure::{Speaker, explain},
    schema,
    session::{Pool, Value, patience},
};
use crate::{
    error::RegistryError,
    hex,
    keys::{KeyError, KeyRing},
    location::Location,
};

/// Connections of one process to the database: readers do not wait for one another, and writers wait for one another anyway.
const CONNECTIONS: u32 = 6;
/// What a new registry's file may be opened by: its owner.
const MODE: u32 = 0o600;
/// What everybody else could do with the file.
const EVERYBODY: u32 = 0o007;
/// What is sealed when a registry is made, and opened each time it is opened: so that wrong keys are found then, not at a login.
const KEY_CHECK: &[u8] = b"these are the keys";

impl Registry {
    /// Opens the registry, and makes it where there is none: the file, with mode 0600, or the tables in a database that is there.
    ///
    /// A schema of a former sekisho is brought up to date; several processes may open at once. Refused are: something else than a
    /// registry, one of a newer schema, keys that are not this registry's, and a file that everybody may open.
    pub async fn open(location: &Location, keys: KeyRing) -> Result<Registry, RegistryError> {
        let place = location.to_string();
        let (pool, file) = match location {
            Location::Sqlite(path) => {
                let file = open_file(path)?;
                (Pool::Sqlite(sqlite(path)), Some(file))
            }
            Location::Postgres(url) => (Pool::Postgres(postgres(url, &place)?), None),
        };
        let started = Instant::now();
        let id = loop {
            match identify(&pool, &place, &keys).await {
                // Where two processes make a file at once, SQLite does not wait for its lock in all cases.
                Err(RegistryError::Locked { .. }) if file.is_some() && started.elapsed() < patience::ACQUIRE => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                outcome => break outcome?,
            }
        };
        Ok(Registry { inner: Arc::new(Inner { pool, keys, place, id, file }) })
    }
}

/// Brings the schema up to date, and says which registry it is. A new one gets its identity here.
async fn identify(pool: &Pool, place: &str, keys: &KeyRing) -> Result<String, RegistryError> {
    schema::bring_up_to_date(pool, place).await?;
    let mut found = known(pool, place).await?;
    if found.is_none() {
        let id = new_id(place)?;
        let check = key_check(keys, &id).map_err(|source| wrong(place, source))?;
        let values = vec![Value::Text(id), Value::Text(Timestamp::now().to_string()), Value::Octets(check)];
        let mut session = pool.writing(place).await?;
        // Another process may have been faster, and then it is its registry.
        let insert = "INSERT INTO meta (one, id, made_at, revision, key_check) VALUES (1, $1, $2, 0, $3) ON CONFLICT (one) DO NOTHING";
        session.execute(insert, values).await?;
        session.commit().await?;
        found = known(pool, place).await?;
    }
    let Some((id, check)) = found else {
        return Err(RegistryError::Damaged {
            place: place.to_owned(),
            what: "the registry's identity".to_owned(),
            matter: "it is gone".to_owned(),
        });
    };
    match keys.open(&context(&id), &check) {
        Ok(_) => Ok(id),
        Err(source) => Err(wrong(place, source)),
    }
}

async fn known(pool: &Pool, place: &str) -> Result<Option<(String, Vec<u8>)>, RegistryError> {
    let mut session = pool.session(place).await?;
    let Some(row) = session.row("SELECT id, key_check FROM meta", vec![]).await? else { return Ok(None) };
    let read = || Ok((row.text(0)?, row.octets(1)?));
    read().map(Some).map_err(|error| explain(place, pool.speaker(), error))
}

/// What the key check is sealed for.
pub(super) fn context(id: &str) -> String {
    format!("registry/{id}")
}

/// The key check of a registry, sealed with the current key.
pub(super) fn key_check(keys: &KeyRing, id: &str) -> Result<Vec<u8>, KeyError> {
    keys.seal(&context(id), KEY_CHECK)
}

fn wrong(place: &str, source: KeyError) -> RegistryError {
    RegistryError::WrongKey { place: place.to_owned(), source }
}

fn new_id(place: &str) -> Result<String, RegistryError> {
    let mut octets = [0; 16];
    SysRng.try_fill_bytes(&mut octets).map_err(|error| wrong(place, KeyError::Random(error.to_string())))?;
    Ok(hex::encode(&octets))
}

/// Makes the file where there is none, for nobody but its owner. SQLite gives the files beside it the same mode.
fn open_file(path: &Path) -> Result<OpenFile, RegistryError> {
    let unreachable = |error: io::Error| RegistryError::Unreachable {
        place: path.display().to_string(),
        matter: error.to_string(),
        remedy: "see that the directory is there, and that this user may write to it and to the file",
    };
    // One that is there already is not opened here: SQLite's locks belong to the process, and all that it has on a file are lost when it
    // closes any descriptor of it.
    match OpenOptions::new().write(true).create_new(true).mode(MODE).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unreachable(error)),
        _ => {}
    }
    let metadata = path.metadata().map_err(unreachable)?;
    let mode = metadata.mode() & 0o777;
    if mode & EVERYBODY != 0 {
        return Err(RegistryError::Exposed { path: path.to_owned(), mode });
    }
    Ok(OpenFile { path: path.to_owned(), identity: (metadata.dev(), metadata.ino()) })
}

fn sqlite(path: &Path) -> sqlx::SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A notice of cancellation that was recorded has arrived, whatever happens to the machine after.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(patience::LOCK)
        // Its log would show statements of a thousand rows.
        .disable_statement_logging();
    SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(patience::ACQUIRE).connect_lazy_with(options)
}

fn postgres(url: &str, place: &str) -> Result<sqlx::PgPool, RegistryError> {
    // The error itself is left out where it might quote the URL.
    let options: PgConnectOptions = url.parse().map_err(|error| match error {
        sqlx::Error::Configuration(_) => RegistryError::Unreachable {
            place: place.to_owned(),
            matter: "its URL cannot be read".to_owned(),
            remedy: "write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with `%40` for an `@` of the password, and so on",
        },
        error => explain(place, Speaker::Postgres, error),
    })?;
    let milliseconds = |duration: Duration| duration.as_millis();
    let options = options.application_name("sekisho").disable_statement_logging().options([
        ("statement_timeout", milliseconds(patience::STATEMENT)),
        ("lock_timeout", milliseconds(patience::LOCK)),
        ("idle_in_transaction_session_timeout", milliseconds(patience::IDLE)),
    ]);
    Ok(PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(patience::ACQUIRE).connect_lazy_with(options))
}
