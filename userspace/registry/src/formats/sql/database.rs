//! Reading FreeRADIUS's tables out of SQLite or PostgreSQL.

use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgConnection},
    sqlite::{SqliteConnectOptions, SqliteConnection},
};
use zeroize::Zeroizing;

use crate::formats::{ImportErrors, Place};

/// How long the database may take for any one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many rows are asked for at a time.
const PAGE: i64 = 20_000;

/// Where FreeRADIUS keeps its tables.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A file of SQLite, which is only read.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database, `postgresql://user:password@host/database`.
    Postgres(Zeroizing<String>),
}

impl FromStr for Source {
    type Err = Infallible;

    /// A URL of PostgreSQL; anything else is a file.
    fn from_str(text: &str) -> Result<Source, Infallible> {
        Ok(match ["postgresql://", "postgres://"].iter().any(|scheme| text.starts_with(scheme)) {
            true => Source::Postgres(Zeroizing::new(text.to_owned())),
            false => Source::Sqlite(text.strip_prefix("sqlite://").unwrap_or(text).into()),
        })
    }
}

impl fmt::Display for Source {
    /// Without the password, whatever the URL looks like.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Sqlite(path) => write!(f, "{}", path.display()),
            Source::Postgres(url) => match PgConnectOptions::from_str(url) {
                Ok(options) => {
                    write!(f, "the database {} of ", options.get_database().unwrap_or(options.get_username()))?;
                    match options.get_socket() {
                        Some(socket) => write!(f, "{}", socket.display()),
                        None => write!(f, "{}:{}", options.get_host(), options.get_port()),
                    }
                }
                Err(_) => f.write_str("the PostgreSQL database"),
            },
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({self})")
    }
}

/// A row of radcheck, radreply, radgroupcheck or radgroupreply.
pub(super) struct Pair {
    pub(super) place: Place,
    /// The user, or the group.
    pub(super) name: String,
    pub(super) attribute: String,
    pub(super) op: String,
    pub(super) value: Zeroizing<String>,
}

/// A row of radusergroup.
pub(super) struct Member {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) group: String,
}

/// What the tables have. Those of groups may be missing, and are empty then.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) check: Vec<Pair>,
    pub(super) reply: Vec<Pair>,
    pub(super) group_check: Vec<Pair>,
    pub(super) group_reply: Vec<Pair>,
    /// By priority.
    pub(super) members: Vec<Member>,
}

/// A table of attributes and how its next page is asked for: after an `id`, as many rows.
struct Asked {
    table: &'static str,
    query: &'static str,
}

macro_rules! asked {
    ($table:literal, $name:literal) => {
        Asked {
            table: $table,
            query: concat!(
                "SELECT CAST(id AS BIGINT), CAST(",
                $name,
                " AS TEXT), CAST(attribute AS TEXT), COALESCE(CAST(op AS TEXT), ''), \
                 COALESCE(CAST(value AS TEXT), '') FROM ",
                $table,
                " WHERE id > $1 ORDER BY id LIMIT $2"
            ),
        }
    };
}

const CHECK: Asked = asked!("radcheck", "username");
const REPLY: Asked = asked!("radreply", "username");
const GROUP_CHECK: Asked = asked!("radgroupcheck", "groupname");
const GROUP_REPLY: Asked = asked!("radgroupreply", "groupname");
const MEMBERS: &str = "SELECT CAST(id AS BIGINT), CAST(username AS TEXT), CAST(groupname AS TEXT) FROM radusergroup ORDER BY priority, id";

type PairRow = (i64, Option<String>, Option<String>, String, String);
type MemberRow = (i64, Option<String>, Option<String>);

/// Reads all tables as they are at one moment.
pub(super) async fn read(source: &Source) -> Result<Tables, ImportErrors> {
    let told = |error| explained(source, error);
    match source {
        Source::Sqlite(path) => sqlite(path).await.map_err(told),
        Source::Postgres(url) => postgres(url).await.map_err(told),
    }
}

/// What can go wrong with a database.
enum Failure {
    Database(sqlx::Error),
    Slow,
    Missing(&'static str),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Failure {
        Failure::Database(error)
    }
}

/// No answer is waited for without end.
async fn patient<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Failure> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Slow),
    }
}

/// Reads the tables over a connection whose type sqlx has to know.
macro_rules! tables {
    ($connection:expr, $exists:expr) => {{
        let connection = $connection;
        let mut tables = Tables::default();
        let wanted = [
            (&CHECK, &mut tables.check),
            (&REPLY, &mut tables.reply),
            (&GROUP_CHECK, &mut tables.group_check),
            (&GROUP_REPLY, &mut tables.group_reply),
        ];
        for (asked, pairs) in wanted {
            let (there,): (bool,) =
                patient(sqlx::query_as($exists).bind(asked.table).fetch_one(&mut *connection)).await?;
            if !there && asked.table == CHECK.table {
                return Err(Failure::Missing(asked.table));
            }
            let mut after = i64::MIN;
            while there {
                let query = sqlx::query_as(asked.query).bind(after).bind(PAGE);
                let rows: Vec<PairRow> = patient(query.fetch_all(&mut *connection)).await?;
                let Some(&(last, ..)) = rows.last() else { break };
                after = last;
                pairs.extend(rows.into_iter().map(|row| pair(asked.table, row)));
            }
        }
        let (there,): (bool,) =
            patient(sqlx::query_as($exists).bind("radusergroup").fetch_one(&mut *connection)).await?;
        if there {
            let rows: Vec<MemberRow> = patient(sqlx::query_as(MEMBERS).fetch_all(&mut *connection)).await?;
            tables.members.extend(rows.into_iter().map(member));
        }
        Ok(tables)
    }};
}

async fn sqlite(path: &Path) -> Result<Tables, Failure> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).create_if_missing(false);
    let options = options.busy_timeout(PATIENCE / 2).disable_statement_logging();
    let mut connection: SqliteConnection = patient(options.connect()).await?;
    // One transaction sees the tables of one moment.
    let mut transaction = patient(connection.begin()).await?;
    tables!(
        &mut *transaction,
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND lower(name) = $1)"
    )
}

async fn postgres(url: &str) -> Result<Tables, Failure> {
    let options = PgConnectOptions::from_str(url)?.disable_statement_logging();
    let mut connection: PgConnection = patient(options.connect()).await?;
    let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
    let mut transaction = patient(connection.begin_with(begin)).await?;
    tables!(&mut *transaction, "SELECT to_regclass($1) IS NOT NULL")
}

fn pair(table: &'static str, (id, name, attribute, op, value): PairRow) -> Pair {
    Pair {
        place: Place::Row { table, id },
        name: name.unwrap_or_default(),
        attribute: attribute.unwrap_or_default(),
        op,
        value: Zeroizing::new(value),
    }
}

fn member((id, name, group): MemberRow) -> Member {
    let place = Place::Row { table: "radusergroup", id };
    Member { place, name: name.unwrap_or_default(), group: group.unwrap_or_default() }
}

/// A failure in words. What a database says of itself has no password in it.
fn explained(source: &Source, failure: Failure) -> ImportErrors {
    let (message, remedy) = match failure {
        Failure::Slow => (
            format!("the database gave no answer within {} seconds", PATIENCE.as_secs()),
            "see what it is busy with, and whether something holds a lock",
        ),
        Failure::Missing(table) => (
            format!("there is no table {table}"),
            "name the database that FreeRADIUS's sql module uses; its tables keep their usual names",
        ),
        Failure::Database(sqlx::Error::Configuration(_)) => (
            "the URL cannot be read".to_owned(),
            "write it as postgresql://user:password@host/database, with %XX for what is special in a password",
        ),
        Failure::Database(error @ sqlx::Error::Io(_)) => {
            (format!("it cannot be reached ({error})"), "see that it runs, and that host and port are right")
        }
        Failure::Database(error) => (
            format!("it refused ({error})"),
            "see that the file or the database is there, that it may be read, and that its tables have FreeRADIUS's columns",
        ),
    };
    ImportErrors::Database { database: source.to_string(), message, remedy: remedy.to_owned() }
}
