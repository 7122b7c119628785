//! What is the matter with an import or an export, each with its place and its remedy.

use std::{fmt, io};

/// The most faults, and the most warnings, that are reported in full.
pub const MAX_FAULTS: usize = 100;

/// Where in what is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line, counted from 1; of a row or an entry over several lines, its first, unless the fault is known to be in a later one.
    Line(u64),
    /// A row of a database's table, by its `id`.
    Row {
        /// The table.
        table: &'static str,
        /// The row's `id`.
        id: i64,
    },
    /// The whole of it.
    All,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Row { table, id } => write!(f, "{table}, id {id}"),
            Place::All => f.write_str("the import"),
        }
    }
}

/// Something that keeps an import from being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// Which column, field or attribute, where it is one.
    pub field: Option<String>,
    /// What is the matter. It quotes neither a password nor a subscriber's name.
    pub message: String,
    /// What would help.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { place, field, message, remedy } = self;
        match field {
            Some(field) => write!(f, "{place}: `{field}` {message}: {remedy}"),
            None => write!(f, "{place}: {message}: {remedy}"),
        }
    }
}

/// All that is the matter: at most [`MAX_FAULTS`] in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The first ones, in the order in which they were found.
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub more: usize,
}

impl fmt::Display for Faults {
    /// A line for each, and nothing after the last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportErrors {
    /// What was read has faults.
    #[error("{0}")]
    Faulty(Faults),
    /// It could not be read to its end.
    #[error("it could not be read ({0}): see that it is a file, and that it is still there")]
    Unreadable(#[source] io::Error),
    /// The database did not give its tables.
    #[error("{database}: {message}: {remedy}")]
    Database {
        /// Which, without any password.
        database: String,
        /// What is the matter.
        message: String,
        /// What would help.
        remedy: String,
    },
}

/// Why an export was not written to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The file, or whatever it is, took no more.
    #[error("the export could not be written ({0}): see that there is room; what has been written of it is not whole")]
    Unwritable(#[from] io::Error),
    /// The format is of no use without passwords.
    #[error("an export in this format has passwords in it or is of no use: ask for them explicitly, or export as CSV")]
    NeedsSecrets,
}

/// What is the matter with a piece of text, before its place is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) remedy: String,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem { message: message.into(), remedy: remedy.into() }
    }
}
