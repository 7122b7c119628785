//! A network namespace, and a thread that lives in it.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use rustix::thread::{UnshareFlags, gettid};

type Job = Box<dyn FnOnce() + Send>;

/// A network namespace of its own, without a name: it ends with its thread, processes and sockets.
///
/// Sockets made and processes started by [`run`](Self::run) belong to it.
#[derive(Debug)]
pub struct Namespace {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    path: String,
}

impl Namespace {
    /// Makes a namespace with its loopback interface up. Needs root.
    pub fn new(label: &str) -> Namespace {
        assert!(
            rustix::process::geteuid().is_root(),
            "namespaces, XDP and raw sockets need root: run `make test` as root, or with sudo"
        );
        let (jobs, todo) = channel::<Job>();
        let (ready, path) = channel();
        let thread = std::thread::Builder::new().name(format!("ns-{label}"));
        let thread = thread.spawn(move || {
            enter_new();
            let path = format!("/proc/{}/task/{}/ns/net", std::process::id(), gettid().as_raw_nonzero());
            ready.send(path).expect("the maker waits");
            for job in todo {
                job();
            }
        });
        let thread = thread.expect("a thread");
        let path = path.recv().expect("a network namespace of its own (CONFIG_NET_NS)");
        let namespace = Namespace { jobs: Some(jobs), thread: Some(thread), path };
        namespace.ip("link set lo up");
        // Replies to spoofed packets would come back another way: reverse-path checks are not what is tested here.
        namespace.write_sysctl("net/ipv4/conf/all/rp_filter", "0");
        namespace.write_sysctl("net/ipv4/conf/default/rp_filter", "0");
        namespace
    }

    /// A path by which other namespaces' `ip link set … netns PATH` finds this one.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Runs `job` in the namespace and gives its result.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = channel();
        let job = Box::new(move || {
            // The receiver is gone only if its thread is.
            let _ = done.send(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)));
        });
        self.jobs.as_ref().expect("not dropped").send(job).expect("the namespace's thread lives");
        match result.recv().expect("the namespace's thread lives") {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Mounts a BPF file system at `directory` that only this namespace's thread and the programs started from now on see.
    /// What is pinned there outlives those programs, and goes with the namespace.
    pub fn mount_bpffs(&self, directory: &Path) {
        self.mount("-t bpf bpf", directory);
    }

    /// Mounts a disk of so many megabytes there, in memory, likewise.
    pub fn mount_disk(&self, directory: &Path, megabytes: u32) {
        self.mount(&format!("-t tmpfs -o size={megabytes}m disk"), directory);
    }

    fn mount(&self, what: &str, directory: &Path) {
        self.run(enter_mounts);
        self.tool("mount", "--make-rprivate /");
        self.tool("mount", &format!("{what} {}", directory.display()));
    }

    /// Runs `ip` with these words, which has to succeed.
    pub fn ip(&self, words: &str) {
        self.tool("ip", words);
    }

    /// Runs a program with these words to its end, which has to be success; gives its output.
    pub fn tool(&self, program: &str, words: &str) -> String {
        let line = format!("{program} {words}");
        let mut command = Command::new(program);
        command.args(words.split_whitespace());
        let output = self.run(move || command.output()).unwrap_or_else(|fault| panic!("{line}: {fault}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {}: {errors}", output.status);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Packets that an interface had to send, or to take in, and dropped.
    pub fn dropped_on(&self, interface: &str) -> u64 {
        let shown = self.tool("ip", &format!("-json -statistics link show dev {interface}"));
        let links: serde_json::Value = serde_json::from_str(&shown).expect("JSON of ip");
        let dropped = |way: &str| links[0]["stats64"][way]["dropped"].as_u64();
        dropped("rx").zip(dropped("tx")).map(|(rx, tx)| rx + tx).unwrap_or_else(|| panic!("{interface}: {shown}"))
    }

    /// Sets a sysctl of this namespace.
    pub fn write_sysctl(&self, key: &str, value: &'static str) {
        let path = format!("/proc/sys/{key}");
        self.run(move || std::fs::write(&path, value).unwrap_or_else(|fault| panic!("{path}: {fault}")));
    }

    /// What the system counts of UDP here, IPv4 and IPv6 together, by the names of `/proc/net/snmp`.
    pub fn udp_counters(&self) -> UdpCounters {
        self.run(|| {
            let four = std::fs::read_to_string("/proc/thread-self/net/snmp").expect("snmp");
            let six = std::fs::read_to_string("/proc/thread-self/net/snmp6").expect("snmp6");
            UdpCounters {
                received: count_four(&four, "InDatagrams") + count_six(&six, "Udp6InDatagrams"),
                no_port: count_four(&four, "NoPorts") + count_six(&six, "Udp6NoPorts"),
                buffer_full: count_four(&four, "RcvbufErrors") + count_six(&six, "Udp6RcvbufErrors"),
            }
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panicking job was reported where it was asked for.
            let _ = thread.join();
        }
    }
}

/// UDP datagrams as the system counts them in one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpCounters {
    /// Handed to a socket.
    pub received: u64,
    /// For a port that nobody listens on.
    pub no_port: u64,
    /// Lost because a socket's buffer was full.
    pub buffer_full: u64,
}

#[expect(unsafe_code, reason = "unshare")]
fn enter_new() {
    // SAFETY: only the network namespace is unshared; no table of descriptors is, so every thread still means the same
    // by a descriptor's number.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }.expect("unshare(CLONE_NEWNET)");
}

#[expect(unsafe_code, reason = "unshare")]
fn enter_mounts() {
    // SAFETY: a mount namespace, and with it root and working directory, become this thread's own; no table of descriptors
    // does.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }.expect("unshare(CLONE_NEWNS)");
}

fn count_four(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else { panic!("/proc/net/snmp has no Udp lines") };
    let at = names.split(' ').position(|it| it == name).unwrap_or_else(|| panic!("no {name} in /proc/net/snmp"));
    values.split(' ').nth(at).and_then(|value| value.parse().ok()).expect("a number")
}

fn count_six(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let value = lines.find(|(it, _)| *it == name).unwrap_or_else(|| panic!("no {name} in /proc/net/snmp6")).1;
    value.trim().parse().expect("a number")
}
