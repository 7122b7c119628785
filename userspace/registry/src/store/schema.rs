//! The steps that a database's schema has gone through, and how it is brought to the last.

use std::borrow::Cow;

use sqlx::{
    Connection as _, SqlStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{
    failure::{Speaker, explain},
    session::{Pool, within_migration},
};
use crate::error::RegistryError;

/// A step of the schema: its number, what it brings, and its SQL for SQLite and PostgreSQL. A step that was released is never altered.
type Step = (i64, &'static str, &'static str, &'static str);

const STEPS: &[Step] = &[
    (
        1,
        "history",
        include_str!("../../migrations/sqlite/0001_history.sql"),
        include_str!("../../migrations/postgres/0001_history.sql"),
    ),
    (
        2,
        "accounts",
        include_str!("../../migrations/sqlite/0002_accounts.sql"),
        include_str!("../../migrations/postgres/0002_accounts.sql"),
    ),
];

/// Where the database itself keeps which steps it has gone through.
const TABLE: &str = "sekisho_schema";

/// Brings the database's schema up to date. Several processes may do so at once: one does, the others wait.
pub(crate) async fn bring_up_to_date(pool: &Pool, place: &str) -> Result<(), RegistryError> {
    if is_up_to_date(pool, place).await? {
        return Ok(());
    }
    let migrator = migrator(pool.speaker());
    let migrated = within_migration(place, async {
        match pool {
            Pool::Sqlite(pool) => {
                let mut connection = pool.acquire().await?.detach();
                // Migrator takes no lock with SQLite, and each step in a transaction of its own: this one is around them all.
                let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
                migrator.run_direct(None, &mut *transaction, false).await?;
                transaction.commit().await?;
                connection.close().await?;
            }
            Pool::Postgres(pool) => {
                // Its own connection: a large table may take longer than any statement may otherwise. Closing it lets go of the lock.
                let mut connection = pool.acquire().await?.detach();
                sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = '60s'").execute(&mut connection).await?;
                migrator.run_direct(None, &mut connection, false).await?;
                connection.close().await?;
            }
        }
        Ok(())
    });
    migrated.await?.map_err(|error| why_not(place, pool.speaker(), error))
}

/// Whether there is nothing to do, found out without any lock; or that this is no place to do anything.
async fn is_up_to_date(pool: &Pool, place: &str) -> Result<bool, RegistryError> {
    let mut session = pool.session(place).await?;
    let tables = match pool {
        Pool::Sqlite(_) => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
        Pool::Postgres(_) => {
            "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
        }
    };
    let mut names = Vec::new();
    for row in session.rows(tables, vec![]).await? {
        names.push(row.text(0).map_err(|error| explain(place, pool.speaker(), error))?);
    }
    if !names.iter().any(|name| name == TABLE) {
        // A database may be shared with others, a file is ours alone; and neither may have tables by the names of ours.
        let foreign = names.iter().find(|name| {
            matches!(pool, Pool::Sqlite(_)) || matches!(name.as_str(), "meta" | "history" | "document" | "account")
        });
        return match foreign {
            Some(name) => Err(RegistryError::NotARegistry {
                place: place.to_owned(),
                matter: format!("it has a table `{name}` of somebody else"),
            }),
            None => Ok(false),
        };
    }
    let migrator = migrator(pool.speaker());
    let mut done = 0;
    for row in
        session.rows("SELECT version, checksum FROM sekisho_schema WHERE success ORDER BY version", vec![]).await?
    {
        let column = |error| explain(place, pool.speaker(), error);
        let (version, checksum) = (row.int(0).map_err(column)?, row.octets(1).map_err(column)?);
        match migrator.iter().find(|step| step.version == version) {
            Some(step) if *step.checksum == *checksum => done += 1,
            Some(_) => return Err(why_not(place, pool.speaker(), MigrateError::VersionMismatch(version))),
            None => return Err(why_not(place, pool.speaker(), MigrateError::VersionMissing(version))),
        }
    }
    Ok(done == STEPS.len())
}

fn migrator(speaker: Speaker) -> Migrator {
    let step = |(version, description, sqlite, postgres): &Step| {
        let sql = SqlStr::from_static(match speaker {
            Speaker::Sqlite => sqlite,
            Speaker::Postgres => postgres,
        });
        Migration::new(*version, Cow::Borrowed(description), MigrationType::Simple, sql, false)
    };
    let mut migrator = Migrator::with_migrations(STEPS.iter().map(step).collect());
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

fn why_not(place: &str, speaker: Speaker, error: MigrateError) -> RegistryError {
    let known = STEPS.last().map_or(0, |(version, ..)| *version);
    match error {
        MigrateError::VersionMissing(version) => RegistryError::Newer { place: place.to_owned(), version, known },
        MigrateError::VersionMismatch(version) => RegistryError::NotARegistry {
            place: place.to_owned(),
            matter: format!("step {version} of its schema is another than this sekisho's"),
        },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => match explain(place, speaker, error)
        {
            RegistryError::Refused { place, matter } => RegistryError::Migration { place, matter },
            other => other,
        },
        error => RegistryError::Migration { place: place.to_owned(), matter: error.to_string() },
    }
}
