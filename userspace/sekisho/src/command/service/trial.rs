//! `sekisho trial`: a node with one customer of each kind, from what is built in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Exit, block_on, say};
use crate::{
    command::{LogArgs, run},
    registry::{
        desk::{Author, Desk, DeskError},
        trial::{FILES, seed},
    },
};

/// Where, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The directory keeps what the trial has done; remove it to begin anew. What is in it may be changed: it is a node \
                  like any other, and `sekisho run --config DIR` runs it as well."
)]
pub(in crate::command) struct Args {
    /// The directory of the trial, which is made where it is not there
    #[arg(value_name = "DIR", default_value = "sekisho-trial")]
    directory: PathBuf,
    /// Make it, and do not run it; with an empty registry
    #[arg(long)]
    empty: bool,
    #[command(flatten)]
    log: LogArgs,
}

pub(in crate::command) fn run(args: &Args) -> Exit {
    if let Err(error) = write(&args.directory) {
        eprintln!("{}: the trial cannot be put there ({error}). Name another directory.", args.directory.display());
        return Exit::Failure;
    }
    if args.empty {
        say(&format!("{} holds the documents of the trial; its registry is empty.\n", args.directory.display()));
        return Exit::Success;
    }
    let seeded = block_on(async {
        let mut desk = Desk::open(&args.directory).await?;
        if desk.seen > 0 {
            return Ok(Exit::Success);
        }
        let author = Author { who: "trial".to_owned(), why: "what is built in".to_owned() };
        seed(&mut desk, &author).await?;
        Ok::<Exit, DeskError>(Exit::Success)
    });
    match seeded {
        Exit::Success => run::node(&args.directory, &args.log),
        other => other,
    }
}

/// Puts the documents there, as far as they are not there yet.
fn write(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for (name, text) in FILES {
        let file = directory.join(name);
        if !file.exists() {
            fs::write(file, text)?;
        }
    }
    Ok(())
}
