//! What README promises to somebody who has just cloned the project: `make run`, and every command after it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sekisho_tests::http;
use sekisho_tests::metrics::Metrics;
use sekisho_tests::namespace::Namespace;
use sekisho_tests::process::{Finished, Process, Program};
use sekisho_tests::sekisho::admin;
use sekisho_tests::wait::eventually;

/// The top of the project.
fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).to_owned()
}

/// `make run` in a namespace with nothing but loopback, until it has said what to try. What it does stays in a directory of its own.
fn make_run(namespace: &Namespace, trial: &Path) -> Process {
    let trial = format!("SEKISHO_TRIAL={}", trial.join("trial").display());
    let program = Program::new("make").args(["run", &trial]).directory(&root()).own_group();
    let mut process = program.start(namespace);
    // It builds what is not built yet.
    process.prints_within(Duration::from_secs(300), "Ctrl-C stops");
    process
}

/// A line typed in another terminal.
fn type_in(namespace: &Namespace, line: &str) -> Finished {
    let program = Program::new("bash").args(["-o", "pipefail", "-c", line]).directory(&root());
    program.finish(namespace, "", Duration::from_secs(60))
}

/// The lines after `Try`, as they would be typed.
fn suggestions(output: &str) -> Vec<String> {
    let joined = output.replace("\\\n", " ");
    let after = joined.lines().skip_while(|line| !line.starts_with("Try")).skip(1).skip_while(|line| line.is_empty());
    after.take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn after_make_run_a_login_succeeds_and_ctrl_c_leaves_nothing_behind() {
    let namespace = Namespace::new("trial");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut trial = make_run(&namespace, directory.path());

    let lines = suggestions(&trial.log());
    for tool in ["sekisho probe", "radclient", "curl"] {
        assert!(lines.iter().any(|line| line.contains(tool)), "{tool} is suggested: {lines:#?}");
    }
    for line in &lines {
        let typed = type_in(&namespace, line);
        assert!(typed.status.success(), "{line}\n{}", typed.output);
        if line.contains("radclient") {
            assert!(typed.output.contains("Received Access-Accept"), "{}", typed.output);
        }
    }
    let metrics = Metrics::parse(&http::ask(&namespace, admin(), "GET", "/metrics").unwrap().body);
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "accept")]), 2, "the probe's and radclient's");
    assert_eq!(metrics.sum("sekisho_xdp_mode", &[("interface", "lo"), ("mode", "generic")]), 1);
    assert!(metrics.balances());

    trial.interrupt();
    trial.exits_within(Duration::from_secs(10));
    eventually("no port is open any more", || {
        let ports = namespace.tool("ss", "-H -lnut");
        ports.trim().is_empty().then_some(())
    });
    assert!(!namespace.tool("ip", "-details link show dev lo").contains("prog/xdp"));
    assert!(!trial.log().contains("panicked"), "{}", trial.log());
}

#[test]
fn every_command_in_the_readme_works() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let commands = console_commands(&text);
    assert!(!commands.is_empty(), "README.md has ```console blocks with lines that begin with `$ `");
    let namespace = Namespace::new("readme");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let _trial = make_run(&namespace, directory.path());
    for command in commands {
        let typed = type_in(&namespace, &command);
        assert!(typed.status.success(), "{command}\n{}", typed.output);
    }
}

/// What is to be typed in the ```console blocks: lines that begin with `$ `, joined where they end with a backslash.
fn console_commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut inside = false;
    let joined = text.replace("\\\n", " ");
    for line in joined.lines() {
        match line.trim() {
            fence if fence.starts_with("```") => inside = fence == "```console",
            line if inside => commands.extend(line.strip_prefix("$ ").map(str::to_owned)),
            _ => {}
        }
    }
    commands
}

#[test]
fn commands_are_found_in_console_blocks_only() {
    let text = "$ no\n```console\n$ one\noutput\n$ two \\\n  more\n```\n```sh\n$ no\n```\n";
    assert_eq!(console_commands(text), ["one", "two    more"]);
}
