//! The servers that are compared: where their programs are.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::compare::peers::{first_line_of, installed};

/// A server that takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Server {
    /// sekisho, with accounts in its registry.
    Sekisho,
    /// FreeRADIUS 3.2 with a `users` file.
    Files,
    /// FreeRADIUS 3.2 with SQLite.
    Sqlite,
}

impl Server {
    /// Whether every account has a place in the process's memory.
    pub(super) fn keeps_accounts_in_memory(self) -> bool {
        self != Self::Sqlite
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sekisho => "sekisho",
            Self::Files => "FreeRADIUS files",
            Self::Sqlite => "FreeRADIUS SQLite",
        })
    }
}

/// Where the programs are.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    sekisho: Option<PathBuf>,
    freeradius: Option<PathBuf>,
    /// FreeRADIUS's own schema and queries for SQLite.
    pub(super) sql: Option<PathBuf>,
}

/// Where packages put FreeRADIUS's documents: Debian's, then others'.
const DOCUMENTS: [&str; 3] = ["/etc/freeradius/3.0", "/etc/freeradius", "/etc/raddb"];

impl Programs {
    /// Looks where they are installed.
    pub(super) fn find(sekisho: Option<&Path>) -> Self {
        let sql = DOCUMENTS.iter().map(|place| Path::new(place).join("mods-config/sql/main/sqlite"));
        Self {
            sekisho: sekisho.filter(|path| path.is_file()).map(Path::to_owned),
            freeradius: installed("freeradius").or_else(|| installed("radiusd")),
            // They are for FreeRADIUS's own user, and for root.
            sql: sql.into_iter().find(|place| std::fs::read(place.join("schema.sql")).is_ok()),
        }
    }

    /// The server's program.
    pub(super) fn program(&self, server: Server) -> Option<&Path> {
        match server {
            Server::Sekisho => self.sekisho.as_deref(),
            Server::Files | Server::Sqlite => self.freeradius.as_deref(),
        }
    }

    /// Why the server cannot take part.
    pub(super) fn missing(&self, server: Server) -> Option<&'static str> {
        match server {
            Server::Sekisho if self.sekisho.is_none() => Some("name its program by --sekisho"),
            Server::Files | Server::Sqlite if self.freeradius.is_none() => Some("it is not installed"),
            Server::Sqlite if self.sql.is_none() => {
                Some("its schema for SQLite is not there, or only root may read it")
            }
            _ => None,
        }
    }

    /// What the program says of its version, in a line.
    pub(super) fn version(&self, server: Server) -> String {
        let option = if server == Server::Sekisho { "--version" } else { "-v" };
        self.program(server).map(|program| first_line_of(program, option)).unwrap_or_default()
    }
}
