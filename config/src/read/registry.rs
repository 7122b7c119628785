//! `[registry]` and `[hosted]`: where the registry is, and how hosted accounts are answered for.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::tz::TimeZone;
use zeroize::Zeroizing;

use super::secret::{DATABASE, Vault};
use crate::{
    finding::Problem,
    registry::{Database, DatabaseUrl, Hosted, KeySource, Registry},
    section::{Field, Section},
    value,
};

/// Where the regulation's days begin and end.
const TIME_ZONE: &str = "Asia/Tokyo";
const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

/// Reads where the registry is. `base` is the directory that paths are relative to, `state` the node's, if it is known.
pub(super) fn registry(
    section: &Section<'_>,
    base: &Path,
    state: Option<&PathBuf>,
    vault: &Vault<'_>,
) -> Option<Registry> {
    let database = database(section, state, vault);
    let key = key(section, base, state);
    let time_zone = section.parsed("time_zone", time_zone).or(TIME_ZONE.into());
    let mirror = section.parsed("mirror", |text| value::path(base, text)).optional();
    let mirror = mirror?.or_else(|| Some(state?.join("registry-mirror")));
    Some(Registry { database: database?, key: key?, time_zone: time_zone?, mirror: mirror? })
}

/// A file, or a URL, which may hold a password and then comes from a file or the environment.
fn database(section: &Section<'_>, state: Option<&PathBuf>, vault: &Vault<'_>) -> Option<Database> {
    let [inline, ..] = DATABASE;
    if !DATABASE.iter().any(|key| section.has(key)) {
        return Some(Database::Sqlite(state?.join("registry.db")));
    }
    let (key, octets) = vault.octets(section, DATABASE)?;
    let is_url = |text: &str| SCHEMES.iter().any(|scheme| text.starts_with(scheme));
    // No finding repeats what was given: there may be a password in it.
    let problem = match std::str::from_utf8(&octets) {
        Ok(text) if is_url(text) => match url(text) {
            Ok(url) => return Some(Database::Postgres(url)),
            Err(problem) => problem,
        },
        Ok(text) if text.contains("://") || text.starts_with("sqlite:") => Problem::new(
            "is of a database that is not known here",
            "Give a file for SQLite, such as \"registry.db\", or \"postgresql://HOST/NAME\".",
        ),
        Ok(text) if key == inline => return Some(Database::Sqlite(state?.join(text))),
        _ => Problem::new(
            "holds no URL of a database",
            "Let it hold \"postgresql://USER:PASSWORD@HOST/NAME\" and nothing else.",
        ),
    };
    section.fault(key, problem);
    None
}

fn url(text: &str) -> Result<DatabaseUrl, Problem> {
    let remedy = "Write it as \"postgresql://USER@HOST/NAME\", with %20 for a blank in it.";
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Problem::new("holds a blank or a control character, which no URL has", remedy));
    }
    let rest = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or_default();
    let name = rest.split(['?', '#']).next().and_then(|place| place.rsplit_once('/')).map(|(_, name)| name);
    if name.is_none_or(str::is_empty) {
        return Err(Problem::new("names no database behind its host", remedy));
    }
    Ok(DatabaseUrl::new(Zeroizing::new(text.to_owned())))
}

fn key(section: &Section<'_>, base: &Path, state: Option<&PathBuf>) -> Option<KeySource> {
    let file = section.parsed("key_file", |text| value::path(base, text)).optional();
    let credential = section.parsed("key_credential", value::name).optional();
    match (file?, credential?) {
        (Some(_), Some(_)) => {
            let message = "stands beside `key_file`, so there are two keys";
            section.fault("key_credential", Problem::new(message, "Keep one of them."));
            None
        }
        (Some(file), None) => Some(KeySource::File(file)),
        (None, Some(credential)) => Some(KeySource::Credential(credential)),
        (None, None) => Some(KeySource::File(state?.join("registry.key"))),
    }
}

/// A time zone that there is, by its name as the time zone database writes it.
fn time_zone(text: &str) -> Result<String, Problem> {
    let known = TimeZone::get(text).ok().filter(|zone| !zone.is_unknown());
    let named = known.and_then(|zone| zone.iana_name().map(str::to_owned));
    named.or_else(|| TimeZone::posix(text).ok().map(|_| text.to_owned())).ok_or_else(|| {
        let message = format!("{text:?} is no time zone");
        let remedy = "Give its name in the IANA time zone database, such as \"Asia/Tokyo\", or its rule as POSIX has it, such as \"JST-9\".";
        Problem::new(message, remedy)
    })
}

/// Reads how hosted accounts are answered for.
pub(super) fn hosted(section: Option<&Section<'_>>) -> Option<Hosted> {
    const MINUTE: Duration = Duration::from_secs(60);
    let default = Hosted {
        argon2_workers: 1,
        argon2_queue: 64,
        max_failures: 10,
        failure_window: 5 * MINUTE,
        lock: 5 * MINUTE,
        client_failures: 1_000,
        max_sessions: 1_000_000,
    };
    let Some(section) = section else { return Some(default) };
    let workers = section.integer("argon2_workers", 1..=64u32).or(default.argon2_workers);
    let queue = section.integer("argon2_queue", 1..=65_536u32).or(default.argon2_queue);
    let failures = section.integer("max_failures", 0..=1_000u16).or(default.max_failures);
    let window = seconds(section, "failure_window").or(default.failure_window);
    let lock = seconds(section, "lock").or(default.lock);
    let client = section.integer("client_failures", 0..=u16::MAX).or(default.client_failures);
    let sessions = section.integer("max_sessions", 1_024..=16_777_216u32).or(default.max_sessions);
    Some(Hosted {
        argon2_workers: workers?,
        argon2_queue: queue?,
        max_failures: failures?,
        failure_window: window?,
        lock: lock?,
        client_failures: client?,
        max_sessions: sessions?,
    })
}

/// A time in whole seconds, which is how failures are remembered: 1 s to 24 h.
fn seconds(section: &Section<'_>, key: &str) -> Field<Duration> {
    let bounds = Duration::from_secs(1)..=Duration::from_secs(86_400);
    section.parsed(key, |text| match value::duration(text, &bounds)? {
        time if time.subsec_nanos() == 0 => Ok(time),
        _ => Err(Problem::new(format!("{text:?} is no whole number of seconds"), "Give it as \"90s\" or \"5m\".")),
    })
}
