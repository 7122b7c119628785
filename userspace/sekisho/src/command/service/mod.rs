//! Commands of the service: documents, contracts, accounts and money in the registry.

pub(super) mod accounts;
pub(super) mod apply;
pub(super) mod contracts;
pub(super) mod ending;
pub(super) mod export;
pub(super) mod get;
pub(super) mod incident;
pub(super) mod registry;
pub(super) mod statement;
pub(super) mod trial;

use std::{future::Future, path::PathBuf};

use jiff::civil::Date;
use sekisho_registry::RegistryError;

use super::{Exit, say};
use crate::{
    admin::client::Client,
    documents,
    registry::{
        desk::{Author, Desk, DeskError, Proposal},
        feed::FeedError,
    },
};

/// Which registry.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Place {
    /// The document of a node with that registry, or the directory that holds it as sekisho.toml
    #[arg(long, value_name = "PATH", default_value = documents::DEFAULT, env = "SEKISHO_CONFIG")]
    config: PathBuf,
}

/// What every command that records something takes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Recording {
    #[command(flatten)]
    place: Place,
    /// Who does it, for the history [default: whoever is logged in]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Why, for the history
    #[arg(long, value_name = "WORDS")]
    why: Option<String>,
    /// Say what would be recorded, or why it would be refused, and record nothing
    #[arg(long)]
    dry_run: bool,
}

impl Recording {
    pub(super) fn author(&self) -> Author {
        Author::of(self.who.as_deref(), self.why.as_deref())
    }

    /// Where a command records by one option only: without it, there is nothing to be said of who, why or a dry run.
    fn only_for(&self, option: &str, is_given: bool) -> Result<(), DeskError> {
        let said = [("--who", self.who.is_some()), ("--why", self.why.is_some()), ("--dry-run", self.dry_run)];
        match said.iter().find(|(_, is_said)| *is_said && !is_given) {
            Some((name, _)) => Err(DeskError::Words(format!("{name} goes with {option}, which is what is recorded."))),
            None => Ok(()),
        }
    }

    /// Has the desk decide on a proposal, records it unless that is only tried, and tells the difference.
    async fn finish(&self, desk: &mut Desk, proposal: Proposal, lines: &[String]) -> Result<(), DeskError> {
        if proposal.is_empty() {
            say("Nothing changes.\n");
            return Ok(());
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if self.dry_run {
            desk.rehearse(proposal, &self.author()).await?;
            say(&format!("{text}Nothing has been recorded: this was a dry run.\n"));
            return Ok(());
        }
        desk.record(proposal, &self.author()).await?;
        say(&text);
        nudge(desk);
        Ok(())
    }
}

/// Has the node of this document go by it at once; where it does not run, or is another's, it follows by itself.
fn nudge(desk: &Desk) {
    let _ = Client::new(&desk.node.admin.to_string()).follow();
}

/// Runs a command to its end.
fn block_on<F: Future<Output = Result<Exit, DeskError>>>(command: F) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(command),
        Err(error) => Err(DeskError::Words(format!("cannot start: {error}"))),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        exit_of(&error)
    })
}

/// Refused is what another proposal could mend; all else of the registry has failed.
fn exit_of(error: &DeskError) -> Exit {
    use RegistryError as Of;
    match error {
        DeskError::Registry(
            Of::Moved { .. }
            | Of::OtherContract { .. }
            | Of::NoAccount { .. }
            | Of::TooMany { .. }
            | Of::Unfit { .. }
            | Of::NotEmpty { .. },
        )
        | DeskError::Open(FeedError::NoRegistry | FeedError::Faults(_)) => Exit::Refused,
        DeskError::Registry(_) | DeskError::Open(_) => Exit::Failure,
        DeskError::Faults(_) | DeskError::Refused(_) | DeskError::Words(_) => Exit::Refused,
    }
}

/// A day: `2027-01-31`.
fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "a day is written 2027-01-31".to_owned())
}

/// A month by its first day: `2026-11`.
fn month(text: &str) -> Result<Date, String> {
    format!("{text}-01").parse().map_err(|_| "a month is written 2026-11".to_owned())
}
