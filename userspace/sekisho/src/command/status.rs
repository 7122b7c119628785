//! `sekisho status`: the running node at a glance.

use std::io::{IsTerminal as _, stdout};

use super::{AdminArgs, Exit, say};
use crate::{
    admin::client::Client,
    page::{Style, page},
};

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
    let report = match Client::new(&args.admin.admin).report() {
        Ok(report) => report,
        Err(error) => {
            eprintln!("{error}");
            return Exit::Failure;
        }
    };
    if !args.json {
        let colours = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        say(&page(&report, if colours { Style::Colours } else { Style::Plain }));
        return Exit::Success;
    }
    match serde_json::to_string_pretty(&report) {
        Ok(json) => {
            say(&(json + "\n"));
            Exit::Success
        }
        Err(error) => {
            eprintln!("{error}");
            Exit::Failure
        }
    }
}
