//! A program in a namespace: its log is kept, and it does not outlive the test.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::hosts::Hosts;
use crate::namespace::Namespace;
use crate::wait::{PATIENCE, within};

/// A running program. Dropping it kills it; if the test is failing, its log is printed first.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    directory: tempfile::TempDir,
    group: bool,
}

/// What to start.
#[derive(Debug)]
pub struct Program {
    command: Command,
    name: String,
    group: bool,
}

impl Program {
    /// A program by its path, or its name if it stands in a system directory.
    pub fn new(program: impl AsRef<OsStr>) -> Program {
        // The parent is the namespace's thread: with it go all its processes, even when the test is killed.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program.as_ref());
        // What cargo tells a test of its own package: a build that a test starts is not of it, and would begin anew for another one's.
        let is_ours = |name: &str| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|it| name.starts_with(it))
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_ours)) {
            command.env_remove(name);
        }
        let name = Path::new(program.as_ref()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Program { command, name, group: false }
    }

    /// The same for a program that sees only these host names.
    pub fn with_hosts(program: impl AsRef<OsStr>, hosts: &Hosts) -> Program {
        let name = Path::new(program.as_ref()).file_name().unwrap_or_default().to_string_lossy().into_owned();
        let view = ["--mount", "--propagation", "private", "--", "sh", "-ec", &hosts.script(), "sh"];
        Program { name, ..Program::new("unshare").args(view).arg(program) }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Program {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<T: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = T>) -> Program {
        self.command.args(arguments);
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Program {
        self.command.env(name, value);
        self
    }

    /// Starts it in this directory.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Program {
        self.command.current_dir(directory);
        self
    }

    /// Gives it a process group of its own, as a shell with job control does: [`Process::interrupt`] is Ctrl-C then.
    #[must_use]
    pub fn own_group(mut self) -> Program {
        self.command.process_group(0);
        self.group = true;
        self
    }

    /// Starts it; what it prints goes to its log.
    pub fn start(self, namespace: &Namespace) -> Process {
        let Program { mut command, name, group } = self;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let log = directory.path().join("log");
        let out = File::create(&log).expect("a log");
        command.stdin(Stdio::null()).stdout(out.try_clone().expect("a descriptor")).stderr(out);
        let child = namespace.run(move || command.spawn()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        Process { name, child, log, directory, group }
    }

    /// Runs it to its end, with `input` on its standard input, for at most `limit`.
    pub fn finish(self, namespace: &Namespace, input: &str, limit: Duration) -> Finished {
        let Program { mut command, name, group } = self;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let (log, source) = (directory.path().join("log"), directory.path().join("input"));
        std::fs::write(&source, input).expect("the input");
        let out = File::create(&log).expect("a log");
        command.stdin(File::open(&source).expect("the input"));
        command.stdout(out.try_clone().expect("a descriptor")).stderr(out);
        let child = namespace.run(move || command.spawn()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let mut process = Process { name, child, log, directory, group };
        let status = process.exits_within(limit);
        Finished { status, output: process.log() }
    }
}

/// What came of a program.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed, on both outputs.
    pub output: String,
}

impl Process {
    /// What it printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log_octets()).into_owned()
    }

    /// The same octet for octet.
    pub fn log_octets(&self) -> Vec<u8> {
        std::fs::read(&self.log).unwrap_or_default()
    }

    /// Process number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A directory that lives as long as the process.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32).expect("a process number");
        kill_process(pid, signal).unwrap_or_else(|fault| panic!("{}: kill: {fault}", self.name));
    }

    /// Ctrl-C: interrupts its whole group.
    pub fn interrupt(&self) {
        let pid = Pid::from_raw(self.child.id() as i32).expect("a process number");
        kill_process_group(pid, Signal::INT).unwrap_or_else(|fault| panic!("{}: kill: {fault}", self.name));
    }

    /// Stops (or, with [`Signal::CONT`], goes on).
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Kills it at once and waits for its end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("wait").is_none()
    }

    /// Waits until it has printed `text`; fails the test if it ends before.
    pub fn prints(&mut self, text: &str) {
        self.prints_within(PATIENCE, text);
    }

    /// The same, for what may take longer.
    pub fn prints_within(&mut self, limit: Duration, text: &str) {
        let printed = within(limit, || {
            if self.log().contains(text) {
                return Some(());
            }
            assert!(self.runs(), "{} ended before it printed {text:?}", self.name);
            None
        });
        assert!(printed.is_some(), "{} did not print {text:?} within {limit:?}", self.name);
    }

    /// Waits for its end.
    pub fn exits_within(&mut self, limit: Duration) -> ExitStatus {
        let ended = within(limit, || self.child.try_wait().expect("wait"));
        ended.unwrap_or_else(|| panic!("{} still runs after {limit:?}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.group && matches!(self.child.try_wait(), Ok(None)) {
            // What it started is its own to end.
            self.interrupt();
            let _ = within(PATIENCE, || self.child.try_wait().ok().flatten());
        }
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let last: Vec<&str> = log.lines().rev().take(120).collect();
            eprintln!("──── the last of {}'s log", self.name);
            last.iter().rev().for_each(|line| eprintln!("{line}"));
            eprintln!("────");
        }
    }
}
