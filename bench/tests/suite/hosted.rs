//! Servers of accounts side by side, as `make bench` runs them.

use std::process::Command;

use sekisho_bench::hosted::{Results, Server};

const HOSTED: &str = env!("CARGO_BIN_EXE_sekisho-hosted-bench");

#[test]
fn freeradius_accepts_every_account_both_ways_and_the_figures_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let bench = Command::new(HOSTED)
        .args([
            "--servers",
            "files,sqlite",
            "--accounts",
            "300",
            "--rounds",
            "1",
            "--time",
            "300ms",
            "--warm-up",
            "50ms",
        ])
        .args(["--windows", "16", "--kinds", "pap,chap,mschapv2", "--results"])
        .arg(directory.path())
        .output()
        .unwrap();
    let (table, said) = (String::from_utf8_lossy(&bench.stdout), String::from_utf8_lossy(&bench.stderr));
    assert!(bench.status.success(), "{said}");
    assert!(!said.contains("left out"), "FreeRADIUS has to be installed, and its SQLite schema readable: {said}");
    assert!(table.contains("| PAP + MA | 16 | FreeRADIUS files |"), "{table}");
    assert!(table.contains("| CHAP + MA | 16 | FreeRADIUS SQLite |"), "{table}");
    assert!(table.contains("| MS-CHAPv2 + MA | 16 | FreeRADIUS files |"), "{table}");

    let file = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap();
    assert!(file.file_name().to_string_lossy().ends_with("-hosted.json"));
    let results: Results = serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
    assert_eq!((results.measurements.len(), results.accounts), (6, 300));
    assert!(results.measurements.iter().all(|m| m.report.replies.get("Access-Accept") == Some(&m.report.completed)));
    assert!(results.summary.iter().filter(|s| s.server == Server::Files).all(|s| s.of_files == Some(1.0)));
}

#[test]
fn a_bench_without_servers_says_what_to_do() {
    let bench = Command::new(HOSTED).args(["--servers", "sekisho"]).output().unwrap();
    let said = String::from_utf8_lossy(&bench.stderr);
    assert!(!bench.status.success() && said.contains("left out: name its program by --sekisho"), "{said}");
}

#[test]
fn accounting_is_refused_as_a_kind_of_login() {
    let bench = Command::new(HOSTED).args(["--kinds", "acct"]).output().unwrap();
    assert!(!bench.status.success() && String::from_utf8_lossy(&bench.stderr).contains("pap, chap and mschapv2"));
}
