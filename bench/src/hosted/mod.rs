//! Servers of accounts side by side: the same accounts, the same logins, the same machine, in turn.
//!
//! A server here answers by itself: sekisho from the accounts of a `group` contract, FreeRADIUS from a `users` file or from SQLite
//! ([`Server`]). `prepare` gives each its documents and its accounts, once; [`measure`] starts it anew for every kind of login
//! and window, sees that it rejects a wrong password, and loads it, the servers in turn within each round as in
//! [`compare`](crate::compare); [`table`] takes the medians. [`memory`] counts what an account takes.
//!
//! The figure is the server process's own user and system time per login that was accepted. A login that is rejected, or answered with
//! something else, is no result but an error.

pub mod measure;
pub mod memory;
mod prepare;
mod server;
pub mod table;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use measure::Measurement;
pub use memory::Memory;
pub use server::Server;

use crate::compare::machine::{self, Machine};
use crate::load::{Accounts, Kind, LoadError};
use crate::stop::Stop;
use measure::Bench;
use server::Programs;
use table::Summary;

/// What is compared, and how.
#[derive(Clone, Debug)]
pub struct HostedBench {
    /// In this order, within each round.
    pub servers: Vec<Server>,
    /// Kinds of login.
    pub kinds: Vec<Kind>,
    /// Logins outstanding at once.
    pub windows: Vec<usize>,
    /// How often everything is measured.
    pub rounds: usize,
    /// For how long each time.
    pub time: Duration,
    /// Load before that, not counted.
    pub warm_up: Duration,
    /// Unanswered that long, a login is sent again.
    pub timeout: Duration,
    /// How often.
    pub retries: u32,
    /// Source ports of the load; `None` as [`Plan::ports`](crate::load::Plan::ports).
    pub ports: Option<usize>,
    /// How many accounts there are.
    pub accounts: usize,
    /// Measure what an account takes, between these two numbers of accounts.
    pub memory: Option<(usize, usize)>,
    /// The sekisho program, if it is to take part.
    pub sekisho: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum HostedError {
    /// A program could not be started, or a file not written.
    #[error("{what}: {error}")]
    Start {
        /// What was tried.
        what: String,
        /// Why it failed.
        error: io::Error,
    },
    /// A command that prepares a server failed.
    #[error("`{command}` failed; it said:\n{said}")]
    Command {
        /// The command.
        command: String,
        /// What it wrote.
        said: String,
    },
    /// A server was started and never accepted anybody.
    #[error("{server} accepted no login within {seconds} s; it said:\n{said}")]
    NotReady {
        /// Which.
        server: Server,
        /// How long was waited.
        seconds: u64,
        /// What it wrote.
        said: String,
    },
    /// A wrong password was not rejected: what is measured would be no login.
    #[error(
        "{server} met a wrong password ({kind}) with {reply} instead of an Access-Reject: look at how it is set up"
    )]
    NotRejected {
        /// Which.
        server: Server,
        /// The kind of login.
        kind: Kind,
        /// The reply, in a word.
        reply: String,
    },
    /// Logins that should have been accepted were not.
    #[error("{server} did not accept {count} of {completed} logins ({kind}): {replies}; look at its limits")]
    NotAccepted {
        /// Which.
        server: Server,
        /// The kind of login.
        kind: Kind,
        /// How many were answered with something else, or with a reply that did not verify.
        count: u64,
        /// How many were answered.
        completed: u64,
        /// The replies, by code.
        replies: String,
    },
    /// The load could not run.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Nothing to compare.
    #[error(
        "none of the servers can be measured: install FreeRADIUS (Debian's freeradius), or name sekisho by --sekisho"
    )]
    Nothing,
    /// We were asked to stop.
    #[error("stopped before the end")]
    Stopped,
}

/// Everything that was found out, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// The day, UTC.
    pub date: String,
    /// Where.
    pub machine: Machine,
    /// How each server was set up, and what was counted, a line each.
    pub method: Vec<String>,
    /// Which servers, by name.
    pub versions: Vec<(String, String)>,
    /// How many accounts each server had.
    pub accounts: usize,
    /// Seconds of each measurement, and of the warm-up before it.
    pub seconds: (f64, f64),
    /// Seconds until a login is sent again, and how often that is done.
    pub retransmission: (f64, u32),
    /// Source ports of the load; `None`: twice what the window needs, at least 4.
    #[serde(default)]
    pub ports: Option<usize>,
    /// Medians of the rounds.
    pub summary: Vec<Summary>,
    /// What an account takes, for each server that keeps accounts in memory; empty if that was not measured.
    #[serde(default)]
    pub memory: Vec<Memory>,
    /// Each measurement.
    pub measurements: Vec<Measurement>,
}

/// How the figures come about.
const METHOD: [&str; 6] = [
    "Counted: user and system time of the server's process for each login that was accepted; closed loop, 14 (CHAP: 15) attributes with \
     Message-Authenticator, every reply verified, the accounts in a random order.",
    "sekisho: a node with its registry in SQLite; one customer with a client and a group contract, passwords recoverable; XDP off, \
     limits charged and never reached. Its replies carry a Message-Authenticator.",
    "FreeRADIUS, all: modules chap and pap (no normalisation), a thread for each processor, no log of requests, replies kept for 5 s; its \
     replies carry no Message-Authenticator unless its build adds one.",
    "FreeRADIUS files: rlm_files, a `users` file with Cleartext-Password, looked up by the whole User-Name.",
    "FreeRADIUS SQLite: rlm_sql_sqlite, its own schema and queries, a connection for each thread, a write-ahead log; groups \
     and profiles not read, as there are none: two queries a login.",
    "Before each measurement the right password is accepted and a wrong one rejected; a single reply that is no Access-Accept makes the \
     run fail.",
];

impl HostedBench {
    /// Measures everything; `progress` gets a line for each measurement.
    ///
    /// # Errors
    /// When a program cannot be started or does not answer as it should. Servers that are not installed are left out, with a line.
    pub fn run(&self, stop: &Stop, progress: &mut dyn FnMut(&str)) -> Result<Results, HostedError> {
        let programs = Programs::find(self.sekisho.as_deref());
        let mut servers = self.servers.clone();
        servers.retain(|server| match programs.missing(*server) {
            Some(reason) => {
                progress(&format!("{server} is left out: {reason}"));
                false
            }
            None => true,
        });
        if servers.is_empty() {
            return Err(HostedError::Nothing);
        }
        let measurements = self.measure(&programs, &servers, stop, progress)?;
        let mut memory = Vec::new();
        for server in servers.iter().filter(|server| server.keeps_accounts_in_memory()) {
            let Some((few, many)) = self.memory else { break };
            let figure = self.memory_of(&programs, *server, few, many, stop)?;
            progress(&figure.to_string());
            memory.push(figure);
        }
        Ok(Results {
            date: machine::today(),
            machine: Machine::describe(),
            method: METHOD.map(str::to_owned).to_vec(),
            versions: servers.iter().map(|server| (server.to_string(), programs.version(*server))).collect(),
            accounts: self.accounts,
            seconds: (self.time.as_secs_f64(), self.warm_up.as_secs_f64()),
            retransmission: (self.timeout.as_secs_f64(), self.retries),
            ports: self.ports,
            summary: table::summarize(&measurements),
            memory,
            measurements,
        })
    }

    /// Everything but memory.
    fn measure(
        &self,
        programs: &Programs,
        servers: &[Server],
        stop: &Stop,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Vec<Measurement>, HostedError> {
        if self.kinds.is_empty() || self.windows.is_empty() {
            return Ok(Vec::new());
        }
        let accounts = Accounts::numbered(self.accounts);
        let benches = servers.iter().map(|server| Bench::prepare(self, programs, *server, &accounts));
        let benches = benches.collect::<Result<Vec<_>, _>>()?;
        let mut measurements = Vec::new();
        for round in 1..=self.rounds {
            for kind in &self.kinds {
                for window in &self.windows {
                    for bench in &benches {
                        let measurement = bench.measure(*kind, *window, round, stop)?;
                        progress(&measurement.to_string());
                        measurements.push(measurement);
                        if stop.is_set() {
                            return Err(HostedError::Stopped);
                        }
                    }
                }
            }
        }
        Ok(measurements)
    }

    fn memory_of(
        &self,
        programs: &Programs,
        server: Server,
        few: usize,
        many: usize,
        stop: &Stop,
    ) -> Result<Memory, HostedError> {
        let resident = |count| {
            let bench = Bench::prepare(self, programs, server, &Accounts::numbered(count))?;
            bench.resident(stop)
        };
        Ok(Memory::between(server, (few, resident(few)?), (many, resident(many)?)))
    }
}
