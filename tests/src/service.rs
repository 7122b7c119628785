//! A node whose customers stand in a registry, and the operator who works with it by commands.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::documents::{Customer, Documents};
use crate::network::Network;
use crate::process::{Finished, Program};
use crate::programs;
use crate::sekisho::Sekisho;

/// A `group` contract, as a test writes it.
#[derive(Clone, Debug)]
pub struct Group {
    keys: String,
    reply: String,
}

impl Group {
    /// A contract for so many accounts in all realms of its customer, with recoverable passwords.
    pub fn new(contract: &str, accounts: u32) -> Group {
        let keys = format!("contract = \"{contract}\"\naccounts = {accounts}\n");
        Group { keys, reply: String::new() }
    }

    /// Adds a key of `[[group]]`: `simultaneous = 1`.
    #[must_use]
    pub fn key(mut self, line: &str) -> Group {
        let _ = writeln!(self.keys, "{line}");
        self
    }

    /// Adds an attribute to every Accept: `"Session-Timeout" = 86400`.
    #[must_use]
    pub fn reply(mut self, line: &str) -> Group {
        let _ = writeln!(self.reply, "{line}");
        self
    }

    pub(crate) fn text(&self) -> String {
        let Group { keys, reply } = self;
        let reply = if reply.is_empty() { String::new() } else { format!("\n[group.reply]\n{reply}") };
        format!("[[group]]\n{keys}{reply}")
    }
}

/// A registry in SQLite, the node that goes by it, and its operator.
#[derive(Debug)]
pub struct Service<'n> {
    network: &'n Network,
    documents: Documents,
}

impl<'n> Service<'n> {
    /// A registry in which nothing is yet. `hosted` are lines of `[hosted]`.
    pub fn new(network: &'n Network, documents: Documents, hosted: &str) -> Service<'n> {
        let documents = documents.with(&format!("[registry]\ndatabase = \"registry.db\"\n\n[hosted]\n{hosted}\n"));
        documents.write();
        Service { network, documents }
    }

    /// What the node runs by.
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// Where what the node keeps is.
    pub fn state(&self) -> PathBuf {
        self.documents.directory().join("state")
    }

    /// Applies a customer's document.
    pub fn apply(&self, customer: &Customer) {
        let path = self.documents.write_beside(&format!("{}.toml", customer.name), &customer.text());
        self.does(&["apply", "-f", &path.display().to_string()]);
    }

    /// Applies a customer's document, and lets its contracts live from today on.
    pub fn serve(&self, customer: &Customer) {
        self.apply(customer);
        self.does(&["accept", "--customer", &customer.name]);
        self.does(&["confirm", "--customer", &customer.name, "--all"]);
        self.does(&["start", "--customer", &customer.name]);
    }

    /// Imports accounts: CSV with its header.
    pub fn import(&self, contract: &str, csv: &str) {
        let path = self.documents.write_beside(&format!("{contract}.csv"), csv);
        self.does(&["accounts", "import", "--contract", contract, &path.display().to_string()]);
    }

    /// Changes an account: `--disable`, `--expires TIME`.
    pub fn set(&self, contract: &str, user: &str, words: &[&str]) {
        self.does(&[&["accounts", "set", "--contract", contract, user], words].concat());
    }

    /// Runs a command of the operator's, which has to succeed; what it printed.
    #[track_caller]
    pub fn does(&self, words: &[&str]) -> String {
        self.does_with(words, "")
    }

    /// The same with this on its standard input.
    #[track_caller]
    pub fn does_with(&self, words: &[&str], input: &str) -> String {
        let Finished { status, output } = self.tries_with(words, input);
        assert!(status.success(), "sekisho {}: {status}\n{output}", words.join(" "));
        output
    }

    /// Runs a command of the operator's, however it ends.
    pub fn tries(&self, words: &[&str]) -> Finished {
        self.tries_with(words, "")
    }

    /// The same with this on its standard input.
    pub fn tries_with(&self, words: &[&str], input: &str) -> Finished {
        let program = Program::new(programs::sekisho()).args(words);
        let program = program.arg("--config").arg(self.documents.directory());
        program.finish(&self.network.proxy, input, Duration::from_secs(120))
    }

    /// Starts the node and waits until it is ready.
    pub fn run(&self) -> Sekisho<'n> {
        Sekisho::start(self.network, &self.documents)
    }
}
