//! FreeRADIUS as home server, with a configuration written for one test; the system's own is not touched.

mod raddb;

use std::path::PathBuf;

use crate::namespace::Namespace;
use crate::pki::Pki;
use crate::process::{Process, Program};

/// A FreeRADIUS that answers on 1812 and 1813, IPv4 and IPv6, to whoever has the secret; Status-Server as well.
#[derive(Debug)]
pub struct FreeRadius {
    process: Process,
    directory: tempfile::TempDir,
}

/// A subscriber.
#[derive(Clone, Debug)]
pub struct Account {
    /// The whole User-Name.
    pub name: String,
    /// The password in clear, so that PAP, CHAP and MS-CHAP all work.
    pub password: String,
    /// Reply attributes, one `Name = value` each, as FreeRADIUS writes them.
    pub reply: Vec<String>,
}

impl Account {
    /// A subscriber with a password.
    pub fn new(name: &str, password: &str) -> Account {
        Account { name: name.to_owned(), password: password.to_owned(), reply: Vec::new() }
    }

    /// Adds a reply attribute.
    #[must_use]
    pub fn reply(mut self, pair: &str) -> Account {
        self.reply.push(pair.to_owned());
        self
    }
}

impl FreeRadius {
    /// Starts it in a namespace, with certificates of its own, and waits until it is ready.
    pub fn start(namespace: &Namespace, secret: &str, accounts: &[Account]) -> FreeRadius {
        FreeRadius::with_pki(namespace, secret, accounts, &Pki::new())
    }

    /// The same with these certificates: devices that trust one such server trust all of them.
    pub fn with_pki(namespace: &Namespace, secret: &str, accounts: &[Account], pki: &Pki) -> FreeRadius {
        let directory = tempfile::tempdir().expect("a temporary directory");
        raddb::write(directory.path(), secret, accounts, pki);
        let program = Program::new("freeradius").args(["-X", "-n", "radiusd", "-d"]).arg(directory.path());
        let mut process = program.start(namespace);
        process.prints("Ready to process requests");
        FreeRadius { process, directory }
    }

    /// The process: to stop or freeze it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What it printed: every request and reply in full.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Packets of a kind (`Access-Request`) that came in.
    pub fn received(&self, kind: &str) -> usize {
        let start = format!("Received {kind} ");
        self.log().lines().filter(|line| line.contains(&start)).count()
    }

    /// The attributes of every packet of a kind that came in, one `Name = value` a line.
    pub fn requests(&self, kind: &str) -> Vec<String> {
        let start = format!("Received {kind} ");
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let heads = (0..lines.len()).filter(|at| lines[*at].contains(&start));
        let pairs = |head: usize| lines[head + 1..].iter().map(|line| after_number(line)).take_while(|it| is_pair(it));
        heads.map(|head| pairs(head).map(str::trim).collect::<Vec<_>>().join("\n")).collect()
    }

    /// The accounting records it wrote: one text block each.
    pub fn records(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.detail()).unwrap_or_default();
        text.split("\n\n").map(str::to_owned).filter(|record| !record.trim().is_empty()).collect()
    }

    fn detail(&self) -> PathBuf {
        self.directory.path().join("detail")
    }
}

/// A line of the debugging output without the request's number, `(12) `, that it begins with.
fn after_number(line: &str) -> &str {
    line.strip_prefix('(').and_then(|rest| rest.split_once(") ")).map_or("", |(_, rest)| rest)
}

/// Whether a line is an attribute: indented by two, a name, an equals sign.
fn is_pair(line: &str) -> bool {
    line.starts_with("  ") && line.trim().split_once(" = ").is_some_and(|(name, _)| !name.contains(' '))
}
