//! A registry, and the operator who keeps it: documents are applied and contracts live by the commands that an operator types.
//!
//! A test travels in time by its time zone: everything is arranged on one day, and then the zone is one in which that day ends in a few
//! seconds ([`Office::ends_in`]).

use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{Span, Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::documents::{Customer, Documents};
use crate::namespace::Namespace;
use crate::network::{Host, Network};
use crate::process::{Finished, Process, Program};
use crate::programs;
use crate::sekisho::command;

/// A registry, and what a node needs to be served from it.
#[derive(Debug)]
pub struct Office {
    directory: tempfile::TempDir,
    database: String,
    /// The day on which the test plays.
    day: Date,
    zone: String,
}

impl Office {
    /// A registry in a file of SQLite.
    pub fn new() -> Office {
        Office::with("registry.db")
    }

    /// A registry in a database of PostgreSQL, by its URL.
    pub fn with(database: &str) -> Office {
        let day = Timestamp::now().to_zoned_datetime(TimeZone::UTC).date();
        let directory = tempfile::tempdir().expect("a directory");
        Office { directory, database: database.to_owned(), day, zone: "UTC".to_owned() }
    }

    /// The day on which the test plays, and so many days later or, below zero, before.
    pub fn day(&self, later: i64) -> String {
        self.date(later).to_string()
    }

    fn date(&self, later: i64) -> Date {
        self.day.checked_add(Span::new().days(later)).expect("a day")
    }

    /// From now on it is such that the test's day ends in so many seconds: gives that midnight. A node that runs already does not
    /// know of it.
    pub fn ends_in(&mut self, seconds: i64) -> Midnight {
        let midnight = Timestamp::from_second(Timestamp::now().as_second() + seconds).expect("an instant");
        let there = TimeZone::UTC.to_timestamp(self.date(1).at(0, 0, 0, 0)).expect("a midnight");
        let ahead = there.as_second() - midnight.as_second();
        // POSIX counts westward.
        let (sign, west) = if ahead < 0 { ('-', "") } else { ('+', "-") };
        let [h, m, s] = [ahead.abs() / 3600, ahead.abs() / 60 % 60, ahead.abs() % 60];
        self.zone = format!("<{sign}{h:02}{m:02}>{west}{h}:{m:02}:{s:02}");
        Midnight(midnight)
    }

    /// The document of a node with this registry, whose links go to these hosts.
    pub fn node(&self, hosts: &[&Host]) -> Documents {
        self.node_in(hosts, "state")
    }

    /// The same of a node that keeps what is its own in a directory of that name.
    pub fn node_in(&self, hosts: &[&Host], state: &str) -> Documents {
        let [state, key] = [state, "registry.key"].map(|name| self.path(name));
        let text = format!(
            "[registry]\ndatabase = \"{}\"\nkey_file = \"{}\"\ntime_zone = \"{}\"",
            self.database,
            key.display(),
            self.zone
        );
        Documents::new(hosts).node_key(&format!("state = \"{}\"", state.display())).with(&text)
    }

    /// Something below its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The file of SQLite, for a node that keeps what is its own in `state`.
    pub fn file(&self) -> PathBuf {
        self.path("state").join("registry.db")
    }

    /// Writes a file, and gives its path as a word of a command.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    /// Writes the file of the key that secrets are sealed with: sixteen hexadecimal digits, four times. A registry in a file has one made.
    pub fn write_key(&self, digits: &str) {
        let path = self.write("registry.key", &format!("{}\n", digits.repeat(4)));
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).expect("its mode");
    }

    /// Writes a customer's document. `more` are tables that [`Customer`] does not know.
    pub fn document(&self, customer: &Customer, more: &str) -> String {
        self.write(&format!("{}.toml", customer.name), &format!("{}\n{more}", customer.text()))
    }
}

impl Default for Office {
    fn default() -> Office {
        Office::new()
    }
}

/// An instant at which a day begins.
#[derive(Clone, Copy, Debug)]
pub struct Midnight(Timestamp);

impl Midnight {
    /// How long it is until then; zero from then on.
    pub fn left(self) -> Duration {
        Duration::try_from(self.0.duration_since(Timestamp::now())).unwrap_or_default()
    }

    /// How long it has been; zero before.
    pub fn past(self) -> Duration {
        Duration::try_from(Timestamp::now().duration_since(self.0)).unwrap_or_default()
    }

    /// Waits until then. Fails the test if it has passed: what was to be seen before could not be seen.
    #[track_caller]
    pub fn wait(self) {
        assert!(!self.left().is_zero(), "midnight was {:?} ago: this machine was too slow for the test", self.past());
        std::thread::sleep(self.left());
    }
}

/// Where commands are typed: on the host of a node, with its document.
#[derive(Debug)]
pub struct Desk<'n> {
    network: &'n Network,
    document: String,
    /// Where that stands.
    _documents: Arc<tempfile::TempDir>,
}

impl<'n> Desk<'n> {
    /// On the proxy, with these documents, which are written.
    pub fn new(network: &'n Network, documents: &Documents) -> Desk<'n> {
        Desk { network, document: documents.write().display().to_string(), _documents: documents.keep() }
    }

    /// Types a command and gives what came of it.
    pub fn run(&self, words: &[&str]) -> Finished {
        command(self.network, &[words, &["--config", &self.document]].concat())
    }

    /// Starts a command, and does not wait for it.
    pub fn begin(&self, words: &[&str]) -> Process {
        self.program(words).start(self.namespace())
    }

    /// Types a command that has to succeed; gives what it prints.
    #[track_caller]
    pub fn done(&self, words: &[&str]) -> String {
        let Finished { status, output } = self.run(words);
        assert!(status.success(), "{words:?}: {status}\n{output}");
        output
    }

    /// The same with something on its standard input.
    #[track_caller]
    pub fn told(&self, words: &[&str], input: &str) -> String {
        let Finished { status, output } = self.program(words).finish(self.namespace(), input, Duration::from_secs(60));
        assert!(status.success(), "{words:?}: {status}\n{output}");
        output
    }

    /// Types a command that has to be refused for what it asks; gives the reason.
    #[track_caller]
    pub fn refused(&self, words: &[&str]) -> String {
        self.fails(words, 2)
    }

    /// Types a command that has to end with this code; gives what it prints.
    #[track_caller]
    pub fn fails(&self, words: &[&str], code: i32) -> String {
        let Finished { status, output } = self.run(words);
        assert_eq!(status.code(), Some(code), "{words:?}: {status}\n{output}");
        assert!(!output.contains("panicked"), "{words:?}: {output}");
        output
    }

    /// What a command shows as JSON.
    #[track_caller]
    pub fn shown(&self, words: &[&str]) -> Value {
        let text = self.done(&[words, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{words:?}: {fault}\n{text}"))
    }

    /// A contract as `get contracts` shows it.
    #[track_caller]
    pub fn contract(&self, name: &str) -> Value {
        let shown = self.shown(&["get", "contracts"]);
        let contracts = shown["contracts"].as_array().expect("a list");
        contracts.iter().find(|it| it["contract"] == name).unwrap_or_else(|| panic!("no {name} in {shown}")).clone()
    }

    /// The numbers of all entries of the history.
    #[track_caller]
    pub fn history(&self) -> Vec<u64> {
        let shown = self.shown(&["get", "history"]);
        shown.as_array().expect("a list").iter().map(|entry| entry["number"].as_u64().expect("a number")).collect()
    }

    /// Applies documents by their files, and gives what that is said to change.
    #[track_caller]
    pub fn apply(&self, files: &[String], more: &[&str]) -> String {
        let files = files.iter().flat_map(|file| ["-f", file]);
        self.done(&["apply"].into_iter().chain(files).chain(more.iter().copied()).collect::<Vec<_>>())
    }

    /// Applies documents as of half a year ago, and takes all their contracts through their life until they are served: with everything
    /// that is served since then.
    #[track_caller]
    pub fn serve(&self, office: &Office, files: &[String], customers: &[&str]) {
        let [applied, accepted, started] = [200, 199, 198].map(|days| office.day(-days));
        self.apply(files, &["--applied", &applied]);
        let whose: Vec<&str> = customers.iter().flat_map(|name| ["--customer", name]).collect();
        self.done(&[&["accept", "--on", &accepted], &whose[..]].concat());
        self.done(&[&["confirm", "--all", "--on", &accepted], &whose[..]].concat());
        self.done(&[&["start", "--on", &started], &whose[..]].concat());
    }

    /// Records a notice by which a contract ends with the test's day.
    #[track_caller]
    pub fn cancel(&self, office: &Office, contract: &str, more: &[&str]) {
        let [arrived, last] = [-40, 0].map(|later| office.day(later));
        let words = ["cancel", contract, "--arrived", &arrived, "--requested", &last];
        let told = self.done(&[&words, more].concat());
        assert!(told.contains(&last), "{told}");
    }

    fn program(&self, words: &[&str]) -> Program {
        Program::new(programs::sekisho()).args(words).args(["--config", &self.document])
    }

    fn namespace(&self) -> &Namespace {
        &self.network.proxy
    }
}

/// A `group` contract. `more` are further keys: `simultaneous = 1`.
pub fn group(contract: &str, realm: &str, more: &str) -> String {
    format!("[[group]]\ncontract = \"{contract}\"\nrealms = [\"{realm}\"]\naccounts = 100000\n{more}\n")
}

/// The customer's contract for mobile service that it needs for a `vpdn` of type D (Art. 5.3). `more` are further keys.
pub fn mobile(more: &str) -> String {
    format!("[[mobile]]\ntype = \"D\"\nclass = \"I\"\n{more}\n")
}

/// Accounts as CSV, each with the password `wonderland`.
pub fn accounts(users: &[&str]) -> String {
    users.iter().fold("user,password\n".to_owned(), |mut text, user| {
        let _ = writeln!(text, "{user},wonderland");
        text
    })
}
