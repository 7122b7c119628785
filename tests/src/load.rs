//! The load generator as many NAS, and the home server that keeps up with it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::network::{ACCT, AUTH, Family, Host};
use crate::process::{Finished, Process, Program};
use crate::programs;
use crate::wait::PATIENCE;

/// A running `sekisho-home` with the user `*` and the password that `sekisho-load` sends.
#[derive(Debug)]
pub struct LoadHome(Process);

impl LoadHome {
    /// Starts it on 1812 and 1813 of a host. `more` are further options, such as `--delay`, `1s`.
    pub fn start(host: &Host, address: IpAddr, secret: &str, more: &[&str]) -> LoadHome {
        let listen = |port| SocketAddr::new(address, port).to_string();
        let program = Program::new(programs::sekisho_home())
            .args(["--listen-auth", &listen(AUTH), "--listen-acct", &listen(ACCT)])
            .args(["--secret", secret, "--user", "*:wonderland"])
            .args(more);
        let mut process = program.start(&host.namespace);
        process.prints("home server");
        LoadHome(process)
    }

    /// Ends it and gives its counts.
    pub fn counts(mut self) -> Value {
        self.0.signal(Signal::TERM);
        self.0.exits_within(PATIENCE);
        last_json(&self.0.log())
    }
}

/// What `sekisho-load` shall do.
#[derive(Debug)]
pub struct Load {
    arguments: Vec<String>,
    limit: Duration,
    patience: [&'static str; 2],
}

impl Load {
    /// Logins through the proxy from a NAS, `window` at once. No try is repeated for ten seconds.
    pub fn logins(nas: &Host, family: Family, secret: &str, window: usize) -> Load {
        Load::paced(nas, family, secret, ["--window", &window.to_string()])
    }

    /// The same with so many a second, however many that makes at once.
    pub fn logins_at(nas: &Host, family: Family, secret: &str, rate: u32) -> Load {
        Load::paced(nas, family, secret, ["--rate", &rate.to_string()])
    }

    fn paced(nas: &Host, family: Family, secret: &str, [pace, number]: [&str; 2]) -> Load {
        let target = SocketAddr::new(family.proxy(), AUTH).to_string();
        let source = nas.address(family).to_string();
        let arguments =
            [&target, "--source", &source, "--secret", secret, pace, number, "--require-message-authenticator"];
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        Load { arguments, limit: Duration::from_secs(120), patience: ["10s", "1"] }
    }

    /// Adds options.
    #[must_use]
    pub fn with(mut self, options: &[&str]) -> Load {
        self.arguments.extend(options.iter().map(|it| (*it).to_owned()));
        self
    }

    /// How long to wait before a request is sent again, and how often to do that.
    #[must_use]
    pub fn patience(mut self, timeout: &'static str, retries: &'static str) -> Load {
        self.patience = [timeout, retries];
        self
    }

    /// Lets it take so long.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Load {
        self.limit = limit;
        self
    }

    /// Runs it to its end and gives its summary.
    pub fn run(self, nas: &Host) -> Value {
        let limit = self.limit;
        let Finished { status, output } = self.program().finish(&nas.namespace, "", limit);
        assert!(status.success(), "{output}");
        last_json(&output)
    }

    /// Starts it and gives the process; [`summary`] reads what it printed at its end.
    pub fn start(self, nas: &Host) -> Process {
        self.program().start(&nas.namespace)
    }

    fn program(self) -> Program {
        let [timeout, retries] = self.patience;
        let program = Program::new(programs::sekisho_load()).args(self.arguments);
        program.args(["--timeout", timeout, "--retries", retries])
    }
}

/// The summary that a load printed at its end.
pub fn summary(load: &Process) -> Value {
    last_json(&load.log())
}

/// A count in a summary.
#[track_caller]
pub fn count(summary: &Value, name: &str) -> u64 {
    summary[name].as_u64().unwrap_or_else(|| panic!("no {name} in {summary}"))
}

fn last_json(text: &str) -> Value {
    let starts = text.rmatch_indices('\n').map(|(at, _)| at + 1).chain([0]);
    let mut found = starts.filter(|at| text[*at..].starts_with('{')).map(|at| serde_json::from_str(&text[at..]));
    found.find_map(Result::ok).unwrap_or_else(|| panic!("no JSON: {text}"))
}
