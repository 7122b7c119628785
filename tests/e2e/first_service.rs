//! What README promises to somebody who tries the service: from an empty registry to a served customer of each kind, every command of its
//! section, and what it says comes of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sekisho_tests::namespace::Namespace;
use sekisho_tests::process::Program;
use sekisho_tests::programs;
use sekisho_tests::readme::{Shown, prints, shown};

/// How the section's blocks begin: one terminal types all of them.
const FENCE: &str = "```console service";
/// What stands in the terminal before the output of a command.
const MARK: &str = "──── command";

/// A directory that the section is typed in, with the programs where a build puts them.
fn clone() -> tempfile::TempDir {
    let clone = tempfile::tempdir().expect("a temporary directory");
    let release = clone.path().join("target/release");
    std::fs::create_dir_all(&release).expect("a directory");
    for (program, name) in [(programs::sekisho(), "sekisho"), (programs::sekisho_home(), "sekisho-home")] {
        std::os::unix::fs::symlink(program, release.join(name)).expect("a program");
    }
    clone
}

/// One terminal's whole session: a mark before each command, what runs in the background is waited for, and ended at the end.
fn session(all: &[Shown]) -> String {
    let mut script = String::from("set -o pipefail\ntrap 'kill $(jobs -p); wait' EXIT\n");
    for (number, shown) in all.iter().enumerate() {
        script += &format!("echo '{MARK} {number}'\n{}\n", shown.command);
        if !shown.command.ends_with('&') {
            script += "status=$?; [ $status -eq 0 ] || { echo \"failed: $status\"; exit 1; }\n";
        } else if shown.command.contains("sekisho run") {
            script += "for _ in $(seq 100); do curl -sf http://127.0.0.1:9812/healthz >trial/health && break; sleep 0.1; done\n";
        }
    }
    script
}

#[test]
fn every_command_of_the_readmes_service_does_what_it_says() {
    let root: PathBuf = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).to_owned();
    let text = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let all = shown(&text, FENCE);
    for word in
        ["--empty", " run ", "apply", "accept", "import", "confirm", "start", "radclient", "get", "cancel", "statement"]
    {
        assert!(all.iter().any(|shown| shown.command.contains(word)), "{word} is shown");
    }
    let (namespace, clone) = (Namespace::new("service"), clone());
    let program = Program::new("bash").args(["-c", &session(&all)]).directory(clone.path()).own_group();
    let finished = program.finish(&namespace, "", Duration::from_secs(120));
    let log = std::fs::read_to_string(clone.path().join("trial/log")).unwrap_or_default();
    assert!(finished.status.success(), "{}\n{log}", finished.output);
    assert!(!log.contains("panicked"), "{log}");
    let mut outputs = finished.output.split(MARK).skip(1);
    for shown in &all {
        let output = outputs.next().expect("each command has its mark");
        prints(shown, output);
    }
}
