//! Very many accounts: read at once, and logged in at full speed.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sekisho_tests::load::{Load, count};
use sekisho_tests::network::Family;
use sekisho_tests::service::Group;
use serde_json::{Value, json};

use super::land::{GROUP, Land, told};
use crate::scene::nas_secret;

/// Imports so many accounts, and logs them in for so long, 256 at a time.
fn all_log_in(number: u32, duration: &str) -> Value {
    let land = Land::new();
    let service = land.service(&Group::new(GROUP, number), "user,password\nuser0,password-0\n");
    let mut csv = "user,password\n".to_owned();
    for n in 0..number {
        let _ = writeln!(csv, "user{n},password-{n}");
    }
    let begun = Instant::now();
    service.import(GROUP, &csv);
    let import = begun.elapsed();
    let begun = Instant::now();
    let sekisho = service.run();
    let start = begun.elapsed();
    assert_eq!(sekisho.status()["registry"]["accounts"], number);
    let path = service.documents().write_beside("load.csv", &csv).display().to_string();
    let load = Load::logins(&land.nas, Family::V4, &nas_secret(Family::V4), 256);
    let summary = load.with(&["--accounts", &path, "--duration", duration]).run(&land.nas);
    assert_eq!(["lost", "bad", "retransmitted"].map(|name| count(&summary, name)), [0; 3], "{summary}");
    let replies = count(&summary, "completed");
    assert!(replies > 1000, "{summary}");
    assert_eq!(told(&sekisho, GROUP)["accepts"], replies, "each is an Accept: {summary}");
    let octets = sekisho.status()["registry"]["account_octets"].as_u64().unwrap_or_default();
    json!({
        "accounts": number,
        "import_seconds": import.as_secs_f64(),
        "start_seconds": start.as_secs_f64(),
        "octets_of_memory_each": octets / u64::from(number),
        "load": summary,
    })
}

#[test]
fn a_hundred_thousand_accounts_are_imported_and_log_in_under_load() {
    let begun = Instant::now();
    let found = all_log_in(100_000, "2s");
    assert!(begun.elapsed() < Duration::from_secs(60), "{found}");
}

#[test]
#[ignore = "takes half a minute: make soak"]
fn soak_of_a_hundred_thousand_accounts() {
    crate::soak::keep("accounts", &all_log_in(100_000, "30s"));
}
