//! Holds `docs/conformance.md` to the sources: every test that it names exists, and every rule has its row.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// Where the tests of each crate stand, by the word that the page calls it.
const CRATES: [(&str, &str); 13] = [
    ("abi", "xdp-prog/abi"),
    ("bench", "bench"),
    ("config", "config"),
    ("e2e", "tests/e2e"),
    ("engine", "userspace/engine"),
    ("journal", "userspace/journal"),
    ("kernel", "userspace/kernel"),
    ("lns", "userspace/lns"),
    ("sekisho", "userspace/sekisho"),
    ("service", "userspace/service"),
    ("tests", "tests/src"),
    ("udp", "userspace/udp"),
    ("wire", "userspace/wire"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/conformance.md")).expect("the page")
}

/// The cells of every row of every table, without head and rule.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let lines = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    let rows = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    rows.filter(|row| !matches!(row[0], "rule" | "number" | "what is tried" | "history")).collect()
}

/// What stands in backticks and is called like a test.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|word| {
        word.split_once("::").is_some_and(|(krate, _)| CRATES.iter().any(|(it, _)| *it == krate)) && !word.contains('…')
    })
}

/// Every test of the workspace, as the page names them: `crate::file::test`. A directory stands for its `mod.rs` or
/// `main.rs`.
fn tests() -> HashSet<String> {
    let mut all = HashSet::new();
    for (krate, directory) in CRATES {
        for path in sources(&root().join(directory)) {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let stem = path.file_stem().unwrap_or_default();
            let name = if stem == "mod" || stem == "main" {
                path.parent().and_then(Path::file_name).unwrap_or(stem)
            } else {
                stem
            };
            let file = name.to_string_lossy();
            all.extend(tests_in(&text).map(|test| format!("{krate}::{file}::{test}")));
        }
    }
    all
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap_or_else(|fault| panic!("{}: {fault}", directory.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The names of functions below an attribute that makes a test of them.
fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
            return None;
        }
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        let name = function.and_then(|rest| rest.split_once('(')).map(|(name, _)| name)?;
        std::mem::take(&mut is_test).then_some(name)
    })
}

#[test]
fn every_test_on_the_page_exists() {
    let (page, tests) = (page(), tests());
    let missing: BTreeSet<&str> = named(&page).filter(|name| !tests.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/conformance.md names tests that are not there: {missing:#?}");
}

#[test]
fn every_rule_has_one_row_and_every_row_a_test_or_a_reason() {
    let page = page();
    let rules = rows(&page).iter().filter_map(|row| row[0].parse().ok()).collect::<Vec<u32>>();
    // The rules come first and in their order, then single attributes.
    assert_eq!(rules[..72], (1..=72).collect::<Vec<_>>());
    for algorithm in 1..=10 {
        let number = format!("2.{algorithm}");
        assert_eq!(rows(&page).iter().filter(|row| row[0] == number).count(), 1, "{number}");
    }
    for row in rows(&page) {
        let excused = row.iter().any(|cell| cell.contains("*Later*") || cell.contains("*Later.*"));
        let shown = row.last().is_some_and(|cell| named(cell).next().is_some());
        assert!(shown || excused, "no test shows {row:?}");
    }
}

#[test]
fn tests_are_found_below_their_attribute_whatever_stands_between() {
    let text = "#[test]\n#[ignore = \"x\"]\nfn one() {\n}\nfn two() {}\n  #[tokio::test(a)]\n  async fn three() {}\n";
    assert_eq!(tests_in(text).collect::<Vec<_>>(), ["one", "three"]);
}

#[test]
fn every_file_of_end_to_end_tests_is_part_of_the_program_that_runs_them() {
    let e2e = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e");
    for path in sources(&e2e) {
        let directory = path.parent().expect("a directory");
        let (head, name) = match path.file_stem().and_then(|stem| stem.to_str()).expect("a name") {
            "main" => continue,
            "mod" => (e2e.join("main.rs"), directory.file_name().unwrap_or_default().to_string_lossy()),
            stem if directory == e2e => (e2e.join("main.rs"), stem.into()),
            stem => (directory.join("mod.rs"), stem.into()),
        };
        let text = std::fs::read_to_string(&head).expect("the file that names it");
        assert!(text.contains(&format!("\nmod {name};")), "{name} is not in {}", head.display());
    }
}
