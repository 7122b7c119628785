//! What README promises to somebody who tries VPDN: every command of its section, and what it says comes of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sekisho_tests::http;
use sekisho_tests::namespace::Namespace;
use sekisho_tests::process::{Process, Program};
use sekisho_tests::programs;
use sekisho_tests::readme::{prints, shown};
use sekisho_tests::sekisho::admin;
use sekisho_tests::wait::eventually;

/// How the section's blocks begin: their commands are for another node than that of the other `console` blocks.
const FENCE: &str = "```console vpdn";

/// The top of the project.
fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).to_owned()
}

/// A clone of the project as far as the section needs it: what a node keeps stays out of the project, and what one has kept
/// there is not taken over.
fn clone() -> tempfile::TempDir {
    let clone = tempfile::tempdir().expect("a temporary directory");
    let [config, release] = ["config/examples/vpdn/customers", "target/release"].map(|path| clone.path().join(path));
    std::fs::create_dir_all(&config).expect("a directory");
    std::fs::create_dir_all(&release).expect("a directory");
    for document in ["sekisho.toml", "customers/acme.toml"] {
        let [from, to] = [root(), clone.path().to_owned()].map(|top| top.join("config/examples/vpdn").join(document));
        std::fs::copy(from, to).expect("an example");
    }
    std::os::unix::fs::symlink(programs::sekisho(), release.join("sekisho")).expect("the program");
    clone
}

/// A line typed at the top of the clone.
fn typed(clone: &Path, command: &str) -> Program {
    Program::new("bash").args(["-o", "pipefail", "-c", command]).directory(clone)
}

#[test]
fn every_command_of_the_readmes_vpdn_does_what_it_says() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let all = shown(&text, FENCE);
    let [run, rest @ ..] = &all[..] else { panic!("README.md has no {FENCE}") };
    assert!(run.command.contains(" run "), "the node is run first: {}", run.command);
    for word in ["radclient", "Start", "sessions", "lns", "lns drain acme/tokyo-1", "journal export"] {
        assert!(rest.iter().any(|shown| shown.command.contains(word)), "{word} is shown");
    }
    let (namespace, clone) = (Namespace::new("vpdn"), clone());
    let mut node: Process = typed(clone.path(), &format!("exec {}", run.command)).start(&namespace);
    eventually("the node is ready", || {
        assert!(node.runs(), "it did not start: {}", node.log());
        http::ask(&namespace, admin(), "GET", "/healthz").ok().filter(|answer| answer.status == 200)
    });
    for shown in rest {
        let program = typed(clone.path(), &shown.command);
        let finished = program.finish(&namespace, "", Duration::from_secs(60));
        assert!(finished.status.success(), "{}\n{}", shown.command, finished.output);
        prints(shown, &finished.output);
    }
    assert!(!node.log().contains("panicked"), "{}", node.log());
}
