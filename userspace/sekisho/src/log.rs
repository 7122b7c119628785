//! Logging: what each level means, where it goes, and who decides.
//!
//! - ERROR: someone must act.
//! - WARN: something is degraded: a dead home server, a faulty document at a reload.
//! - INFO: life-cycle, state changes of home servers, reloads.
//! - DEBUG: per request, and per packet that is dropped. TRACE: per packet. Only here may a subscriber's identity appear;
//!   today none does.
//!
//! Secrets appear at no level.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt};

/// The environment variable that overrides the document's `node.log`.
pub const VARIABLE: &str = "SEKISHO_LOG";

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The directives in force: the environment's, else `level` for our own crates and warnings of all others.
fn filter(level: &str, environment: Option<String>) -> Result<EnvFilter, String> {
    match environment.filter(|value| !value.trim().is_empty()) {
        Some(directives) => {
            EnvFilter::try_new(&directives).map_err(|error| format!("{VARIABLE}=\"{directives}\": {error}"))
        }
        None => EnvFilter::try_new(format!("warn,{}", ours(level)))
            .map_err(|error| format!("log level \"{level}\": {error}")),
    }
}

fn ours(level: &str) -> String {
    let crates = ["sekisho", "sekisho_engine", "sekisho_service", "sekisho_kernel", "sekisho_udp", "sekisho_config"];
    crates.map(|name| format!("{name}={level}")).join(",")
}

/// Starts logging to standard error; `level` is the document's `node.log`.
///
/// # Errors
///
/// A line for the operator where [`VARIABLE`] is not understood, or logging had been started before.
pub fn start(level: &str, format: Format) -> Result<(), String> {
    let filter = filter(level, std::env::var(VARIABLE).ok())?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match format {
        Format::Text => builder.compact().with_ansi(std::io::stderr().is_terminal()).try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| format!("logging: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_overrides_the_document_and_nonsense_is_refused() {
        assert!(filter("info", None).unwrap().to_string().contains("sekisho=info"));
        assert_eq!(filter("info", Some("debug".into())).unwrap().to_string(), "debug");
        assert!(filter("info", Some("sekisho=loud".into())).unwrap_err().contains(VARIABLE));
    }
}
