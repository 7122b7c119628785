//! What a database's error means for the operator.

use std::io;

use super::session::patience;
use crate::error::RegistryError;

/// Which database said it: their codes have nothing in common.
#[derive(Clone, Copy)]
pub(crate) enum Speaker {
    Sqlite,
    Postgres,
}

/// Puts an error of sqlx into words.
pub(crate) fn explain(place: &str, speaker: Speaker, error: sqlx::Error) -> RegistryError {
    let place = place.to_owned();
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            let matter = error.message().to_owned();
            match speaker {
                Speaker::Sqlite => sqlite(place, code.parse().unwrap_or_default(), matter),
                Speaker::Postgres => postgres(place, &code, matter),
            }
        }
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
            RegistryError::Full { place, matter: error.to_string() }
        }
        sqlx::Error::Io(error) => RegistryError::Unreachable { place, matter: error.to_string(), remedy: REMEDY_DOWN },
        sqlx::Error::PoolTimedOut => {
            let matter = format!("no connection came free within {} s", patience::ACQUIRE.as_secs());
            RegistryError::Slow { place, matter }
        }
        error @ (sqlx::Error::Tls(_) | sqlx::Error::Configuration(_)) => RegistryError::Unreachable {
            place,
            matter: error.to_string(),
            remedy: "correct the registry's URL, or its certificates",
        },
        error @ (sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed) => {
            RegistryError::Unreachable { place, matter: error.to_string(), remedy: REMEDY_DOWN }
        }
        error @ (sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_)) => {
            RegistryError::Damaged { place, what: "a row".to_owned(), matter: error.to_string() }
        }
        error => RegistryError::Refused { place, matter: error.to_string() },
    }
}

const REMEDY_DOWN: &str = "see that the database runs and that this machine reaches it";

/// By the primary result code of SQLite, the low octet of the extended one (<https://www.sqlite.org/rescode.html>).
fn sqlite(place: String, code: i64, matter: String) -> RegistryError {
    match code & 0xff {
        // BUSY, LOCKED.
        5 | 6 => RegistryError::Locked { place, seconds: patience::LOCK.as_secs() },
        // PERM, READONLY, CANTOPEN, AUTH.
        3 | 8 | 14 | 23 => RegistryError::Unreachable {
            place,
            matter,
            remedy: "see that the directory is there, and that this user may write to it and to the file",
        },
        // IOERR, PROTOCOL.
        10 | 15 => RegistryError::Unreachable { place, matter, remedy: "see what the kernel's log says of the disk" },
        // CORRUPT.
        11 => RegistryError::Damaged { place, what: "the file".to_owned(), matter },
        // FULL.
        13 => RegistryError::Full { place, matter },
        // NOTADB.
        26 => RegistryError::NotARegistry { place, matter },
        _ => RegistryError::Refused { place, matter },
    }
}

/// By the SQLSTATE (PostgreSQL's manual, appendix A).
fn postgres(place: String, code: &str, matter: String) -> RegistryError {
    match code {
        // query_canceled: by statement_timeout.
        "57014" => RegistryError::Slow { place, matter: format!("{matter} ({} s)", patience::STATEMENT.as_secs()) },
        // lock_not_available: by lock_timeout.
        "55P03" => RegistryError::Locked { place, seconds: patience::LOCK.as_secs() },
        // disk_full.
        "53100" => RegistryError::Full { place, matter },
        // invalid_authorization_specification, invalid_password, insufficient_privilege.
        "28000" | "28P01" | "42501" => RegistryError::Unreachable {
            place,
            matter,
            remedy: "correct the user or the password of the registry's URL, or grant it its rights",
        },
        // invalid_catalog_name.
        "3D000" => RegistryError::Unreachable { place, matter, remedy: "make the database with `createdb`" },
        // read_only_sql_transaction: a standby.
        "25006" => {
            RegistryError::Unreachable { place, matter, remedy: "name the primary server in the registry's URL" }
        }
        // Insufficient resources, operator intervention, connection exceptions, system errors.
        _ if ["53", "57", "08", "58"].iter().any(|class| code.starts_with(class)) => {
            RegistryError::Unreachable { place, matter, remedy: REMEDY_DOWN }
        }
        // data_corrupted, index_corrupted.
        "XX001" | "XX002" => RegistryError::Damaged { place, what: "a table".to_owned(), matter },
        _ => RegistryError::Refused { place, matter },
    }
}
