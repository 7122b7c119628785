//! What the program writes to its log, and what never.

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::common::{Documents, PASSWORD, home::Home, nas::Nas, run};
use rustix::process::{Pid, Signal, kill_process};
use sekisho::admin::client::Client;

/// Runs a node with these arguments and settings through some logins; its log.
fn log(arguments: &[&str], level: Option<&str>) -> String {
    let documents = Documents::new();
    documents.change_acme("reject_delay = \"0s\"", "reject_delay = \"50ms\"");
    let network = documents.network;
    let mut command = run(&documents);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
    if let Some(level) = level {
        command.env("SEKISHO_LOG", level);
    }
    let child = command.spawn().unwrap();
    let pid = Pid::from_child(&child);
    let _home = Home::start(network.home());
    let begin = Instant::now();
    while std::net::TcpStream::connect(network.admin()).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(10), "the node does not come up");
        thread::sleep(Duration::from_millis(20));
    }
    let mut nas = Nas::new(network.nas(), network.node());
    for user in ["alice@acme.example", "alice@other.example", "alice\r\nERROR forged@acme.example"] {
        nas.login(user, PASSWORD).unwrap();
    }
    let _ = Nas::new(network.host(99), network.node()).send_login("mallory@acme.example", PASSWORD);
    let admin = Client::new(&network.admin().to_string());
    while admin.report().unwrap().dropped.iter().all(|found| found.count == 0) {
        assert!(begin.elapsed() < Duration::from_secs(20), "a stranger's packet is not dropped");
        thread::sleep(Duration::from_millis(20));
    }
    kill_process(pid, Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn at_info_there_is_the_life_cycle_and_no_subscriber() {
    let log = log(&[], None);
    assert!(log.contains("INFO up") && log.contains("INFO down"), "{log}");
    for hidden in ["alice", PASSWORD, crate::common::NAS_SECRET, crate::common::HOME_SECRET] {
        assert!(!log.contains(hidden), "{log}");
    }
}

#[test]
fn no_secret_and_no_subscriber_appears_at_any_level_and_no_name_can_forge_a_line() {
    let log = log(&[], Some("trace"));
    assert!(log.contains("Access-Accept"), "a line a packet: {log}");
    let rejects = log.lines().filter(|line| line.contains("sent to=") && line.contains("Access-Reject")).count();
    assert_eq!(rejects, 1, "a line for what was held back, too: {log}");
    for hidden in ["alice", PASSWORD, crate::common::NAS_SECRET, crate::common::HOME_SECRET] {
        assert!(!log.contains(hidden), "{log}");
    }
    assert!(!log.lines().any(|line| line.starts_with("ERROR forged")), "{log}");
}

#[test]
fn at_debug_a_request_is_a_line_with_its_contract_and_a_dropped_packet_one_with_sender_and_reason() {
    let log = log(&[], Some("debug"));
    let requests: Vec<&str> = log.lines().filter(|line| line.contains(" request ")).collect();
    assert_eq!(requests.len(), 3, "{log}");
    assert!(requests.iter().all(|line| line.contains("client=\"acme-nas-1\"")), "{log}");
    assert_eq!(log.matches("dropped from=").count(), 1, "{log}");
    let dropped = log.lines().find(|line| line.contains("dropped from=")).unwrap();
    assert!(dropped.contains(".99:") && dropped.contains("unregistered"), "{log}");
    assert!(!log.contains("TRACE"), "{log}");
}

#[test]
fn json_logs_are_one_object_a_line() {
    let log = log(&["--log-format", "json"], None);
    assert!(log.lines().count() >= 2, "{log}");
    for line in log.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["level"].is_string() && object["message"].is_string(), "{line}");
    }
}
