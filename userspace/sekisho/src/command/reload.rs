//! `sekisho reload`.

use super::{AdminArgs, Exit, say};
use crate::admin::client::{AdminError, Client};

pub(super) fn run(args: &AdminArgs) -> Exit {
    match Client::new(&args.admin).reload() {
        Ok(changes) => {
            say(&changes);
            Exit::Success
        }
        Err(error @ AdminError::Refused(_)) => {
            eprintln!("{error}\nNothing has changed.");
            Exit::Refused
        }
        Err(error) => {
            eprintln!("{error}");
            Exit::Failure
        }
    }
}
