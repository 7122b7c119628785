//! `sekisho status`: the running node at a glance.

use super::{AdminArgs, Exit, show};
use crate::{admin::client::Client, page::page};

/// What to show.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    admin: AdminArgs,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Exit {
    match Client::new(&args.admin.admin).report() {
        Ok(report) => show(&report, args.json, page),
        Err(error) => error.into(),
    }
}
