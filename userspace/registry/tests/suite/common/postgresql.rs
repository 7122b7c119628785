//! A PostgreSQL of a test's own: Debian's programs, a cluster in a temporary directory, gone when it is dropped.
//!
//! This file needs nothing but `tempfile`, so that other crates' tests may take it as it is.

use std::{
    fs, io,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Where Debian has the server's programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// The superuser of the cluster, and its password; over the socket it needs none.
pub const USER: &str = "sekisho";
pub const PASSWORD: &str = "hunter2";

/// A running cluster.
pub struct PostgreSql {
    directory: TempDir,
    port: u16,
    server: Mutex<Option<Child>>,
    databases: AtomicU32,
}

impl PostgreSql {
    /// The cluster that the tests of this process share while any of them runs.
    pub fn shared() -> Arc<PostgreSql> {
        static SHARED: Mutex<Weak<PostgreSql>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Arc::new(PostgreSql::start());
        *shared = Arc::downgrade(&started);
        started
    }

    /// A cluster of its own, for a test that stops it.
    pub fn start() -> PostgreSql {
        assert!(
            Path::new(PROGRAMS).join("initdb").exists(),
            "no {PROGRAMS}/initdb: run `apt-get install postgresql-15`"
        );
        let directory = tempfile::Builder::new().prefix("postgresql-").tempdir().unwrap();
        if let Some((user, group)) = account() {
            chown(directory.path(), Some(user), Some(group)).unwrap();
        }
        let password = directory.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        let made = program("initdb")
            .args([
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
            ])
            .arg(format!("--username={USER}"))
            .arg(format!("--pwfile={}", password.display()))
            .arg("--pgdata")
            .arg(directory.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = PostgreSql { directory, port, server: Mutex::new(None), databases: AtomicU32::new(0) };
        cluster.resume();
        cluster
    }

    /// Starts the server, which was stopped or is new, and waits until it serves.
    pub fn resume(&self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let server = program("postgres")
            .arg("-D")
            .arg(self.directory.path().join("data"))
            .arg("-p")
            .arg(self.port.to_string())
            .arg("-k")
            .arg(self.directory.path())
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .stderr(log)
            .spawn()
            .unwrap();
        *self.server.lock().unwrap() = Some(server);
        let started = Instant::now();
        while !self.client("pg_isready").args(["-d", "postgres"]).output().unwrap().status.success() {
            let log = || fs::read_to_string(self.log()).unwrap_or_default();
            assert!(started.elapsed() < Duration::from_secs(60), "PostgreSQL does not come up: {}", log());
            sleep(Duration::from_millis(50));
        }
    }

    /// Stops the server, with all its connections.
    pub fn stop(&self) {
        self.end("INT").unwrap();
    }

    /// Stops the server from doing anything, without anybody being told: its connections stay, and do not answer.
    pub fn freeze(&self) {
        self.signal_all("STOP");
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        self.signal_all("CONT");
    }

    /// A new, empty database, by its URL over the socket.
    pub fn database(&self) -> String {
        let name = format!("registry_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = self.client("createdb").arg(&name).output().unwrap();
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        format!("postgres://{USER}@localhost/{name}?host={}&port={}", self.directory.path().display(), self.port)
    }

    /// The URL of a database over TCP, where a password is asked for.
    pub fn over_tcp(&self, password: &str, name: &str) -> String {
        format!("postgres://{USER}:{password}@127.0.0.1:{}/{name}", self.port)
    }

    fn client(&self, name: &str) -> Command {
        let mut command = program(name);
        command.arg("-h").arg(self.directory.path()).arg("-p").arg(self.port.to_string()).args(["-U", USER]);
        command
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// The server's own process first, so that it starts no others meanwhile.
    fn signal_all(&self, signal: &str) {
        let server = self.server.lock().unwrap();
        let parent = server.as_ref().expect("the server was stopped").id().to_string();
        let tell = |process: &str| Command::new("kill").arg(format!("-{signal}")).arg(process).status().unwrap();
        assert!(tell(&parent).success());
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
        for child in children.split_whitespace() {
            // One that has ended by itself meanwhile is told nothing.
            tell(child);
        }
    }

    fn end(&self, signal: &str) -> io::Result<()> {
        if let Some(mut server) = self.server.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take() {
            Command::new("kill").arg(format!("-{signal}")).arg(server.id().to_string()).status()?;
            server.wait()?;
        }
        Ok(())
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        // At once: nothing of it is needed any more.
        let _ = self.end("QUIT");
    }
}

/// A program of the server's, run by whom it wants to be run: it refuses root.
fn program(name: &str) -> Command {
    let mut command = Command::new(Path::new(PROGRAMS).join(name));
    command.stdin(Stdio::null()).stdout(Stdio::null()).current_dir("/");
    if let Some((user, group)) = account() {
        command.uid(user).gid(group);
    }
    command
}

/// The user and group `postgres`, where we are root.
fn account() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let postgres = users.lines().find(|line| line.starts_with("postgres:"));
    let mut fields = postgres.expect("no user `postgres`: run `apt-get install postgresql-15`").split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
