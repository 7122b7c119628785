//! The command line: one file a command.

mod check;
mod drain;
mod drops;
mod journal;
mod lns;
mod probe;
mod reload;
mod run;
mod service;
mod sessions;
mod status;
mod xdp;

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use serde::Serialize;

use self::service::{accounts, apply, contracts, ending, export, get, incident, registry, statement, trial};
use crate::{
    admin::client::{self, AdminError},
    log::Format,
    page::Style,
};

/// A RADIUS proxy behind an XDP gate.
#[derive(Debug, Parser)]
#[command(name = "sekisho", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the node that the documents describe
    Run(run::Args),
    /// Check the documents and say what they mean
    Check(check::Args),
    /// Have the running node read its documents again
    Reload(AdminArgs),
    /// Have the running node's NASes and proxies look for another: Status-Server gets no answer, all else is served
    Drain(drain::Args),
    /// Show what the running node does, at a glance
    Status(status::Args),
    /// Show what the running node drops, live: who sends it, why, how much
    Drops(drops::Args),
    /// Show the sessions of LNSs and of hosted accounts, or have some forgotten
    Sessions(sessions::Args),
    /// Show the LNSs, and take them out of service or back
    Lns(lns::Args),
    /// Show or export the accounting that was recorded here
    Journal(journal::Args),
    /// Run a node with one customer of each kind, from what is built in
    Trial(trial::Args),
    /// Check documents, show what they change in the registry, and record them
    Apply(apply::Args),
    /// Show customers, contracts, incidents and the history of the registry
    Get(get::Args),
    /// Write a document of the registry to standard output
    Export(export::Args),
    /// Accept applications (Art. 10)
    Accept(contracts::Accept),
    /// Reject applications
    Reject(contracts::TurnDown),
    /// Take applications back before billing starts
    Withdraw(contracts::TurnDown),
    /// Record that prerequisites are met (Art. 5.6)
    Confirm(contracts::Confirm),
    /// Start contracts: billing begins, and the service (Art. 3)
    Start(contracts::Start),
    /// Change the number of accounts of a contract (Art. 7)
    Change(contracts::Change),
    /// Serve contracts no more for a while; they are billed on
    Suspend(contracts::Pause),
    /// Serve suspended contracts again
    Resume(contracts::Pause),
    /// Record a notice of cancellation (Art. 8.4, 9)
    Cancel(ending::Cancel),
    /// End contracts by the operator's own right
    End(ending::End),
    /// Record what could not be used, since when, and whose fault it was (Art. 12)
    Incident(incident::Args),
    /// Record that a customer asks for its credit (Art. 12)
    Claim(incident::Claim),
    /// Show, or close, what a customer owes for a month (Art. 10 to 12)
    Statement(statement::Args),
    /// Import, export and change hosted accounts
    Accounts(accounts::Args),
    /// The registry itself: status, backup, keys
    Registry(registry::Args),
    /// The gate in the kernel, without a node: `sekisho xdp detach` removes it
    Xdp(xdp::Args),
    /// Send one login or accounting record and explain the answer
    Probe(probe::Args),
}

/// Where a running node is asked.
#[derive(Clone, Debug, clap::Args)]
struct AdminArgs {
    /// The running node's admin address
    #[arg(long, value_name = "URL", default_value = client::DEFAULT, env = "SEKISHO_ADMIN")]
    admin: String,
}

/// How logs look.
#[derive(Clone, Copy, Debug, clap::Args)]
struct LogArgs {
    /// How log lines look
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    log_format: Format,
}

/// What the program's exit tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Done; for a probe: accepted.
    Success = 0,
    /// Failed; for a probe: rejected or challenged.
    Failure = 1,
    /// Faulty documents, or a command line that cannot be understood: nothing was done.
    Refused = 2,
    /// For a probe: no answer; for the journal: not all of it can be read.
    NoAnswer = 3,
}

impl From<AdminError> for Exit {
    /// Says why a node did not do it.
    fn from(error: AdminError) -> Exit {
        eprintln!("{error}");
        match error {
            AdminError::Refused(_) => Exit::Refused,
            AdminError::Unreachable { .. } | AdminError::Unintelligible { .. } => Exit::Failure,
        }
    }
}

/// Parses the command line, runs the command, tells how it ended.
pub fn main() -> ExitCode {
    let exit = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Reload(args) => reload::run(&args),
        Command::Drain(args) => drain::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Drops(args) => drops::run(&args),
        Command::Sessions(args) => sessions::run(&args),
        Command::Lns(args) => lns::run(&args),
        Command::Journal(args) => journal::run(&args),
        Command::Trial(args) => trial::run(&args),
        Command::Apply(args) => apply::run(&args),
        Command::Get(args) => get::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Accept(args) => args.run(),
        Command::Reject(args) => args.reject(),
        Command::Withdraw(args) => args.withdraw(),
        Command::Confirm(args) => args.run(),
        Command::Start(args) => args.run(),
        Command::Change(args) => args.run(),
        Command::Suspend(args) => args.suspend(),
        Command::Resume(args) => args.resume(),
        Command::Cancel(args) => args.run(),
        Command::End(args) => args.run(),
        Command::Incident(args) => incident::run(&args),
        Command::Claim(args) => args.run(),
        Command::Statement(args) => statement::run(&args),
        Command::Accounts(args) => accounts::run(&args),
        Command::Registry(args) => registry::run(&args),
        Command::Xdp(args) => xdp::run(&args),
        Command::Probe(args) => probe::run(&args),
    };
    ExitCode::from(exit as u8)
}

/// How pages look: coloured on a terminal, unless `NO_COLOR` says otherwise.
fn style() -> Style {
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if colours { Style::Colours } else { Style::Plain }
}

/// What there is to show, as JSON for programs or as a page for people.
fn show<T: Serialize>(found: &T, json: bool, page: impl FnOnce(&T, Style) -> String) -> Exit {
    if !json {
        say(&page(found, style()));
        return Exit::Success;
    }
    match serde_json::to_string_pretty(found) {
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

/// Writes to standard output. Whoever reads it may have had enough (`sekisho status | head`): that is no failure.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
