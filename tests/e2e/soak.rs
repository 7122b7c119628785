//! Where the tests that take minutes leave what they measured.

use std::path::PathBuf;

use serde_json::{Value, json};

/// Writes `results` to NAME.json in the directory that `make soak` names, with the kind of machine.
pub fn keep(name: &str, results: &Value) {
    let directory = std::env::var_os("SEKISHO_SOAK").expect("SEKISHO_SOAK is not set: `make soak` sets it");
    let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = text("/proc/cpuinfo");
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let machine = json!({
        "cpu": cpu.trim_start_matches([' ', '\t', ':']),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "kernel": text("/proc/sys/kernel/osrelease").trim(),
    });
    let path = PathBuf::from(directory).join(format!("{name}.json"));
    let whole = serde_json::to_string_pretty(&json!({"machine": machine, "results": results})).expect("JSON");
    std::fs::write(&path, whole + "\n").unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
}
