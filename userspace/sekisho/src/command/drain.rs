//! `sekisho drain`: before maintenance, and after it.

use super::{AdminArgs, Exit, say};
use crate::admin::client::Client;

/// What to do.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Clients that ask with Status-Server take the node for down and go elsewhere; those that do not ask are \
                  served as ever. A restart ends it."
)]
pub(super) struct Args {
    #[command(flatten)]
    admin: AdminArgs,
    /// Answer Status-Server again
    #[arg(long)]
    off: bool,
}

pub(super) fn run(args: &Args) -> Exit {
    match Client::new(&args.admin.admin).drain(!args.off) {
        Ok(said) => {
            say(&said);
            Exit::Success
        }
        Err(error) => {
            eprintln!("{error}");
            Exit::Failure
        }
    }
}
