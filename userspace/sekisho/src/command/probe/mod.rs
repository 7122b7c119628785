//! `sekisho probe`: one login or accounting record, as a NAS would send it, and an explanation of the answer.
//!
//! The packet's attributes come from the `radius` crate, an implementation that is not ours; signing it and verifying
//! the answer is `sekisho-wire`'s. On the node itself no secret need be typed: the documents have it ([`target`]).
//! What happened inside the node is read from its counters before and after ([`explain`]).

mod answer;
mod exchange;
mod explain;
mod password;
mod request;
mod target;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::ValueEnum;

use self::{
    exchange::{Outcome, exchange},
    password::password,
    request::{Kind, Request},
    target::Target,
};
use super::{AdminArgs, Exit, say};
use crate::{
    admin::client::Client,
    documents::{self, Documents},
    registry::feed::documents_now,
    report::Report,
};

/// What to send.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whom to log in: user@realm
    user: String,
    /// The password; else SEKISHO_PROBE_PASSWORD, a [[probe]] account of the documents, or asked for
    #[arg(long, env = "SEKISHO_PROBE_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Log in by CHAP instead of PAP
    #[arg(long, conflicts_with = "accounting")]
    chap: bool,
    /// Send an accounting record instead of a login
    #[arg(long, value_enum, value_name = "RECORD")]
    accounting: Option<Record>,
    /// The node's documents [default: those of the running node]
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Where to send it [default: the first listener at whose address a client contract stands]
    #[arg(long, value_name = "ADDR:PORT")]
    server: Option<SocketAddr>,
    /// A file with the secret to sign with [default: that of the client contract of our own address]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// How long to wait for the answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
    /// Over IPv4
    #[arg(long, conflicts_with = "ipv6")]
    ipv4: bool,
    /// Over IPv6
    #[arg(long)]
    ipv6: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

/// Which accounting record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Record {
    /// A session begins
    Start,
    /// A session goes on
    Interim,
    /// A session ends
    Stop,
}

impl Args {
    fn kind(&self) -> Kind {
        match (self.accounting, self.chap) {
            (Some(record), _) => Kind::Accounting(record),
            (None, true) => Kind::Chap,
            (None, false) => Kind::Pap,
        }
    }
}

pub(super) fn run(args: &Args) -> Exit {
    match probe(args) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("{error}");
            Exit::Refused
        }
    }
}

fn probe(args: &Args) -> Result<Exit, String> {
    let client = Client::new(&args.admin.admin);
    let before = client.report().ok();
    let documents = load(args, before.as_ref());
    let target = Target::find(args, documents.as_ref().map_err(String::as_str))?;
    let password = match args.kind() {
        Kind::Accounting(_) => None,
        Kind::Pap | Kind::Chap => Some(password(args, documents.as_ref().ok())?),
    };
    let request = Request::build(&args.user, args.kind(), password.as_deref(), &target)?;
    say(&format!("{} for {} to {}, signed as {}\n", args.kind(), args.user, target.server, target.signed_as));

    let outcome = exchange(&request, &target, Duration::from_secs(args.timeout))
        .map_err(|error| format!("cannot send to {}: {error}", target.server))?;
    let after = client.report().ok();
    let story = explain::Story { request: &request, target: &target, user: &args.user, before, after };
    say(&story.tell(&outcome));
    Ok(match outcome {
        Outcome::Answer(answer) if answer.accepts() => Exit::Success,
        Outcome::Answer(_) => Exit::Failure,
        Outcome::Silence { .. } => Exit::NoAnswer,
    })
}

/// The documents: those named, else the running node's, else those of the default place.
fn load(args: &Args, report: Option<&Report>) -> Result<Documents, String> {
    let running = report.map(|report| report.node.config.clone());
    let path = args.config.clone().or(running).unwrap_or_else(|| documents::DEFAULT.into());
    documents_now(&path).map_err(|faults| match report {
        Some(_) => faults,
        None => {
            let admin = &args.admin.admin;
            format!(
                "no node answers at {admin} (start it, or name it with --admin), nor are its documents here:\n{faults}"
            )
        }
    })
}
