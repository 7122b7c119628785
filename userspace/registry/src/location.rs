//! Where the registry is.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Where the registry is: a file of SQLite, or a database of PostgreSQL.
///
/// Its text is what an operator writes in a document: a path, `sqlite:PATH`, or a URL such as `postgres://sekisho@db.example/sekisho` or
/// `postgres:///sekisho?host=/run/postgresql`. Neither `Display` nor `Debug` shows the password of a URL.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// The file, which is made when it is not there. Its directory must be.
    Sqlite(PathBuf),
    /// The URL of a database that is there already.
    Postgres(String),
}

impl Location {
    /// The file, where it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Location::Sqlite(path) => Some(path),
            Location::Postgres(_) => None,
        }
    }
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Location, LocationError> {
        let path = match text.split_once(':') {
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                return Ok(Location::Postgres(text.to_owned()));
            }
            Some(("sqlite", rest)) => rest.strip_prefix("//").unwrap_or(rest),
            Some((scheme, rest)) if rest.starts_with("//") => return Err(LocationError::Scheme(scheme.to_owned())),
            _ => text,
        };
        // What SQLite itself would take for a database in memory, which every connection of a pool has another of.
        if path.is_empty() || path == ":memory:" {
            Err(LocationError::NoPath)
        } else {
            Ok(Location::Sqlite(path.into()))
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Sqlite(path) => write!(f, "{}", path.display()),
            Location::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// Why a text is no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Another kind of database.
    #[error("the registry cannot be in `{0}:`: write the path of a file for SQLite, or postgres://USER@HOST/DATABASE")]
    Scheme(String),
    /// Nothing that lasts.
    #[error("the registry has no file: write a path, such as /var/lib/sekisho/registry.sqlite")]
    NoPath,
}

/// The URL with what may be a password left out, wherever a URL of PostgreSQL may have one.
fn without_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    // A password that is not escaped as it should be may hold any of `/`, `@` and `:`, so all before the last `@` is taken for the
    // user and its password.
    let address = match address.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or_default()),
        None => address.to_owned(),
    };
    let query = query.map(|query| {
        let public =
            |pair: &&str| !pair.split('=').next().unwrap_or_default().to_ascii_lowercase().contains("password");
        query.split('&').filter(public).collect::<Vec<_>>().join("&")
    });
    match query.filter(|query| !query.is_empty()) {
        Some(query) => format!("{scheme}://{address}?{query}"),
        None => format!("{scheme}://{address}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_shown_nowhere() {
        for (url, shown) in [
            ("postgres://sekisho:hunter2@db.example:5433/sekisho", "postgres://sekisho@db.example:5433/sekisho"),
            ("postgresql://sekisho:hunter2/@db/x?sslmode=require", "postgresql://sekisho@db/x?sslmode=require"),
            ("postgres:///sekisho?password=hunter2&host=/run/pg", "postgres:///sekisho?host=/run/pg"),
            ("postgres://u@h/d?PassWord=hunter2", "postgres://u@h/d"),
            ("postgres://u:hunter2@h?x", "postgres://u@h?x"),
        ] {
            let location: Location = url.parse().unwrap();
            assert_eq!(location.to_string(), shown);
            assert!(!format!("{location:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_path_is_sqlite_and_another_scheme_is_refused() {
        assert_eq!("/var/lib/r.sqlite".parse(), Ok(Location::Sqlite("/var/lib/r.sqlite".into())));
        assert_eq!("sqlite:r.sqlite".parse(), Ok(Location::Sqlite("r.sqlite".into())));
        assert_eq!("sqlite:///r.sqlite".parse(), Ok(Location::Sqlite("/r.sqlite".into())));
        assert_eq!("mysql://root@db/x".parse::<Location>(), Err(LocationError::Scheme("mysql".into())));
        assert_eq!("sqlite::memory:".parse::<Location>(), Err(LocationError::NoPath));
        assert_eq!("".parse::<Location>(), Err(LocationError::NoPath));
    }
}
