//! probe
use super::{AdminArgs, Exit};
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    admin: AdminArgs,
}
pub(super) fn run(_args: &Args) -> Exit {
    Exit::NoAnswer
}
