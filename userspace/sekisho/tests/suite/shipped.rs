//! What is shipped beside the program holds: alert rules, the scrape configuration, the systemd unit.
//!
//! `tests/setup.sh` installs the tools that judge them.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::common::{Node, PROGRAM, text};

const METRICS: &str = include_str!("../../../../docs/metrics.md");

fn shipped(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config")).join(path)
}

/// Runs a tool that must succeed without a word of complaint.
fn passes(tool: &str, arguments: &[&str], directory: &Path, input: &str) {
    let mut command = Command::new(tool);
    command.args(arguments).current_dir(directory).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => panic!("{tool} is missing: tests/setup.sh installs it"),
        child => child.unwrap(),
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{tool} {arguments:?}\n{}", text(&output));
}

#[test]
fn the_alert_rules_are_sound_and_ring_when_they_should() {
    let directory = shipped("prometheus");
    passes("promtool", &["check", "rules", "sekisho.rules.yml"], &directory, "");
    passes("promtool", &["test", "rules", "sekisho.test.yml", "sekisho.week.test.yml"], &directory, "");
    passes("promtool", &["check", "config", "prometheus.yml"], &directory, "");
}

#[test]
fn the_alert_rules_ask_for_nothing_that_is_not_documented() {
    let rules = fs::read_to_string(shipped("prometheus/sekisho.rules.yml")).unwrap();
    let expressions = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names: Vec<&str> = expressions.filter(|word| word.starts_with("sekisho_")).collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        assert!(METRICS.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn a_scrape_is_what_prometheus_takes_without_a_remark() {
    let node = Node::start();
    passes("promtool", &["check", "metrics"], Path::new("/"), &node.get("/metrics"));
}

#[test]
fn the_unit_is_what_systemd_takes() {
    let unit = fs::read_to_string(shipped("systemd/sekisho.service")).unwrap();
    assert_eq!(unit.matches("/usr/local/bin/sekisho").count(), 2);
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("sekisho.service"), unit.replace("/usr/local/bin/sekisho", PROGRAM)).unwrap();
    passes("systemd-analyze", &["verify", "./sekisho.service"], directory.path(), "");
}
