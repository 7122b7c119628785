//! The program under test, run as an operator runs it, in the proxy's namespace.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use crate::documents::Documents;
use crate::hosts::Hosts;
use crate::http::{self, Answer};
use crate::metrics::Metrics;
use crate::network::Network;
use crate::process::{Finished, Process, Program};
use crate::programs;
use crate::wait::{PATIENCE, eventually, within};

/// A running sekisho.
#[derive(Debug)]
pub struct Sekisho<'n> {
    network: &'n Network,
    process: Process,
    /// What it keeps, it keeps beside its documents.
    _documents: Arc<tempfile::TempDir>,
}

impl<'n> Sekisho<'n> {
    /// Starts it with these documents and waits until it is ready.
    pub fn start(network: &'n Network, documents: &Documents) -> Sekisho<'n> {
        Sekisho::run(network, documents, Program::new(programs::sekisho()))
    }

    /// The same with host names, which may change while it runs.
    pub fn start_with_hosts(network: &'n Network, documents: &Documents, hosts: &Hosts) -> Sekisho<'n> {
        Sekisho::run(network, documents, Program::with_hosts(programs::sekisho(), hosts))
    }

    /// Runs it with documents that it does not start with, and gives how it ended.
    pub fn refused(network: &Network, documents: &Documents) -> Finished {
        let program = Program::new(programs::sekisho()).args(["run", "--config"]).arg(documents.write());
        let finished = program.finish(&network.proxy, "", PATIENCE);
        assert!(!finished.status.success(), "it was to be refused: {}", finished.output);
        finished
    }

    fn run(network: &'n Network, documents: &Documents, program: Program) -> Sekisho<'n> {
        let path = documents.write();
        let program = program.args(["run", "--config"]).arg(path);
        let mut process = program.start(&network.proxy);
        eventually("sekisho is ready", || {
            assert!(process.runs(), "sekisho did not start");
            http::ask(&network.proxy, admin(), "GET", "/healthz").ok().filter(|answer| answer.status == 200)
        });
        Sekisho { network, process, _documents: documents.keep() }
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The metrics now.
    pub fn metrics(&self) -> Metrics {
        Metrics::parse(&self.get("/metrics").body)
    }

    /// The metrics as soon as `condition` holds; fails the test with `what` if it never does.
    pub fn metrics_when(&self, what: &str, condition: impl Fn(&Metrics) -> bool) -> Metrics {
        within(PATIENCE, || Some(self.metrics()).filter(&condition)).unwrap_or_else(|| {
            panic!("waited {PATIENCE:?} in vain: {what}; dropped until now: {}", self.metrics().drops());
        })
    }

    /// Fails the test unless the gate has counted every packet exactly once.
    pub fn assert_every_packet_is_counted_once(&self) {
        self.metrics_when("seen = not ours + passed + redirected + replied + dropped", Metrics::balances);
    }

    /// `/status`.
    pub fn status(&self) -> serde_json::Value {
        self.told("/status")
    }

    /// What the admin API tells under a path, as JSON.
    pub fn told(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.get(path).body).unwrap_or_else(|fault| panic!("{path}: {fault}"))
    }

    /// What it tells of an LNS.
    #[track_caller]
    pub fn lns(&self, name: &str) -> serde_json::Value {
        let told = self.told("/lns");
        let lnss = told["lns"].as_array().expect("a list");
        lnss.iter().find(|lns| lns["name"] == name).unwrap_or_else(|| panic!("no {name} in {told}")).clone()
    }

    /// Waits until an LNS is in that state.
    #[track_caller]
    pub fn lns_becomes(&self, name: &str, state: &str, limit: Duration) {
        let found = within(limit, || (self.lns(name)["state"] == state).then_some(()));
        assert!(found.is_some(), "it is not {state}: {}", self.lns(name));
    }

    /// Sessions by a query of the admin API (`lns=tokyo-1`), in a form that does not depend on their order.
    pub fn sessions(&self, query: &str) -> Vec<serde_json::Value> {
        let told = self.told(&format!("/sessions?{query}"));
        let mut sessions = told["sessions"].as_array().expect("a list").clone();
        sessions.sort_by_key(|session| session["user"].to_string());
        sessions
    }

    /// Runs a sub-command of `sekisho` beside it.
    pub fn command(&self, words: &[&str]) -> Finished {
        command(self.network, words)
    }

    /// Writes the documents anew and asks it to apply them.
    pub fn reload(&self, documents: &Documents) -> Finished {
        documents.write();
        self.command(&["reload"])
    }

    /// The state that a server's port is in: `alive`, `zombie`, `dead`, `draining`, `down`. `kind` is `auth` or `acct`.
    pub fn server_state(&self, server: &str, kind: &str) -> String {
        let metrics = self.metrics();
        let is = |state: &&str| {
            metrics.sum("sekisho_server_state", &[("server", server), ("kind", kind), ("state", state)]) == 1
        };
        ["alive", "zombie", "dead", "draining", "down"].iter().copied().find(is).unwrap_or("none").to_owned()
    }

    /// Waits until a server's port is in that state.
    pub fn becomes(&self, server: &str, kind: &str, state: &str) {
        let found = within(PATIENCE, || (self.server_state(server, kind) == state).then_some(()));
        assert!(found.is_some(), "{server} {kind} is {}, not {state}", self.server_state(server, kind));
    }

    /// Ends it as a crash does: it can do nothing about it.
    pub fn kill(mut self) {
        self.process.kill();
    }

    /// Ends it as an operator does, and waits until it is gone.
    pub fn stop(mut self) {
        self.process.signal(Signal::TERM);
        assert!(self.process.exits_within(PATIENCE).success());
    }

    fn get(&self, path: &str) -> Answer {
        let answer = http::ask(&self.network.proxy, admin(), "GET", path);
        let answer = answer.unwrap_or_else(|fault| panic!("{path}: {fault}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer
    }
}

/// Runs a sub-command of `sekisho` in the proxy's namespace, whether a node runs or not.
pub fn command(network: &Network, words: &[&str]) -> Finished {
    let program = Program::new(programs::sekisho()).args(words);
    program.finish(&network.proxy, "", Duration::from_secs(60))
}

/// The accounting records that these documents' journal holds, the oldest first, as `sekisho journal export` gives them: to
/// another process than the one that writes them, if one does.
pub fn journal(network: &Network, documents: &Documents, words: &[&str]) -> Vec<serde_json::Value> {
    let config = documents.directory().join("sekisho.toml").display().to_string();
    let words = [&["journal", "export", "--config", &config, "--format", "jsonl"], words].concat();
    let Finished { status, output } = command(network, &words);
    assert!(status.success(), "{output}");
    output.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|fault| panic!("{fault}: {line}"))).collect()
}

/// The admin API, which the proxy alone reaches.
pub fn admin() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9812))
}
