//! A PostgreSQL of a test's own: Debian's programs, a cluster in a temporary directory, gone when it is dropped.
//!
//! It is reached over its socket, a file, which processes of every namespace find.

use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::namespace::Namespace;
use crate::process::{Finished, Process, Program};
use crate::wait::{PATIENCE, within};

/// The superuser of the cluster; over the socket it needs no password.
const USER: &str = "sekisho";
/// Whom the server wants to be run by: it refuses root.
const ACCOUNT: &str = "postgres";
/// The first start of a server writes its whole cluster.
const SLOW: Duration = Duration::from_secs(60);

/// A running cluster.
#[derive(Debug)]
pub struct PostgreSql {
    namespace: Namespace,
    directory: tempfile::TempDir,
    programs: PathBuf,
    server: Option<Process>,
}

impl PostgreSql {
    /// Makes a cluster and starts its server.
    pub fn start() -> PostgreSql {
        let directory = tempfile::Builder::new().prefix("postgresql-").tempdir().expect("a directory");
        let (user, group) = account();
        chown(directory.path(), Some(user), Some(group)).expect("the server's directory");
        let mut cluster =
            PostgreSql { namespace: Namespace::new("postgresql"), directory, programs: programs(), server: None };
        let data = cluster.data();
        let words = ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust", "--username", USER];
        let made = cluster.program("initdb").args(words).args(["--pgdata", &data]);
        let made = made.finish(&cluster.namespace, "", SLOW);
        assert!(made.status.success(), "initdb: {}", made.output);
        cluster.resume();
        cluster
    }

    /// Starts the server, which was stopped or is new, and waits until it serves.
    pub fn resume(&mut self) {
        let (data, socket) = (self.data(), self.directory.path().display().to_string());
        // Whoever holds a lock and is killed lets go of it soon.
        let settings = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "client_connection_check_interval=100ms"];
        let server = self.program("postgres").args(["-D", &data, "-k", &socket]).args(settings);
        self.server = Some(server.start(&self.namespace));
        let ready = within(SLOW, || {
            let ready = self.client("pg_isready").args(["-d", "postgres"]).finish(&self.namespace, "", PATIENCE);
            ready.status.success().then_some(())
        });
        let log = || self.server.as_ref().map(Process::log);
        assert!(ready.is_some(), "PostgreSQL does not come up: {:?}", log());
    }

    /// Stops the server at once, with all its connections.
    pub fn stop(&mut self) {
        let mut server = self.server.take().expect("it runs");
        server.signal(Signal::INT);
        server.exits_within(PATIENCE);
    }

    /// Stops the server from doing anything, without anybody being told: its connections stay, and do not answer.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// A new, empty database, by its URL.
    pub fn database(&self, name: &str) -> String {
        let made = self.client("createdb").arg(name).finish(&self.namespace, "", SLOW);
        assert!(made.status.success(), "createdb: {}", made.output);
        format!("postgresql://{USER}@localhost/{name}?host={}", self.directory.path().display())
    }

    /// Runs SQL in a database to its end; gives what it prints.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let Finished { status, output } = self.psql(database, sql).finish(&self.namespace, "", SLOW);
        assert!(status.success(), "{sql}: {output}");
        output
    }

    /// Holds a lock on a table until what this gives is dropped: nobody reads or writes it meanwhile.
    pub fn hold(&self, database: &str, table: &str) -> Process {
        let sql = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; SELECT 'held'; SELECT pg_sleep(600)");
        // Each statement by itself, so that what each gives is printed when it is done.
        let each = sql.split("; ").flat_map(|statement| ["-c", statement]);
        let mut holder = self.client("psql").args(["-Atq", "-d", database]).args(each).start(&self.namespace);
        holder.prints("held");
        holder
    }

    fn psql(&self, database: &str, sql: &str) -> Program {
        self.client("psql").args(["-Atq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql])
    }

    fn data(&self) -> String {
        self.directory.path().join("data").display().to_string()
    }

    fn client(&self, name: &str) -> Program {
        self.program(name).arg("-h").arg(self.directory.path()).args(["-U", USER])
    }

    /// A program of the server's by its account; it ends with the namespace's thread, as all do.
    fn program(&self, name: &str) -> Program {
        let program = self.programs.join(name);
        let by = ["--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups", "--pdeathsig", "KILL", "--"];
        Program::new("setpriv").args(by).arg(program).directory(self.directory.path())
    }

    /// The server's own process first, so that it starts no others meanwhile.
    fn signal_all(&self, signal: Signal) {
        let server = self.server.as_ref().expect("it runs");
        server.signal(signal);
        let parent = server.pid();
        let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).expect("children");
        for child in children.split_whitespace() {
            let pid = child.parse().ok().and_then(Pid::from_raw).expect("a process number");
            // One that has ended by itself meanwhile is told nothing.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        // At once: nothing of it is needed any more.
        if let Some(server) = &self.server {
            server.signal(Signal::QUIT);
        }
    }
}

/// Where Debian has the server's programs: those of the newest version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max();
    found.expect("no PostgreSQL: tests/setup.sh installs it")
}

/// The numbers of the server's account and its group.
fn account() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let of = users.lines().find(|line| line.split(':').next() == Some(ACCOUNT));
    let mut fields = of.expect("no user `postgres`: tests/setup.sh makes it").split(':').skip(2);
    let mut number = || fields.next().and_then(|field| field.parse().ok()).expect("a number");
    (number(), number())
}
