//! What the program writes to its log, and what never.

#![allow(clippy::unwrap_used, reason = "what a test cannot set up, fails it")]

mod common;

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use common::{Documents, PASSWORD, home::Home, nas::Nas, run};
use rustix::process::{Pid, Signal, kill_process};

/// Runs a node with these arguments and settings through some logins; its log.
fn log(arguments: &[&str], level: Option<&str>) -> String {
    let documents = Documents::new();
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
    kill_process(pid, Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn at_info_there_is_the_life_cycle_and_no_subscriber() {
    let log = log(&[], None);
    assert!(log.contains("INFO up") && log.contains("INFO down"), "{log}");
    for hidden in ["alice", PASSWORD, common::NAS_SECRET, common::HOME_SECRET] {
        assert!(!log.contains(hidden), "{log}");
    }
}

#[test]
fn no_secret_appears_at_any_level_and_no_name_can_forge_a_line() {
    let log = log(&[], Some("trace"));
    for hidden in [PASSWORD, common::NAS_SECRET, common::HOME_SECRET] {
        assert!(!log.contains(hidden), "{log}");
    }
    assert!(!log.lines().any(|line| line.starts_with("ERROR forged")), "{log}");
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
