//! `sekisho journal`: the accounting records that ended here, beside a running node or without one.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use sekisho_config::Dictionary;

use super::Exit;
use crate::{
    documents::{self, Documents, plural},
    journal::{
        Names,
        export::{ExportError, Format, Selection, export},
        list::{HEAD, list},
        when,
    },
};

/// What to do with it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show the segments: from when to when, how many records, and whether all can be read
    List(Place),
    /// Write records to standard output
    Export(Export),
}

/// Where the journal is.
#[derive(Debug, clap::Args)]
struct Place {
    /// The node's document, or the directory that holds it as sekisho.toml
    #[arg(long, value_name = "PATH", default_value = documents::DEFAULT)]
    config: PathBuf,
    /// The journal's directory: no document is read then, and attributes have the names that are built in
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    directory: Option<PathBuf>,
}

/// Which records, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A time is 2026-11-27T09:00:00+09:00, or 2026-11-27 (its beginning in UTC), or seconds since 1970. Exit code 3: all \
                  records were written that can be read, but not all can."
)]
struct Export {
    #[command(flatten)]
    place: Place,
    /// Received at this time or later
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    from: Option<u64>,
    /// Received before this time
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    to: Option<u64>,
    /// Of this customer; "": of none
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// Sent by this access network, or by the client of this contract
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// For this contract; "": for none
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    /// A table with what billing needs, or an object a line with every attribute
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Parts of the journal cannot be read: the same code as for a probe without an answer.
const DAMAGED: Exit = Exit::NoAnswer;

pub(super) fn run(args: &Args) -> Exit {
    let done = match &args.command {
        Command::List(place) => place.find().and_then(|place| show(&place.directory)),
        Command::Export(export) => export.place.find().and_then(|place| export.run(place)),
    };
    done.unwrap_or_else(|exit| exit)
}

/// A journal, and what to call attributes.
struct Found {
    directory: PathBuf,
    dictionary: Arc<Dictionary>,
}

impl Place {
    fn find(&self) -> Result<Found, Exit> {
        if let Some(directory) = &self.directory {
            return Ok(Found { directory: directory.clone(), dictionary: Arc::new(Dictionary::built_in()) });
        }
        match Documents::node(&self.config) {
            Ok(documents) => {
                Ok(Found { directory: documents.node.journal.directory, dictionary: documents.node.dictionary })
            }
            Err(faults) => {
                eprintln!("{faults}\nThe journal can be read without documents: name its directory with --directory.");
                Err(Exit::Refused)
            }
        }
    }
}

impl Export {
    fn run(&self, Found { directory, dictionary }: Found) -> Result<Exit, Exit> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            eprintln!("--to is not after --from: no record can be between them");
            return Err(Exit::Refused);
        }
        let selection = Selection {
            from: self.from,
            to: self.to,
            customer: self.customer.clone(),
            network: self.network.clone(),
            contract: self.contract.clone(),
        };
        let names = Names::new(dictionary);
        let damaged = |place: &_| eprintln!("{}: {place}: records are missing", directory.display());
        let exported = export(&directory, &selection, &names, self.format, io::stdout().lock(), damaged);
        let found = exported.map_err(failed)?;
        if found.damaged == 0 {
            return Ok(Exit::Success);
        }
        let (records, places) = (plural_of(found.records, "record"), plural_of(found.damaged, "place"));
        eprintln!("{records} exported; {places} cannot be read: `sekisho journal list` tells from when to when");
        Ok(DAMAGED)
    }
}

/// Shows the segments of a journal.
fn show(directory: &Path) -> Result<Exit, Exit> {
    let mut out = io::stdout().lock();
    let mut exit = Exit::Success;
    let mut segments = 0;
    let listed = list(directory, |segment| {
        if segments == 0 {
            writeln!(out, "{HEAD}")?;
        }
        segments += 1;
        if segment.damaged > 0 {
            exit = DAMAGED;
        }
        writeln!(out, "{segment}")?;
        Ok(out.flush()?)
    });
    listed.map_err(failed)?;
    if segments == 0 {
        eprintln!("{} holds no segment of a journal", directory.display());
    }
    Ok(exit)
}

fn failed(error: ExportError) -> Exit {
    if let ExportError::Enough = error {
        return Exit::Success;
    }
    eprintln!("{error}");
    Exit::Failure
}

fn plural_of(count: u64, noun: &str) -> String {
    plural(usize::try_from(count).unwrap_or(usize::MAX), noun)
}
