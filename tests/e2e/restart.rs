//! No gap: the gate stays in the kernel while no process runs, and the next one takes it over with everything in it.

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sekisho_tests::documents::{Customer, Documents, Server, client_secret, home_secret};
use sekisho_tests::load::{Load, LoadHome, count, summary};
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, Network, auth};
use sekisho_tests::sekisho::{Sekisho, command};
use sekisho_tests::wait::{PATIENCE, eventually};

/// Of acme's NAS: a second's worth of tokens is next to nothing beside its burst.
const BURST: u64 = 20;
const RATE: u64 = 1;

const USER: &str = "alice@acme.example";

/// A NAS with a limit, one without, a stranger, and a home server; and where gates are pinned.
struct Post {
    network: Network,
    nas: Host,
    busy: Host,
    stranger: Host,
    home: Host,
    mount: tempfile::TempDir,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Kill,
    Term,
}

impl Post {
    fn new() -> Post {
        let mut network = Network::new();
        let [nas, busy, stranger, home] = ["nas", "busy", "stranger", "home1"].map(|name| network.host(name));
        let mount = tempfile::tempdir().expect("a temporary directory");
        network.proxy.mount_bpffs(mount.path());
        Post { network, nas, busy, stranger, home, mount }
    }

    fn directory(&self) -> PathBuf {
        self.mount.path().join("sekisho")
    }

    fn documents(&self) -> Documents {
        let limits = format!("client_rate = {RATE}\nclient_burst = {BURST}");
        let customer =
            Customer::new("acme").client("acme-nas", self.nas.v4, &limits).client("acme-busy", self.busy.v4, "");
        let customer = customer.proxy(&[Server::new("home1", self.home.v4, "")]);
        let hosts = [&self.nas, &self.busy, &self.stranger, &self.home];
        Documents::new(&hosts).persist(&self.directory()).customer(customer)
    }

    fn home(&self) -> LoadHome {
        LoadHome::start(&self.home, self.home.v4, &home_secret("home1"), &[])
    }

    /// Sends so many logins of strangers.
    fn strangers(&self, count: usize) {
        let stranger = Nas::new(&self.stranger, self.stranger.v4, "whatever it may be");
        for n in 0..count {
            stranger.send(auth(Family::V4), &stranger.login(n as u8, "mallory@acme.example", "wonderland"));
            if n % 32 == 31 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Sends so many logins of acme's NAS and counts the answers.
    fn logins(&self, count: u8) -> u64 {
        let nas = Nas::new(&self.nas, self.nas.v4, &client_secret("acme-nas"));
        for id in 0..count {
            nas.send(auth(Family::V4), &nas.login(id, USER, "wonderland"));
        }
        std::iter::from_fn(|| nas.receive(Duration::from_millis(500))).count() as u64
    }

    /// Where nobody listens but the test: what it hears has passed the gate.
    fn ear(&self) -> UdpSocket {
        let socket = self.network.proxy.run(|| UdpSocket::bind(auth(Family::V4)));
        let socket = socket.expect("the service address, while no process runs");
        socket.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout");
        socket
    }

    /// Names of the proxy's interfaces that have an XDP program.
    fn gated(&self) -> Vec<String> {
        let text = self.network.proxy.tool("ip", "-j link show");
        let links: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let links = links.as_array().expect("a list").iter();
        let gated = links.filter(|link| !link["xdp"]["prog"].is_null());
        gated.map(|link| link["ifname"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Senders of what a socket hears until nothing comes any more.
fn heard(ear: &UdpSocket) -> Vec<SocketAddr> {
    let mut buffer = [0; 4096];
    std::iter::from_fn(|| ear.recv_from(&mut buffer).ok()).map(|(_, from)| from).collect()
}

fn end(sekisho: Sekisho<'_>, how: End) {
    match how {
        End::Kill => sekisho.kill(),
        End::Term => sekisho.stop(),
    }
}

#[test]
fn while_no_process_runs_strangers_are_dropped_and_limits_go_on_and_the_next_one_takes_all_over() {
    for how in [End::Kill, End::Term] {
        let post = Post::new();
        let _home = post.home();
        let documents = post.documents();
        let sekisho = Sekisho::start(&post.network, &documents);
        let begun = Instant::now();
        let first = post.logins(60);
        assert!(first >= BURST, "{first}");
        post.strangers(100);
        let before =
            sekisho.metrics_when("strangers are counted", |metrics| metrics.dropped("kernel", "unregistered") == 100);
        end(sekisho, how);

        // Nobody is there.
        let ear = post.ear();
        post.strangers(500);
        let in_between = post.logins(40);
        assert_eq!(in_between, 0, "nobody is there to answer");
        let passed = heard(&ear);
        assert!(
            passed.iter().all(|from| from.ip() == post.nas.v4),
            "{how:?}: a stranger got past a gate without a process"
        );
        drop(ear);

        let sekisho = Sekisho::start(&post.network, &documents);
        let last = post.logins(40);
        let most = BURST + RATE * (begun.elapsed().as_secs() + 1) + 1;
        let admitted = first + passed.len() as u64 + last;
        assert!(admitted <= most, "{how:?}: {admitted} were let through, {most} at most: a bucket was refilled");
        post.strangers(50);
        let after =
            sekisho.metrics_when("strangers are counted", |metrics| metrics.dropped("kernel", "unregistered") == 650);
        let over = 60 + 40 + 40 - admitted;
        assert_eq!(after.dropped("kernel", "client_rate"), over, "{how:?}: counters go on");
        let labels = [("client", "acme-nas"), ("outcome", "client_rate")];
        assert_eq!(after.sum("sekisho_client_packets_total", &labels), over, "{how:?}: those of a client too");
        assert!(after.gate("seen") >= before.gate("seen") + 500 + 40 + 40 + 50);
        assert_eq!(after.sum("sekisho_gate_pinned", &[]), 1);
        sekisho.assert_every_packet_is_counted_once();
    }
}

#[test]
fn a_kill_under_load_costs_clients_a_retransmission_and_strangers_get_nowhere() {
    let post = Post::new();
    let home = post.home();
    let documents = post.documents();
    let sekisho = Sekisho::start(&post.network, &documents);
    let load = Load::logins_at(&post.busy, Family::V4, &client_secret("acme-busy"), 200);
    let mut load = load.patience("500ms", "30").with(&["--duration", "6s"]).start(&post.busy);
    sekisho.metrics_when("the load is on", |metrics| metrics.sum("sekisho_requests_total", &[]) > 200);
    sekisho.kill();
    let ear = post.ear();
    post.strangers(1000);
    let passed = heard_for(&ear, Duration::from_millis(500));
    assert!(!passed.is_empty(), "clients still reach the host");
    assert!(passed.iter().all(|from| from.ip() == post.busy.v4), "nobody else does");
    drop(ear);
    let sekisho = Sekisho::start(&post.network, &documents);
    assert!(load.exits_within(Duration::from_secs(60)).success(), "{}", load.log());
    let load = summary(&load);
    assert!(count(&load, "completed") > 500, "{load}");
    for none in ["lost", "bad"] {
        assert_eq!(count(&load, none), 0, "{none}: {load}");
    }
    let metrics = sekisho.metrics();
    assert_eq!(metrics.dropped("kernel", "unregistered"), 1000, "counted while no process ran");
    assert!(count(&home.counts(), "distinct") >= count(&load, "completed"));
}

/// Senders of what a socket hears in this time.
fn heard_for(ear: &UdpSocket, time: Duration) -> Vec<SocketAddr> {
    let (mut buffer, end) = ([0; 4096], Instant::now() + time);
    let mut heard = Vec::new();
    while Instant::now() < end {
        heard.extend(ear.recv_from(&mut buffer).map(|(_, from)| from));
    }
    heard
}

#[test]
fn a_table_of_another_size_is_made_anew_which_is_said_and_strangers_stay_outside() {
    let post = Post::new();
    let _home = post.home();
    Sekisho::start(&post.network, &post.documents()).kill();
    let documents = post.documents().xdp_key("max_sources = 128");
    let sekisho = Sekisho::start(&post.network, &documents);
    let log = sekisho.log();
    assert!(log.contains("made anew") && log.contains("all buckets begin anew"), "{log}");
    post.strangers(100);
    sekisho.metrics_when("strangers are dropped", |metrics| metrics.dropped("kernel", "unregistered") == 100);
    assert!(post.logins(10) >= 10, "the client is served");
    // What has the right size is not made anew.
    end(sekisho, End::Term);
    let sekisho = Sekisho::start(&post.network, &documents);
    assert!(!sekisho.log().contains("made anew"));
    assert_eq!(sekisho.metrics().dropped("kernel", "unregistered"), 100);
}

#[test]
fn a_second_process_with_the_same_gate_is_refused_and_the_first_goes_on() {
    let post = Post::new();
    let _home = post.home();
    let documents = post.documents();
    let sekisho = Sekisho::start(&post.network, &documents);
    let second = Sekisho::refused(&post.network, &documents);
    assert!(second.output.contains("another process holds the XDP gate"), "{}", second.output);
    assert!(second.output.contains("stop it first"), "the remedy: {}", second.output);
    assert_eq!(post.logins(5), 5);
    post.strangers(10);
    sekisho.metrics_when("the gate works", |metrics| metrics.dropped("kernel", "unregistered") == 10);
}

#[test]
fn detach_leaves_nothing_and_asks_before_it_takes_a_gate_from_a_running_node() {
    let post = Post::new();
    let _home = post.home();
    let documents = post.documents();
    let sekisho = Sekisho::start(&post.network, &documents);
    let config = documents.directory().join("sekisho.toml").display().to_string();
    let held = sekisho.command(&["xdp", "detach", "--config", &config]);
    assert!(!held.status.success() && held.output.contains("--force"), "{}", held.output);
    let mut gated = post.gated();
    gated.sort();
    assert_eq!(gated, ["busy", "home1", "nas", "stranger"]);
    sekisho.stop();
    assert_eq!(post.gated().len(), 4, "it stays");

    let detached = command(&post.network, &["xdp", "detach", "--config", &config]);
    assert!(detached.status.success(), "{}", detached.output);
    assert!(detached.output.contains("detached from") && detached.output.contains("stranger"), "{}", detached.output);
    assert_eq!(post.gated(), [""; 0]);
    let directory = post.directory();
    let left =
        post.network.proxy.run(move || std::fs::read_dir(directory).map_or(0, |entries| entries.flatten().count()));
    assert_eq!(left, 0, "nothing is pinned any more");
    let ear = post.ear();
    post.strangers(5);
    assert_eq!(heard(&ear).len(), 5, "the host is as it would be without sekisho");
    let again = command(&post.network, &["xdp", "detach", "--config", &config]);
    assert!(!again.status.success() && again.output.contains("nothing is there"), "{}", again.output);
}

#[test]
fn what_is_not_to_stay_goes_with_its_process() {
    let post = Post::new();
    let customer = Customer::new("acme").client("acme-nas", post.nas.v4, "");
    let customer = customer.proxy(&[Server::new("home1", post.home.v4, "")]);
    let hosts = [&post.nas, &post.stranger, &post.home];
    let sekisho = Sekisho::start(&post.network, &Documents::new(&hosts).customer(customer));
    assert_eq!(post.gated().len(), 3);
    assert_eq!(sekisho.metrics().sum("sekisho_gate_pinned", &[]), 0);
    sekisho.kill();
    eventually("the kernel lets go of it", || post.gated().is_empty().then_some(()));
}

#[test]
fn where_there_is_no_bpf_file_system_native_is_refused_with_the_remedy_and_auto_goes_on_and_says_so() {
    let post = Post::new();
    let _home = post.home();
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    let documents = || post.documents().persist(elsewhere.path());
    let refused = Sekisho::refused(&post.network, &documents());
    assert!(refused.output.contains("mount -t bpf bpf"), "{}", refused.output);
    assert!(refused.output.contains("xdp.persist"), "{}", refused.output);

    let sekisho = Sekisho::start(&post.network, &documents().xdp("auto"));
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_gate_pinned", &[]), 0);
    assert_eq!(metrics.sum("sekisho_xdp_mode", &[("mode", "native")]), 4);
    let status = sekisho.command(&["status"]);
    assert!(status.output.contains("not on a BPF file system"), "{}", status.output);
    assert_eq!(post.logins(5), 5);
}

#[test]
fn a_client_that_left_the_documents_while_no_process_ran_is_a_stranger_afterwards() {
    let post = Post::new();
    let _home = post.home();
    let documents = post.documents();
    Sekisho::start(&post.network, &documents).kill();
    let customer = Customer::new("acme").client("acme-busy", post.busy.v4, "");
    let customer = customer.proxy(&[Server::new("home1", post.home.v4, "")]);
    let mut documents = documents;
    documents.replace(customer);
    let sekisho = Sekisho::start(&post.network, &documents);
    assert_eq!(post.logins(10), 0);
    sekisho.metrics_when("it is a stranger", |metrics| metrics.dropped("kernel", "unregistered") == 10);
    let busy = Nas::new(&post.busy, post.busy.v4, &client_secret("acme-busy"));
    let request = busy.login(1, USER, "wonderland");
    busy.send(auth(Family::V4), &request);
    assert!(busy.answer(&request, PATIENCE).is_some(), "the other one goes on");
}
