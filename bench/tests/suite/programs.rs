//! The programs as they are started from a shell.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sekisho_bench::home::Stats;
use sekisho_bench::load::Report;

const HOME: &str = env!("CARGO_BIN_EXE_sekisho-home");
const LOAD: &str = env!("CARGO_BIN_EXE_sekisho-load");
const COMPARE: &str = env!("CARGO_BIN_EXE_sekisho-compare");

#[test]
fn a_home_server_says_where_it_listens_and_counts_when_it_ends() {
    let mut home = Command::new(HOME)
        .args(["--secret", "x", "--user", "*:wonderland", "--listen-auth", "127.0.0.1:0"])
        .args(["--listen-acct", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(home.stdout.take().unwrap());
    let mut greeting = String::new();
    out.read_line(&mut greeting).unwrap();
    let address = greeting.split_once("authentication on ").unwrap().1.split_once(',').unwrap().0;

    let load = Command::new(LOAD).args([address, "--secret", "x", "--requests", "100"]).output().unwrap();
    let report: Report = serde_json::from_slice(&load.stdout).unwrap();
    assert_eq!((report.completed, report.bad), (100, 0));

    kill_process(Pid::from_child(&home), Signal::INT).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(home.wait().unwrap().success());
    let stats: Stats = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
    assert_eq!((stats.distinct, stats.accepts), (100, 100));
}

#[test]
fn an_address_in_use_is_named_in_a_line() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = Command::new(HOME).args(["--secret", "x", "--listen-auth", &address]).output().unwrap();
    assert!(!home.status.success());
    let said = String::from_utf8(home.stderr).unwrap();
    assert!(said.contains(&address) && said.contains("in use"), "{said}");
}

#[test]
fn a_comparison_gives_a_table_and_a_file_without_the_machines_name() {
    let results = tempfile::tempdir().unwrap();
    let compare = Command::new(COMPARE)
        .args(["--proxies", "relay", "--rounds", "1", "--time", "300ms", "--warm-up", "50ms", "--windows", "16"])
        .arg("--results")
        .arg(results.path())
        .output()
        .unwrap();
    let table = String::from_utf8(compare.stdout).unwrap();
    assert!(compare.status.success(), "{}", String::from_utf8_lossy(&compare.stderr));
    assert!(table.contains("| accounting | 16 | bare relay |") && table.contains("| PAP + MA | 16 | bare relay |"));
    let file = std::fs::read_dir(results.path()).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert!(!text.contains(name.trim()) || name.trim().len() < 4, "the host's name is nobody's business");
    let results: sekisho_bench::compare::Results = serde_json::from_str(&text).unwrap();
    assert_eq!(results.measurements.len(), 2);
    assert!(results.measurements.iter().all(|m| m.report.completed > 0 && m.report.bad == 0));
}

#[test]
fn a_load_logs_in_with_every_account_and_fails_when_one_is_not_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let (csv, users) = (directory.path().join("accounts.csv"), directory.path().join("users"));
    let accounts: Vec<_> =
        (0..300).map(|number| (format!("subscriber-{number}"), format!("secret-{number}"))).collect();
    let text: String = accounts.iter().map(|(user, password)| format!("{user},{password}\n")).collect();
    std::fs::write(&csv, format!("user,password\n{text}")).unwrap();
    let text: String = accounts.iter().map(|(user, password)| format!("{user}@acme.example:{password}\n")).collect();
    std::fs::write(&users, text).unwrap();
    let mut home = Command::new(HOME)
        .args(["--secret", "x", "--listen-auth", "127.0.0.1:0", "--listen-acct", "127.0.0.1:0", "--users-file"])
        .arg(&users)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(home.stdout.take().unwrap());
    let mut greeting = String::new();
    out.read_line(&mut greeting).unwrap();
    let address = greeting.split_once("authentication on ").unwrap().1.split_once(',').unwrap().0;
    let load = |kind: &str| {
        let mut command = Command::new(LOAD);
        command.args([address, "--secret", "x", "--requests", "4000", "--kind", kind, "--accounts"]).arg(&csv);
        command.output().unwrap()
    };
    for kind in ["pap", "chap"] {
        let output = load(kind);
        let report: Report = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((report.completed, report.replies.get("Access-Accept")), (4000, Some(&4000)), "{kind}");
        assert!(output.status.success());
    }

    let one_is_wrong = std::fs::read_to_string(&csv).unwrap().replace("secret-123\n", "secret-x\n");
    std::fs::write(&csv, one_is_wrong).unwrap();
    let output = load("pap");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("of 4000 logins were not accepted"), "{said}");

    kill_process(Pid::from_child(&home), Signal::INT).unwrap();
    home.wait().unwrap();
}
