//! Accounts by file: all of it, or nothing.

use std::io::{self, BufWriter, Write as _};

use clap::ValueEnum;
use sekisho_registry::formats::{self, Exported, Secrets};

use super::{Exit, Place, Recording, all, open, shown};
use crate::{
    documents::plural,
    registry::{
        desk::{Desk, DeskError},
        intake::{Group, put},
    },
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With a header: user, realm, password, argon2id, enabled, expires, simultaneous, calling, reply, note
    Csv,
    /// FreeRADIUS's `users` file
    Users,
    /// FreeRADIUS's SQL tables: read from an SQLite file or a PostgreSQL URL, written as INSERT statements
    Sql,
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The `group` contract
    #[arg(long, value_name = "NAME")]
    contract: String,
    /// The realm of users that are named without one [default: the contract's, where it has one only]
    #[arg(long, value_name = "REALM")]
    realm: Option<String>,
    /// What the file is
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    #[command(flatten)]
    recording: Recording,
}

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// The `group` contract
    #[arg(long, value_name = "NAME")]
    contract: String,
    /// How
    #[arg(long, value_enum, default_value = "csv")]
    format: Format,
    /// With passwords, in plain text
    #[arg(long)]
    secrets: bool,
    #[command(flatten)]
    place: Place,
}

impl Import {
    pub(super) async fn run(&self) -> Result<Exit, DeskError> {
        let mut desk = Desk::open(&self.recording.place.config).await?;
        let group = Group::find(&mut desk, &self.contract).await?;
        let realm = group.realm(self.realm.as_deref())?;
        let defaults = group.defaults(realm, &desk);
        let failed = |errors: &dyn std::fmt::Display| DeskError::Words(format!("{}: {errors}", shown(&self.file)));
        let imported = match self.format {
            Format::Csv => formats::csv::read(open(&self.file)?, &defaults).map_err(|errors| failed(&errors))?,
            Format::Users => formats::users::read(open(&self.file)?, &defaults).map_err(|errors| failed(&errors))?,
            Format::Sql => {
                let source = self.file.parse().map_err(|error| failed(&error))?;
                formats::sql::read(&source, &defaults).await.map_err(|errors| failed(&errors))?
            }
        };
        for warning in &imported.warnings {
            eprintln!("warning: {warning}");
        }
        let count = imported.accounts.len();
        let proposal = put(&desk, &group, imported, &shown(&self.file))?;
        let line = format!("{}: {} imported", self.contract, plural(count, "account"));
        self.recording.finish(&mut desk, proposal, &[line]).await?;
        Ok(Exit::Success)
    }
}

impl Export {
    pub(super) async fn run(&self) -> Result<Exit, DeskError> {
        let mut desk = Desk::open(&self.place.config).await?;
        Group::find(&mut desk, &self.contract).await?;
        let accounts = all(&desk, &self.contract).await?;
        let secrets = if self.secrets { Secrets::Shown } else { Secrets::Withheld };
        let mut out = BufWriter::new(io::stdout().lock());
        let zone = desk.book.zone().clone();
        let written = match self.format {
            Format::Csv => formats::csv::write(&mut out, &accounts, secrets),
            Format::Users => formats::users::write(&mut out, &accounts, secrets, &zone),
            Format::Sql => formats::sql::write(&mut out, &accounts, secrets, &zone),
        };
        let Exported { warnings, .. } = written.map_err(|error| DeskError::Words(error.to_string()))?;
        // Whoever reads it may have had enough.
        let _ = out.flush();
        for warning in warnings {
            eprintln!("warning: {warning}");
        }
        Ok(Exit::Success)
    }
}
