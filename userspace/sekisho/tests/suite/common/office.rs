//! An operator's commands on a registry of their own, without a node: the documents of `config/examples/service`.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde_json::Value;

use super::{Network, PROGRAM, text};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/examples/service");

/// The documents that customers and the operator apply.
pub const ALL: [&str; 4] = ["carriers.toml", "sakura.toml", "acme.toml", "fuji.toml"];
/// The customers.
pub const CUSTOMERS: [&str; 3] = ["sakura", "acme", "fuji"];

/// A directory with the documents, and an empty registry.
pub struct Office {
    directory: tempfile::TempDir,
}

impl Office {
    pub fn new() -> Office {
        let directory = tempfile::tempdir().unwrap();
        for file in fs::read_dir(EXAMPLES).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
        }
        let office = Office { directory };
        // Whatever runs at the usual address is another's.
        office.change("sekisho.toml", "127.0.0.1:9812", &Network::new().admin().to_string());
        office
    }

    /// With everything of the examples in service since a day.
    pub fn serving_since(since: Date) -> Office {
        let office = Office::new();
        office.done(&["apply", "-f", "carriers.toml"]);
        let since = since.to_string();
        let documents = ["-f", "sakura.toml", "-f", "acme.toml", "-f", "fuji.toml"];
        office.done(&[&["apply", "--applied", &since], &documents[..]].concat());
        let all = ["--customer", "sakura", "--customer", "acme", "--customer", "fuji"];
        office.done(&[&["accept", "--on", &since], &all[..]].concat());
        office.done(&["accounts", "import", "--contract", "sakura-group", "sakura.csv"]);
        office.done(&[&["confirm", "--all", "--on", &since], &all[..]].concat());
        office.done(&[&["start", "--on", &since], &all[..]].concat());
        office
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
    }

    /// Other words in a file.
    pub fn change(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "no {from:?} in\n{text}");
        self.write(name, &text.replace(from, to));
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    /// With words on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.path()).env("SEKISHO_CONFIG", self.path());
        command.env_remove("SUDO_USER").env("USER", "hanako").env_remove("SEKISHO_LOG");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It need not read what it does not want.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// A command that does what it is told; its standard output.
    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A command that is refused, and has recorded nothing; its words.
    pub fn refused(&self, arguments: &[&str]) -> String {
        self.refused_with(arguments, "")
    }

    pub fn refused_with(&self, arguments: &[&str], input: &str) -> String {
        let before = self.history();
        let output = self.run_with(arguments, input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output));
        assert_eq!(self.history(), before, "{arguments:?} is refused and recorded");
        String::from_utf8(output.stderr).unwrap()
    }

    /// What a command says as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.done(&[arguments, &["--json"]].concat())).unwrap()
    }

    pub fn history(&self) -> Vec<Value> {
        self.json(&["get", "history"]).as_array().unwrap().clone()
    }

    /// A contract, as `get contracts` has it at the beginning of a day, or now.
    pub fn contract(&self, name: &str, at: Option<Date>) -> Value {
        let day = at.map(|day| day.to_string());
        let at: Vec<&str> = day.iter().flat_map(|day| ["--at", day.as_str()]).collect();
        let found = self.json(&[&["get", "contracts"], &at[..]].concat());
        let all = found["contracts"].as_array().unwrap();
        let one = all.iter().find(|it| it["contract"] == name);
        one.unwrap_or_else(|| panic!("no {name} in {found:#}")).clone()
    }

    pub fn state(&self, name: &str) -> String {
        self.contract(name, None)["state"].as_str().unwrap().to_owned()
    }

    pub fn is_served(&self, name: &str, at: Option<Date>) -> bool {
        self.contract(name, at)["served"].as_bool().unwrap()
    }

    /// A customer's statement for the month that begins on a day.
    pub fn statement(&self, customer: &str, month: Date) -> Value {
        let month = month.strftime("%Y-%m").to_string();
        serde_json::from_str(&self.done(&["statement", customer, "--month", &month, "--format", "json"])).unwrap()
    }
}

/// The operator's day. A test that runs over midnight may fail once.
pub fn today() -> Date {
    TimeZone::get("Asia/Tokyo").unwrap().to_datetime(Timestamp::now()).date()
}

/// So many days from today.
pub fn day(days: i64) -> Date {
    today().checked_add(days.days()).unwrap()
}

/// The first day of the month that is so many before the present one.
pub fn month_ago(months: i64) -> Date {
    today().first_of_month().checked_sub(months.months()).unwrap()
}
