//! `sekisho check`: what the documents say, or all that is wrong with them.

use std::path::PathBuf;

use super::{Exit, say};
use crate::{documents, registry::feed::documents_now};

/// What to check.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The node's document, or the directory that holds it as sekisho.toml
    #[arg(value_name = "PATH", default_value = documents::DEFAULT)]
    path: PathBuf,
}

pub(super) fn run(args: &Args) -> Exit {
    match documents_now(&args.path) {
        Ok(documents) => {
            for warning in &documents.warnings {
                say(&format!("warning: {warning}\n"));
            }
            say(&format!("{documents}\n"));
            Exit::Success
        }
        Err(faults) => {
            eprintln!("{faults}");
            Exit::Refused
        }
    }
}
