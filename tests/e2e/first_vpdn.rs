//! What README promises to somebody who tries VPDN: every command of its section, and what it says comes of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sekisho_tests::http;
use sekisho_tests::namespace::Namespace;
use sekisho_tests::process::{Process, Program};
use sekisho_tests::programs;
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

/// A command of the section, and the lines that README shows of its output.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    command: String,
    output: Vec<String>,
}

fn shown(text: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in text.replace("\\\n", " ").lines() {
        match (line.strip_prefix("$ "), all.last_mut()) {
            _ if line.starts_with("```") => inside = line == FENCE,
            _ if !inside => {}
            (Some(command), _) => all.push(Shown { command: command.to_owned(), output: Vec::new() }),
            (None, Some(last)) => last.output.push(line.to_owned()),
            (None, None) => panic!("a block begins with a command: {line}"),
        }
    }
    all
}

/// Whether a printed line is what README shows, word for word.
fn is(line: &str, shown: &str) -> bool {
    let [words, wanted] = [line, shown].map(|it| it.split_whitespace().collect::<Vec<_>>());
    words.len() == wanted.len() && words.iter().zip(&wanted).all(|(word, wanted)| fits(word, wanted))
}

/// Whether a word is what is shown, where `…` stands for any part of it.
fn fits(word: &str, shown: &str) -> bool {
    let mut pieces = shown.split('…');
    let Some(mut rest) = pieces.next().and_then(|first| word.strip_prefix(first)) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, between)) = pieces.split_last() else { return rest.is_empty() };
    for piece in between {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Holds that the shown lines are printed, in their order; there may be others between them.
#[track_caller]
fn prints(shown: &Shown, output: &str) {
    let mut lines = output.lines();
    for wanted in &shown.output {
        let found = wanted.trim() == "…" || lines.any(|line| is(line, wanted));
        assert!(found, "{}\nprints no line {wanted:?} after those before it:\n{output}", shown.command);
    }
}

/// A line typed at the top of the clone.
fn typed(clone: &Path, command: &str) -> Program {
    Program::new("bash").args(["-o", "pipefail", "-c", command]).directory(clone)
}

#[test]
fn every_command_of_the_readmes_vpdn_does_what_it_says() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let all = shown(&text);
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

#[test]
fn a_line_is_what_is_shown_but_for_what_is_left_open() {
    for (line, shown) in [
        ("tokyo-1  up  12 s", "tokyo-1 up 12 s"),
        ("tokyo-1  up  12 s", "tokyo-1 up … s"),
        ("\tTunnel-Password:1 = \"secret\"", "Tunnel-Password:1 = \"…\""),
        ("2026-11-27T19:30:50Z,acme,127.0.0.1:40112,Start", "…Z,acme,127.0.0.1:…,Start"),
    ] {
        assert!(is(line, shown), "{line} {shown}");
    }
    for (line, shown) in
        [("one two", "one"), ("one", "one …"), ("one two", "one three"), ("ab", "ab…b"), ("a-c", "a…b…c")]
    {
        assert!(!is(line, shown), "{line} {shown}");
    }
}

#[test]
fn commands_are_found_with_what_is_shown_of_their_output() {
    let text = "$ no\n```console\n$ no\n```\n```console vpdn\n$ one \\\n  more\nout\n$ two\n```\nafter\n";
    let expected = [("one    more", vec!["out".to_owned()]), ("two", vec![])];
    let found = shown(text).into_iter().map(|it| (it.command, it.output)).collect::<Vec<_>>();
    assert_eq!(found, expected.map(|(command, output)| (command.to_owned(), output)));
}
