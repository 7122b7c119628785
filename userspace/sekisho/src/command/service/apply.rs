//! `sekisho apply`: documents, checked and recorded.

use std::path::PathBuf;

use jiff::civil::Date;
use zeroize::Zeroizing;

use super::{Exit, Recording, block_on, day, say};
use crate::registry::{
    apply::{File, apply},
    desk::{Desk, DeskError},
};

/// What to apply.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A document is a customer's ([customer]) or the operator's ([operator]). All are checked together, with everything \
                  that is in force then, and recorded all or none. Applying the same document again records nothing, but takes back what is \
                  planned behind it."
)]
pub(in crate::command) struct Args {
    /// A document; give it several times for several
    #[arg(short = 'f', long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// In force from this day on [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    at: Option<Date>,
    /// The day on which the applications arrived, of contracts that are older than the registry: the documents are in force from that
    /// day on, and whoever has none yet gets its first one so
    #[arg(long, value_name = "DATE", value_parser = day, conflicts_with = "at")]
    applied: Option<Date>,
    #[command(flatten)]
    recording: Recording,
}

pub(in crate::command) fn run(args: &Args) -> Exit {
    block_on(async {
        let mut files = Vec::with_capacity(args.files.len());
        for path in &args.files {
            files.push(read(path)?);
        }
        let mut desk = Desk::open(&args.recording.place.config).await?;
        let from = args.at.or(args.applied).unwrap_or_else(|| desk.today());
        let applied = apply(&mut desk, &files, (from, args.applied), &args.recording.author()).await?;
        for warning in &applied.warnings {
            eprintln!("warning: {warning}");
        }
        let changes = !applied.proposal.is_empty();
        args.recording.finish(&mut desk, applied.proposal, &applied.lines).await?;
        if changes && from > desk.today() && !args.recording.dry_run {
            say(&format!("In force from the midnight at which {from} begins.\n"));
        }
        Ok(Exit::Success)
    })
}

/// The text of a file.
fn read(path: &PathBuf) -> Result<File, DeskError> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(File { name, text: Zeroizing::new(text) }),
        Err(error) => {
            Err(DeskError::Words(format!("{name}: cannot be read ({error}). Name a document that is there.")))
        }
    }
}
