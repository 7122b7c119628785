//! A node of the built program on loopback, without the gate, between a NAS and a home server that the test plays.
//!
//! Each test has a network of its own inside 127.0.0.0/8, so that tests run side by side on the same ports.

pub mod home;
pub mod lns;
pub mod nas;
pub mod office;
pub mod vpdn;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_sekisho");
pub const NAS_SECRET: &str = "a-secret-of-the-nas";
pub const HOME_SECRET: &str = "a-secret-of-the-home";
pub const PASSWORD: &str = "wonderland";

/// Addresses of one test.
#[derive(Clone, Copy, Debug)]
pub struct Network([u8; 2]);

impl Network {
    pub fn new() -> Network {
        // Sixteen for each process before the next one's begin; a process that makes more of them runs alone.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = std::process::id().wrapping_mul(16).wrapping_add(NEXT.fetch_add(1, Relaxed));
        Network([(number / 256 % 251) as u8 + 2, (number % 256) as u8])
    }

    pub fn host(&self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(127, self.0[0], self.0[1], last)
    }

    pub fn node(&self) -> Ipv4Addr {
        self.host(1)
    }

    pub fn nas(&self) -> Ipv4Addr {
        self.host(10)
    }

    pub fn home(&self) -> Ipv4Addr {
        self.host(100)
    }

    pub fn admin(&self) -> SocketAddr {
        (self.node(), 9812).into()
    }
}

/// The documents of a node: the NAS and this host itself (for probes) are customer acme's clients.
pub struct Documents {
    pub directory: tempfile::TempDir,
    pub network: Network,
}

impl Documents {
    pub fn new() -> Documents {
        let documents = Documents { directory: tempfile::tempdir().unwrap(), network: Network::new() };
        fs::create_dir(documents.path().join("customers")).unwrap();
        documents.write_node("");
        documents.write_acme("");
        documents
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn node_file(&self) -> PathBuf {
        self.path().join("sekisho.toml")
    }

    pub fn acme_file(&self) -> PathBuf {
        self.path().join("customers/acme.toml")
    }

    pub fn write_node(&self, more: &str) {
        let (node, admin) = (self.network.node(), self.network.admin());
        let text = format!(
            "[node]\nname = \"test\"\nworkers = 2\n\
             [[domain]]\nname = \"default\"\n[[domain.ingress]]\ninterface = \"lo\"\n\
             [[listener]]\naddress = \"{node}\"\nauth = 1812\naccounting = 1813\n\
             [xdp]\nmode = \"off\"\n[admin]\naddress = \"{admin}\"\n\
             [[probe]]\nuser = \"alice@acme.example\"\npassword = \"{PASSWORD}\"\n{more}"
        );
        fs::write(self.node_file(), text).unwrap();
    }

    pub fn write_acme(&self, more: &str) {
        let (nas, home) = (self.network.nas(), self.network.home());
        let text = format!(
            "[customer]\nname = \"acme\"\n[[realm]]\nsuffix = \"acme.example\"\n\
             [[client]]\ncontract = \"acme-nas-1\"\naddress = \"{nas}\"\nsecret = \"{NAS_SECRET}\"\nreject_delay = \"0s\"\n\
             [[client]]\ncontract = \"acme-host\"\naddress = \"127.0.0.1\"\nsecret = \"a-secret-of-this-host\"\n\
             [[proxy]]\ncontract = \"acme-proxy-1\"\n\
             [[proxy.server]]\nname = \"acme-home-1\"\naddress = \"{home}\"\nsecret = \"{HOME_SECRET}\"\n\
             response_window = \"500ms\"\n{more}"
        );
        fs::write(self.acme_file(), text).unwrap();
    }

    /// Other text in the customer's document.
    pub fn change_acme(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.acme_file()).unwrap();
        assert!(text.contains(from), "no {from:?} in\n{text}");
        fs::write(self.acme_file(), text.replace(from, to)).unwrap();
    }

    /// A further client contract, to be given to [`Documents::write_acme`].
    pub fn client(&self, contract: &str, last: u8) -> String {
        format!(
            "[[client]]\ncontract = \"{contract}\"\naddress = \"{}\"\nsecret = \"{NAS_SECRET}\"\n",
            self.network.host(last)
        )
    }
}

/// The program, running.
pub struct Node {
    pub documents: Documents,
    child: Child,
    log: PathBuf,
}

impl Node {
    pub fn start() -> Node {
        Node::with(Documents::new())
    }

    pub fn with(documents: Documents) -> Node {
        let command = run(&documents);
        Node::spawn(documents, command)
    }

    /// A node that is started in the directory of its documents, and told of it as `path`.
    pub fn started_in(documents: Documents, path: &str) -> Node {
        let mut command = Command::new(PROGRAM);
        command.current_dir(documents.path()).args(["run", "--config", path]).stdin(Stdio::null());
        Node::spawn(documents, command)
    }

    fn spawn(documents: Documents, mut command: Command) -> Node {
        let log = documents.path().join("log");
        let stderr = fs::File::create(&log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(stderr).env("SEKISHO_LOG", "info").spawn().unwrap();
        let mut node = Node { documents, child, log };
        let begin = Instant::now();
        while node.try_get("/healthz").is_none() {
            assert!(node.child.try_wait().unwrap().is_none(), "the node ended by itself: {}", node.log());
            assert!(begin.elapsed() < Duration::from_secs(10), "the node does not come up");
            std::thread::sleep(Duration::from_millis(20));
        }
        node
    }

    /// Stops it and starts another on the same documents.
    pub fn restart(self) -> Node {
        self.restart_after(Signal::TERM)
    }

    /// Ends it by a signal and starts another on the same documents.
    pub fn restart_after(mut self, signal: Signal) -> Node {
        self.signal(signal);
        self.wait();
        self.restarted()
    }

    /// Starts another on the documents of one that has ended.
    pub fn restarted(mut self) -> Node {
        let documents = std::mem::replace(&mut self.documents, Documents::new());
        drop(self);
        Node::with(documents)
    }

    /// What it has logged, from `info` on.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub fn network(&self) -> Network {
        self.documents.network
    }

    pub fn admin(&self) -> String {
        format!("http://{}", self.network().admin())
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; its exit code and how long that took.
    pub fn wait(&mut self) -> (Option<i32>, Duration) {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), begin.elapsed());
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "the node does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn get(&self, path: &str) -> String {
        self.try_get(path).unwrap().1
    }

    pub fn reload(&self) -> (u16, String) {
        self.http("POST", "/reload").unwrap()
    }

    /// The value of one line of the metrics.
    pub fn metric(&self, series: &str) -> f64 {
        let text = self.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
    }

    /// Whether the metrics have that line, whatever its value.
    pub fn has_metric(&self, series: &str) -> bool {
        self.get("/metrics").lines().any(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))
    }

    /// Another command of the program, told where this node is.
    pub fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).args(["--admin", &self.admin()]).env_remove("SEKISHO_PROBE_PASSWORD");
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn try_get(&self, path: &str) -> Option<(u16, String)> {
        self.http("GET", path)
    }

    pub fn http(&self, method: &str, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.network().admin()).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: node\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until it holds.
pub fn until(condition: impl Fn() -> bool) {
    until_within(Duration::from_secs(10), condition);
}

/// Waits until it holds, so long at most.
pub fn until_within(patience: Duration, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < patience, "waited in vain");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `sekisho run` on these documents, not yet spawned.
pub fn run(documents: &Documents) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("run").arg("--config").arg(documents.path()).stdin(Stdio::null()).env_remove("SEKISHO_LOG");
    command
}

/// Both outputs of a command as text.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
